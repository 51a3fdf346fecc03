"""The rules of the roll-up that people rely on: what counts, where, and from when."""

import pytest

from tests.support.institution import Institution, Json

PLAN = [{"title": "M", "due_on": "2022-06-30"}]
NUMBERS = (
    "percent_complete", "percent_verified", "percent_scheduled", "schedule_variance", "weight",
    "coverage", "initiatives", "milestones", "health", "reason", "schedule_performance_index",
)  # fmt: skip


def numbers(rollup: Json) -> Json:
    return {name: rollup[name] for name in NUMBERS}


async def test_nothing_is_null_with_a_reason(institution: Institution) -> None:
    empty = await institution.rollup()
    assert empty["reason"] == "no_initiatives"
    assert empty["health"] == "not_measurable"
    for name in ("percent_complete", "percent_verified", "percent_scheduled",
                 "schedule_variance", "schedule_performance_index"):  # fmt: skip
        assert empty[name] is None
    assert empty["coverage"] == {"initiatives": 0, "measured": 0, "percent": None}
    await institution.initiative("QW-1", status="proposed", milestones=PLAN)
    assert (await institution.rollup())["reason"] == "no_initiatives"
    await institution.initiative("QW-2")
    without = await institution.rollup()
    assert (without["reason"], without["percent_complete"]) == ("no_milestones", None)
    assert without["coverage"] == {"initiatives": 1, "measured": 0, "percent": 0.0}
    assert without["initiatives"]["unmeasured"] == 1
    await institution.milestone("QW-2", "2022-06-30")
    measured = await institution.rollup()
    assert (measured["reason"], measured["percent_complete"]) == (None, 0.0)
    dropped = {"status": "dropped", "reason": "Batal"}
    await institution.patch("initiatives/QW-2/milestones/1", dropped)
    assert numbers(await institution.rollup()) == numbers(without)


async def test_the_unmeasured_do_not_pull_percents_down(institution: Institution) -> None:
    await institution.initiative("QW-1", weight=2, milestones=PLAN)
    await institution.report("QW-1", 1, 60, "2022-06-01")
    await institution.initiative("QW-2", weight=1000)
    told = await institution.rollup()
    assert (told["percent_complete"], told["weight"]) == (60.0, 2)
    assert told["coverage"] == {"initiatives": 2, "measured": 1, "percent": 50.0}


async def test_weights_decide(institution: Institution) -> None:
    await institution.initiative("QW-1", weight=3, milestones=PLAN)
    await institution.initiative("QW-2", weight=1, milestones=[*PLAN, *PLAN, *PLAN])
    await institution.report("QW-1", 1, 100, "2022-06-01")
    assert (await institution.rollup())["percent_complete"] == 75.0
    await institution.report("QW-2", 2, 100, "2022-06-01")
    assert (await institution.rollup())["percent_complete"] == 83.33
    await institution.patch("initiatives/QW-1", {"weight": 1})
    assert (await institution.rollup())["percent_complete"] == 66.67


@pytest.fixture
async def tree(institution: Institution) -> Institution:
    """32 > 32.73 > 32.73.01 and 33 > 33.01, with an initiative in each leaf."""
    for code, parent in (
        ("32", None), ("32.73", "32"), ("32.73.01", "32.73"), ("33", None), ("33.01", "33"),
    ):  # fmt: skip
        await institution.unit(code, parent)
    await institution.initiative("QW-1", "32.73.01", weight=3, milestones=PLAN)
    await institution.initiative("QW-2", "33.01", milestones=PLAN, areas=["oversight"])
    await institution.verify(await institution.report("QW-1", 1, 80, "2022-05-01"))
    await institution.report("QW-2", 1, 40, "2022-06-01")
    return institution


async def test_a_unit_has_all_below_it(tree: Institution) -> None:
    low = numbers(await tree.rollup("32.73.01"))
    assert (low["percent_complete"], low["weight"]) == (80.0, 3)
    assert numbers(await tree.rollup("32.73")) == low
    assert numbers(await tree.rollup("32")) == low
    assert (await tree.rollup())["percent_complete"] == 70.0
    children = (await tree.rollup(part="/children"))["items"]
    assert [(c["unit"], c["percent_complete"]) for c in children] == [("32", 80.0), ("33", 40.0)]
    assert numbers(children[0]) == low
    assert (await tree.rollup("33.01", "/children"))["items"] == []


async def test_a_moved_unit_carries_its_numbers(tree: Institution) -> None:
    moving, whole = numbers(await tree.rollup("32.73")), numbers(await tree.rollup())
    path = f"{tree.path}/units/32.73/move"
    await tree.expect(200, "POST", path, {"parent": "33.01"})
    assert numbers(await tree.rollup("32.73")) == moving
    assert numbers(await tree.rollup()) == whole
    assert (await tree.rollup("32"))["reason"] == "no_initiatives"
    for unit in ("33", "33.01"):
        assert numbers(await tree.rollup(unit)) == whole
        past = await tree.rollup(unit, as_of="2022-05-15", area="accountability")
        assert past["percent_complete"] == 80.0
    await tree.report("QW-1", 1, 90, "2022-06-02")
    assert (await tree.rollup("33"))["percent_complete"] == 77.5
    await tree.expect(200, "POST", path, {"parent": "32"})
    assert (await tree.rollup("33"))["percent_complete"] == 40.0
    assert (await tree.rollup("32"))["percent_complete"] == 90.0


