"""What the present state, the version or the token forbids: a clear 4xx, nothing written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.test_bad_bodies import problem, ready, standing
from tests.support.institution import API, Institution, Json

__all__ = ["ready", "standing"]

QW = "initiatives/QW-1"
PLAN = f"{QW}/milestones"
NOWHERE = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"


async def sequence(institution: Institution) -> int:
    """How many events the institution has."""
    return int((await institution.rollup())["version"])


def alone(code: str, *errors: tuple[str, str]) -> Json:
    """A problem as the tables give it."""
    return {"code": code, "errors": list(errors)}


def told(content: Json) -> Json:
    """A problem's code, and its places with their codes."""
    places = [(at.get("pointer", at.get("parameter")), at["code"]) for at in content["errors"]]
    return alone(content["code"], *places)


@pytest.fixture(scope="module")
async def busy(standing: Institution) -> Institution:
    """An institution with initiatives in several states."""
    plan: Json = {"milestones": [{"title": "M", "due_on": "2022-06-30"}]}
    await standing.unit("A1", "A")
    await standing.unit("closed")
    await standing.patch("units/closed", {"archived": True})
    await standing.post("people", {"code": "gone", "name": "Gone", "active": False, "unit": "A1"})
    await standing.report("QW-1", 1, 40, "2022-05-01")
    baselined = {"title": "B", "due_on": "2022-06-30", "baseline_due_on": "2022-06-30"}
    await standing.initiative("based", milestones=[baselined])
    await standing.initiative("bare")
    await standing.initiative("idea", status="proposed", owners=[], **plan)
    await standing.initiative("ended", **plan)
    await standing.patch("initiatives/ended", {"status": "cancelled", "reason": "No budget"})
    await standing.initiative("cut", **plan)
    await standing.patch(
        "initiatives/cut/milestones/1", {"status": "dropped", "reason": "Moved on"}
    )
    return standing


OWED = ("/reason", "reason_owed")
STATES: list[tuple[str, str, Json | None, int, Json]] = [
    ("PATCH", QW, {"status": "completed"}, 409, alone("status_conflict")),
    ("PATCH", "initiatives/bare", {"status": "completed"}, 409, alone("status_conflict")),
    ("PATCH", "initiatives/cut", {"status": "completed"}, 409, alone("status_conflict")),
    ("PATCH", QW, {"status": "shortlisted"}, 409, alone("status_conflict")),
    ("PATCH", "initiatives/idea", {"status": "on_hold"}, 409, alone("status_conflict")),
    ("PATCH", "initiatives/idea", {"status": "active"}, 409, alone("status_conflict")),
    ("PATCH", "initiatives/ended", {"status": "on_hold"}, 409, alone("status_conflict")),
    ("PATCH", "initiatives/ended", {"status": "active"}, 422, alone("invalid", OWED)),
    ("PATCH", QW, {"status": "cancelled"}, 422, alone("invalid", OWED)),
    ("PATCH", QW, {"unit": "closed"}, 422, alone("invalid", ("/unit", "archived_unit"))),
    ("PATCH", QW, {"owners": [{"person": "gone", "role": "accountable"}]}, 422,
     alone("invalid", ("/owners/0/person", "inactive_person"))),
    ("PATCH", f"{PLAN}/1", {"status": "dropped"}, 422, alone("invalid", OWED)),
    ("PATCH", "initiatives/based/milestones/1", {"due_on": "2022-07-01"}, 422, alone("invalid", OWED)),
    ("PATCH", "initiatives/based/milestones/1", {"weight": 2}, 422, alone("invalid", OWED)),
    ("PATCH", "initiatives/based/milestones/1", {"baseline_due_on": None}, 422, alone("invalid", OWED)),
    ("DELETE", "initiatives/based/milestones/1", None, 422, alone("invalid", ("reason", "reason_owed"))),
    ("DELETE", f"{PLAN}/1", None, 409, alone("in_use")),
    ("DELETE", "units/A", None, 409, alone("in_use")),
    ("DELETE", "units/A1", None, 409, alone("in_use")),
    ("DELETE", "people/reporter", None, 409, alone("in_use")),
    ("POST", "initiatives/cut/milestones/1/updates", {"percent_complete": 5}, 409, alone("not_reportable")),
    ("POST", "initiatives/ended/milestones/1/updates", {"percent_complete": 5}, 409, alone("not_reportable")),
    ("POST", "initiatives/nowhere/milestones/1/updates", {"percent_complete": 5}, 404, alone("not_found")),
    ("POST", f"{PLAN}/1/updates/{NOWHERE}/verification", {"verdict": "verified"}, 404, alone("not_found")),
    ("POST", f"{PLAN}/1/updates/abc/verification", {"verdict": "verified"}, 404, alone("not_found")),
    ("POST", "units/A/move", {"parent": "a"}, 409, alone("unit_cycle")),
    ("POST", "units/A/move", {"parent": "A1"}, 409, alone("unit_cycle")),
    ("POST", "units/A/move", {"parent": "closed"}, 422, alone("invalid", ("/parent", "archived_unit"))),
    ("POST", "units/@/move", {"parent": "A1"}, 409, alone("root_unit")),
    ("POST", "units/nowhere/move", {"parent": "A1"}, 404, alone("not_found")),
    ("PATCH", "units/@", {"archived_at": "2022-01-01T00:00:00Z"}, 409, alone("root_unit")),
    ("DELETE", "units/@", None, 409, alone("root_unit")),
    ("PATCH", "units/A", {"code": "a1"}, 409, alone("code_taken")),
    ("POST", "units", {"code": "CLOSED", "name": "C"}, 409, alone("code_taken")),
    ("DELETE", f"tokens/{NOWHERE}", None, 404, alone("not_found")),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "problem_told"), STATES)
