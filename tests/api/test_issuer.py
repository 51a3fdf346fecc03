"""The issuer's keys: found, kept, changed, and what happens while the issuer is away."""

import asyncio
import json
import logging
import time

import httpx
import pytest

from app.api.issuer import FRESH_SECONDS, LARGEST_BYTES, LASTING_SECONDS, PAUSE_SECONDS
from tests.api.conftest import Relying
from tests.conftest import OPERATOR
from tests.support.institution import Institution, Json
from tests.support.issuer import DISCOVERY, EcKey, LocalIssuer, RsaKey

AWAY = (503, dict[str, str](), b"away")


@pytest.fixture(scope="module")
async def subject(shared: Institution) -> str:
    """The subject of a person who may come in."""
    subject = f"6f1c|{shared.code}"
    await shared.patch("people/reporter", {"oidc_subject": subject})
    return subject


async def refused_for_now(relying: Relying, token: str) -> None:
    answer = await relying.me(token)
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
    assert answer.headers["retry-after"] == "5"


async def fetched(issuer: LocalIssuer, times: int) -> None:
    """Wait for a fetch in the background; then it has been this many."""
    until = time.monotonic() + 5
    while issuer.asked.count("/jwks") < times and time.monotonic() < until:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert issuer.asked.count("/jwks") == times


