"""Who has reported on a period is said by the months that are kept, and is what the reports say."""

from datetime import date

import pytest

from app.db import Database
from app.models.base import day_in, now
from tests.support.institution import Institution, Json
from tests.support.kept import Kept

REPORTED: dict[str, dict[int, tuple[str, ...]]] = {
    "never": {},
    "early": {1: ("2020-12-31",)},  # before what is kept
    "first": {1: ("2021-01-01",)},
    "once": {1: ("2022-01-31",)},
    "twice": {1: ("2022-02-10", "2022-04-15")},
    "both": {1: ("2022-02-11",), 2: ("2022-03-01",)},
    "late": {1: ("2026-03-31",)},
    "far": {1: ("2026-04-01",)},  # behind it
    "finished": {1: ("2022-02-10",), 2: ("2022-03-15",)},
}
PERIODS = (
    ("2022-01-01", "2022-01-31"),
    ("2022-01-01", "2022-03-31"),
    ("2022-01-31", "2022-02-10"),
    ("2022-02-11", "2022-03-31"),
    ("2022-02-15", "2022-02-20"),
    ("2022-03-02", "2022-05-31"),
    ("2021-01-01", "2021-12-31"),
    ("2020-12-01", "2021-01-15"),
    ("2026-03-01", "2026-03-31"),
    ("2026-03-01", "2026-04-30"),
)
PLAN = [{"title": "M", "due_on": "2022-12-31"}, {"title": "N", "due_on": "2022-12-31"}]
NAMES = {"id": "Masa lapor", "en": "Period"}


@pytest.fixture
async def reported(institution: Institution) -> Institution:
    """Initiatives with reports on such days, and a period."""
    for code, milestones in REPORTED.items():
        await institution.initiative(code, milestones=PLAN)
        for number, days in milestones.items():
            for day in days:
                await institution.report(code, number, 100 if code == "finished" else 10, day)
    first, last = PERIODS[0]
    await institution.post(
        "periods",
        {
            "code": "P", "name": NAMES, "year": 2022, "starts_on": first, "ends_on": last,
            "opens_on": first, "closes_on": str(day_in("Asia/Jakarta", now())),
        },
    )  # fmt: skip
    return institution


async def agree(institution: Institution, year: int = 2022) -> dict[str, set[str]]:
    """See that each period misses who has no report in it; answers who it is."""
    reports: list[Json] = (await institution.get("updates", limit=200))["items"]
    about = [(each["initiative"], date.fromisoformat(each["effective_on"])) for each in reports]
    found = {}
    for first, last in PERIODS:
        await institution.patch("periods/P", {"starts_on": first, "ends_on": last, "year": year})
        starts_on, ends_on = date.fromisoformat(first), date.fromisoformat(last)
        came = {code for code, day in about if starts_on <= day <= ends_on}
        # It is finished on the later of its days, or is not reported on at all.
        owing = REPORTED.keys() - ({"finished"} if starts_on > date(2022, 3, 15) else set())
        total = (await institution.get("periods/P/standing"))["total"]
        missing = (await institution.get("periods/P/missing"))["items"]
        found[first] = {each["initiative"] for each in missing}
        assert found[first] == owing - came, (first, last)
        assert (total["owing"], total["in_time"]) == (len(owing), len(owing & came))
    return found


async def test_they_say_who_has_reported(reported: Institution, database: Database) -> None:
    kept = Kept(reported, database)
    assert await kept.is_right()
    before = await agree(reported)
    # As a release leaves it that does not know them: then the reports are looked for.
    await kept.spoil({"reported_months": None})
    assert await agree(reported) == before
    assert await kept.is_right()
    assert await kept.renew() == len(REPORTED)
    assert await kept.renew() == 0
    assert await kept.is_right()
    assert await agree(reported) == before
    # As it leaves them where it knew nothing of a report that came.
    await kept.spoil({"reported_months": 0, "last_done_on": None})
    assert not await kept.is_right()
    assert await kept.renew() == len(REPORTED) - 3  # of three it is right
    assert await agree(reported) == before


async def test_they_follow_what_changes(reported: Institution, database: Database) -> None:
    kept = Kept(reported, database)
    for code in REPORTED:
        await reported.patch(f"initiatives/{code}", {"year": 2023, "reason": "Dipindah"})
    await agree(reported, 2023)
    await reported.patch("initiatives/both/milestones/2", {"status": "dropped", "reason": "Batal"})
    before = await agree(reported, 2023)
    await reported.delete("initiatives/both")
    (deletion,) = (await reported.get("deletions"))["items"]
    await reported.post(f"deletions/{deletion['id']}/restoration", {})
    assert await kept.is_right()
    assert await agree(reported, 2023) == before
