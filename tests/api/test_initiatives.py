"""Initiatives: addresses, merge patches, PUT, the life cycle, and what their numbers follow."""

from typing import Any

import pytest

from tests.support.institution import Institution, Json

PLAN = [{"title": "One", "due_on": "2022-03-31"}, {"title": "Two", "due_on": "2022-06-30"}]
WHOLE: Json = {
    "code": "QW-2022-014", "title": "SIAKBA", "description": "Text", "unit": "A", "year": 2022,
    "kind": "quick_win", "origin": "mandated", "status": "active", "weight": 3,
    "areas": ["oversight", "accountability"], "tags": ["siakba", "data"],
    "owners": [{"person": "verifier", "role": "supporting"},
               {"person": "reporter", "role": "accountable"}],
    "start_on": "2022-01-10", "due_on": "2022-12-31", "expected_result": "A system",
    "milestones": PLAN,
}  # fmt: skip
SET = WHOLE.keys() - {"milestones", "areas", "tags", "owners"}


@pytest.fixture
async def ready(institution: Institution) -> Institution:
    """Units A and B."""
    await institution.unit("A")
    await institution.unit("B")
    return institution


def lasting(initiative: Json) -> Json:
    """What a repeated PUT leaves as it was; of the plan, everything."""
    return {k: v for k, v in initiative.items() if k not in ("version", "updated_at")}


async def put(institution: Institution, status: int, body: Json, **more: Any) -> Json:
    path = f"{institution.path}/initiatives/{body['code']}"
    return await institution.expect(status, "PUT", path, body, **more)


async def test_creation_says_everything(ready: Institution) -> None:
    answer = await ready.operator.post(f"{ready.path}/initiatives", json=WHOLE)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{ready.path}/initiatives/QW-2022-014"
    assert answer.headers["etag"] == '"v1"'
    assert {name: made[name] for name in SET} == {name: WHOLE[name] for name in SET}
    assert made["areas"] == ["accountability", "oversight"]
    assert made["tags"] == ["data", "siakba"]
    assert made["owners"] == [
        {"person": "reporter", "role": "accountable"},
        {"person": "verifier", "role": "supporting"},
    ]
    assert [(m["number"], m["title"], m["share"]) for m in made["plan"]] == [
        (1, "One", 50.0), (2, "Two", 50.0),
    ]  # fmt: skip
    assert (made["percent_complete"], made["percent_verified"], made["percent_scheduled"]) == (
        0.0, 0.0, 100.0,
    )  # fmt: skip
    assert made["last_reported_at"] is None
    for key in ("qw-2022-014", made["id"], made["id"].upper()):
        assert await ready.get(f"initiatives/{key}") == made


async def test_defaults(ready: Institution) -> None:
    body = {"code": "QW-1", "title": "T", "unit": "a", "year": 2022}
    made = await ready.post("initiatives", body)
    assert made == made | {
        "unit": "A", "status": "proposed", "kind": "quick_win", "origin": "self_selected",
        "weight": 1, "areas": [], "owners": [], "tags": [], "plan": [], "start_on": None,
        "due_on": None, "percent_complete": None, "health": "not_measurable", "next_due_on": None,
        "milestones": {"total": 0, "done": 0, "overdue": 0},
    }  # fmt: skip


PATCHES: list[tuple[Json, Json]] = [
    ({}, {}),
    ({"description": None, "expected_result": None}, {"description": None, "expected_result": None}),
    ({"start_on": None, "due_on": None}, {"start_on": None, "due_on": None}),
    ({"start_on": "2022-12-31"}, {"start_on": "2022-12-31"}),
    ({"areas": [], "tags": []}, {"areas": [], "tags": []}),
    ({"areas": ["OVERSIGHT", "oversight"]}, {"areas": ["oversight"]}),
    ({"tags": ["b", "a", "b"]}, {"tags": ["a", "b"]}),
    ({"unit": "B", "year": 2023, "weight": 1000}, {"unit": "B", "year": 2023, "weight": 1000}),
    ({"title": " New ", "kind": "innovation"}, {"title": "New", "kind": "innovation"}),
    ({"owners": [{"person": "VERIFIER", "role": "accountable"}]},
     {"owners": [{"person": "verifier", "role": "accountable"}]}),
    ({"status": "on_hold"}, {"status": "on_hold"}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), PATCHES)
