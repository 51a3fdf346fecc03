"""The audit trail: every event says who, with what, in which request, where, and what changed."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.contract import CheckedTransport
from tests.support.institution import API, Institution

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
PLAN = [{"title": "M", "due_on": "2022-06-30"}]


async def last(institution: Institution, **asked: Any) -> dict[str, Any]:
    """The newest event."""
    found: dict[str, Any] = (await institution.get("events", sort="-sequence", limit=1, **asked))[
        "items"
    ][0]
    return found


async def changed(institution: Institution, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What an event tells of a PATCH."""
    await institution.patch(path, body)
    changes: dict[str, Any] = (await last(institution))["changes"]
    return changes


def change(before: Any, after: Any) -> dict[str, Any]:
    return {"before": before, "after": after}


async def write_everything(institution: Institution) -> None:
    """Each kind of event of an institution once, or more."""
    for unit in ("32", "33", "34"):
        await institution.unit(unit)
    await institution.patch("units/32", {"name": "Jawa Barat"})
    await institution.expect(200, "POST", f"{institution.path}/units/33/move", {"parent": "32"})
    await institution.patch("people/reporter", {"position": "Analis"})
    await institution.initiative("QW-1", "33", milestones=PLAN)
    await institution.patch("initiatives/QW-1", {"title": "Baru"})
    put = {"code": "QW-1", "title": "Ganti", "unit": "33", "year": 2022, "areas": []}
    owners = [{"person": "reporter", "role": "accountable"}]
    path = f"{institution.path}/initiatives/QW-1"
    await institution.expect(200, "PUT", path, put | {"owners": owners}, if_match="*")
    await institution.milestone("QW-1", "2022-09-30")
    await institution.patch("initiatives/QW-1/milestones/2", {"weight": 2})
    await institution.delete("initiatives/QW-1/milestones/2")
    update = await institution.report("QW-1", 1, 50, "2022-06-01")
    await institution.verify(update)
    await institution.verify(update, "returned")
    rating = {"rating": "green", "reason": "Baik"}
    await institution.post("initiatives/QW-1/ratings", rating)
    await institution.post("units/33/ratings", rating)
    await institution.post("reports", {"title": "Laporan", "unit": "32"})
    token = await institution.post("tokens", {"person": "reporter", "name": "laptop"})
    await institution.delete(f"tokens/{token['id']}")
    body = {"name": "Institusi"}
    await institution.expect(200, "PATCH", institution.path, body, if_match="*")
    body = {"into": "32"}
    await institution.expect(200, "POST", f"{institution.path}/units/33/merge", body)
    await institution.delete("initiatives/QW-1")
    await institution.post("people", {"code": "gone", "name": "Gone"})
    await institution.delete("people/gone")
    await institution.delete("units/34")


async def test_every_kind_says_who_and_in_which_request(
    institution: Institution, checked: CheckedTransport
) -> None:
    start = (await last(institution))["sequence"]
    await write_everything(institution)
    events = (await institution.get("events", limit=200, after=start))["items"]
    assert {event["type"] for event in events} >= {
        "institution.changed", "unit.created", "unit.changed", "unit.moved",
        "unit.merged", "unit.absorbed", "unit.deleted", "unit.rated", "person.created",
        "person.changed", "person.deleted", "initiative.created", "initiative.changed",
        "initiative.replaced", "initiative.deleted", "initiative.rated", "milestone.created",
        "milestone.changed", "milestone.deleted", "update.reported", "update.verified",
        "update.returned", "report.frozen", "token.created", "token.revoked",
    }  # fmt: skip
    for event in events:
        assert event["actor"]
        assert event["token_id"]
        assert event["token_name"]
        assert event["request_id"], event["type"]
        has_no_unit = event["type"].startswith(("institution.", "person.", "token."))
        assert has_no_unit == (event["unit_id"] is None), event["type"]
        if event["type"] not in {"unit.absorbed", "token.revoked"}:
            assert event["changes"], event["type"]
    assert len({event["request_id"] for event in events}) == len(events) - 1  # one of two events


