"""Templates, and copies of them in many units at once."""

import asyncio
from typing import Any

import pytest

from tests.api.test_bad_state import alone, sequence, told
from tests.support.institution import Institution, Json

TEMPLATE: Json = {
    "code": "one-stop",
    "title": "Pelayanan satu pintu",
    "description": "Standar",
    "kind": "innovation",
    "origin": "mandated",
    "weight": 3,
    "areas": ["public-service", "accountability"],
    "tags": ["standard", "b"],
    "expected_result": "Satu pintu",
    "milestones": [
        {"title": "Buka", "due_month_day": "12-15", "weight": 2, "number": 7},
        {"title": "Tim", "due_after_days": 30, "description": "SK", "number": 2},
        {"title": "Kabisat", "due_month_day": "02-29", "technique": "binary"},
    ],
}
COPIES: Json = {"below": "A", "year": 2026, "start_on": "2026-01-15", "code": "PSP-{unit}"}


@pytest.fixture
async def ready(institution: Institution) -> Institution:
    """Units A with A1, A2 and the archived A3, and B; a template."""
    for code, parent, kind in (
        ("A", None, "province"), ("A1", "A", "regency"), ("A2", "A", "city"), ("A3", "A", "city"),
        ("A11", "A1", "district"), ("B", None, "province"),
    ):  # fmt: skip
        await institution.post(
            "units", {"code": code, "name": code, "parent": parent, "kind": kind}
        )
    await institution.patch("units/A3", {"archived": True})
    await institution.post("templates", TEMPLATE)
    return institution


async def copy(institution: Institution, answer: int = 201, /, **asked: Any) -> Json:
    path = f"{institution.path}/templates/one-stop/copies"
    return await institution.expect(answer, "POST", path, {**COPIES, **asked})


async def initiatives(institution: Institution) -> list[Json]:
    return list((await institution.get("initiatives"))["items"])


async def test_a_template_lives(ready: Institution) -> None:
    made = await ready.get("templates/one-stop")
    stamps = {name: made[name] for name in ("id", "created_at", "updated_at")}
    whole = {"description": None, "due_after_days": None, "due_month_day": None, "weight": 1}
    plain = {**whole, "technique": "percent", "number": 8}
    milestones = [{**plain, **milestone} for milestone in TEMPLATE["milestones"]]
    assert made == {
        **TEMPLATE, **stamps, "areas": sorted(TEMPLATE["areas"]), "version": 1,
        "milestones": sorted(milestones, key=lambda milestone: int(milestone["number"])),
    }  # fmt: skip
    version = await sequence(ready)
    changes = {"weight": 5, "areas": ["oversight"], "description": None, "reason": "Why"}
    changed = await ready.patch("templates/ONE-STOP", changes)
    assert changed == {
        **made, "weight": 5, "areas": ["oversight"], "description": None, "version": 2,
        "updated_at": changed["updated_at"],
    }  # fmt: skip
    (event,) = (await ready.get("events", after=version))["items"]
    assert (event["type"], event["subject"]) == ("template.changed", "one-stop")
    assert event["changes"] == {
        "weight": {"before": 3, "after": 5},
        "description": {"before": "Standar", "after": None},
        "areas": {"before": sorted(TEMPLATE["areas"]), "after": ["oversight"]},
    }
    assert (await ready.get("templates"))["items"] == [changed]
    later = await ready.get("templates", updated_since="2199-01-01T00:00:00Z")
    assert later["items"] == []
    path = f"{ready.path}/templates"
    assert (await ready.expect(409, "POST", path, TEMPLATE))["code"] == "code_taken"
    await ready.expect(412, "DELETE", f"{path}/one-stop", if_match='"v1"')
    await copy(ready)
    await ready.delete("templates/one-stop")
    assert await ready.written() == [
        "template.deleted", "template.copied", *["initiative.created"] * 3,
        *(await ready.written())[5:],
    ]  # fmt: skip
    await ready.expect(404, "GET", f"{path}/one-stop")
    assert {i["template"] for i in await initiatives(ready)} == {None}
    assert len((await ready.get("events", type="template.deleted"))["items"]) == 1