async def test_states(
    busy: Institution, method: str, path: str, body: Json | None, status: int, problem_told: Json
) -> None:
    before = await sequence(busy)
    address = f"{busy.path}/{path.replace('@', busy.code)}"
    if_match = None if method == "POST" else "*"
    content = await busy.expect(status, method, address, body, if_match=if_match)
    assert told(content) == problem_told
    assert await sequence(busy) == before


async def test_a_plan_has_at_most_200_milestones(ready: Institution) -> None:
    plan = [{"title": "M", "due_on": "2022-01-01"}] * 200
    await ready.initiative("full", milestones=plan)
    before = await sequence(ready)
    body = {"title": "M", "due_on": "2022-01-01"}
    content = await ready.expect(409, "POST", f"{ready.path}/initiatives/full/milestones", body)
    assert content["code"] == "conflict"
    assert await sequence(ready) == before


async def test_verdicts(ready: Institution) -> None:
    report = await ready.report("QW-1", 1, 40, "2022-05-01")
    path = f"{ready.path}/{PLAN}/1/updates/{report['id']}/verification"
    await ready.post("grants", {"person": "reporter", "role": "verifier"})
    before = await ready.written()
    for client, body, status, expected in (
        (ready.reporter, {"verdict": "verified"}, 403, alone("own_report")),
        (ready.verifier, {"verdict": "returned"}, 422, alone("invalid", ("/note", "note_owed"))),
        (ready.verifier, {"verdict": "returned", "note": " "}, 422,
         alone("invalid", ("/note", "note_owed"))),
        (ready.verifier, {"verdict": "reported"}, 422, alone("invalid", ("/verdict", "enum"))),
        (ready.verifier, {}, 422, alone("invalid", ("/verdict", "missing"))),
    ):  # fmt: skip
        content = await ready.expect(status, "POST", path, body, client=client)
        assert told(content) == expected
    assert await ready.written() == before