async def test_merge_patches(ready: Institution, changes: Json, expected: Json) -> None:
    before = await ready.post("initiatives", WHOLE)
    path = f"{ready.path}/initiatives/qw-2022-014"
    after = await ready.expect(200, "PATCH", path, changes, if_match='"v1"')
    assert after["updated_at"] > before["updated_at"]
    assert after == before | {"version": 2, "updated_at": after["updated_at"]} | expected
    assert await ready.get("initiatives/QW-2022-014") == after
    kept = await ready.rollup(after["unit"], year=after["year"])
    assert (kept["weight"], kept["initiatives"]["total"]) == (after["weight"], 1)
    event = (await ready.get("events", limit=200))["items"][-1]
    assert (event["type"], event["data"]) == ("initiative.changed", {
        name: value.strip() if isinstance(value, str) else value for name, value in changes.items()
    })  # fmt: skip


async def test_put_creates_then_replaces(ready: Institution) -> None:
    answer = await ready.operator.put(f"{ready.path}/initiatives/{WHOLE['code']}", json=WHOLE)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{ready.path}/initiatives/QW-2022-014"
    first = answer.json()
    for version in (2, 3):
        again = await put(ready, 200, WHOLE, if_match=f'"v{version - 1}"')
        assert again["version"] == version
        assert lasting(again) == lasting(first)
    # What is left out gets its default, but for status and plan.
    short = {name: WHOLE[name] for name in ("code", "title", "unit", "year", "owners")}
    kept = await put(ready, 200, short)
    assert kept == kept | {
        "status": "active", "weight": 1, "areas": [], "tags": [], "description": None,
        "due_on": None, "origin": "self_selected",
    }  # fmt: skip
    assert [m["id"] for m in kept["plan"]] == [m["id"] for m in first["plan"]]
    types = [event["type"] for event in (await ready.get("events", limit=200))["items"]]
    assert types[-4:] == ["initiative.created"] + ["initiative.replaced"] * 3


async def test_owners_that_are_there_may_stay(ready: Institution) -> None:
    """Also those whom one does not see, and those who have left: codes of owners are told."""
    planner = await ready.person("planner-b", "planner", "B")
    for code in ("hidden", "left", "stranger"):
        await ready.post("people", {"code": code, "name": code, "unit": "A"})
    owners = [
        {"person": "hidden", "role": "accountable"},
        {"person": "left", "role": "supporting"},
    ]
    whole = WHOLE | {"unit": "B", "owners": owners}
    await put(ready, 201, whole)
    await ready.patch("people/left", {"active": False})
    path = f"{ready.path}/initiatives/{WHOLE['code']}"
    read = await ready.expect(200, "GET", path, client=planner)
    back = whole | {"owners": read["owners"], "title": "Another"}
    assert (await put(ready, 200, back, client=planner))["owners"] == owners
    kept = [{"person": "planner-b", "role": "responsible"}, *owners]
    body: Json = {"owners": kept}
    changed = await ready.expect(200, "PATCH", path, body, if_match="*", client=planner)
    assert {each["person"] for each in changed["owners"]} == {"planner-b", "hidden", "left"}
    for code, role in (
        ("hidden", "supporting"),
        ("left", "responsible"),
        ("stranger", "supporting"),
    ):
        body = {"owners": [*kept[:2], {"person": code, "role": role}]}
        refused = await ready.expect(422, "PATCH", path, body, if_match="*", client=planner)
        assert refused["errors"][0]["pointer"] == "/owners/2/person"
    await planner.aclose()


async def test_put_counts_only_the_milestones_that_it_changes(ready: Institution) -> None:
    await put(ready, 201, WHOLE)

    async def versions(*milestones: Json) -> list[int]:
        made = await put(ready, 200, {**WHOLE, "milestones": milestones})
        return [milestone["version"] for milestone in made["plan"]]

    first, second = PLAN
    assert await versions(first, {**second, "title": "Another"}) == [1, 2]
    # The share of each of them is another then.
    assert await versions({**first, "weight": 2}, {**second, "title": "Another"}) == [2, 3]


PLANS: list[tuple[list[Json], list[tuple[int, str]]]] = [
    ([{"title": "a"}, {"title": "b"}], [(1, "a"), (2, "b")]),
    ([{"title": "a", "number": 5}, {"title": "b"}], [(5, "a"), (6, "b")]),
    ([{"title": "a", "number": 2}, {"title": "b"}, {"title": "c", "number": 1}],
     [(1, "c"), (2, "a"), (3, "b")]),
    ([{"title": "a", "number": 9999}], [(9999, "a")]),
]  # fmt: skip


@pytest.mark.parametrize(("plan", "expected"), PLANS)
async def test_numbers_are_given_alike(
    ready: Institution, plan: list[Json], expected: list[tuple[int, str]]
) -> None:
    """By POST, by the PUT that creates and by the PUT that replaces."""
    milestones = [{"due_on": "2022-06-30", **milestone} for milestone in plan]
    made = await ready.post("initiatives", {**WHOLE, "code": "P", "milestones": milestones})
    whole = {**WHOLE, "milestones": milestones}
    for told in (made, await put(ready, 201, whole), await put(ready, 200, whole)):
        assert [(m["number"], m["title"]) for m in told["plan"]] == expected
    await put(ready, 200, {**whole, "milestones": PLAN})
    told = await put(ready, 200, whole)
    assert [(m["number"], m["title"]) for m in told["plan"]] == expected