async def test_each_unit_gets_a_copy(ready: Institution) -> None:
    version = await sequence(ready)
    owners = [{"person": "reporter", "role": "accountable"}]
    made = await copy(ready, owners=owners, units=["B", "a1"], reason="Mandat")
    items = [
        {"unit": unit, "code": f"PSP-{unit}", "created": True} for unit in ("A1", "A11", "A2", "B")
    ]
    assert made == {"created": 4, "present": 0, "items": items}
    found = await ready.get("initiatives/PSP-A2")
    plain = ("title", "description", "kind", "origin", "weight", "expected_result")
    assert {name: found[name] for name in plain} == {name: TEMPLATE[name] for name in plain}
    named = {
        "unit": "A2", "year": 2026, "status": "proposed", "areas": sorted(TEMPLATE["areas"]),
        "tags": sorted(TEMPLATE["tags"]), "owners": owners, "start_on": "2026-01-15",
        "due_on": "2026-12-15", "template": "one-stop", "baseline": None,
        "milestones": {"total": 3, "done": 0, "overdue": 0},
    }  # fmt: skip
    assert {name: found[name] for name in named} == named
    assert [
        (m["number"], m["title"], m["due_on"], m["weight"], m["technique"], m["description"])
        for m in found["plan"]
    ] == [
        (2, "Tim", "2026-02-14", 1, "percent", "SK"), (7, "Buka", "2026-12-15", 2, "percent", None),
        (8, "Kabisat", "2026-02-28", 1, "binary", None),
    ]  # fmt: skip
    assert sum(m["share"] for m in found["plan"]) == 100
    events = (await ready.get("events", after=version))["items"]
    assert [(e["type"], e["subject"]) for e in events] == [
        *(("initiative.created", f"PSP-{unit}") for unit in ("A1", "A11", "A2", "B")),
        ("template.copied", "one-stop"),
    ]
    assert events[-1]["data"] == {
        **COPIES, "owners": owners, "reason": "Mandat", "created": 4, "present": 0,
    }  # fmt: skip
    assert events[0]["changes"]["template"] == {"before": None, "after": "one-stop"}
    assert events[0]["data"]["reason"] == "Mandat"
    # A copy is an initiative like any other.
    before = await ready.rollup("A")
    active = await ready.patch("initiatives/PSP-A2", {"status": "active"})
    assert active["baseline"] == 1
    assert (await ready.rollup("A"))["weight"] == before["weight"] + 3
    await copy(ready, year=2028, code="leap-{unit}")
    leap = (await ready.get("initiatives/leap-A2"))["plan"]
    assert leap[2]["due_on"] == "2028-02-29"


async def test_which_units(ready: Institution) -> None:
    asked: Json
    for status, asked, expected in (
        (201, {"kind": "city"}, ["A2"]),
        (201, {"below": ready.code, "kinds": ["province"]}, ["A", "B"]),
        (200, {"below": ready.code, "kind": "city", "kinds": ["province"]}, ["A", "A2", "B"]),
        (200, {"below": None, "units": ["B"]}, ["B"]),
    ):
        made = await copy(ready, status, **asked)
        assert [item["unit"] for item in made["items"]] == expected
    again = await copy(ready, below=ready.code)
    assert (again["created"], again["present"]) == (2, 3)
    assert [i["unit"] for i in again["items"] if i["created"]] == ["A1", "A11"]
    found = await ready.get("initiatives", template="one-stop", include_total=True)
    assert found["total"] == 5
    assert (await ready.get("initiatives", template="other"))["items"] == []


async def test_a_call_can_be_sent_again(ready: Institution) -> None:
    await copy(ready)
    await ready.patch("initiatives/PSP-A2", {"title": "Changed", "status": "active",
                                             "owners": [{"person": "reporter", "role": "accountable"}]})  # fmt: skip
    before = await initiatives(ready)
    version = await sequence(ready)
    again = await copy(ready, 200)
    assert (again["created"], again["present"]) == (0, 3)
    assert [item["created"] for item in again["items"]] == [False] * 3
    assert await initiatives(ready) == before
    events = (await ready.get("events", after=version))["items"]
    assert [e["type"] for e in events] == ["template.copied"]


async def test_another_with_the_code_stops_all(ready: Institution) -> None:
    await ready.initiative("psp-a2", "A2")
    await ready.unit("A4", "A")
    await copy(ready, kind="regency")
    before = await sequence(ready)
    asked: Json
    for asked in ({"units": ["A4"]}, {"year": 2027, "kind": "regency"}):
        content = await copy(ready, 409, **asked)
        assert told(content) == alone("code_taken")
        assert "psp" not in str(content).lower()
    assert await sequence(ready) == before


BAD: list[tuple[Json, tuple[str, str]]] = [
    ({"below": None}, ("", "value_error")),
    ({"below": None, "units": ["B"], "kind": "city"}, ("", "value_error")),
    ({"below": None, "units": ["B"], "kinds": ["city"]}, ("", "value_error")),
    ({"below": "nowhere"}, ("/below", "unknown_unit")),
    ({"below": "A11"}, ("/below", "no_units")),
    ({"kind": "moon"}, ("/below", "no_units")),
    ({"kind": "Kota "}, ("/kind", "string_pattern_mismatch")),
    ({"units": ["B", "nowhere"]}, ("/units/1", "unknown_unit")),
    ({"units": ["A3"]}, ("/units/0", "archived_unit")),
    ({"units": ["B"] * 1001}, ("/units", "too_long")),
    ({"units": "B"}, ("/units", "list_type")),
    ({"start_on": None}, ("/start_on", "start_owed")),
    ({"start_on": "2026-12-16", "year": 2025}, ("/start_on", "due_before_start")),
    ({"start_on": "2199-12-15", "year": 2199}, ("/start_on", "due_too_late")),
    ({"year": 1899}, ("/year", "greater_than_equal")),
    ({"year": "2026"}, ("/year", "int_type")),
    ({"code": "PSP"}, ("/code", "string_pattern_mismatch")),
    ({"code": "{unit}{unit}"}, ("/code", "string_pattern_mismatch")),
    ({"code": "PSP {unit}"}, ("/code", "string_pattern_mismatch")),
    ({"code": "{unit.id}"}, ("/code", "string_pattern_mismatch")),
    ({"code": "x" * 63 + "{unit}"}, ("/code", "code_too_long")),
    ({"owners": [{"person": "nobody", "role": "accountable"}]}, ("/owners/0/person", "unknown_person")),
    ({"owners": [{"person": p, "role": "accountable"} for p in ("reporter", "verifier")]},
     ("/owners/1/role", "two_accountable_owners")),
    ({"status": "active"}, ("/status", "extra_forbidden")),
]  # fmt: skip