VERSIONED: list[tuple[str, Json]] = [
    ("", {"name": "X"}), ("/units/A", {"name": "X"}), ("/people/reporter", {"name": "X"}),
    (f"/{QW}", {"title": "X"}), (f"/{PLAN}/1", {"title": "X"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body"), VERSIONED, ids=[path for path, _ in VERSIONED])
async def test_versions(standing: Institution, path: str, body: Json) -> None:
    address, before = f"{standing.path}{path}", await sequence(standing)
    for method in ("PATCH", "DELETE") if path else ("PATCH",):
        sent = body if method == "PATCH" else None
        content = await standing.expect(428, method, address, sent)
        assert content["code"] == "version_required"
        for stale in ('"v999"', "garbage", "", '"', "v1", 'W/"x"', '"r1.20220101.1.x"', '"v-1"'):
            answer = await standing.operator.request(
                method, address, json=sent, headers={"If-Match": stale}
            )
            assert answer.status_code == 412, (stale, answer.text)
            assert problem(answer)["code"] == "stale_version"
        content = await standing.expect(422, method, address, sent, if_match="x" * 1001)
        assert told(content) == alone("invalid", ("If-Match", "bad_etag"))
    assert await sequence(standing) == before


async def test_optional_versions(standing: Institution) -> None:
    before = await sequence(standing)
    whole: Json = {"code": "QW-1", "title": "T", "unit": "A", "year": 2022}
    for method, path, body in (
        ("PUT", QW, whole), ("POST", "units/A/move", {"parent": standing.code}),
    ):  # fmt: skip
        path = f"{standing.path}/{path}"  # noqa: PLW2901
        content = await standing.expect(412, method, path, body, if_match='"v999"')
        assert content["code"] == "stale_version"
    assert await sequence(standing) == before


async def refused(institution: Institution, authorization: str) -> None:
    """Insist on 401 for reading and for writing."""
    before = await sequence(institution)
    headers = {"Authorization": authorization}
    for method, body in (("GET", None), ("POST", {"code": "new", "name": "New"})):
        answer: httpx.Response = await institution.operator.request(
            method, f"{institution.path}/units", json=body, headers=headers
        )
        assert answer.status_code == 401, authorization
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert problem(answer)["code"] == "unauthorized"
    assert await sequence(institution) == before


async def test_tokens_that_hold_no_more(ready: Institution) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    expired = await ready.post("tokens", {"person": "reporter", "name": "n", "expires_at": past})
    revoked = await ready.post("tokens", {"person": "reporter", "name": "n"})
    await ready.expect(204, "DELETE", f"{ready.path}/tokens/{revoked['id']}")
    await ready.post("people", {"code": "left", "name": "Left"})
    left = await ready.post("tokens", {"person": "left", "name": "n"})
    await ready.patch("people/left", {"active": False})
    for token in (expired, revoked, left):
        await refused(ready, f"Bearer {token['token']}")


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer qw_unknown", "Basic eDp5", "qw_x", "Bearer " + "x" * 5000],
)
async def test_no_tokens(standing: Institution, authorization: str) -> None:
    await refused(standing, authorization)


async def test_what_people_may_not(ready: Institution) -> None:
    scheme: Json = {"code": "s", "name": {"id": "x", "en": "x"}, "from_year": 2020}
    token: Json = {"person": "verifier", "name": "n"}
    before = await ready.written()
    writes: list[tuple[str, str, Any]] = [
        ("POST", f"{API}/institutions", {"code": "new", "name": "New"}),
        ("POST", f"{API}/schemes", scheme),
        ("PATCH", f"{API}/schemes/rb-2020", {"to_year": 2030}),
        ("POST", f"{API}/schemes/rb-2020/areas", {"code": "a", "name": scheme["name"]}),
        ("PATCH", f"{API}/schemes/rb-2020/areas/oversight", {"position": 1}),
        ("POST", f"{ready.path}/tokens", token),
        ("GET", f"{ready.path}/events", None),
    ]
    for method, path, body in writes:
        content = await ready.expect(
            403, method, path, body, client=ready.reporter,
            if_match="*" if method == "PATCH" else None,
        )  # fmt: skip
        assert content["code"] == "forbidden"
    assert await ready.written() == before