async def test_a_request_is_found_by_its_id(institution: Institution) -> None:
    headers = {"X-Request-ID": "trail-1.a"}
    body = {"code": "A", "name": "A"}
    answer = await institution.operator.post(
        f"{institution.path}/units", json=body, headers=headers
    )
    event = await last(institution)
    assert (event["request_id"], event["subject_id"]) == ("trail-1.a", answer.json()["id"])
    me = await institution.expect(200, "GET", f"{API}/me")
    assert (event["token_id"], event["token_name"]) == (me["token_id"], me["token_name"])
    assert event["actor_id"] == me["token_id"]


async def test_a_change_of_a_unit(institution: Institution) -> None:
    a = await institution.unit("A")
    assert (await last(institution))["changes"] == {
        "code": change(None, "A"),
        "name": change(None, "Unit A"),
        "parent": change(None, institution.code),
    }
    assert await changed(institution, "units/A", {"name": "B", "kind": "region"}) == {
        "name": change("Unit A", "B"),
        "kind": change(None, "region"),
    }
    assert await changed(institution, "units/A", {"name": "B"}) == {}
    archived = await changed(institution, "units/A", {"archived": True})
    stamp = (await institution.get("units/A"))["archived_at"]
    assert archived == {"archived_at": change(None, stamp)}
    await institution.delete("units/A")
    event = await last(institution)
    assert event["changes"] == {
        "code": change("A", None),
        "name": change("B", None),
        "kind": change("region", None),
        "archived_at": change(stamp, None),
        "parent": change(institution.code, None),
    }
    assert event["unit_id"] == (await institution.get(f"units/{institution.code}"))["id"]
    assert event["subject_id"] == a["id"]


async def test_a_move_names_both_parents(institution: Institution) -> None:
    await institution.unit("A")
    await institution.unit("B")
    path = f"{institution.path}/units/B/move"
    await institution.expect(200, "POST", path, {"parent": "A"})
    assert (await last(institution))["changes"] == {"parent": change(institution.code, "A")}


async def test_a_change_of_a_person(institution: Institution) -> None:
    unit = await institution.unit("A")
    body = {"unit": "A", "email": "r@example.org", "active": False}
    assert await changed(institution, "people/reporter", body) == {
        "unit": change(None, "A"),
        "email": change(None, "r@example.org"),
        "active": {"before": True, "after": False},
    }
    assert (await last(institution))["unit_id"] == unit["id"]


async def test_a_change_of_an_initiative(institution: Institution) -> None:
    await institution.unit("A")
    b = await institution.unit("B")
    await institution.initiative("QW-1", "A", tags=["x"], start_on="2022-01-01")
    owners = [{"person": "verifier", "role": "accountable"}]
    body = {
        "unit": "B", "status": "on_hold", "start_on": "2022-02-01", "weight": 1, "owners": owners,
        "areas": ["oversight", "accountability"], "tags": [], "reason": "Arahan",
    }  # fmt: skip
    assert await changed(institution, "initiatives/QW-1", body) == {
        "unit": change("A", "B"),
        "status": change("active", "on_hold"),
        "start_on": change("2022-01-01", "2022-02-01"),
        "owners": change([{"person": "reporter", "role": "accountable"}], owners),
        "areas": change(["accountability"], ["accountability", "oversight"]),
        "tags": change(["x"], []),
    }
    event = await last(institution)
    assert event["unit_id"] == b["id"]
    assert event["data"]["reason"] == "Arahan"


