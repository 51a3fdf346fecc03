"""Why a number is what it is, what moved it, and the same by groups: parts add up exactly."""

from itertools import cycle
from typing import Any

import pytest

from tests.support.institution import Institution

DUE = ("2022-03-31", "2022-06-30", "2022-12-31")
PLAN = [{"title": f"M {day}", "due_on": day, "weight": w} for w, day in enumerate(DUE, start=1)]


@pytest.fixture
async def told(institution: Institution) -> Institution:
    """A tree with initiatives at every level, and reports from February to July."""
    for unit, parent in (("a", ""), ("a1", "a"), ("b", ""), ("c", "")):
        await institution.unit(unit, parent or None)
    await institution.post("people", {"code": "ani", "name": "Ani"})
    both = [{"person": "ani", "role": "accountable"}, {"person": "reporter", "role": "supporting"}]
    for code, unit, fields in (
        ("R", "", {"weight": 2}),
        ("A", "a", {"weight": 3, "areas": ["oversight"], "owners": both, "tags": ["x", "y"]}),
        ("A1", "a1", {"status": "on_hold", "tags": ["x"]}),
        ("B", "b", {"weight": 1000, "year": 2023}),
    ):
        await institution.initiative(code, unit, milestones=PLAN, **fields)
    await institution.initiative("bare", "a")
    await institution.initiative("P", "a", status="proposed", milestones=PLAN)
    await institution.initiative("X", "a", milestones=PLAN)
    await institution.report("X", 1, 100, "2022-03-01")
    await institution.patch("initiatives/X", {"status": "cancelled", "reason": "Merged"})
    for code, number, percent, day in (
        ("R", 1, 33.33, "2022-02-01"), ("A", 1, 100, "2022-03-31"), ("A", 2, 50, "2022-06-01"),
        ("A1", 1, 100, "2022-04-01"), ("A1", 1, 66.67, "2022-05-01"), ("B", 3, 12.5, "2022-07-01"),
        ("B", 1, 10, "2022-04-01"), ("B", 1, 10, "2022-05-15"),
    ):  # fmt: skip
        await institution.report(code, number, percent, day)
    return institution


async def pages(institution: Institution, path: str, **asked: Any) -> tuple[Any, list[Any]]:
    """The whole answer, and its items over pages of two."""
    whole = await institution.get(path, **asked, include_total=True)
    items: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await institution.get(path, **asked, **cursor, limit=2)
        items += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert items == whole["items"]
    assert whole["total"] == len(items)
    return whole, items


ASKED: list[dict[str, Any]] = [{}, {"year": 2022}, {"area": "oversight"}]


async def test_terms_add_up(told: Institution) -> None:
    for unit in (None, "a", "a1", "b", "c"):
        for asked in (*ASKED, {"as_of": "2022-05-31"}):
            await terms_add_up(told, unit, asked)


async def terms_add_up(told: Institution, unit: str | None, asked: dict[str, Any]) -> None:
    rollup = await told.rollup(unit, **asked)
    at = f"units/{unit}/rollup" if unit else "rollup"
    whole, items = await pages(told, f"{at}/explain", **asked)
    for name in ("unit", "as_of", "year", "area", "version", "coverage", "reason"):
        assert whole[name] == rollup[name]
    for name in ("percent_complete", "percent_verified", "percent_scheduled"):
        assert whole[name] == rollup[name]
    for name, value in whole["values"].items():
        assert value == sum(item["values"][name] for item in items), name
    assert sum(item["weight"] for item in items) == rollup["weight"]
    for item in items:
        if item["kind"] == "unit":
            below = await told.rollup(item["code"], **asked)
            assert item["percent_complete"] == below["percent_complete"]
            assert item["percent_scheduled"] == below["percent_scheduled"]
            assert item["health"] == below["health"]


