"""Baselines: the first one at designation, later versions, what they decide and how plans differ."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Baseline
from tests.api.test_bad_state import alone, sequence, told
from tests.api.test_query_counts import statements
from tests.support.institution import Institution, Json

QW = "initiatives/QW-1"
OWED = ("/reason", "reason_owed")
PLAN: list[Json] = [
    {"title": "One", "due_on": "2022-03-31", "weight": 3},
    {"title": "Two", "due_on": "2022-06-30"},
    {"title": "Three", "due_on": "2022-09-30", "technique": "binary"},
]


@pytest.fixture
async def proposed(institution: Institution) -> Institution:
    """A proposed initiative with three milestones."""
    await institution.initiative("QW-1", milestones=PLAN, status="proposed")
    return institution


@pytest.fixture
async def active(proposed: Institution) -> Institution:
    """The same, active by now: it has its first baseline."""
    await proposed.patch(QW, {"status": "active"})
    return proposed


async def milestone(institution: Institution, number: int) -> Json:
    return await institution.get(f"{QW}/milestones/{number}")


async def change(institution: Institution, number: int, **fields: Any) -> Json:
    return await institution.patch(f"{QW}/milestones/{number}", {"reason": "Why", **fields})


async def take(institution: Institution, reason: str = "Rapat") -> Json:
    return await institution.post(f"{QW}/baselines", {"reason": reason})


async def dates(institution: Institution) -> list[str | None]:
    items = (await institution.get(f"{QW}/milestones"))["items"]
    return [item["baseline_due_on"] for item in items]


async def test_becoming_active_takes_the_first(proposed: Institution) -> None:
    before = await proposed.get(QW)
    assert (before["baseline"], before["finish_on"]) == (None, "2022-09-30")
    assert (await proposed.get(f"{QW}/baselines"))["items"] == []
    await proposed.patch(f"{QW}/milestones/2", {"due_on": "2022-07-31"})  # owes no reason yet
    await proposed.patch(f"{QW}/milestones/1", {"baseline_due_on": "2022-03-01"})  # agreed before
    version = await sequence(proposed)
    after = await proposed.patch(QW, {"status": "active"})
    assert (after["baseline"], after["slippage_days"], after["current_slippage_days"]) == (1, 0, 0)
    assert await dates(proposed) == ["2022-03-01", "2022-07-31", "2022-09-30"]
    assert (await milestone(proposed, 1))["slippage_days"] == 30
    (event,) = (await proposed.get("events", after=version))["items"]
    assert event["changes"]["baseline"] == {"before": None, "after": 1}
    assert event["changes"]["milestones/2/baseline_due_on"] == {
        "before": None, "after": "2022-07-31",
    }  # fmt: skip
    (first,) = (await proposed.get(f"{QW}/baselines"))["items"]
    assert first == {
        "number": 1, "current": True, "reason": None, "taken_at": first["taken_at"],
        "taken_by": first["taken_by"], "weight": 1, "due_on": None, "milestones": 3,
        "finish_on": "2022-09-30",
    }  # fmt: skip
    whole = await proposed.get(f"{QW}/baselines/1")
    assert whole.pop("plan") == [
        {
            "id": m["id"], "number": m["number"], "title": m["title"], "weight": m["weight"],
            "technique": m["technique"], "due_on": day,
        }
        for m, day in zip(after["plan"], await dates(proposed), strict=True)
    ]  # fmt: skip
    assert whole == first
    # It is taken once: going on again, or coming back, makes no other.
    for status in ("on_hold", "active", "cancelled", "active"):
        await proposed.patch(QW, {"status": status, "reason": "Why"})
    assert (await proposed.get(QW))["baseline"] == 1


async def test_what_is_moved_in_has_one_on_request(institution: Institution) -> None:
    """An initiative that is created as active has none: it changes as before."""
    await institution.initiative("QW-1", milestones=PLAN)
    for status in ("on_hold", "active"):
        await institution.patch(QW, {"status": status})
    await institution.patch(f"{QW}/milestones/1", {"due_on": "2022-04-30"})
    await institution.patch(f"{QW}/milestones/2", {"baseline_due_on": "2022-05-31"})
    assert (await institution.get(QW))["baseline"] is None
    made = await take(institution)
    # What was agreed on by hand is the first version, the plan of today the second.
    assert (made["number"], made["reason"], made["current"]) == (2, "Rapat", True)
    assert [m["due_on"] for m in made["plan"]] == ["2022-04-30", "2022-06-30", "2022-09-30"]
    first = await institution.get(f"{QW}/baselines/1")
    assert [m["due_on"] for m in first["plan"]] == ["2022-04-30", "2022-05-31", "2022-09-30"]
    assert (await milestone(institution, 2))["first_baseline_due_on"] == "2022-05-31"


async def test_a_change_owes_a_reason(active: Institution) -> None:
    path = f"{QW}/milestones/2"
    address = f"{active.path}/{path}"
    before = await sequence(active)
    for change in ({"due_on": "2022-12-31"}, {"weight": 7}, {"baseline_due_on": None}):
        assert told(await active.patch(path, change, 422)) == alone("invalid", OWED)
    content = await active.expect(422, "DELETE", address, if_match="*")
    assert told(content) == alone("invalid", ("reason", "reason_owed"))
    new = {"title": "Four", "due_on": "2022-12-31"}
    content = await active.expect(422, "POST", f"{active.path}/{QW}/milestones", new)
    assert told(content) == alone("invalid", OWED)
    whole: Json = {
        "code": "QW-1", "title": "T", "unit": active.code, "year": 2022,
        "owners": [{"person": "reporter", "role": "accountable"}],
    }  # fmt: skip
    numbered = [{"number": n, **m} for n, m in enumerate(PLAN, 1)]
    for plan in ([*numbered, new], numbered[1:], [*numbered[:2], {**numbered[2], "weight": 9}]):
        body = {**whole, "milestones": plan}
        content = await active.expect(422, "PUT", f"{active.path}/{QW}", body)
        assert told(content) == alone("invalid", OWED), plan
    assert await sequence(active) == before
    await active.patch(path, {"title": "New"})  # says nothing of dates or weights
    # A replacement with the same plan, which knows of no baseline, leaves it as it is.
    body = {**whole, "milestones": numbered}
    replaced = await active.expect(200, "PUT", f"{active.path}/{QW}", body)
    assert (replaced["baseline"], await dates(active)) == (1, [m["due_on"] for m in PLAN])
    body["milestones"] = [*numbered[:2], {**numbered[2], "due_on": "2022-10-31"}, new]
    await active.expect(200, "PUT", f"{active.path}/{QW}", {**body, "reason": "Why"})
    assert await dates(active) == [*(m["due_on"] for m in PLAN), None]
    assert (await active.get(QW))["baseline"] == 1


async def test_a_replacement_that_activates_agrees_on_its_own_plan(proposed: Institution) -> None:
    body: Json = {
        "code": "QW-1", "title": "T", "unit": proposed.code, "year": 2022, "status": "active",
        "owners": [{"person": "reporter", "role": "accountable"}],
        "milestones": [{"number": 2, "title": "Two", "due_on": "2022-11-30"}],
    }  # fmt: skip
    for _ in range(2):
        await proposed.expect(200, "PUT", f"{proposed.path}/{QW}", body)
        (only,) = (await proposed.get(f"{QW}/baselines"))["items"]
        assert (only["number"], only["milestones"], only["finish_on"]) == (1, 1, "2022-11-30")


async def test_the_newest_version_decides_what_is_scheduled(active: Institution) -> None:
    """PV follows the baseline, not the due date, until a new version is taken."""

    async def scheduled(day: str) -> float:
        return float((await active.rollup(as_of=day))["percent_scheduled"])

    await change(active, 1, due_on="2022-08-31")
    assert await scheduled("2022-03-31") == 60
    version = await sequence(active)
    made = await take(active, "Pengadaan diulang")
    assert (made["number"], made["milestones"], made["reason"]) == (2, 3, "Pengadaan diulang")
    assert [await scheduled(day) for day in ("2022-03-31", "2022-08-31")] == [0, 80]
    (event,) = (await active.get("events", after=version))["items"]
    assert (event["type"], event["subject"], event["data"]) == (
        "initiative.baselined", "QW-1", {"number": 2, "reason": "Pengadaan diulang"},
    )  # fmt: skip
    assert event["changes"]["baseline"] == {"before": 1, "after": 2}
    assert event["changes"]["milestones/1/baseline_due_on"]["after"] == "2022-08-31"
    listed = (await active.get(f"{QW}/baselines"))["items"]
    assert [(b["number"], b["current"], b["finish_on"]) for b in listed] == [
        (2, True, "2022-09-30"), (1, False, "2022-09-30"),
    ]  # fmt: skip
    first = await active.get(f"{QW}/baselines/1")
    assert [m["due_on"] for m in first["plan"]] == [m["due_on"] for m in PLAN]


async def test_slippage(active: Institution) -> None:
    """Against the first baseline, and against the newest."""

    def slipped(told: Json) -> tuple[int | None, int | None]:
        return told["slippage_days"], told["current_slippage_days"]

    await change(active, 3, due_on="2022-10-10")
    assert slipped(await milestone(active, 3)) == slipped(await active.get(QW)) == (10, 10)
    await take(active)
    await change(active, 3, due_on="2022-10-07")
    added = await active.milestone("QW-1", "2022-10-09", reason="Why")
    assert slipped(added) == (None, None)
    assert slipped(await milestone(active, 3)) == (7, -3)
    assert slipped(await active.get(QW)) == (9, -1)
    dropped = await change(active, 3, status="dropped")
    assert (slipped(dropped), dropped["first_baseline_due_on"]) == ((None, None), "2022-09-30")
    await take(active)  # without the one that was dropped
    assert await dates(active) == ["2022-03-31", "2022-06-30", None, "2022-10-09"]
    assert slipped(await change(active, 3, status="pending")) == (7, None)
    listed = (await active.get("initiatives"))["items"]
    assert [(i["baseline"], slipped(i)) for i in listed] == [(3, (9, 0))]


async def test_a_date_that_is_set_by_hand_makes_a_version(active: Institution) -> None:
    await change(active, 2, baseline_due_on="2022-07-31", reason="Keliru")
    await active.milestone("QW-1", "2022-12-31", baseline_due_on="2022-11-30", reason="Baru")
    listed = (await active.get(f"{QW}/baselines"))["items"]
    assert [(b["number"], b["reason"], b["milestones"]) for b in listed] == [
        (3, "Baru", 4), (2, "Keliru", 3), (1, None, 3),
    ]  # fmt: skip
    assert (await milestone(active, 2))["first_baseline_due_on"] == "2022-06-30"


async def test_a_milestone_comes_back_into_the_newest_version(active: Institution) -> None:
    address = f"{active.path}/{QW}/milestones/2"
    await active.expect(204, "DELETE", f"{address}?reason=Why", if_match="*")
    for _ in range(2):
        await take(active)
        (deletion,) = (await active.get("deletions", restored=False))["items"]
        await active.post(f"deletions/{deletion['id']}/restoration", {})
        assert (await milestone(active, 2))["baseline_due_on"] is None
        assert (await milestone(active, 2))["first_baseline_due_on"] == "2022-06-30"
        await active.expect(204, "DELETE", f"{address}?reason=Why", if_match="*")


async def test_versions_are_compared(active: Institution) -> None:
    one, two, three = (await active.get(f"{QW}/baselines/1"))["plan"]
    await change(active, 1, due_on="2022-04-10", weight=2)
    await change(active, 2, due_on="2022-06-20")
    await change(active, 3, status="dropped")
    four = await active.milestone("QW-1", "2022-08-01", reason="Why")
    await take(active)
    await change(active, 1, weight=5)

    def named(milestone: Json, before: Any, after: Any, **more: Any) -> Json:
        kept = {name: milestone[name] for name in ("id", "number", "title")}
        return {**kept, "before": before, "after": after, **more}

    added = {name: four[name] for name in one}
    versions = await active.get(f"{QW}/baselines/1/comparison", to=2)
    assert versions == {
        "number": 1, "to": 2, "added": [added], "dropped": [three],
        "moved": [
            named(one, "2022-03-31", "2022-04-10", days=10),
            named(two, "2022-06-30", "2022-06-20", days=-10),
        ],
        "reweighted": [named(one, 3, 2)], "unchanged": 0, "finish_days": -60,
        "initiative": {
            "weight": {"before": 1, "after": 1},
            "due_on": {"before": None, "after": None, "days": None},
        },
    }  # fmt: skip
    present = await active.get(f"{QW}/baselines/1/comparison")
    assert present == {**versions, "to": None, "reweighted": [named(one, 3, 5)]}
    same = await active.get(f"{QW}/baselines/2/comparison", to=2)
    assert (same["moved"], same["unchanged"], same["finish_days"]) == ([], 3, 0)
    back = await active.get(f"{QW}/baselines/2/comparison", to=1)
    assert (back["added"], back["dropped"]) == (versions["dropped"], versions["added"])


async def test_the_initiative_itself_is_agreed_on(
    proposed: Institution, database: Database
) -> None:
    """Its own weight and due date: free before, owe a reason after, and are in each version."""
    await proposed.patch(QW, {"weight": 2, "due_on": "2022-10-31"})
    await proposed.patch(QW, {"status": "active", "weight": 3, "due_on": "2022-11-30"})
    before = await sequence(proposed)
    for change in ({"weight": 4}, {"due_on": "2022-12-31"}, {"due_on": None, "title": "New"}):
        assert told(await proposed.patch(QW, change, 422)) == alone("invalid", OWED)
    whole: Json = {
        "code": "QW-1", "title": "T", "unit": proposed.code, "year": 2022, "weight": 3,
        "owners": [{"person": "reporter", "role": "accountable"}],
    }  # fmt: skip
    content = await proposed.expect(422, "PUT", f"{proposed.path}/{QW}", whole)  # no due date
    assert told(content) == alone("invalid", OWED)
    assert await sequence(proposed) == before
    await proposed.expect(200, "PUT", f"{proposed.path}/{QW}", {**whole, "due_on": "2022-11-30"})
    await proposed.patch(QW, {"weight": 3, "due_on": "2022-11-30", "start_on": "2022-01-01"})
    await proposed.patch(QW, {"due_on": None, "reason": "Dicabut"})
    await take(proposed, "Tanpa tenggat")
    await proposed.patch(QW, {"weight": 5, "due_on": "2022-12-10", "reason": "Ditambah"})
    listed = (await proposed.get(f"{QW}/baselines"))["items"]
    assert [(b["weight"], b["due_on"]) for b in listed] == [(3, None), (3, "2022-11-30")]

    async def compared(number: int, **to: int) -> Any:
        return (await proposed.get(f"{QW}/baselines/{number}/comparison", **to))["initiative"]

    assert await compared(1, to=2) == {
        "weight": {"before": 3, "after": 3},
        "due_on": {"before": "2022-11-30", "after": None, "days": None},
    }
    assert await compared(1) == {
        "weight": {"before": 3, "after": 5},
        "due_on": {"before": "2022-11-30", "after": "2022-12-10", "days": 10},
    }

    # A version from before these were kept says so.
    def forget(session: Session) -> None:
        session.execute(update(Baseline).where(Baseline.number == 1).values(weight=None))

    await database.write(forget)
    assert (await proposed.get(f"{QW}/baselines/1"))["weight"] is None
    assert (await compared(1), await compared(2, to=1)) == (None, None)
    assert (await compared(2))["weight"] == {"before": 3, "after": 5}


async def test_what_cannot_be_agreed_on(proposed: Institution) -> None:
    await proposed.initiative("empty")
    await proposed.initiative("over", status="cancelled", milestones=PLAN)
    before = await sequence(proposed)
    for code, error in (
        ("QW-1", alone("status_conflict")), ("over", alone("status_conflict")),
        ("empty", alone("nothing_planned")),
    ):  # fmt: skip
        path = f"{proposed.path}/initiatives/{code}/baselines"
        assert told(await proposed.expect(409, "POST", path, {"reason": "x"})) == error
    for body, place in (
        ({}, ("/reason", "missing")), ({"reason": " "}, ("/reason", "string_too_short")),
        ({"reason": None}, ("/reason", "string_type")),
        ({"reason": "x", "number": 7}, ("/number", "extra_forbidden")),
    ):  # fmt: skip
        content = await proposed.expect(422, "POST", f"{proposed.path}/{QW}/baselines", body)
        assert told(content) == alone("invalid", place), body
    for path in ("1", "0", "1/comparison", "1001", "x"):
        await proposed.expect(404, "GET", f"{proposed.path}/{QW}/baselines/{path}")
    for asked in ("0", "1001", "x", "1_0", ""):
        path = f"{proposed.path}/{QW}/baselines/1/comparison"
        content = await proposed.expect(422, "GET", path, parameters={"to": asked})
        assert content["errors"][0]["parameter"] == "to"
    assert await sequence(proposed) == before


async def test_a_list_costs_one_statement_more(active: Institution, database: Database) -> None:
    counts = []
    for number in range(2, 12):
        if number in (2, 11):
            with statements(database) as heard:
                assert len((await active.get("initiatives"))["items"]) == number - 1
            counts.append(len(heard))
        code = f"QW-{number}"
        await active.initiative(code, milestones=PLAN, status="proposed")
        await active.patch(f"initiatives/{code}", {"status": "active"})
    assert counts[0] == counts[1] <= 10


async def test_deleting_and_restoring_keeps_the_versions(active: Institution) -> None:
    await change(active, 1, due_on=str(date(2022, 4, 1)))
    await take(active)
    before = [await active.get(f"{QW}/baselines/{number}") for number in (1, 2)]
    await active.delete(QW)
    (deletion,) = (await active.get("deletions"))["items"]
    await active.post(f"deletions/{deletion['id']}/restoration", {})
    assert [await active.get(f"{QW}/baselines/{number}") for number in (1, 2)] == before