async def test_a_new_plan_tells_what_becomes_of_each_milestone(institution: Institution) -> None:
    await institution.initiative("QW-1", milestones=[*PLAN, *PLAN, *PLAN])
    new = {
        "code": "QW-1", "title": "Initiative QW-1", "unit": institution.code, "year": 2022,
        "areas": ["accountability"], "owners": [{"person": "reporter", "role": "accountable"}],
        "milestones": [*PLAN, {"title": "M", "due_on": "2022-07-31"}],
    }  # fmt: skip
    path = f"{institution.path}/initiatives/QW-1"
    await institution.expect(200, "PUT", path, new, if_match="*")
    assert (await last(institution))["changes"] == {
        "milestones/2/due_on": change("2022-06-30", "2022-07-31"),
        "milestones/3/number": change(3, None),
        "milestones/3/title": change("M", None),
        "milestones/3/weight": change(1, None),
        "milestones/3/technique": change("percent", None),
        "milestones/3/due_on": change("2022-06-30", None),
    }


async def test_a_change_of_a_milestone(institution: Institution) -> None:
    unit = await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=PLAN)
    path = "initiatives/QW-1/milestones/1"
    body = {"technique": "binary", "due_on": "2022-07-31", "description": "Isi"}
    assert await changed(institution, path, body) == {
        "technique": change("percent", "binary"),
        "due_on": change("2022-06-30", "2022-07-31"),
        "description": change(None, "Isi"),
    }
    dropped = await changed(institution, path, {"status": "dropped", "reason": "Usang"})
    assert set(dropped) == {"dropped_at"}
    assert (await last(institution))["unit_id"] == unit["id"]


async def test_a_report_and_its_verdict(institution: Institution) -> None:
    unit = await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=PLAN)
    await institution.report("QW-1", 1, 12.5, "2022-06-01")
    update = await institution.report("QW-1", 1, 60, "2022-06-01")
    event = await last(institution)
    assert event["changes"] == {"percent_complete": change(12.5, 60)}
    assert event["unit_id"] == unit["id"]
    verified = await institution.verify(update, note="Cocok")
    event = await last(institution)
    assert event["changes"] == {
        "verification": change("reported", "verified"),
        "verified_by": change(None, "verifier"),
        "verified_at": change(None, verified["verified_at"]),
        "verification_note": change(None, "Cocok"),
    }
    assert event["unit_id"] == unit["id"]


async def test_a_change_of_an_institution(institution: Institution) -> None:
    before = (await institution.expect(200, "GET", institution.path))["policy"]
    policy = {**before, "stale_after_days": 7}
    body = {"policy": policy, "time_zone": "Asia/Makassar"}
    await institution.expect(200, "PATCH", institution.path, body, if_match="*")
    for told in (before, policy):
        del told["evidence_kinds"]  # the standard ones, which are not kept with each institution
    assert (await last(institution))["changes"] == {
        "policy": change(before, policy),
        "time_zone": change("Asia/Jakarta", "Asia/Makassar"),
    }


async def test_catalogues_tell_too(institution: Institution) -> None:
    code = institution.code
    scheme = {"code": code, "name": {"id": "S", "en": "S"}, "from_year": 2022}
    await institution.expect(201, "POST", f"{API}/schemes", scheme)
    area = {"code": f"{code}-a", "name": {"id": "Satu", "en": "One"}}
    await institution.expect(201, "POST", f"{API}/schemes/{code}/areas", area)
    path = f"{API}/schemes/{code}/areas/{code}-a"
    body = {"name": {"id": "Dua", "en": "One"}, "position": 4}
    await institution.expect(200, "PATCH", path, body, if_match="*")
    asked = {"sort": "-sequence", "subject": code}
    events = (await institution.expect(200, "GET", f"{API}/events", parameters=asked))["items"]
    assert [event["type"] for event in events] == ["area.changed", "area.added", "scheme.created"]
    assert events[0]["changes"] == {"name/id": change("Satu", "Dua"), "position": change(1, 4)}
    assert events[1]["changes"]["position"] == change(None, 1)
    assert events[2]["changes"]["name/en"] == change(None, "S")