async def test_the_largest_is_first(told: Institution) -> None:
    whole = await told.get("units/a/rollup/explain", as_of="2022-06-18")
    # A earns 1/6 + 1/2 × 2/6 of weight 3; A1 earns 66.67 % of 1/6 of weight 1; both of weight 4.
    assert [(i["kind"], i["code"], i["share"], i["contribution"]) for i in whole["items"]] == [
        ("initiative", "A", 75.0, 25.0),
        ("unit", "a1", 25.0, 2.78),
    ]
    assert whole["percent_complete"] == 27.78
    assert whole["left_out"] == {"unmeasured": 1, "proposed": 1, "shortlisted": 0, "cancelled": 1}
    assert whole["coverage"] == {"initiatives": 3, "measured": 2, "percent": 66.67}


async def test_an_initiative_is_explained_by_its_milestones(told: Institution) -> None:
    await told.patch(
        "initiatives/A/milestones/3", {"status": "dropped", "reason": "Not needed any more"}
    )
    whole = await told.get("initiatives/A/rollup/explain", as_of="2022-05-31")
    assert [(i["code"], i["weight"], i["share"], i["percent_complete"]) for i in whole["items"]] == [
        ("1", 1, 33.33, 100.0), ("2", 2, 66.67, 0.0),
    ]  # fmt: skip
    assert (whole["percent_complete"], whole["dropped"], whole["counted"]) == (33.33, 1, True)
    now = await told.get("initiatives/A/rollup/explain")
    assert now["percent_complete"] == (await told.get("initiatives/A"))["percent_complete"]
    for name, value in now["values"].items():
        assert value == sum(item["values"][name] for item in now["items"])
    cancelled = await told.get("initiatives/X/rollup/explain")
    assert (cancelled["counted"], cancelled["percent_complete"]) == (False, 16.67)


@pytest.mark.parametrize("level", ["unit", "initiative", "milestone"])
async def test_moves_add_up(told: Institution, level: str) -> None:
    firsts = cycle(("2022-01-31", "2022-05-10"))  # each with each question, at every second unit
    for unit in (None, "a", "b", "c"):
        for asked, first in zip(ASKED, firsts, strict=False):
            await moves_add_up(told, level, unit, asked, first)


async def moves_add_up(
    told: Institution, level: str, unit: str | None, asked: dict[str, Any], first: str
) -> None:
    at = f"units/{unit}/rollup" if unit else "rollup"
    dates = {"from": first, "to": "2022-07-31"}
    whole, items = await pages(told, f"{at}/changes", **asked, **dates, level=level)
    before = await told.rollup(unit, **asked, as_of=first)
    after = await told.rollup(unit, **asked, as_of="2022-07-31")
    assert (whole["before"], whole["after"]) == (
        before["percent_complete"],
        after["percent_complete"],
    )
    assert whole["earned_value"] == sum(item["earned_value"] for item in items)
    sizes = [abs(item["earned_value"]) for item in items]
    assert sizes == sorted(sizes, reverse=True)
    assert 0 not in sizes
    if level != "unit":
        for item in items:
            code = item["initiative"] or item["code"]
            for name, day in (("before", first), ("after", "2022-07-31")):
                explained = await told.get(f"initiatives/{code}/rollup/explain", as_of=day)
                terms = {term["code"]: term["percent_complete"] for term in explained["items"]}
                terms[code] = explained["percent_complete"]
                assert item[name] == terms[item["code"]]


async def test_losses_count_by_their_size(told: Institution) -> None:
    asked = {"from": "2022-04-15", "to": "2022-05-31", "year": 2022, "level": "milestone"}
    (lost,) = (await told.get("rollup/changes", **asked))["items"]
    assert (lost["initiative"], lost["code"], lost["unit"]) == ("A1", "1", "a1")
    assert (lost["before"], lost["after"], lost["change"]) == (100.0, 66.67, -0.93)


async def test_own_initiatives_move_together(told: Institution) -> None:
    asked = {"from": "2022-01-01", "to": "2022-07-31", "year": 2022}
    items = (await told.get("units/a/rollup/changes", **asked))["items"]
    assert [(i["kind"], i["code"], i["change"]) for i in items] == [
        ("own", "a", 25.0), ("unit", "a1", 2.78),
    ]  # fmt: skip


async def test_groups(told: Institution) -> None:
    for dimension in ("owner", "status", "tag", "origin", "kind", "year"):
        for unit in (None, "a", "c"):
            await group(told, dimension, unit)


