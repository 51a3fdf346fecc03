"""Denied attempts are in the trail, bounded, and never in the way of the answer."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import denials
from app.api.denials import MOST, MOST_ALIKE, Denials
from app.db import Database
from app.errors import DatabaseUnavailable
from app.services import audit
from app.services.actors import SYSTEM
from tests.support.institution import API, Institution


@pytest.fixture
async def fresh(app: FastAPI, database: Database) -> AsyncIterator[Denials]:
    """Denials that know of none yet."""
    former, app.state.denials = app.state.denials, Denials(database)
    yield app.state.denials
    await app.state.denials.close()
    app.state.denials = former


async def denied(institution: Institution, **asked: Any) -> list[dict[str, Any]]:
    """The denied attempts of an institution."""
    asked = {"type": "access.denied", "limit": 200, **asked}
    items: list[dict[str, Any]] = (await institution.get("events", **asked))["items"]
    return items


async def test_a_write_that_is_not_allowed(institution: Institution, fresh: Denials) -> None:
    unit = await institution.unit("A")
    path = f"{institution.path}/units/A"
    headers = {"If-Match": "*", "X-Request-ID": "denied-1"}
    answer = await institution.reporter.patch(path, json={"name": "secret-name"}, headers=headers)
    assert answer.status_code == 403
    (event,) = await denied(institution)
    assert event["data"] == {
        "verb": "change_unit",
        "method": "PATCH",
        "address": path,
        "status": 403,
        "code": "forbidden",
        "permission": "units:change",
    }
    assert (event["actor"], event["token_name"]) == ("reporter", "tests")
    assert (event["request_id"], event["unit_id"]) == ("denied-1", unit["id"])
    assert (await institution.get("units/A"))["name"] == "Unit A"


async def test_a_write_to_what_is_hidden(institution: Institution, fresh: Denials) -> None:
    for unit in ("A", "B"):
        await institution.unit(unit)
    await institution.initiative("QW-1", "B")
    planner = await institution.person("planner-a", "planner", "A")
    path = f"{institution.path}/initiatives/QW-1"
    await institution.expect(404, "DELETE", path, if_match="*", client=planner)
    await institution.expect(404, "GET", path, client=planner)
    (event,) = await denied(institution)
    assert (event["data"]["status"], event["data"]["permission"]) == (404, None)
    units = {e["code"]: e["id"] for e in (await institution.get("units"))["items"]}
    assert event["unit_id"] == units["B"]
    await planner.aclose()


async def test_a_read_that_is_not_allowed(institution: Institution, fresh: Denials) -> None:
    path = f"{institution.path}/events"
    parameters = {"actor": "canary"}
    await institution.expect(403, "GET", path, parameters=parameters, client=institution.reporter)
    (event,) = await denied(institution)
    assert (event["data"]["verb"], event["data"]["permission"]) == ("list_events", "events:read")
    assert "canary" not in str(event)


async def test_ones_own_report(institution: Institution, fresh: Denials) -> None:
    plans = [{"title": "M", "due_on": "2022-06-30"}]
    await institution.initiative("QW-1", milestones=plans)
    await institution.post("grants", {"person": "reporter", "role": "verifier"})
    update = await institution.report("QW-1", 1, 50)
    path = f"{institution.path}/initiatives/QW-1/milestones/1/updates/{update['id']}/verification"
    body = {"verdict": "verified"}
    await institution.expect(403, "POST", path, body, client=institution.reporter)
    (event,) = await denied(institution)
    assert (event["data"]["code"], event["data"]["permission"]) == ("own_report", None)


async def test_a_stranger(institution: Institution, clients: Any, fresh: Denials) -> None:
    """An attempt from another institution is told to those whom it was about."""
    other = f"{institution.code}-b"
    body = {"code": other, "name": "Other"}
    await institution.expect(201, "POST", f"{API}/institutions", body)
    path = f"{API}/institutions/{other}/units"
    body = {"code": "A", "name": "A"}
    await institution.expect(404, "POST", path, body, client=institution.reporter)
    asked = {"type": "access.denied"}
    feed = await institution.expect(
        200, "GET", f"{API}/institutions/{other}/events", parameters=asked
    )
    (event,) = feed["items"]
    assert (event["actor"], event["data"]["stranger"]) == ("reporter", True)
    assert await denied(institution) == []
    await institution.expect(401, "POST", path, body, client=clients.nobody)


async def test_what_is_about_no_institution(institution: Institution, fresh: Denials) -> None:
    scheme = {"code": "A", "name": {"id": "A", "en": "A"}, "from_year": 2022}
    client = institution.reporter
    await institution.expect(403, "POST", f"{API}/schemes", scheme, client=client)
    path = f"{API}/institutions/nowhere-{institution.code}/units"
    await institution.expect(404, "POST", path, {"code": "A", "name": "A"}, client=client)
    me = (await institution.expect(200, "GET", f"{API}/me", client=institution.reporter))[
        "token_id"
    ]
    asked = {"type": "access.denied", "sort": "-sequence", "limit": 2}
    items = (await institution.expect(200, "GET", f"{API}/events", parameters=asked))["items"]
    assert [event["data"]["verb"] for event in items] == ["create_unit", "create_scheme"]
    assert {event["token_id"] for event in items} == {me}


async def test_what_is_not_there_is_no_denial_to_an_operator(
    institution: Institution, fresh: Denials
) -> None:
    await institution.delete("units/nowhere", status=404)
    assert await denied(institution) == []


async def test_many_attempts_are_counted(
    institution: Institution, database: Database, fresh: Denials
) -> None:
    body = {"code": "A", "name": "A"}

    async def attempt(what: str, times: int, given: dict[str, Any] = body) -> None:
        for _ in range(times):
            path = f"{institution.path}/{what}"
            await institution.expect(403, "POST", path, given, client=institution.reporter)

    await attempt("units", 12)
    assert len(await denied(institution)) == MOST_ALIKE
    await attempt("people", 1)
    assert len(await denied(institution)) == MOST_ALIKE + 1
    await fresh.close()
    (event,) = await denied(institution, type="access.denied_often")
    assert event["data"] == {"seconds": 60, "left_out": {"create_unit": 12 - MOST_ALIKE}}
    assert event["actor"] == "reporter"
    await attempt("units", 1)
    assert len(await denied(institution)) == MOST_ALIKE + 2
    findings = await database.read(
        audit.verify, SYSTEM, institution.code, [], lambda _done, _all: None
    )
    assert not findings.wrong


async def test_many_kinds_are_bounded_too(
    institution: Institution, fresh: Denials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denials, "MOST_ALIKE", MOST + 5)
    body = {"code": "A", "name": "A"}
    for _ in range(MOST + 3):
        path = f"{institution.path}/units"
        await institution.expect(403, "POST", path, body, client=institution.reporter)
    assert len(await denied(institution)) == MOST


async def test_the_minute_ends_by_itself(
    institution: Institution, fresh: Denials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denials, "SECONDS", 0.3)
    body = {"code": "A", "name": "A"}
    for _ in range(MOST_ALIKE + 40):
        path = f"{institution.path}/units"
        await institution.expect(403, "POST", path, body, client=institution.reporter)
    await fresh.close()
    summaries = await denied(institution, type="access.denied_often")
    left_out = sum(event["data"]["left_out"]["create_unit"] for event in summaries)
    assert left_out + len(await denied(institution)) == MOST_ALIKE + 40


async def test_the_answer_does_not_depend_on_the_recording(
    institution: Institution,
    fresh: Denials,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(*_: Any) -> None:
        raise DatabaseUnavailable

    class Broken:
        write = staticmethod(fail)

    monkeypatch.setattr(fresh, "_database", Broken())
    path = f"{institution.path}/units/{institution.code}"
    client: httpx.AsyncClient = institution.reporter
    answer = await client.patch(path, json={"name": "x"}, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "denied attempt not recorded" in caplog.text
    monkeypatch.undo()
    assert await denied(institution) == []
