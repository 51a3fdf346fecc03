"""S-curves: points that equal the roll-ups of their days, and the forecast."""

from datetime import date
from typing import Any

import pytest

from tests.support.institution import Institution

WHOLE = {"from": "2022-01-01", "to": "2022-12-31", "as_of": "2022-06-18"}


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """Two units; the plan runs from March to December, and some of it is earned."""
    await institution.unit("A")
    await institution.unit("B")
    plan = [{"title": "M", "due_on": f"2022-{day}"} for day in ("03-31", "06-30", "12-15")]
    await institution.initiative("QW-1", "A", weight=3, milestones=plan)
    await institution.initiative("QW-2", "B", year=2023, areas=["oversight"], milestones=plan[1:2])
    await institution.verify(await institution.report("QW-1", 1, 100, "2022-03-20"))
    await institution.report("QW-1", 2, 50, "2022-06-01")
    await institution.report("QW-2", 1, 100, "2022-07-04")
    return institution


@pytest.mark.parametrize("interval", ["day", "week", "month"])
async def test_points_equal_rollups(planned: Institution, interval: str) -> None:
    asked: dict[str, Any]
    for unit in (None, "A", "B"):
        for asked in ({}, {"year": 2022}, {"area": "oversight"}):
            await points_equal_rollups(planned, interval, unit, asked)


async def points_equal_rollups(
    planned: Institution, interval: str, unit: str | None, asked: dict[str, Any]
) -> None:
    curve = await planned.rollup(unit, "/s-curve", **asked, **WHOLE, interval=interval)
    points = curve["points"]
    assert [point["on"] for point in points] == sorted({point["on"] for point in points})
    assert points[-1]["on"] == "2022-12-31"
    (present,) = [point for point in points if point["on"] == "2022-06-18"]
    for point in {point["on"]: point for point in (points[0], present, points[-2])}.values():
        rollup = await planned.rollup(unit, **asked, as_of=point["on"])
        assert point["planned"] == rollup["percent_scheduled"]
        past = point["on"] <= "2022-06-18"
        assert point["earned"] == (rollup["percent_complete"] if past else None)
        assert point["verified"] == (rollup["percent_verified"] if past else None)
    assert curve["version"] == rollup["version"]


async def test_the_last_point_is_today_by_default(planned: Institution) -> None:
    curve = await planned.rollup(None, "/s-curve")
    rollup = await planned.rollup()
    assert curve["points"][0]["on"] == "2022-03-31"
    last = curve["points"][-1]
    assert last["on"] == curve["as_of"] == rollup["as_of"]
    assert (last["planned"], last["earned"], last["verified"]) == (
        rollup["percent_scheduled"],
        rollup["percent_complete"],
        rollup["percent_verified"],
    )


async def test_what_is_verified_and_was_corrected_that_day(institution: Institution) -> None:
    """Nothing is earned, so the curve begins with the plan; what was verified before still counts."""
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await institution.verify(await institution.report("QW-1", 1, 60, "2022-03-01"))
    await institution.report("QW-1", 1, 0, "2022-03-01")
    curve = await institution.rollup("A", "/s-curve")
    assert (curve["points"][0]["on"], curve["points"][0]["verified"]) == ("2022-06-30", 60.0)
    assert curve["points"][-1]["earned"] == 0.0


async def test_the_forecast(planned: Institution) -> None:
    """By hand: months from March on."""
    curve = await planned.rollup("A", "/s-curve", as_of="2022-06-18")
    # March is earned whole (1 of 3), June's third by half: ES = 3 + (1.5 - 1) / (2 - 1) = 3.5.
    # March, April and May have passed, and 18 of June's 30 days: AT = 3.6.
    assert (curve["earned_schedule"], curve["actual_time"]) == (3.5, 3.6)
    assert curve["spi_t"] == 0.9722
    # 1 March to 15 December are 290 days: 290 × 3.6 / 3.5 = 298.3, up to the 299th day.
    assert (curve["planned_start_on"], curve["planned_finish_on"]) == ("2022-03-31", "2022-12-15")
    assert (curve["forecast_finish"], curve["reason"]) == ("2022-12-24", None)
    assert curve["on_time"] == {"due": 1, "met": 1, "percent": 100.0}