async def test_keys_rotate_without_a_restart(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    assert await relying.status(issuer.token(sub=subject)) == 200
    for new in (RsaKey("rsa-2"), EcKey("ec-2")):
        issuer.keys.append(new.jwk)
        relying.later += PAUSE_SECONDS + 1
        assert await relying.status(issuer.token(new, sub=subject)) == 200
    assert await relying.status(issuer.token(sub=subject)) == 200


async def test_a_key_that_was_withdrawn_is_worthless(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    token = issuer.token(sub=subject)
    assert await relying.status(token) == 200
    issuer.keys = [issuer.ec.jwk]
    relying.later += FRESH_SECONDS + 1
    assert await relying.status(token) == 200  # it is not waited for
    await fetched(issuer, 2)
    assert await relying.status(token) == 401
    assert await relying.status(issuer.token(issuer.ec, sub=subject)) == 200


async def test_another_key_of_the_same_name(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    """Names are the issuer's own business: a key may get the name of one that went."""
    assert await relying.status(issuer.token(sub=subject)) == 200
    new = RsaKey(issuer.rsa.kid)
    issuer.keys = [new.jwk]
    assert await relying.status(issuer.token(new, sub=subject)) == 401
    relying.later += FRESH_SECONDS + 1
    assert await relying.status(issuer.token(new, sub=subject)) == 401
    await fetched(issuer, 2)
    assert await relying.status(issuer.token(new, sub=subject)) == 200
    assert await relying.status(issuer.token(sub=subject)) == 401


async def test_one_name_for_keys_of_two_kinds(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    twin = EcKey(issuer.rsa.kid)
    issuer.keys = [twin.jwk, issuer.rsa.jwk]
    for key in (twin, issuer.rsa):
        assert await relying.status(issuer.token(key, sub=subject)) == 200


async def test_strangers_do_not_make_us_knock(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    """200 requests with keys that nobody knows: one fetch a minute, and one for all at once."""
    assert await relying.status(issuer.token(sub=subject)) == 200
    assert issuer.asked.count("/jwks") == 1
    strangers = [issuer.token(header={"kid": f"key-{i}"}, sub=subject) for i in range(200)]
    for minute in (1, 2, 3):
        answers = await asyncio.gather(*map(relying.status, strangers))
        assert set(answers) == {401}
        assert issuer.asked.count("/jwks") == minute
        relying.later += PAUSE_SECONDS + 1
        issuer.delay = 0.2


async def test_many_at_once_share_the_first_fetch(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    issuer.delay = 0.3
    token = issuer.token(sub=subject)
    assert set(await asyncio.gather(*(relying.status(token) for _ in range(50)))) == {200}
    assert issuer.asked == [DISCOVERY, "/jwks"]


async def test_whoever_gives_up_does_not_end_the_fetch(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    issuer.delay = 0.3
    token = issuer.token(sub=subject)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await relying.status(token)
    assert await relying.status(token) == 200
    assert issuer.asked == [DISCOVERY, "/jwks"]


async def test_the_issuer_is_away(
    relying: Relying, issuer: LocalIssuer, institution: Institution, subject: str
) -> None:
    """What cannot be checked is refused for now; all others come in, and at once."""
    issuer.answers[DISCOVERY] = AWAY
    token = issuer.token(sub=subject)
    await refused_for_now(relying, token)
    own = institution.reporter.headers["Authorization"].removeprefix("Bearer ")
    assert {await relying.status(OPERATOR), await relying.status(own)} == {200}
    assert await relying.status("qw_nonsense") == 401
    await refused_for_now(relying, token)
    assert issuer.asked == [DISCOVERY]  # not again for five seconds
    issuer.restore()
    relying.later += 6
    assert await relying.status(token) == 200
    issuer.answers["/jwks"] = AWAY
    relying.later += PAUSE_SECONDS + 1
    await refused_for_now(relying, issuer.token(RsaKey("rsa-2"), sub=subject))
    assert await relying.status(token) == 200
    assert await relying.status(issuer.token(issuer.ec, sub=subject)) == 200


async def test_kept_keys_last_for_a_day(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    token = issuer.token(sub=subject)
    assert await relying.status(token) == 200
    issuer.answers["/jwks"] = AWAY
    issuer.delay = 0.2
    for hours in (1, 10, 12.9):
        relying.later += hours * 3_600
        begun = time.monotonic()
        assert await relying.status(token) == 200
        assert time.monotonic() - begun < 0.2
    assert relying.later < LASTING_SECONDS
    relying.later += 3_600
    await refused_for_now(relying, token)
    issuer.restore()
    relying.later += PAUSE_SECONDS + 1
    assert await relying.status(token) == 200


def large(issuer: LocalIssuer) -> bytes:
    return json.dumps({"keys": [issuer.rsa.jwk], "pad": "x" * LARGEST_BYTES}).encode()


BROKEN: dict[str, tuple[str, tuple[int, dict[str, str], bytes]]] = {
    "another issuer": (DISCOVERY, (200, {}, b'{"issuer": "https://a.example", "jwks_uri": "https://a.example"}')),
    "no JSON": (DISCOVERY, (200, {}, b"<html>")),
    "no object": (DISCOVERY, (200, {}, b"[]")),
    "empty": (DISCOVERY, (200, {}, b"")),
    "deep": (DISCOVERY, (200, {}, b"[" * 100_000)),
    "no text": (DISCOVERY, (200, {}, b"\xff\xfe")),
    "without an address of keys": (DISCOVERY, (200, {}, b'{"issuer": "x"}')),
    "not there": (DISCOVERY, (404, {}, b"")),
    "keys no JSON": ("/jwks", (200, {}, b"{")),
    "keys no list": ("/jwks", (200, {}, b'{"keys": {}}')),
    "keys no objects": ("/jwks", (200, {}, b'{"keys": ["a"]}')),
    "keys too many": ("/jwks", (200, {}, json.dumps({"keys": [{}] * 101}).encode())),
    "keys packed": ("/jwks", (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08\x00")),
    "keys fail": ("/jwks", (500, {}, b"")),
}  # fmt: skip


@pytest.mark.parametrize(("path", "answer"), BROKEN.values(), ids=BROKEN)
async def test_an_issuer_that_talks_nonsense(
    relying: Relying,
    issuer: LocalIssuer,
    subject: str,
    path: str,
    answer: tuple[int, dict[str, str], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    issuer.answers[path] = answer
    await refused_for_now(relying, issuer.token(sub=subject))
    assert [r for r in caplog.records if r.name == "app.api.issuer" and r.levelno == logging.ERROR]


async def test_keys_are_not_followed_to_another_place(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    """Neither by a redirect, nor to an address that is not secure."""
    token = issuer.token(sub=subject)
    true = json.dumps({"keys": issuer.keys}).encode()
    issuer.answers["/other"] = (200, {}, true)
    issuer.answers["/jwks"] = (302, {"Location": f"{issuer.url}/other"}, b"")
    await refused_for_now(relying, token)
    issuer.answers["/other?a"] = issuer.answers["/other"]
    with_name = issuer.url.replace("//", "//a@")
    for uri in (
        "http://keys.example/jwks", "file:///etc/passwd", "ftp://127.0.0.1/", "", 7,
        f"{with_name}/other", f"{issuer.url}/other?a",
    ):  # fmt: skip
        relying.later += 6
        issuer.described = {"jwks_uri": uri}
        await refused_for_now(relying, token)
    assert not {"/other", "/other?a"} & {*issuer.asked}
    relying.later += 6
    issuer.described = {"jwks_uri": f"{issuer.url}/other"}
    assert await relying.status(token) == 200


@pytest.mark.parametrize("other", ["https://login.example", "{url}/", "{url}/realms/a", ""])
async def test_a_document_of_another_issuer(
    relying: Relying, issuer: LocalIssuer, subject: str, other: str
) -> None:
    issuer.described = {"issuer": other.format(url=issuer.url)}
    await refused_for_now(relying, issuer.token(sub=subject))
    assert issuer.asked == [DISCOVERY]


async def test_an_answer_without_end(relying: Relying, issuer: LocalIssuer, subject: str) -> None:
    issuer.answers["/jwks"] = (200, {}, large(issuer))
    await refused_for_now(relying, issuer.token(sub=subject))


async def test_an_issuer_that_does_not_listen(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    await relying.configure(oidc_issuer="http://127.0.0.1:1")
    await refused_for_now(relying, issuer.token(sub=subject, iss="http://127.0.0.1:1"))


async def test_an_issuer_without_a_fitting_key(
    relying: Relying, issuer: LocalIssuer, subject: str
) -> None:
    """It was asked, and answered: nothing is to be waited for, and it is not asked again soon."""
    issuer.keys = []
    token = issuer.token(sub=subject)
    for _ in range(3):
        assert await relying.status(token) == 401
    relying.later += 6
    assert await relying.status(token) == 401
    assert issuer.asked.count("/jwks") == 1


async def test_the_issuer_is_not_called_before_somebody_needs_it(
    relying: Relying, issuer: LocalIssuer
) -> None:
    answer: httpx.Response = await relying.client.get("/health/ready")
    assert answer.status_code == 200
    assert issuer.asked == []


@pytest.mark.parametrize("path", ["", "/", "/realms/kpu", "/realms/kpu/"])
async def test_issuers_have_paths(
    relying: Relying, issuer: LocalIssuer, subject: str, path: str
) -> None:
    """The name is compared to the letter; the slash at its end is no part of the address."""
    name = issuer.url + path
    described: Json = {"issuer": name, "jwks_uri": f"{issuer.url}/jwks"}
    address = f"{path.rstrip('/')}{DISCOVERY}"
    issuer.answers = {address: (200, {}, json.dumps(described).encode())}
    await relying.configure(oidc_issuer=name)
    assert await relying.status(issuer.token(sub=subject, iss=name)) == 200
    other = name.removesuffix("/") if name.endswith("/") else f"{name}/"
    assert await relying.status(issuer.token(sub=subject, iss=other)) == 401
