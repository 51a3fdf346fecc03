"""Merging units: who takes over what, the numbers above before and after, and what is refused."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.db import Database
from app.schemas.rollups import RollupQuery
from app.services import rollups
from app.services.actors import SYSTEM
from tests.api.test_bad_state import alone, sequence, told
from tests.api.test_query_counts import statements
from tests.support.institution import Institution, Json

ASKED: list[Json] = [
    {}, {"as_of": date(2022, 5, 15)}, {"as_of": date(2022, 6, 30)}, {"area": "oversight"},
    {"year": 2023}, {"year": 2022, "area": "accountability", "as_of": date(2022, 6, 30)},
]  # fmt: skip
VOLATILE = {"unit", "unit_name", "version"}
PLANS: list[tuple[str, str, Json]] = [
    ("QW-1", "A", {"weight": 3}),
    ("QW-2", "A1", {"areas": ["oversight", "accountability"]}),
    ("QW-3", "A11", {"areas": ["oversight"], "year": 2023, "status": "on_hold"}),
    ("QW-4", "B", {"weight": 2}),
    ("QW-5", "A1", {"status": "proposed", "owners": []}),
]


@pytest.fixture
async def staffed(institution: Institution) -> Institution:
    """The root ─ A ─ A1 ─ A11, A ─ A2, and B ─ B1; with initiatives, reports and people."""
    for code, parent in (("A", None), ("A1", "A"), ("A11", "A1"), ("A2", "A"), ("B", None), ("B1", "B")):  # fmt: skip
        await institution.unit(code, parent)
    for i, (code, unit, fields) in enumerate(PLANS):
        plan = [{"title": "M", "due_on": f"2022-0{5 + n}-31"} for n in (0, 2)]
        await institution.initiative(code, unit, milestones=plan, **fields)
        await institution.report(code, 1, 30 + 10 * i, "2022-05-10")
        await institution.report(code, 2, 100, "2022-06-20")
    for code in ("ani", "budi"):
        await institution.post("people", {"code": code, "name": code, "unit": "A1"})
    return institution


async def merge(institution: Institution, unit: str, into: str, **more: Any) -> Json:
    body = {"into": into, **more}
    return await institution.expect(200, "POST", f"{institution.path}/units/{unit}/merge", body)


async def numbers(institution: Institution, *units: str) -> dict[str, list[Json]]:
    """Every asked-for roll-up of some units, without what names them; of one moment."""

    def verb(session: Session) -> dict[str, list[Json]]:
        return {
            unit: [
                rollups.get(
                    session, SYSTEM, institution.code, unit, RollupQuery(**asked)
                ).model_dump(exclude=VOLATILE)
                for asked in ASKED
            ]
            for unit in units
        }

    return await institution.database.read(verb)


async def clean(institution: Institution, database: Database) -> None:
    findings = await database.read(rollups.audit, SYSTEM, institution.code, lambda _d, _t: None)
    assert (findings.differences, findings.derived) == ([], [])


async def places(institution: Institution) -> dict[str, str]:
    """Path below the root of every other unit."""
    root = f"{institution.code}/"
    units = (await institution.get("units"))["items"]
    return {unit["code"]: unit["path"].removeprefix(root) for unit in units if unit["depth"]}


async def test_everything_goes_and_the_unit_stays_empty(staffed: Institution) -> None:
    before = await staffed.get("units/A1")
    merged = await merge(staffed, "A1", "b", reason="Decree 12/2023")
    assert before["updated_at"] < merged["archived_at"] <= merged["updated_at"]
    assert merged == before | {
        "merged_into": "B", "version": 2, "archived_at": merged["archived_at"],
        "updated_at": merged["updated_at"],
    }  # fmt: skip
    assert await staffed.get("units/A1") == merged
    assert (await staffed.get("units/B"))["merged_into"] is None
    assert await places(staffed) == {
        "A": "A", "A1": "A/A1", "A2": "A/A2", "A11": "B/A11", "B": "B", "B1": "B/B1",
    }  # fmt: skip
    units = {i["code"]: i["unit"] for i in (await staffed.get("initiatives"))["items"]}
    assert units == {"QW-1": "A", "QW-2": "B", "QW-3": "A11", "QW-4": "B", "QW-5": "B"}
    people = (await staffed.get("people", unit="B"))["items"]
    assert [(person["code"], person["unit"]) for person in people] == [("ani", "B"), ("budi", "B")]
    archived = await staffed.get("units", archived=True)
    assert archived["items"] == [merged]


FOLLOW: list[tuple[Json, str]] = [
    ({"unit": "A1"}, ""),
    ({"unit": "A"}, "QW-1"),
    ({"unit": "B"}, "QW-2 QW-3 QW-4 QW-5"),
    ({"unit": "B", "subtree": False}, "QW-2 QW-4 QW-5"),
    ({"unit": "A11"}, "QW-3"),
    ({"unit": ["A1", "B1"], "status": "active"}, ""),
]


async def test_lists_follow(staffed: Institution) -> None:
    await merge(staffed, "A1", "B")
    for asked, expected in FOLLOW:
        found = (await staffed.get("initiatives", **asked))["items"]
        assert [initiative["code"] for initiative in found] == expected.split(), asked
        if set(asked) == {"unit"}:
            updates = (await staffed.get("updates", **asked))["items"]
            assert {update["initiative"] for update in updates} == set(expected.split()), asked


@pytest.mark.parametrize(
    ("unit", "into", "above"),
    [
        ("A1", "B", "A"), ("A1", "B1", "A"), ("A1", "A2", ""), ("A11", "A1", ""), ("A11", "A", "A1"),
        ("A1", "@", "A"), ("A", "@", ""), ("A", "B", ""), ("B1", "A11", "B"), ("A2", "A11", ""),
    ],
)  # fmt: skip
async def test_numbers_before_and_after(
    staffed: Institution, database: Database, unit: str, into: str, above: str
) -> None:
    """Into another branch, a sibling, a parent, an ancestor: common ancestors keep what they had."""
    root = staffed.code
    before = await numbers(staffed, root, "A", "A1", "A2", "A11", "B", "B1", unit)
    moved = {i["code"] for i in (await staffed.get("initiatives", unit=unit))["items"]}
    chain = set((await staffed.get(f"units/{unit}"))["path"].split("/"))
    target = into.replace("@", root)
    joined = set((await staffed.get(f"units/{target}"))["path"].split("/"))
    await merge(staffed, unit, target)
    await clean(staffed, database)
    after = await numbers(staffed, root, "A", "A1", "A2", "A11", "B", "B1", unit)
    nothing = (await numbers(staffed, unit))[unit]
    assert {told["reason"] for told in nothing} == {"no_initiatives"}
    kept = {"A", "A1", "A2", "A11", "B", "B1", root} - (chain ^ joined)
    assert {code for code in kept if before[code] != after[code]} == set()
    for code in (chain - joined) - {unit}:
        assert code in above
    for code in joined - chain:
        found = {i["code"] for i in (await staffed.get("initiatives", unit=code))["items"]}
        assert moved <= found
        assert (before[code] != after[code]) == bool(moved)


async def test_the_old_parent_and_the_target_in_figures(staffed: Institution) -> None:
    async def complete(**asked: Any) -> list[float | None]:
        units = (staffed.code, "A", "B")
        return [(await staffed.rollup(unit, **asked))["percent_complete"] for unit in units]

    # A: QW-1 (weight 3: 65 %), QW-2 (70 %), QW-3 (75 %); B: QW-4 (weight 2: 80 %).
    assert await complete() == [71.43, 68.0, 80.0]
    assert await complete(as_of="2022-05-15") == [21.43, 18.0, 30.0]
    assert await complete(area="oversight") == [72.5, 72.5, None]
    assert await complete(year=2023) == [75.0, 75.0, None]
    await merge(staffed, "A1", "B")
    assert await complete() == [71.43, 65.0, 76.25]
    assert await complete(as_of="2022-05-15") == [21.43, 15.0, 26.25]
    assert await complete(area="oversight") == [72.5, None, 72.5]
    assert await complete(year=2023) == [75.0, None, 75.0]
    children = {c["unit"]: c for c in (await staffed.rollup("B", "/children"))["items"]}
    assert {unit: c["percent_complete"] for unit, c in children.items()} == {
        "A11": 75.0,
        "B1": None,
    }


async def test_reports_go_on_under_the_target(staffed: Institution, database: Database) -> None:
    await merge(staffed, "A1", "B")
    await staffed.report("QW-2", 1, 100)
    await staffed.report("QW-3", 1, 100)
    assert (await staffed.rollup("B"))["percent_complete"] == 90.0
    assert (await staffed.rollup("A"))["percent_complete"] == 65.0
    await clean(staffed, database)


async def test_both_codes_are_in_the_history(staffed: Institution) -> None:
    before = await sequence(staffed)
    await merge(staffed, "A1", "B", reason="Decree 12/2023")
    events = (await staffed.get("events", after=before))["items"]
    taken = {"initiatives": 2, "people": 2, "units": 1, "reason": "Decree 12/2023"}
    assert [(event["type"], event["subject"], event["data"]) for event in events] == [
        ("unit.merged", "A1", {"into": "B", **taken}),
        ("unit.absorbed", "B", {"unit": "A1", **taken}),
    ]
    assert await sequence(staffed) == before + 2


SHOWN = {
    "units/A1": True, "units/A11": True, "initiatives/QW-2": True, "people/ani": True,
    "units/A": False, "units/B": False, "initiatives/QW-3": False, "initiatives/QW-4": False,
    "people/reporter": False,
}  # fmt: skip


@pytest.mark.parametrize(("path", "is_changed"), SHOWN.items())
async def test_versions_count_what_an_answer_shows(
    staffed: Institution, path: str, *, is_changed: bool
) -> None:
    address = f"{staffed.path}/{path}"
    before = await staffed.operator.get(address)
    await merge(staffed, "A1", "B")
    known = {"If-None-Match": before.headers["etag"]}
    after = await staffed.operator.get(address, headers=known)
    assert after.status_code == (200 if is_changed else 304)
    again = (await staffed.operator.get(address)).json()
    assert again["version"] == before.json()["version"] + is_changed
    assert (again == before.json()) is not is_changed


async def test_one_merger_after_another(staffed: Institution, database: Database) -> None:
    """A chain: each answers the one that it went into, under its present code."""
    await merge(staffed, "A1", "A2")
    await merge(staffed, "A2", "B")
    assert (await staffed.get("units/A1"))["merged_into"] == "A2"
    assert (await staffed.get("units/A2"))["merged_into"] == "B"
    known = (await staffed.operator.get(f"{staffed.path}/units/A2")).headers["etag"]
    await staffed.patch("units/B", {"code": "BB"})
    answer = await staffed.operator.get(
        f"{staffed.path}/units/A2", headers={"If-None-Match": known}
    )
    assert answer.json()["merged_into"] == "BB"
    assert (await staffed.get("initiatives/QW-2"))["unit"] == "BB"
    await clean(staffed, database)


async def test_a_unit_that_was_archived_before(staffed: Institution) -> None:
    first = await staffed.patch("units/A1", {"archived": True})
    merged = await merge(staffed, "A1", "B")
    assert merged["archived_at"] == first["archived_at"]


async def test_what_may_still_be_done(staffed: Institution, database: Database) -> None:
    """It is renamed, moved and deleted like any empty unit; the other stays while it names it."""
    await merge(staffed, "A1", "B")
    moved = await staffed.expect(200, "POST", f"{staffed.path}/units/A1/move", {"parent": "A2"})
    assert (moved["merged_into"], moved["path"]) == ("B", f"{staffed.code}/A/A2/A1")
    renamed = await staffed.patch("units/A1", {"code": "old-A1", "archived": True})
    assert (renamed["merged_into"], renamed["archived_at"]) == ("B", moved["archived_at"])
    await merge(staffed, "B1", "A2")
    await staffed.delete("units/old-A1")
    assert (await staffed.get("events", limit=200))["items"][-1]["data"]["merged_into"] == "B"
    await staffed.delete("units/B1")
    await staffed.delete("units/A2")
    await clean(staffed, database)


REFUSED: list[tuple[str, Json | None, int, Json]] = [
    ("@", {"into": "A"}, 409, alone("root_unit")),
    ("A", {"into": "A"}, 409, alone("unit_cycle")),
    ("A", {"into": "a1"}, 409, alone("unit_cycle")),
    ("A", {"into": "A11"}, 409, alone("unit_cycle")),
    ("gone", {"into": "B"}, 409, alone("unit_merged")),
    ("A", {"into": "gone"}, 422, alone("invalid", ("/into", "archived_unit"))),
    ("A", {"into": "closed"}, 422, alone("invalid", ("/into", "archived_unit"))),
    ("A", {"into": "nowhere"}, 422, alone("invalid", ("/into", "unknown_unit"))),
    ("A", {}, 422, alone("invalid", ("/into", "missing"))),
    ("A", {"into": None}, 422, alone("invalid", ("/into", "string_type"))),
    ("A", {"into": "a b"}, 422, alone("invalid", ("/into", "string_pattern_mismatch"))),
    ("A", {"into": "B\x00"}, 422, alone("invalid", ("/into", "nul_character"))),
    ("A", {"into": ["B"]}, 422, alone("invalid", ("/into", "string_type"))),
    ("A", {"into": "B", "parent": "B"}, 422, alone("invalid", ("/parent", "extra_forbidden"))),
    ("A", {"into": "B", "reason": " "}, 422, alone("invalid", ("/reason", "string_too_short"))),
    ("A", {"into": "B", "reason": "x" * 2001}, 422, alone("invalid", ("/reason", "string_too_long"))),
    ("nowhere", {"into": "B"}, 404, alone("not_found")),
]  # fmt: skip


async def test_refusals(staffed: Institution) -> None:
    for code in ("gone", "closed"):
        await staffed.unit(code)
    await merge(staffed, "gone", "B")
    await staffed.patch("units/closed", {"archived": True})
    before, units = await sequence(staffed), await staffed.get("units")
    for unit, body, status, expected in REFUSED:
        address = f"{staffed.path}/units/{unit.replace('@', staffed.code)}/merge"
        content = await staffed.expect(status, "POST", address, body)
        assert told(content) == expected, (unit, body)
    for changes in ({"archived": False}, {"archived_at": None}):
        assert told(await staffed.patch("units/gone", changes, 409)) == alone("unit_merged")
    for noun, body in (
        ("units", {"code": "new", "name": "N", "parent": "gone"}),
        ("people", {"code": "new", "name": "N", "unit": "gone"}),
    ):
        content = await staffed.expect(422, "POST", f"{staffed.path}/{noun}", body)
        assert content["errors"][0]["code"] == "archived_unit"
    assert told(await staffed.delete("units/B", 409)) == alone("in_use")
    address = f"{staffed.path}/units/A/merge"
    content = await staffed.expect(412, "POST", address, {"into": "B"}, if_match='"v9"')
    assert told(content) == alone("stale_version")
    assert (await sequence(staffed), await staffed.get("units")) == (before, units)
    await staffed.expect(200, "POST", address, {"into": "B"}, if_match='"v1"')


async def test_merged_units_cost_one_statement_more(
    staffed: Institution, database: Database
) -> None:
    counts = []
    for unit in ("A11", "A1", "A2"):
        await merge(staffed, unit, "B")
        with statements(database) as heard:
            await staffed.get("units")
        counts.append(len(heard))
    assert counts[0] == counts[1] == counts[2] <= 5
