"""Bodies that are not what JSON, the shapes or the databases take: a clear 4xx, nothing written."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import problems
from app.api.bodies import at_most
from app.api.calls import router
from app.api.denials import Denials
from app.api.requests import RequestIds
from app.db import Database
from tests.support.institution import API, Institution

JSON = {"Content-Type": "application/json"}


async def with_a_plan(institution: Institution) -> Institution:
    """An institution with one unit, one initiative and one milestone."""
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    return institution


@pytest.fixture
async def ready(institution: Institution) -> Institution:
    """An institution of its own for a test that changes it."""
    return await with_a_plan(institution)


@pytest.fixture(scope="module")
async def standing(shared: Institution) -> Institution:
    """An institution in which all is refused that the tests of a module send."""
    return await with_a_plan(shared)


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    content: dict[str, Any] = answer.json()
    assert content["status"] == answer.status_code
    return content


REPORT = "initiatives/QW-1/milestones/1/updates"
RAW = [
    pytest.param(REPORT, b'{"percent_complete": NaN}', 422, "/percent_complete", id="nan"),
    pytest.param(REPORT, b'{"percent_complete": -Infinity}', 422, "/percent_complete", id="inf"),
    pytest.param(REPORT, b'{"percent_complete": 1e999}', 422, "/percent_complete", id="1e999"),
    pytest.param(REPORT, b'{"percent_complete": 1e1000000}', 422, "/percent_complete", id="1e1000000"),
    pytest.param(REPORT, b'{"percent_complete": 9223372036854775808}', 422, "/percent_complete", id="2^63"),
    pytest.param(REPORT, b'{"percent_complete": 1' + b"0" * 5000 + b"}", 400, None, id="10^5000"),
    pytest.param(REPORT, b'{"percent_complete": 5, "note": "a\\u0000"}', 422, "/note", id="nul"),
    pytest.param(REPORT, b'{"percent_complete": 5, "note": "\\ud800"}', 422, "/note", id="surrogate"),
    pytest.param(REPORT, b'{"percent_complete": 5, "\\ud800": 1}', 422, None, id="surrogate-key"),
    pytest.param(REPORT, b'{"percent_complete": 5, "percent_complete": 6}', 422, "/percent_complete", id="twice"),
    pytest.param(
        REPORT,
        b'{"percent_complete": 5, "evidence": [{"url": "https://a.b", "url": "x", "title": "t"}]}',
        422, "/evidence/0/url", id="twice-nested",
    ),
    pytest.param(REPORT, b'{"note": ' + b"[" * 1_000 + b"]" * 1_000 + b"}", None, None, id="deep"),
    pytest.param(REPORT, b"[" * 100_000 + b"]" * 100_000, 400, None, id="very-deep"),
    pytest.param(REPORT, b'{"percent_complete": 5', 400, None, id="cut"),
    pytest.param(REPORT, b"not json", 400, None, id="text"),
    pytest.param(REPORT, b"", 422, None, id="empty"),
    pytest.param(REPORT, b"[]", 422, None, id="array"),
    pytest.param(REPORT, b"null", 422, None, id="null"),
    pytest.param(REPORT, '{"percent_complete": 5}'.encode("utf-16"), 400, None, id="utf-16"),
    pytest.param(REPORT, b'\xef\xbb\xbf{"percent_complete": 5}', 400, None, id="bom"),
    pytest.param(REPORT, b'{"percent_complete": 5, "note": "\xff"}', 400, None, id="latin-1"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "pointer"), RAW)
async def test_unreadable_bodies(
    standing: Institution, path: str, body: bytes, status: int | None, pointer: str | None
) -> None:
    before = (await standing.rollup())["version"]
    answer = await standing.operator.post(f"{standing.path}/{path}", content=body, headers=JSON)
    assert answer.status_code == status if status else answer.status_code in (400, 422)
    told = problem(answer)
    if pointer is not None:
        assert [place["pointer"] for place in told["errors"]] == [pointer]
    assert (await standing.rollup())["version"] == before


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "application/json; charset=utf-16",
        "application/json; charset*=a; charset*0=b",
        "multipart/form-data",
        "",
    ],
)
async def test_other_types_are_refused(standing: Institution, kind: str) -> None:
    answer = await standing.operator.post(
        f"{standing.path}/{REPORT}",
        content=b'{"percent_complete": 5}',
        headers={"Content-Type": kind},
    )
    assert answer.status_code == 415
    assert problem(answer)["code"] == "unsupported_media_type"


async def test_large_bodies_are_refused(standing: Institution) -> None:
    body = json.dumps({"percent_complete": 5, "note": "x" * 10_000_000}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    for content in (body, chunks()):
        answer = await standing.operator.post(
            f"{standing.path}/{REPORT}", content=content, headers=JSON
        )
        assert answer.status_code == 413
        assert problem(answer)["code"] == "too_large"


async def test_a_route_may_take_larger_bodies(database: Database) -> None:
    routes = router("", "tests")

    @routes.post("/large")
    @at_most(3_000_000)
    async def large(body: list[int]) -> int:
        return len(body)

    @routes.post("/usual")
    async def usual(body: list[int]) -> int:
        return len(body)

    app = FastAPI()
    app.router.routes.extend(routes.routes)
    problems.install(app)
    app.state.denials = Denials(database)
    transport = httpx.ASGITransport(RequestIds(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for path, size, status in (
            ("large", 2_000_000, 200), ("large", 3_000_000, 413), ("usual", 2_000_000, 413),
        ):  # fmt: skip
            body = b"[" + b"1," * (size // 2) + b"1]"
            answer = await client.post(f"{API}/{path}", content=body, headers=JSON)
            assert answer.status_code == status, path


async def test_merge_patch_is_a_type_of_patches(ready: Institution) -> None:
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
    path = f"{ready.path}/units/A"
    assert (
        await ready.operator.patch(path, content=b'{"name":"B"}', headers=headers)
    ).status_code == 200
    posted = await ready.operator.post(f"{ready.path}/units", content=b"{}", headers=headers)
    assert posted.status_code == 415


INITIATIVE = {
    "code": "QW-9", "title": "T", "unit": "A", "year": 2022, "areas": ["oversight"],
}  # fmt: skip
FIELDS = [
    ("initiatives", {"colour": "red"}, "/colour"),
    ("initiatives", {"weight": True}, "/weight"),
    ("initiatives", {"weight": 0}, "/weight"),
    ("initiatives", {"weight": 1001}, "/weight"),
    ("initiatives", {"weight": 1.5}, "/weight"),
    ("initiatives", {"weight": "3"}, "/weight"),
    ("initiatives", {"weight": 2**63}, "/weight"),
    ("initiatives", {"year": 0}, "/year"),
    ("initiatives", {"year": True}, "/year"),
    ("initiatives", {"title": ""}, "/title"),
    ("initiatives", {"title": 7}, "/title"),
    ("initiatives", {"title": None}, "/title"),
    ("initiatives", {"title": "x" * 501}, "/title"),
    ("initiatives", {"status": "done"}, "/status"),
    ("initiatives", {"start_on": "2022-06-02", "due_on": "2022-06-01"}, "/due_on"),
    ("initiatives", {"due_on": "0000-01-01"}, "/due_on"),
    ("initiatives", {"due_on": "2022-02-30"}, "/due_on"),
    ("initiatives", {"due_on": "2022-1-1"}, "/due_on"),
    ("initiatives", {"due_on": 20220101}, "/due_on"),
    ("initiatives", {"due_on": "2022-01-01T00:00:00"}, "/due_on"),
    ("initiatives", {"areas": ["gardening"]}, "/areas/0"),
    ("initiatives", {"unit": "nowhere"}, "/unit"),
    ("initiatives", {"owners": [{"person": "nobody", "role": "accountable"}]}, "/owners/0/person"),
    ("initiatives", {"owners": [{"person": "reporter", "role": "boss"}]}, "/owners/0/role"),
    (
        "initiatives",
        {"owners": [{"person": p, "role": "accountable"} for p in ("reporter", "verifier")]},
        "/owners/1/role",
    ),
    ("initiatives", {"status": "active"}, "/owners"),
    ("initiatives", {"tags": ["UPPER case"]}, "/tags/0"),
    ("initiatives", {"milestones": [{"title": "M", "due_on": "2022-01-01", "weight": 0}]}, "/milestones/0/weight"),
    *[("initiatives", {"code": code}, "/code") for code in
      ("", "a b", "a/b", "..", "x" * 65, "01a20d0f-7aff-70b8-9c49-d31eb6a5564a", "🙂", "a\u200bb", "é")],
    ("units", {"code": "U", "name": "U", "parent": "nowhere"}, "/parent"),
    ("people", {"code": "p", "name": "P", "email": "nobody"}, "/email"),
    ("people", {"code": "p", "name": "a\nb"}, "/name"),
    *[("people", {"code": "p", "name": f"a{c}b"}, "/name") for c in "\x1b\x7f\x85\u2028\u202e\u2066"],
    ("initiatives", {"title": "Laporan \u202egnp.exe"}, "/title"),
    ("units", {"code": "u\u200d", "name": "U"}, "/code"),
    ("units", {"code": "u\u202e", "name": "U"}, "/code"),
    (REPORT, {"percent_complete": 100.01}, "/percent_complete"),
    (REPORT, {"percent_complete": -1}, "/percent_complete"),
    (REPORT, {"percent_complete": 33.333}, "/percent_complete"),
    (REPORT, {"percent_complete": "50"}, "/percent_complete"),
    (REPORT, {"percent_complete": True}, "/percent_complete"),
    (REPORT, {"percent_complete": None}, "/percent_complete"),
    (REPORT, {"percent_complete": 5, "effective_on": "2099-01-01"}, "/effective_on"),
    (REPORT, {"percent_complete": 5, "source": "sakti"}, ""),
    (REPORT, {"percent_complete": 5, "evidence": [{"title": "t", "url": "javascript:x"}]}, "/evidence/0/url"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "fields", "pointer"), FIELDS)
async def test_invalid_fields(
    standing: Institution, path: str, fields: dict[str, Any], pointer: str
) -> None:
    before = (await standing.rollup())["version"]
    body = {**INITIATIVE, **fields} if path == "initiatives" else fields
    answer = await standing.operator.post(f"{standing.path}/{path}", json=body)
    assert answer.status_code == 422, answer.text
    told = problem(answer)
    assert told["code"] == "invalid"
    assert pointer in [place["pointer"] for place in told["errors"]]
    assert (await standing.rollup())["version"] == before


async def test_institutions_are_checked_too(standing: Institution) -> None:
    for fields, pointer in (
        ({"time_zone": "Asia/Atlantis"}, "/time_zone"),
        ({"policy": {"on_track_from": 0.5, "at_risk_from": 0.9}}, "/policy"),
        ({"scheme": "nothing"}, "/scheme"),
    ):
        body = {"code": "other", "name": "Other", **fields}
        told = await standing.expect(422, "POST", f"{API}/institutions", body)
        assert [place["pointer"] for place in told["errors"]] == [pointer]