async def group(told: Institution, dimension: str, unit: str | None) -> None:
    at = f"units/{unit}/rollup" if unit else "rollup"
    rollup = await told.rollup(unit)
    whole, items = await pages(told, f"{at}/by", dimension=dimension)
    assert whole["adds_up"] is (dimension not in ("owner", "tag"))
    listed = (await told.get("initiatives", unit=unit or told.code, limit=200))["items"]
    counted = [i for i in listed if i["status"] in ("active", "on_hold", "completed")]
    for item in items:
        mine = [i for i in counted if item["key"] in keys(i, dimension)]
        assert item["initiatives"] == len(mine)
        assert item["milestones"] == sum(i["milestones"]["total"] for i in mine)
        assert item["done"] == sum(i["milestones"]["done"] for i in mine)
        assert item["weight"] == sum(i["weight"] for i in mine if i["milestones"]["total"])
    if whole["adds_up"]:
        assert sum(item["weight"] for item in items) == rollup["weight"]
        assert sum(item["initiatives"] for item in items) == rollup["initiatives"]["total"]
        if len(items) == 1:
            assert items[0]["percent_complete"] == rollup["percent_complete"]


def keys(initiative: dict[str, Any], dimension: str) -> list[str | None]:
    if dimension == "owner":
        return [owner["person"] for owner in initiative["owners"]] or [None]
    if dimension == "tag":
        return initiative["tags"] or [None]
    return [str(initiative[dimension])]


async def test_groups_by_area_and_year(told: Institution) -> None:
    whole = await told.get("rollup/by", dimension="owner", area="oversight")
    assert [(i["key"], i["name"], i["weight"], i["share"]) for i in whole["items"]] == [
        ("ani", "Ani", 3, 100.0), ("reporter", "Reporter", 3, 100.0),
    ]  # fmt: skip
    rollup = await told.rollup(area="oversight")
    assert {i["percent_complete"] for i in whole["items"]} == {rollup["percent_complete"]}
    assert (await told.get("rollup/by", dimension="tag", year=2030))["items"] == []


@pytest.mark.parametrize(
    ("path", "asked", "name", "code"),
    [
        ("by", {}, "dimension", "missing"),
        ("by", {"dimension": "colour"}, "dimension", "enum"),
        ("by", {"dimension": "tag", "as_of": "2022-01-01"}, "as_of", "extra_forbidden"),
        ("by", {"dimension": "tag", "cursor": "abc"}, "cursor", "bad_cursor"),
        ("changes", {}, "from", "missing"),
        ("changes", {"from": "2022-02-01", "to": "2022-01-01"}, "from", "from_after_to"),
        ("changes", {"from": "1999-01-01", "to": "2022-01-01"}, "from", "range_too_long"),
        ("changes", {"from": "2022-01-01", "to": "2199-01-01"}, "to", "in_future"),
        ("changes", {"from": "2022-01-01", "level": "person"}, "level", "enum"),
        ("explain", {"as_of": "2199-01-01"}, "as_of", "in_future"),
        ("explain", {"cursor": "abc.def"}, "cursor", "bad_cursor"),
        ("explain", {"area": "gardening"}, "area", "unknown_area"),
    ],
)
async def test_bad_questions(
    institution: Institution, path: str, asked: dict[str, str], name: str, code: str
) -> None:
    address = f"{institution.path}/rollup/{path}"
    content = await institution.expect(422, "GET", address, parameters=asked)
    assert [(at["parameter"], at["code"]) for at in content["errors"]] == [(name, code)]


async def test_cursors_belong_to_their_list(told: Institution) -> None:
    cursor = (await told.get("rollup/explain", limit=1))["next_cursor"]
    for address, asked in (
        ("units/a/rollup/explain", {}),
        ("rollup/explain", {"year": 2022}),
        ("rollup/changes", {"from": "2022-01-01"}),
    ):
        content = await told.expect(
            422, "GET", f"{told.path}/{address}", parameters={**asked, "cursor": cursor}
        )
        assert content["errors"][0]["code"] == "bad_cursor"
    future = {"as_of": "2199-01-01"}
    address = f"{told.path}/initiatives/A/rollup/explain"
    content = await told.expect(422, "GET", address, parameters=future)
    assert content["errors"][0]["code"] == "in_future"
