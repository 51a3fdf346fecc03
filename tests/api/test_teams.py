"""The reform team: roles, appointments by year, renewals, and what an owner has to carry."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.db import Database
from tests.api.test_bad_state import alone, sequence, told
from tests.api.test_query_counts import statements
from tests.support.institution import Institution, Json

ZONE = ZoneInfo("Asia/Jakarta")  # the default time zone of an institution
STANDARD = ["agent-of-change", "companion", "executing", "quick-wins", "steering"]
NAMES = {"id": "Peran", "en": "Role"}


@pytest.fixture
async def team(institution: Institution) -> Institution:
    """Units A ─ A1 and B, a role of their own beside the standard ones, a decree; Ani and Budi of A, in its teams of 2022."""
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(unit, parent)
    await institution.post("team-roles", {"code": "agent", "name": NAMES})
    decree = {"number": "1/2022", "issued_on": "2022-01-10", "signer": "Ketua", "title": "Tim RB"}
    for year in (22, 23):
        await institution.post("decrees", {"code": f"SK-{year}", **decree})
    for code in ("ani", "budi"):
        await institution.post("people", {"code": code, "name": code.title(), "unit": "A"})
    await appoint(institution, "ani", "steering", "A", decree="SK-22")
    await appoint(institution, "budi", "executing", "A1", until_on="2022-06-30")
    await appoint(institution, "budi", "agent", "A1")
    return institution


async def appoint(
    institution: Institution, person: str, role: str, unit: str | None, **more: Any
) -> Json:
    body = {"person": person, "role": role, "unit": unit, "year": 2022, **more}
    return await institution.post("appointments", body)


async def found(institution: Institution, **asked: Any) -> list[str]:
    items = (await institution.get("appointments", **asked))["items"]
    return [f"{item['person']} {item['role']} {item['unit']} {item['year']}" for item in items]


async def test_an_institution_begins_with_the_standard_roles_and_edits_them(
    institution: Institution,
) -> None:
    roles = (await institution.get("team-roles"))["items"]
    assert [role["code"] for role in roles] == STANDARD
    assert {"id": "Tim pengarah", "en": "Steering team"} in [role["name"] for role in roles]
    first = (await institution.get("events", limit=1))["items"][0]
    assert sorted(first["data"]["team_roles"]) == STANDARD
    await institution.delete("team-roles/companion")
    await institution.patch("team-roles/steering", {"name": NAMES})
    left = (await institution.get("team-roles"))["items"]
    assert [role["code"] for role in left] == [c for c in STANDARD if c != "companion"]
    assert left[-1]["name"] == NAMES


async def test_roles_live_and_retire(team: Institution) -> None:
    before = await sequence(team)
    made = await team.post("team-roles", {"code": "treasurer", "name": NAMES})
    assert made == made | {"code": "treasurer", "name": NAMES, "retired_at": None, "version": 1}
    same = {"code": "TREASURER", "name": NAMES}
    assert (await team.expect(409, "POST", f"{team.path}/team-roles", same))["code"] == "code_taken"
    changes = {"name": {"id": "Bendahara", "en": "Treasurer"}, "description": "Mengurus dana"}
    changed = await team.patch("team-roles/treasurer", changes)
    assert changed == changed | changes | {"version": 2}
    retired = await team.patch("team-roles/treasurer", {"retired": True})
    for asked, codes in (
        ({}, ["agent", *STANDARD, "treasurer"]), ({"retired": True}, ["treasurer"]),
        ({"retired": False}, ["agent", *STANDARD]),
        ({"updated_since": retired["updated_at"]}, ["treasurer"]),
    ):  # fmt: skip
        assert [item["code"] for item in (await team.get("team-roles", **asked))["items"]] == codes
    refused = await team.expect(
        422, "POST", f"{team.path}/appointments",
        {"person": "ani", "role": "treasurer", "year": 2022},
    )  # fmt: skip
    assert told(refused) == alone("invalid", ("/role", "retired_role"))
    assert (await team.patch("team-roles/treasurer", {"retired": False}))["retired_at"] is None
    assert told(await team.delete("team-roles/agent", 409)) == alone("in_use")
    await team.delete("team-roles/treasurer")
    events = (await team.get("events", after=before))["items"]
    assert [event["type"].removeprefix("team_role.") for event in events] == [
        "created", *["changed"] * 3, "deleted",
    ]  # fmt: skip


async def test_an_appointment_says_everything(team: Institution) -> None:
    before = await sequence(team)
    body = {
        "person": "ANI",
        "role": "Agent",
        "unit": "b",
        "year": 2023,
        "decree": "sk-23",
        "reason": "R",
    }
    answer = await team.operator.post(f"{team.path}/appointments", json=body)
    made = answer.json()
    assert made == made | {
        "person": "ani", "role": "agent", "unit": "B", "year": 2023, "decree": "SK-23",
        "from_on": "2023-01-01", "until_on": "2023-12-31", "version": 1,
    }  # fmt: skip
    path = answer.headers["location"].removeprefix(f"{team.path}/")
    assert await team.get(path) == made
    again = await team.expect(409, "POST", f"{team.path}/appointments", body)
    assert told(again) == alone("already_granted")
    moved = await team.patch(path, {"until_on": "2023-06-30", "decree": None, "reason": "Mutasi"})
    assert (moved["until_on"], moved["decree"], moved["version"]) == ("2023-06-30", None, 2)
    await team.delete(path)
    await team.expect(404, "GET", f"{team.path}/{path}")
    events = (await team.get("events", after=before))["items"]
    assert [(e["type"], e["data"].get("reason")) for e in events] == [
        ("appointment.created", "R"), ("appointment.changed", "Mutasi"),
        ("appointment.deleted", None),
    ]  # fmt: skip
    assert events[0]["changes"] == events[0]["changes"] | {
        "person": {"before": None, "after": "ani"}, "role": {"before": None, "after": "agent"},
    }  # fmt: skip
    assert events[1]["changes"]["decree"] == {"before": "SK-23", "after": None}


async def test_lists_and_filters(team: Institution) -> None:
    await appoint(team, "ani", "agent", None, year=2023)
    whole = [
        f"ani agent {team.code} 2023", "ani steering A 2022", "budi agent A1 2022",
        "budi executing A1 2022",
    ]  # fmt: skip
    for asked, expected in (
        ({}, whole),
        ({"person": "budi"}, whole[2:]),
        ({"role": ["agent", "steering"]}, whole[:3]),
        ({"unit": "A"}, whole[1:]),
        ({"unit": "A", "subtree": False}, whole[1:2]),
        ({"year": 2022}, whole[1:]),
        ({"decree": "SK-22"}, whole[1:2]),
        ({"on": "2022-07-01"}, whole[1:3]),
        ({"on": "2022-06-30"}, whole[1:]),
        ({"sort": "person,-role,year"}, [whole[1], whole[0], whole[3], whole[2]]),
    ):
        assert await found(team, **asked) == expected, asked
    viewer = await team.person("viewer", "viewer", "A1")
    seen = await team.expect(200, "GET", f"{team.path}/appointments", client=viewer)
    assert {item["unit"] for item in seen["items"]} == {"A1"}
    page = await team.get("appointments", limit=3, include_total=True)
    rest = await team.get("appointments", limit=3, cursor=page["next_cursor"])
    assert (page["total"], len(page["items"]), len(rest["items"])) == (4, 3, 1)


async def test_a_year_is_renewed_in_one_call(team: Institution) -> None:
    await team.post("people", {"code": "cici", "name": "Cici", "unit": "A"})
    await team.unit("closed", "A")
    await appoint(team, "cici", "agent", "A")
    await appoint(team, "ani", "agent", "closed")
    await appoint(team, "ani", "executing", "A")
    await appoint(team, "ani", "agent", "B")  # not below A
    await appoint(team, "ani", "executing", "A", year=2023, from_on="2023-03-01")
    await team.patch("people/cici", {"active": False})
    await team.patch("units/closed", {"archived": True})
    await team.post("team-roles", {"code": "old", "name": NAMES})
    await appoint(team, "budi", "old", "A")
    await team.patch("team-roles/old", {"retired": True})
    before = await sequence(team)
    body = {"from_year": 2022, "to_year": 2023, "decree": "SK-23", "unit": "A", "reason": "R"}
    path = f"{team.path}/appointments/renewal"
    renewal = await team.expect(200, "POST", path, body)
    assert renewal == {
        "from_year": 2022, "to_year": 2023, "unit": "A", "decree": "SK-23",
        "appointed": 2, "already_there": 1,
        "passed_over": [
            {"person": "cici", "role": "agent", "unit": "A", "cause": "inactive_person"},
            {"person": "budi", "role": "old", "unit": "A", "cause": "retired_role"},
            {"person": "budi", "role": "executing", "unit": "A1", "cause": "ended"},
            {"person": "ani", "role": "agent", "unit": "closed", "cause": "archived_unit"},
        ],
    }  # fmt: skip
    assert await found(team, year=2023) == [
        "ani executing A 2023", "ani steering A 2023", "budi agent A1 2023",
    ]  # fmt: skip
    by_decree = (await team.get("appointments", decree="SK-23"))["items"]
    assert {(a["from_on"], a["until_on"]) for a in by_decree} == {("2023-01-01", "2023-12-31")}
    (event,) = (await team.get("events", after=before))["items"]
    assert (event["type"], event["subject"]) == ("appointments.renewed", "A/appointments")
    assert (event["data"]["appointed"], event["data"]["reason"]) == (2, "R")
    again = await team.expect(200, "POST", path, body)
    assert (again["appointed"], again["already_there"]) == (0, 3)
    assert await sequence(team) == before + 1
    later = {"from_year": 2023, "to_year": 2025, "from_on": "2025-02-01"}
    whole = await team.expect(200, "POST", path, later)
    assert (whole["unit"], whole["appointed"], whole["decree"]) == (team.code, 3, None)
    assert (await team.get("appointments", year=2025))["items"][0]["from_on"] == "2025-02-01"


async def test_renewals_cost_the_same_for_any_team(team: Institution, database: Database) -> None:
    counts = []
    for more in range(2):
        for n in range(more * 9):
            await team.post("people", {"code": f"p{n}", "name": "P", "unit": "A"})
            await appoint(team, f"p{n}", "agent", "A")
        for path in ("appointments", "appointments?sort=-created_at&unit=A"):
            with statements(database) as heard:
                await team.get(path)
            counts.append(len(heard))
        with statements(database) as heard:
            body = {"from_year": 2022, "to_year": 2023 + more}
            await team.expect(200, "POST", f"{team.path}/appointments/renewal", body)
        counts.append(len(heard))
    assert counts[:3] == counts[3:]


async def test_who_appoints_where(team: Institution) -> None:
    admin = await team.person("admin", "admin", "A")
    planner = await team.person("planner", "planner", "A")
    path, renewal = f"{team.path}/appointments", f"{team.path}/appointments/renewal"
    body = {"person": "ani", "role": "agent", "unit": "A", "year": 2022}
    await team.expect(403, "POST", path, body, client=planner)
    await team.expect(201, "POST", path, body, client=admin)
    whole = {"from_year": 2022, "to_year": 2023}
    await team.expect(403, "POST", renewal, whole, client=admin)
    await team.expect(403, "POST", renewal, {**whole, "unit": "A"}, client=planner)
    await team.expect(200, "POST", renewal, {**whole, "unit": "A"}, client=admin)
    hidden = await team.expect(422, "POST", path, {**body, "unit": "B"}, client=admin)
    assert told(hidden) == alone("invalid", ("/unit", "unknown_unit"))
    role = {"code": "x", "name": NAMES}
    await team.expect(403, "POST", f"{team.path}/team-roles", role, client=admin)
    # Who is in a team has left a trace, and so have its unit and its decree.
    for used in ("people/ani", "units/A1", "decrees/SK-22"):
        assert told(await team.delete(used, 409)) == alone("in_use")


FORMS: list[tuple[str, Json, tuple[str, str]]] = [
    ("appointments", {"role": "nothing"}, ("/role", "unknown_team_role")),
    ("appointments", {"person": "nobody"}, ("/person", "unknown_person")),
    ("appointments", {"person": "bot"}, ("/person", "service_member")),
    ("appointments", {"person": "gone"}, ("/person", "inactive_person")),
    ("appointments", {"unit": "nowhere"}, ("/unit", "unknown_unit")),
    ("appointments", {"decree": "nothing"}, ("/decree", "unknown_decree")),
    ("appointments", {"year": "2022"}, ("/year", "int_type")),
    ("appointments", {"year": 2200}, ("/year", "less_than_equal")),
    ("appointments", {"from_on": "2021-12-31"}, ("/from_on", "outside_year")),
    ("appointments", {"until_on": "2023-01-01"}, ("/until_on", "outside_year")),
    ("appointments", {"from_on": "2022-05-02", "until_on": "2022-05-01"}, ("/until_on", "until_before_from")),
    ("appointments", {"from_on": "May"}, ("/from_on", "value_error")),
    ("appointments", {"note": "x"}, ("/note", "extra_forbidden")),
    ("appointments/renewal", {"from_year": 2022, "to_year": 2022}, ("", "value_error")),
    ("appointments/renewal", {"from_year": 2022}, ("/to_year", "missing")),
    ("appointments/renewal", {"from_year": 2022, "to_year": 2023, "from_on": "2022-01-01"}, ("/from_on", "outside_year")),
    ("appointments/renewal", {"from_year": 2022, "to_year": 2023, "decree": "no"}, ("/decree", "unknown_decree")),
    ("team-roles", {"code": "x", "name": "One"}, ("/name", "model_attributes_type")),
    ("team-roles", {"code": "..", "name": NAMES}, ("/code", "value_error")),
]  # fmt: skip


async def test_what_does_not_fit(team: Institution) -> None:
    """Each is refused at its place, and nothing is written."""
    await team.post("people", {"code": "bot", "name": "Bot", "kind": "service", "unit": "A"})
    await team.post("people", {"code": "gone", "name": "Gone", "active": False, "unit": "A"})
    plain = {"person": "ani", "role": "agent", "unit": "A", "year": 2022}
    before = await sequence(team)
    for path, body, place in FORMS:
        sent = {**plain, **body} if path == "appointments" else body
        content = await team.expect(422, "POST", f"{team.path}/{path}", sent)
        assert (content["code"], told(content)["errors"][0]) == ("invalid", place), body
    for query in ("sort=note", "on=soon", "year=1", "person=a%20b"):
        await team.expect(422, "GET", f"{team.path}/appointments?{query}")
    await team.expect(404, "GET", f"{team.path}/appointments/nothing")
    assert await sequence(team) == before


@pytest.fixture
async def owned(team: Institution) -> tuple[Institution, Json]:
    """Ani owns initiatives in A and B, with milestones that are done, late, open and next."""
    today = datetime.now(ZONE).date()
    soon, past = str(today + timedelta(days=10)), "2022-06-30"
    for code, unit, role, fields in (
        ("QW-1", "A", "accountable", {}),
        ("QW-2", "B", "supporting", {"year": today.year}),
        ("QW-3", "A1", "responsible", {"status": "proposed"}),
        ("QW-4", "A", "responsible", {"status": "cancelled"}),
    ):
        accountable = [] if role == "accountable" else [{"person": "budi", "role": "accountable"}]
        plan = [
            {"title": "On time", "due_on": past},
            {"title": "Moved", "due_on": "2022-09-30", "baseline_due_on": past},
            {"title": "Open", "due_on": past},
            {"title": "Next", "due_on": soon},
            {"title": "Dropped", "due_on": past},
        ]
        owners = [*accountable, {"person": "ani", "role": role}]
        await team.initiative(code, unit, owners=owners, milestones=plan, **fields)
    for code in ("QW-1", "QW-2"):
        await team.report(code, 1, 100, past)
        await team.report(code, 2, 100, "2022-07-01")  # later than the baseline
        await team.report(code, 3, 99, "2022-07-01")
        path = f"initiatives/{code}/milestones/5"
        await team.patch(path, {"status": "dropped", "reason": "x"})
    return team, {"today": str(today), "year": today.year}


def of_year(owned: Json, *numbers: int) -> Json:
    names = ("total", "undecided", "open", "completed", "cancelled")
    return {"year": owned["year"], "initiatives": dict(zip(names, numbers, strict=True)), "milestones": {
        "open": 2, "overdue": 1, "due_next_30_days": 1, "done_on_time": 1, "done_late": 1,
        "percent_on_time": 50.0,
    }}  # fmt: skip


async def test_a_load_and_a_record(owned: tuple[Institution, Json]) -> None:
    team, now = owned
    load = await team.get("people/ani/load")
    assert load == {
        "person": "ani", "name": "Ani", "as_of": now["today"],
        "initiatives": {"total": 2, "accountable": 1, "responsible": 0, "supporting": 1},
        "milestones": {"open": 4, "overdue": 2, "due_next_30_days": 2},
        "obstacles": {"total": 0, "open": 0, "overdue": 0}, "follow_ups": {"open": 0, "overdue": 0},
        "years": [of_year(now, 1, 0, 1, 0, 0), of_year({"year": 2022}, 3, 1, 1, 0, 1)],
    }  # fmt: skip
    one = await team.get("people/ANI/load", year=2022)
    assert one["years"] == load["years"][1:]
    assert one["milestones"] == {"open": 2, "overdue": 1, "due_next_30_days": 1}
    nothing = await team.get("people/reporter/load")
    assert (nothing["initiatives"]["total"], nothing["years"]) == (0, [])
    # Only what one sees counts, and only whom one sees is told of.
    viewer = await team.person("viewer", "viewer", "A")
    path = f"{team.path}/people/ani/load"
    seen = await team.expect(200, "GET", path, client=viewer)
    assert (seen["initiatives"]["total"], len(seen["years"])) == (1, 1)
    stranger = await team.person("stranger", "viewer", "B")
    await team.expect(404, "GET", path, client=stranger)


async def test_a_load_is_few_statements(
    owned: tuple[Institution, Json], database: Database
) -> None:
    with statements(database) as heard:
        await owned[0].get("people/ani/load")
    assert len(heard) <= 7


async def test_a_load_has_obstacles_and_follow_ups(owned: tuple[Institution, Json]) -> None:
    team, now = owned
    past, soon = "2022-07-01", "2199-07-01"
    hindering: tuple[Json, ...] = (
        {"unit": "A", "year": 2021, "due_on": past, "owner": "ani"},
        {"initiative": "QW-2", "due_on": soon, "owner": "ani"},
        {"initiative": "QW-1", "owner": "ani"},
        {"unit": "B", "due_on": past, "owner": "budi"},
    )
    made = [await team.post("obstacles", {"title": "T", **each}) for each in hindering]
    await team.patch(f"obstacles/{made[2]['id']}", {"state": "resolved"})
    for at, body in (
        (0, {"owner": "ani", "due_on": past}), (3, {"owner": "ani", "due_on": soon}),
        (3, {"owner": "ani"}), (1, {"owner": "budi", "due_on": past}), (1, {"due_on": past}),
    ):  # fmt: skip
        await team.post(f"obstacles/{made[at]['id']}/follow-ups", {"action": "X", **body})
    done = await team.post(f"obstacles/{made[0]['id']}/follow-ups", {"action": "X", "owner": "ani"})
    await team.patch(f"obstacles/{made[0]['id']}/follow-ups/{done['id']}", {"state": "done"})

    async def load(client: Any = None, **asked: int) -> list[list[int]]:
        path = f"{team.path}/people/ani/load"
        found = await team.expect(200, "GET", path, parameters=asked, client=client)
        return [list(found[name].values()) for name in ("obstacles", "follow_ups")]

    assert await load() == [[3, 2, 1], [3, 1]]
    assert await load(year=2021) == [[1, 1, 1], [1, 1]]
    assert await load(year=now["year"]) == [[1, 1, 0], [2, 0]]
    assert await load(year=1999) == [[0, 0, 0], [0, 0]]
    # Of B's a viewer of A is told nothing.
    assert await load(await team.person("viewer", "viewer", "A")) == [[2, 1, 1], [1, 1]]