async def test_no_secret_is_in_the_trail(institution: Institution) -> None:
    """Neither a token nor what it is kept as, of tokens made and revoked."""
    made = await institution.post("tokens", {"person": "reporter", "name": "laptop"})
    await institution.delete(f"tokens/{made['id']}")
    trail = (await institution.operator.get(f"{institution.path}/events/export")).text
    for secret in (made["token"], hashlib.sha256(made["token"].encode()).hexdigest()):
        assert secret not in trail
    event = await last(institution)
    assert set(event["changes"]) == {"revoked_at"}


async def test_the_export_verifies_by_the_documented_recipe(institution: Institution) -> None:
    await write_everything(institution)
    answer = await institution.operator.get(f"{institution.path}/events/export")
    assert answer.headers["content-type"] == "application/jsonl"
    recipe = re.search(r"^```python\n(import hashlib.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert recipe

    def run(exported: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", recipe[1]]
        return subprocess.run(command, input=exported, text=True, capture_output=True, check=False)

    newest = await last(institution)
    assert run(answer.text).stdout == f"{newest['sequence']}:{newest['digest']}\n"
    forged = answer.text.replace("Jawa Barat", "Jawa Timur", 1)
    assert run(forged).stderr.endswith("does not fit\n")
    listed = (await institution.get("events", limit=200))["items"]
    assert [json.loads(line) for line in answer.text.splitlines()] == listed


@pytest.mark.parametrize(
    "asked",
    [{"after": 5}, {"type": ["unit.created", "unit.moved"]}, {"subject": "QW-1"}, {"unit": "32"}],
    ids=str,
)
async def test_the_export_takes_the_filters_of_the_list(
    institution: Institution, asked: dict[str, Any]
) -> None:
    await write_everything(institution)
    answer = await institution.operator.get(f"{institution.path}/events/export", params=asked)
    listed = (await institution.get("events", limit=200, **asked))["items"]
    assert listed
    assert [json.loads(line) for line in answer.text.splitlines()] == listed


async def test_filters(institution: Institution) -> None:
    await write_everything(institution)
    everything = (await institution.get("events", limit=200))["items"]

    async def found(**asked: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await institution.get("events", limit=200, **asked))["items"]
        assert 0 < len(items) < len(everything)
        return items

    kinds = ["unit.moved", "person.changed"]
    assert [e for e in everything if e["type"] in kinds] == await found(type=kinds)
    assert [e for e in everything if e["actor"] == "verifier"] == await found(actor="verifier")
    about = [e for e in everything if e["subject"].split("/")[0] == "QW-1"]
    assert about == await found(subject="QW-1")
    assert all(
        e["subject"] == "QW-1/milestones/2" for e in await found(subject="QW-1/milestones/2")
    )
    instant = everything[9]["at"]
    assert [e for e in everything if e["at"] >= instant] == await found(since=instant)
    assert [e for e in everything if e["at"] < instant] == await found(until=instant)
    units = {e["code"]: e["id"] for e in (await institution.get("units"))["items"]}
    assert {e["unit_id"] for e in await found(unit="33")} == {units["33"]}
    assert {e["unit_id"] for e in await found(unit="32")} == {units["32"], units["33"]}
    newest = (await institution.get("events", limit=3, sort="-sequence"))["items"]
    assert newest == everything[:-4:-1]
    older = await institution.get("events", limit=3, sort="-sequence", after=newest[-1]["sequence"])
    assert older["items"] == everything[-4:-7:-1]
    end = await institution.get("events", limit=3, sort="-sequence", after=1)
    assert (end["items"], end["next_after"]) == ([], 1)


async def test_an_export_is_for_those_who_may_see_it(
    institution: Institution, clients: Any
) -> None:
    path = f"{institution.path}/events/export"
    await institution.expect(401, "GET", path, client=clients.nobody)
    await institution.expect(404, "GET", f"{API}/institutions/nowhere/events/export")
    await institution.expect(422, "GET", path, parameters={"limit": 3})
    client: httpx.AsyncClient = institution.operator
    assert (await client.get(path, params={"after": 2**62})).text == ""
