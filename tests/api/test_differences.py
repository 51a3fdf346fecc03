"""What is different between a frozen report and another, or the present state; checked by hand."""

from typing import Any

import pytest

from tests.api.test_bad_state import told
from tests.api.test_worked_example import example
from tests.support.institution import Institution, Json

__all__ = ["example"]

NOWHERE = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"
NAMES = (
    "percent_complete", "percent_verified", "percent_scheduled", "milestones_done",
    "milestones_overdue",
)  # fmt: skip


def numbers(difference: Json) -> list[tuple[Any, Any, Any]]:
    return [tuple(difference[name][of] for of in ("before", "after", "change")) for name in NAMES]


async def freeze(institution: Institution, as_of: str, **fields: Any) -> str:
    body = {"title": "T", "year": 2022, "as_of": as_of, **fields}
    return str((await institution.post("reports", body))["id"])


async def test_between_two_reports(example: Institution) -> None:
    first, second = await freeze(example, "2022-06-18"), await freeze(example, "2022-06-30")
    found = await example.get(f"reports/{first}/difference", **{"with": second})
    assert [found[side]["report"] for side in ("before", "after")] == [first, second]
    assert [found[side]["as_of"] for side in ("before", "after")] == ["2022-06-18", "2022-06-30"]
    assert found["unit"]["unit"] == example.code
    assert numbers(found["unit"]) == [
        (44.44, 50.0, 5.56), (27.78, 33.33, 5.55), (66.67, 83.33, 16.66), (2, 3, 1), (2, 1, -1),
    ]  # fmt: skip
    a, b = found["children"]
    assert [(child["unit"], child["present"]) for child in (a, b)] == [("A", "both"), ("B", "both")]
    # A on 30 June: QW-1 at 50 % with weight 3, QW-2 at 100 % with weight 1.
    assert numbers(a) == [
        (54.17, 62.5, 8.33), (41.67, 50.0, 8.33), (50.0, 75.0, 25.0), (2, 3, 1), (1, 0, -1),
    ]  # fmt: skip
    assert numbers(b) == [
        (25.0, 25.0, 0.0), (0.0, 0.0, 0.0), (100.0, 100.0, 0.0), (0, 0, 0), (1, 1, 0),
    ]  # fmt: skip
    areas = {area["area"]: area for area in found["areas"]}
    assert numbers(areas["accountability"])[0] == (54.17, 62.5, 8.33)
    assert numbers(areas["public-service"])[0] == (66.67, 100.0, 33.33)
    nothing = next(a for a in areas.values() if a["percent_complete"]["before"] is None)
    assert numbers(nothing) == [(None, None, None)] * 3 + [(0, 0, 0)] * 2
    assert found["overdue"]["came"] == []
    assert [(late["initiative"], late["milestone"]) for late in found["overdue"]["went"]] == [
        ("QW-2", 2)
    ]

    back = await example.get(f"reports/{second}/difference", **{"with": first})
    assert numbers(back["unit"])[0] == (50.0, 44.44, -5.56)
    assert (back["overdue"]["came"], back["overdue"]["went"]) == (found["overdue"]["went"], [])
    same = await example.get(f"reports/{first}/difference", **{"with": first})
    assert {change for one in [same["unit"], *same["children"]] for *_, change in numbers(one)} == {
        0
    }


async def test_from_the_present_state(example: Institution) -> None:
    first = await freeze(example, "2022-06-18")
    await example.report("QW-4", 1, 100, "2022-05-15")
    await example.unit("C")
    await example.initiative("QW-7", "C", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await example.unit("D")
    await example.expect(200, "POST", f"{example.path}/units/A/move", {"parent": "D"})
    found = await example.get(f"reports/{first}/difference")
    live = await example.rollup(year=2022)
    assert found["after"] == {"report": None, "as_of": live["as_of"], "version": live["version"]}
    children = {child["unit"]: child for child in found["children"]}
    assert {unit: child["present"] for unit, child in children.items()} == {
        "A": "before", "B": "both", "C": "after", "D": "after",
    }  # fmt: skip
    assert numbers(children["A"])[0] == (54.17, None, None)
    assert numbers(children["A"])[4] == (1, None, None)
    assert numbers(children["B"])[0] == (25.0, 100.0, 75.0)
    assert numbers(children["C"]) == [(None, after, None) for after in (0.0, 0.0, 100.0, 0, 1)]
    # QW-1 earns 150 of 300, QW-2 100 of 100, QW-4 200 of 200, QW-7 0 of 100.
    assert numbers(found["unit"])[0] == (44.44, 64.29, 19.85)
    overdue = {
        side: {(late["initiative"], late["milestone"]) for late in found["overdue"][side]}
        for side in ("came", "went")
    }
    assert overdue == {
        "came": {("QW-1", 2), ("QW-1", 3), ("QW-7", 1)}, "went": {("QW-4", 1), ("QW-2", 2)},
    }  # fmt: skip


async def test_only_the_same_is_compared(example: Institution) -> None:
    first = await freeze(example, "2022-06-18")
    cases = (
        (await freeze(example, "2022-06-18", unit="A"), "other_unit"),
        (await freeze(example, "2022-06-18", year=2021), "other_year"),
        (await freeze(example, "2022-06-18", year=None), "other_year"),
        (NOWHERE, "unknown_report"),
        ("x", "uuid_parsing"),
        ("a%00b", "nul_character"),
    )
    for other, code in cases:
        path = f"{example.path}/reports/{first}/difference?with={other}"
        assert told(await example.expect(422, "GET", path)) == {
            "code": "invalid", "errors": [("with", code)],
        }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "name"),
    [(f"with={NOWHERE}&with={NOWHERE}", "with"), ("to=x", "to"), ("with_=x", "with_")],
)
async def test_bad_parameters(institution: Institution, asked: str, name: str) -> None:
    made = await institution.post("reports", {"title": "T"})
    path = f"{institution.path}/reports/{made['id']}/difference?{asked}"
    content = await institution.expect(422, "GET", path)
    assert [at["parameter"] for at in content["errors"]] == [name]


async def test_a_renamed_unit_is_still_the_same(example: Institution) -> None:
    first = await freeze(example, "2022-06-18", unit="A")
    await example.patch("units/A", {"code": "A-new"})
    second = await freeze(example, "2022-06-30", unit="A-new")
    found = await example.get(f"reports/{first}/difference", **{"with": second})
    assert (found["unit"]["unit"], found["unit"]["present"]) == ("A-new", "both")