async def test_a_moved_initiative_carries_its_numbers(tree: Institution) -> None:
    await tree.patch("initiatives/QW-1", {"unit": "33"})
    assert (await tree.rollup("32"))["reason"] == "no_initiatives"
    assert (await tree.rollup("33"))["percent_complete"] == 70.0
    assert (await tree.rollup("33.01"))["percent_complete"] == 40.0


async def test_several_areas_count_in_full_each(institution: Institution) -> None:
    areas = ["oversight", "accountability"]
    await institution.initiative("QW-1", weight=3, areas=areas, milestones=PLAN)
    await institution.initiative("QW-2", areas=["oversight"], milestones=PLAN)
    await institution.initiative("QW-3", areas=[], milestones=PLAN)
    await institution.report("QW-1", 1, 100, "2022-06-01")
    listed = await institution.rollup(part="/areas")
    assert listed["adds_up"] is False
    found = {item["area"]: item for item in listed["items"]}
    assert len(found) == 8
    assert (found["oversight"]["weight"], found["oversight"]["percent_complete"]) == (4, 75.0)
    assert (found["accountability"]["weight"], found["accountability"]["health"]) == (
        3, "completed",
    )  # fmt: skip
    assert found["public-service"]["reason"] == "no_initiatives"
    assert sum(item["initiatives"]["total"] for item in listed["items"]) == 3
    whole = await institution.rollup()
    assert (whole["weight"], whole["initiatives"]["total"]) == (5, 3)
    assert numbers(await institution.rollup(area="OVERSIGHT")) == numbers(found["oversight"])
    (only,) = (await institution.rollup(part="/areas", area="oversight"))["items"]
    assert numbers(only) == numbers(found["oversight"])
    await institution.patch("initiatives/QW-1", {"areas": []})
    assert (await institution.rollup(area="accountability"))["reason"] == "no_initiatives"


async def test_years_are_apart(institution: Institution) -> None:
    await institution.initiative("QW-1", year=2022, milestones=PLAN)
    await institution.initiative("QW-2", year=2023, weight=3, milestones=PLAN)
    await institution.report("QW-2", 1, 100, "2022-06-01")
    every = await institution.rollup()
    assert (every["percent_complete"], every["weight"], every["year"]) == (75.0, 4, None)
    for year, percent, weight in ((2022, 0.0, 1), (2023, 100.0, 3), (2024, None, 0)):
        told = await institution.rollup(year=year)
        assert (told["percent_complete"], told["weight"], told["year"]) == (percent, weight, year)
    assert (await institution.rollup(year=2024))["reason"] == "no_initiatives"
    await institution.patch("initiatives/QW-2", {"year": 2024})
    assert (await institution.rollup(year=2023))["weight"] == 0
    assert (await institution.rollup(year=2024))["percent_complete"] == 100.0


async def test_before_anything_was_planned_or_reported(tree: Institution) -> None:
    for day in ("1900-01-01", "2022-04-30"):
        then = await tree.rollup(as_of=day)
        assert (then["as_of"], then["percent_complete"], then["percent_scheduled"]) == (
            day, 0.0, 0.0,
        )  # fmt: skip
        assert (then["schedule_performance_index"], then["health"]) == (None, "not_started")
        assert (then["milestones"]["total"], then["milestones"]["overdue"]) == (2, 0)
    early = await tree.rollup(as_of="2022-05-01")
    assert (early["percent_complete"], early["percent_verified"]) == (60.0, 60.0)
    assert (early["health"], early["reason"]) == ("on_track", None)


async def test_overdue_begins_the_day_after(tree: Institution) -> None:
    for day, scheduled, overdue, soon in (
        ("2022-05-30", 0.0, 0, 0),
        ("2022-05-31", 0.0, 0, 2),
        ("2022-06-29", 0.0, 0, 2),
        ("2022-06-30", 100.0, 0, 2),
        ("2022-07-01", 100.0, 2, 0),
    ):
        then = await tree.rollup(as_of=day)
        assert then["percent_scheduled"] == scheduled
        assert then["milestones"] == {
            "total": 2, "done": 0, "overdue": overdue, "due_next_30_days": soon,
        }  # fmt: skip


async def test_the_future_is_not_known(institution: Institution) -> None:
    path = f"{institution.path}/rollup"
    told = await institution.expect(422, "GET", path, parameters={"as_of": "2199-12-31"})
    assert told["errors"][0]["parameter"] == "as_of"
    told = await institution.expect(422, "GET", path, parameters={"area": "nothing"})
    assert told["errors"][0]["parameter"] == "area"
    await institution.expect(404, "GET", f"{institution.path}/units/nothing/rollup")


async def test_the_version_is_the_last_event(tree: Institution) -> None:
    for percent in (50, 60):
        await tree.report("QW-2", 1, percent, "2022-06-02")
        last = (await tree.get("events", limit=200))["items"][-1]
        for unit in (None, "32", "33.01"):
            told = await tree.rollup(unit)
            assert told["version"] == last["sequence"]
        children = (await tree.rollup(part="/children"))["items"]
        assert {child["version"] for child in children} == {last["sequence"]}
