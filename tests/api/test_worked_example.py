"""The worked example of the README, as it stands: every figure, on both databases."""

import pytest

from tests.support.institution import Institution, Json

EXPECTED = [
    # as_of, unit, area, complete, verified, scheduled, variance, index, initiatives, unmeasured,
    # done, overdue, milestones
    ("2022-06-18", None, None, 44.44, 27.78, 66.67, -22.22, 0.6667, 4, 1, 2, 2, 6),
    ("2022-06-18", "A", None, 54.17, 41.67, 50.00, 4.17, 1.0833, 2, 0, 2, 1, 5),
    ("2022-06-18", "B", None, 25.00, 0.00, 100.00, -75.00, 0.2500, 2, 1, 0, 1, 1),
    ("2022-06-30", None, None, 50.00, 33.33, 83.33, -33.33, 0.6000, 4, 1, 3, 1, 6),
    ("2022-06-30", "A1", None, 50.00, 33.33, 66.67, -16.67, 0.7500, 1, 0, 1, 0, 3),
    ("2022-06-30", None, "accountability", 62.50, 50.00, 75.00, -12.50, 0.8333, 2, 0, 3, 0, 5),
]


async def as_in_the_example(institution: Institution) -> Institution:
    for unit, parent in (("A", None), ("A1", "A"), ("A2", "A"), ("B", None)):
        await institution.unit(unit, parent)

    await institution.initiative("QW-1", "A1", weight=3)
    for due_on in ("2022-03-31", "2022-06-30", "2022-12-31"):
        await institution.milestone("QW-1", due_on)
    await institution.verify(await institution.report("QW-1", 1, 100, "2022-03-20"))
    await institution.report("QW-1", 2, 50, "2022-06-01")

    await institution.initiative("QW-2", "A2", areas=["public-service", "accountability"])
    await institution.milestone("QW-2", "2022-05-31", weight=2)
    await institution.milestone("QW-2", "2022-06-15", technique="binary")
    await institution.verify(await institution.report("QW-2", 1, 100, "2022-05-10"))
    await institution.report("QW-2", 2, 90, "2022-06-10")
    await institution.verify(await institution.report("QW-2", 2, 100, "2022-06-20"))
    await institution.patch("initiatives/QW-2", {"status": "completed"})

    oversight: Json = {"unit": "B", "areas": ["oversight"]}
    await institution.initiative("QW-3", weight=2, **oversight)
    await institution.initiative("QW-4", weight=2, status="on_hold", **oversight)
    await institution.milestone("QW-4", "2022-06-01")
    await institution.report("QW-4", 1, 25, "2022-05-01")
    await institution.initiative("QW-5", weight=9, **oversight)
    await institution.milestone("QW-5", "2022-06-01")
    await institution.patch("initiatives/QW-5", {"status": "cancelled", "reason": "No budget"})
    return institution


@pytest.fixture
async def example(institution: Institution) -> Institution:
    """An institution of its own for a test that changes it."""
    return await as_in_the_example(institution)


@pytest.fixture(scope="module")
async def standing(shared: Institution) -> Institution:
    """An institution that the tests of a module look at."""
    return await as_in_the_example(shared)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda row: "-".join(map(str, row[:3])))
async def test_every_figure(standing: Institution, expected: tuple[object, ...]) -> None:
    as_of, unit, area, *figures = expected
    asked: Json = {"as_of": as_of, "year": 2022, **({"area": area} if area else {})}
    rollup = await standing.rollup(None if unit is None else str(unit), **asked)
    assert [
        rollup["percent_complete"],
        rollup["percent_verified"],
        rollup["percent_scheduled"],
        rollup["schedule_variance"],
        rollup["schedule_performance_index"],
        rollup["initiatives"]["total"],
        rollup["initiatives"]["unmeasured"],
        rollup["milestones"]["done"],
        rollup["milestones"]["overdue"],
        rollup["milestones"]["total"],
    ] == figures