async def test_copies_that_cannot_be(ready: Institution) -> None:
    before = await sequence(ready)
    for asked, place in BAD:
        content = await copy(ready, 422, **asked)
        assert told(content)["errors"][0] == place, asked
    path = f"{ready.path}/templates/nothing/copies"
    assert (await ready.expect(404, "POST", path, COPIES))["code"] == "not_found"
    assert (await initiatives(ready), await sequence(ready)) == ([], before)


WRONG: list[tuple[Json, tuple[str, str]]] = [
    ({"title": " "}, ("/title", "string_too_short")),
    ({"areas": ["gardening"]}, ("/areas/0", "unknown_area")),
    ({"tags": ["Not ok"]}, ("/tags/0", "string_pattern_mismatch")),
    ({"weight": 0}, ("/weight", "greater_than_equal")),
    ({"kind": "wish"}, ("/kind", "enum")),
    ({"milestones": [{"title": "M"}]}, ("/milestones/0", "value_error")),
    ({"milestones": [{"title": "M", "due_after_days": 1, "due_month_day": "01-01"}]},
     ("/milestones/0", "value_error")),
    ({"milestones": [{"title": "M", "due_month_day": "02-30"}]},
     ("/milestones/0/due_month_day", "value_error")),
    ({"milestones": [{"title": "M", "due_month_day": "6-30"}]},
     ("/milestones/0/due_month_day", "string_pattern_mismatch")),
    ({"milestones": [{"title": "M", "due_month_day": "\u0660\u0666-30"}]},
     ("/milestones/0/due_month_day", "string_pattern_mismatch")),
    ({"milestones": [{"title": "M", "due_after_days": -1}]},
     ("/milestones/0/due_after_days", "greater_than_equal")),
    ({"milestones": [{"title": "M", "due_after_days": True}]},
     ("/milestones/0/due_after_days", "int_type")),
    ({"milestones": [{"title": "M", "due_after_days": 1, "number": 3}] * 2},
     ("/milestones/1/number", "number_taken")),
    ({"milestones": [{"title": "M", "due_after_days": 1, "number": 9999},
                     {"title": "M", "due_after_days": 1}]}, ("/milestones/1/number", "number_owed")),
    ({"milestones": None}, ("/milestones", "list_type")),
]  # fmt: skip


async def test_what_is_not_a_template(ready: Institution) -> None:
    before = await sequence(ready)
    for fields, place in WRONG:
        body = {**TEMPLATE, "code": "other", **fields}
        content = await ready.expect(422, "POST", f"{ready.path}/templates", body)
        assert told(content)["errors"][0] == place, fields
        content = await ready.patch("templates/one-stop", fields, 422)
        assert told(content)["errors"][0] == place, fields
    content = await ready.expect(
        422, "POST", f"{ready.path}/templates", {**TEMPLATE, "code": "a b"}
    )
    assert told(content)["errors"][0] == ("/code", "string_pattern_mismatch")
    assert await sequence(ready) == before


async def test_who_may(ready: Institution) -> None:
    """A planner of a province copies into its units, and keeps no template."""
    planner = await ready.person("planner", "planner", "A")
    path = f"{ready.path}/templates/one-stop"
    viewer = await ready.person("viewer", "viewer", "A")
    asked: Json
    for client, status, asked in (
        (viewer, 403, {"below": None, "units": ["A1", "A"]}), (viewer, 403, {}),
        (planner, 422, {"below": None, "units": ["A1", "B"]}), (planner, 422, {"below": ready.code}),
    ):  # fmt: skip
        body = {**COPIES, **asked}
        await ready.expect(status, "POST", f"{path}/copies", body, client=client)
    made = await ready.expect(201, "POST", f"{path}/copies", COPIES, client=planner)
    assert made["created"] == 3
    body = {**TEMPLATE, "code": "mine"}
    await ready.expect(403, "POST", f"{ready.path}/templates", body, client=planner)
    await ready.expect(403, "PATCH", path, {"weight": 9}, client=planner, if_match="*")
    await ready.expect(200, "GET", path, client=planner)
    for client in (viewer, planner):
        await client.aclose()


async def test_copies_that_are_made_at_once_are_made_once(institution: Institution) -> None:
    await institution.unit("A")
    await institution.post("templates", {"code": "t", "title": "T"})
    body = {"units": ["A"], "year": 2026, "code": "T-{unit}"}
    path = f"{institution.path}/templates/t/copies"
    answers = await asyncio.gather(*(institution.operator.post(path, json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert sum(answer.json()["created"] for answer in answers) == 1
