"""Siblings beside each other, and institutions beside each other."""

from typing import Any

import pytest

from tests.conftest import Clients
from tests.support.institution import API, Institution

PLAN = [{"title": "M", "due_on": "2022-03-31"}, {"title": "M", "due_on": "2022-06-30"}]


@pytest.fixture
async def league(institution: Institution) -> Institution:
    """Units of several sizes: a and b with three initiatives, c with one, d mostly without plans."""
    for unit in "abcde":
        await institution.unit(unit)
    for unit, percent in (("a", 50), ("b", 80)):
        for i in range(3):
            code = f"{unit}{i}"
            await institution.initiative(code, unit, weight=2, milestones=PLAN)
            await institution.report(code, 1, percent, f"2022-0{i + 2}-01")
    await institution.initiative("c0", "c", milestones=PLAN)
    await institution.report("c0", 1, 100, "2022-02-01")
    for i in range(7):
        await institution.initiative(f"d{i}", "d", milestones=PLAN if i < 3 else None)
    return institution


async def test_ranks_are_fair(league: Institution) -> None:
    children = await league.rollup(
        None, "/children", as_of="2022-06-18", sort="-percent_complete,code"
    )
    told = {
        item["unit"]: (item["percent_complete"], item["rank"], item["not_comparable"])
        for item in children["items"]
    }
    assert list(told) == ["c", "b", "a", "d", "e"]
    assert told == {
        "c": (50.0, None, "small"),
        "b": (40.0, 1, None),
        "a": (25.0, 2, None),
        "d": (0.0, None, "uncovered"),
        "e": (None, None, "not_measurable"),
    }
    assert [item["comparable"] for item in children["items"]] == [False, True, True, False, False]


async def test_ranks_follow_the_sort(league: Institution) -> None:
    items = (await league.rollup(None, "/children", as_of="2022-06-18", sort="overdue"))["items"]
    assert [(i["unit"], i["milestones"]["overdue"], i["rank"]) for i in items] == [
        ("c", 0, None), ("e", 0, None), ("a", 3, 1), ("b", 3, 1), ("d", 3, None),
    ]  # fmt: skip


async def test_the_policy_says_what_is_small(league: Institution) -> None:
    policy = {"ranked_from_initiatives": 1, "ranked_from_coverage": 0.4}
    await league.expect(200, "PATCH", league.path, {"policy": policy}, if_match="*")
    items = (await league.rollup(None, "/children", as_of="2022-06-18"))["items"]
    assert {i["unit"]: i["rank"] for i in items} == {"a": 3, "b": 2, "c": 1, "d": 4, "e": None}


async def test_change_and_share(league: Institution) -> None:
    asked = {"as_of": "2022-06-18", "since": "2022-03-31", "sort": "-change"}
    items = (await league.rollup(None, "/children", **asked))["items"]
    # Of three initiatives one reported after March: a third of the percent of today.
    assert [(i["unit"], i["change"]["percent_complete"]) for i in items] == [
        ("b", 13.33), ("a", 8.33), ("c", 0.0), ("d", 0.0), ("e", None),
    ]  # fmt: skip
    assert items[0]["change"]["since"] == "2022-03-31"
    assert items[0]["change"]["percent_scheduled"] == 0.0
    shares = {i["unit"]: i["share_of_parent"] for i in items}
    assert shares == {"a": 37.5, "b": 37.5, "c": 6.25, "d": 18.75, "e": 0.0}
    plain = (await league.rollup(None, "/children"))["items"]
    assert [item["change"] for item in plain] == [None] * 5


@pytest.mark.parametrize(
    ("asked", "name", "code"),
    [
        ({"sort": "colour"}, "sort", "unknown_sort"),
        ({"sort": "code,code"}, "sort", "unknown_sort"),
        ({"since": "2022-06-19", "as_of": "2022-06-18"}, "since", "since_after_as_of"),
        ({"since": "yesterday"}, "since", "value_error"),
    ],
)
async def test_bad_questions(
    institution: Institution, asked: dict[str, str], name: str, code: str
) -> None:
    path = f"{institution.path}/rollup/children"
    told = await institution.expect(422, "GET", path, parameters=asked)
    assert [(at["parameter"], at["code"]) for at in told["errors"]] == [(name, code)]


async def test_across_institutions(league: Institution, clients: Clients) -> None:
    """A person sees their own institution only; an operator sees them all, page by page."""
    mine = await league.rollup(as_of="2022-06-18")
    asked: dict[str, Any] = {"as_of": "2022-06-18"}
    listed = (await league.reporter.get(f"{API}/rollup/institutions", params=asked)).json()
    assert listed == {"items": [mine], "next_cursor": None, "total": None}
    whole = (await league.reporter.get(f"{API}/rollup", params=asked)).json()
    assert whole.pop("institutions") == 1
    assert whole.items() <= mine.items()

    everything = (await clients.operator.get(f"{API}/rollup", params=asked)).json()
    items: list[Any] = []
    asked["limit"] = 7
    while asked.get("cursor", True):
        page = (await clients.operator.get(f"{API}/rollup/institutions", params=asked)).json()
        items += page["items"]
        asked["cursor"] = page["next_cursor"]
    assert mine in items
    assert len(items) == everything["institutions"]
    for part in ("total", "done", "overdue"):
        assert everything["milestones"][part] == sum(i["milestones"][part] for i in items)
    assert everything["weight"] == sum(item["weight"] for item in items)
    assert everything["version"] == sum(item["version"] for item in items)


async def test_across_institutions_by_year_and_area(league: Institution) -> None:
    for asked in ({"year": 2022}, {"year": 2023}, {"area": "oversight"}):
        mine = await league.rollup(**asked)
        listed = (await league.reporter.get(f"{API}/rollup/institutions", params=asked)).json()
        assert listed["items"] == [mine]
    answer = await league.reporter.get(f"{API}/rollup", params={"as_of": "2199-01-01"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "in_future")
