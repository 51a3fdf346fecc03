"""What is sent packed: pages and what they load, for who takes it; and never data."""

import gzip

import pytest

from app.api.compression import LEAST_BYTES, takes_gzip
from tests.conftest import Clients
from tests.support.institution import API, Institution

PACKED, PLAIN = {"Accept-Encoding": "br;q=1, gzip"}, {"Accept-Encoding": "identity"}
HTML = {"Accept": "text/html"}


@pytest.mark.parametrize(
    "path",
    [
        "/", "/errors", "/docs", "/redoc", "/openapi.json", "/assets/quickwin.css",
        "/assets/live.js", "/static/swagger-ui.css",
    ],
)  # fmt: skip
async def test_pages_and_their_files_are_packed(clients: Clients, path: str) -> None:
    plain = await clients.nobody.get(path, headers=HTML | PLAIN)
    assert "content-encoding" not in plain.headers
    async with clients.nobody.stream("GET", path, headers=HTML | PACKED) as answer:
        sent = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers.get("content-length", len(sent))) == len(sent)
    assert gzip.decompress(sent) == plain.content
    assert len(sent) < 0.6 * len(plain.content)
    for each in (plain, answer):
        assert each.headers["vary"].count("Accept-Encoding") == 1
        assert each.headers.get("etag", "W/").startswith("W/")


async def test_a_file_that_is_known_is_not_sent_again(clients: Clients) -> None:
    path = "/assets/quickwin.css"
    first = await clients.nobody.get(path, headers=PACKED)
    assert "accept-ranges" not in first.headers
    for coding in (PACKED, PLAIN):
        known = {"If-None-Match": first.headers["etag"]}
        again = await clients.nobody.get(path, headers=coding | known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "Accept-Encoding" in again.headers["vary"]


async def test_data_is_sent_as_it_is(institution: Institution) -> None:
    """Its ETags are strong, and its answers may hold secrets."""
    for path in ("/me", institution.path.removeprefix(API), "/institutions"):
        answer = await institution.operator.get(f"{API}{path}", headers=PACKED)
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers
        assert not answer.headers.get("etag", "").startswith("W/")


async def test_where_another_site_leads_here_sizes_tell_nothing(clients: Clients) -> None:
    """Else its guesses, sent back by a page, could be weighed against what else is in it (BREACH)."""
    for site, is_packed in (
        ("cross-site", False), ("same-site", False), ("none", True), ("same-origin", True),
    ):  # fmt: skip
        led = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        answer = await clients.nobody.get("/errors", headers=HTML | PACKED | led)
        assert answer.status_code == 200
        assert ("content-encoding" in answer.headers) is is_packed, site


async def test_a_part_of_a_file_is_one_of_the_plain_file(clients: Clients) -> None:
    path = "/assets/quickwin.css"
    plain = await clients.nobody.get(path, headers=PLAIN)
    part = await clients.nobody.get(path, headers=PACKED | {"Range": "bytes=0-999"})
    assert part.status_code == 206
    assert "content-encoding" not in part.headers
    assert part.content == plain.content[:1000]
    head = await clients.nobody.head(path, headers=PACKED)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == plain.headers["etag"]


async def test_what_is_short_is_sent_plain(clients: Clients) -> None:
    answer = await clients.nobody.get("/health/live", headers=PACKED)
    assert len(answer.content) < LEAST_BYTES
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True), ("br, GZIP;q=0.5", True), ("gzip; q=0.001", True), ("", False),
        ("gzip;q=0", False), ("gzip; q = 0.000", False), ("br", False), ("x-gzip2", False),
    ],
)  # fmt: skip
def test_a_client_says_what_it_takes(accepted: str, takes: bool) -> None:  # noqa: FBT001  as the table says
    assert takes_gzip(accepted) is takes