async def test_put_adds_and_removes_milestones(ready: Institution) -> None:
    first = await put(ready, 201, WHOLE)
    await ready.report("QW-2022-014", 1, 60, "2022-03-01")
    three = {"title": "Three", "due_on": "2022-09-30", "weight": 2}
    more = await put(ready, 200, {**WHOLE, "milestones": [*PLAN, three]})
    assert [(m["number"], m["share"], m["percent_complete"]) for m in more["plan"]] == [
        (1, 25.0, 60.0), (2, 25.0, 0.0), (3, 50.0, 0.0),
    ]  # fmt: skip
    assert more["plan"][0]["id"] == first["plan"][0]["id"]
    assert (await ready.rollup())["percent_complete"] == 15.0
    fewer = await put(ready, 200, {**WHOLE, "milestones": [PLAN[0], {**three, "number": 3}]})
    assert [(m["number"], m["share"]) for m in fewer["plan"]] == [(1, 33.33), (3, 66.67)]
    assert (await ready.rollup())["percent_complete"] == 20.0
    told = await put(ready, 422, {**WHOLE, "milestones": [{**three, "number": 3}]})
    assert [(at["pointer"], at["code"]) for at in told["errors"]] == [
        ("/milestones", "reported_milestone_missing")
    ]
    assert await ready.get("initiatives/QW-2022-014") == fewer


ROADS = [
    "proposed shortlisted proposed shortlisted active on_hold active completed active completed",
    "proposed active on_hold completed cancelled proposed",
    "shortlisted cancelled active cancelled",
    "proposed cancelled",
]


@pytest.mark.parametrize("road", ROADS)
async def test_the_life_of_an_initiative(ready: Institution, road: str) -> None:
    first, *following = road.split()
    await ready.post("initiatives", {**WHOLE, "status": first, "milestones": PLAN[:1]})
    await ready.report("QW-2022-014", 1, 100, "2022-03-01")
    counted = {"active", "on_hold", "completed"}
    for status in following:
        told = await ready.patch(
            "initiatives/QW-2022-014", {"status": status, "reason": f"Now {status}"}
        )
        assert told["status"] == status
        assert told["health"] == ("completed" if status in counted else "not_measurable")
        rollup = await ready.rollup()
        assert rollup["initiatives"]["total"] == int(status in counted)
        assert rollup["percent_complete"] == (100.0 if status in counted else None)
        event = (await ready.get("events", limit=200))["items"][-1]
        assert event["data"] == {"status": status, "reason": f"Now {status}"}


async def test_its_answer_follows_the_unit_and_the_policy(ready: Institution) -> None:
    await ready.post("initiatives", WHOLE)
    await ready.report("QW-2022-014", 1, 90, "2022-03-01")
    await ready.report("QW-2022-014", 2, 90, "2022-03-01")
    address = f"{ready.path}/initiatives/QW-2022-014"
    for path, body, name, value in (
        (f"{ready.path}/units/A", {"code": "A-new"}, "unit", "A-new"),
        (ready.path, {"policy": {"on_track_from": 0.9}}, "health", "on_track"),
        (ready.path, {"policy": {}}, "health", "at_risk"),
    ):
        known = (await ready.operator.get(address)).headers["etag"]
        await ready.expect(200, "PATCH", path, body, if_match="*")
        answer = await ready.operator.get(address, headers={"If-None-Match": known})
        assert answer.status_code == 200, body
        assert answer.json()[name] == value


async def test_deletion(ready: Institution) -> None:
    made = await ready.post("initiatives", WHOLE)
    await ready.report("QW-2022-014", 1, 100, "2022-03-01")
    path = f"{ready.path}/initiatives/{made['id']}"
    await ready.expect(412, "DELETE", path, if_match='"v1"')
    await ready.expect(204, "DELETE", path, parameters={"reason": "Twice"}, if_match='"v2"')
    for gone in ("", "/milestones", "/milestones/1", "/milestones/1/updates"):
        await ready.expect(404, "GET", f"{path}{gone}")
    assert (await ready.get("updates"))["items"] == []
    assert (await ready.rollup())["reason"] == "no_initiatives"
    event = (await ready.get("events", limit=200))["items"][-1]
    assert (event["type"], event["data"]["reason"]) == ("initiative.deleted", "Twice")
    assert [m["percent_complete"] for m in event["data"]["plan"]] == [100.0, 0.0]
    again = await put(ready, 201, WHOLE)
    assert again["id"] != made["id"]