async def test_a_finished_plan_forecasts_its_completion(planned: Institution) -> None:
    curve = await planned.rollup("B", "/s-curve", as_of="2022-09-30")
    assert (curve["earned_schedule"], curve["forecast_finish"]) == (1.0, "2022-07-04")
    assert curve["actual_time"] == pytest.approx(1 + 4 / 31, abs=1e-4)
    assert curve["on_time"] == {"due": 1, "met": 0, "percent": 0.0}


async def test_without_anything_to_go_by(institution: Institution) -> None:
    async def told(unit: str, as_of: str) -> tuple[Any, ...]:
        curve = await institution.rollup(unit, "/s-curve", as_of=as_of)
        return curve["earned_schedule"], curve["spi_t"], curve["forecast_finish"], curve["reason"]

    for unit in ("none", "early", "one"):
        await institution.unit(unit)
    assert await told("none", "2022-06-18") == (None, None, None, "no_plan")
    curve = await institution.rollup("none", "/s-curve", as_of="2022-06-18")
    assert curve["points"] == [
        {"on": "2022-06-18", "planned": None, "earned": None, "verified": None}
    ]
    due = [{"title": "M", "due_on": "2022-06-30"}, {"title": "M", "due_on": "2022-08-30"}]
    await institution.initiative("E", "early", milestones=due)
    assert await told("early", "2022-05-31") == (0.0, None, None, "plan_not_begun")
    assert await told("early", "2022-06-30") == (0.0, 0.0, None, "nothing_earned")
    await institution.initiative("O", "one", milestones=due[:1])
    await institution.report("O", 1, 50, "2022-06-01")
    assert await told("one", "2022-06-30") == (0.5, 0.5, None, "plan_of_one_day")
    await institution.report("E", 1, 0.01, "2022-06-01")
    assert await told("early", "2025-06-30") == (0.0001, 0.0, None, "beyond_the_calendar")


@pytest.mark.parametrize(
    ("asked", "name", "code"),
    [
        ({"from": "2022-02-01", "to": "2022-01-31"}, "from", "from_after_to"),
        ({"from": "2199-12-31"}, "from", "from_after_to"),
        ({"from": "2000-01-01", "to": "2020-01-02"}, "from", "range_too_long"),
        ({"from": "2004-02-28", "to": "2024-02-29", "interval": "day"}, "interval", "too_many_points"),
        ({"from": "2010-01-01", "to": "2015-12-31", "interval": "day"}, "interval", "too_many_points"),
        ({"as_of": "2199-01-01"}, "as_of", "in_future"),
        ({"interval": "year"}, "interval", "enum"),
        ({"from": "2022-02-30"}, "from", "date_from_datetime_parsing"),
        ({"area": "gardening"}, "area", "unknown_area"),
        ({"until": "2022-01-01"}, "until", "extra_forbidden"),
    ],
)  # fmt: skip
async def test_bad_ranges(
    institution: Institution, asked: dict[str, str], name: str, code: str
) -> None:
    told = await institution.expect(
        422, "GET", f"{institution.path}/rollup/s-curve", parameters=asked
    )
    assert [(at["parameter"], at["code"]) for at in told["errors"]] == [(name, code)]


async def test_twice_from_is_refused(institution: Institution) -> None:
    asked = f"{institution.path}/rollup/s-curve?from=2022-01-01&from=2022-01-01"
    told = await institution.expect(422, "GET", asked)
    assert told["errors"][0]["code"] == "repeated_parameter"


async def test_twenty_years_of_weeks(planned: Institution) -> None:
    curve = await planned.rollup(
        None, "/s-curve", **{"from": "2004-02-29", "to": "2024-02-29"}, interval="week"
    )
    assert len(curve["points"]) == 1_045  # 1,044 Sundays, and the Thursday that ends the range
    assert date.fromisoformat(curve["points"][0]["on"]).isoweekday() == 7
