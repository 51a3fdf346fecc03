"""The tree of units: addresses, merge patches, paths and depths through moves, and filters."""

from typing import Any

import pytest

from tests.support.institution import Institution, Json


@pytest.fixture
async def tree(institution: Institution) -> Institution:
    """The root ─ A ─ A1 ─ A11, A ─ A2, and B."""
    for code, parent in (("A", None), ("A1", "A"), ("A11", "A1"), ("A2", "A"), ("B", None)):
        await institution.unit(code, parent)
    return institution


async def test_creation_says_everything(institution: Institution) -> None:
    body = {
        "code": "32.73",
        "name": "  KPU Kota Bandung ",
        "kind": "city",
        "reference_code": "3273",
    }
    answer = await institution.operator.post(f"{institution.path}/units", json=body)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{institution.path}/units/32.73"
    assert answer.headers["etag"] == '"v1"'
    assert made["name"] == "KPU Kota Bandung"
    assert made == made | {
        "code": "32.73", "kind": "city", "parent": institution.code, "depth": 1, "version": 1,
        "path": f"{institution.code}/32.73", "reference_code": "3273", "archived_at": None,
    }  # fmt: skip
    assert made["created_at"] == made["updated_at"]


@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.swapcase])
async def test_a_code_in_any_case_or_the_id(institution: Institution, spelling: Any) -> None:
    made = await institution.unit("Kab.Bandung_Barat-1")
    for key in (spelling(made["code"]), made["id"], made["id"].upper()):
        assert await institution.get(f"units/{key}") == made
        assert (await institution.get(f"units/{key}/rollup"))["unit"] == made["code"]
    child = await institution.unit("c", spelling(made["code"]))
    assert child["parent"] == made["code"]
    assert (await institution.unit("d", made["id"]))["parent"] == made["code"]


async def test_the_root_stands_for_the_institution(institution: Institution) -> None:
    root = await institution.get(f"units/{institution.code}")
    assert (root["parent"], root["depth"], root["path"]) == (None, 0, institution.code)
    renamed = await institution.patch(f"units/{institution.code}", {"code": "pusat"})
    assert renamed["path"] == "pusat"
    whole = await institution.expect(200, "GET", institution.path)
    assert (whole["root_unit"], whole["version"]) == ("pusat", 2)
    assert (await institution.rollup())["unit"] == "pusat"


PATCHES: list[tuple[Json, Json]] = [
    ({}, {}),
    ({"kind": None}, {"kind": None}),
    ({"reference_code": None}, {"reference_code": None}),
    ({"kind": "district"}, {"kind": "district"}),
    ({"name": "New", "reason": "Renamed"}, {"name": "New"}),
    ({"code": "A-1"}, {"code": "A-1", "path": "@/A-1"}),
    ({"code": "a"}, {"code": "a", "path": "@/a"}),
    ({"archived_at": "2022-01-31T09:00:00+07:00"}, {"archived_at": "2022-01-31T02:00:00Z"}),
]


@pytest.mark.parametrize(("changes", "expected"), PATCHES)
async def test_merge_patches(institution: Institution, changes: Json, expected: Json) -> None:
    body = {"code": "A", "name": "Unit A", "kind": "city", "reference_code": "7"}
    before = await institution.post("units", body)
    after = await institution.expect(
        200, "PATCH", f"{institution.path}/units/A", changes, if_match='"v1"'
    )
    wanted = {
        name: value.replace("@", institution.code) if name == "path" else value
        for name, value in expected.items()
    }
    assert after["version"] == 2
    assert after["updated_at"] > before["updated_at"]
    volatile = {"version": 2, "updated_at": after["updated_at"]}
    assert after == before | volatile | wanted
    assert await institution.get(f"units/{before['id']}") == after


async def test_archived_and_restored(tree: Institution) -> None:
    first = await tree.patch("units/B", {"archived": True})
    again = await tree.patch("units/B", {"archived": True})
    assert again["archived_at"] == first["archived_at"]
    assert [u["code"] for u in (await tree.get("units", archived=True))["items"]] == ["B"]
    assert "B" not in [u["code"] for u in (await tree.get("units", archived=False))["items"]]
    restored = await tree.patch("units/B", {"archived": False})
    assert restored["archived_at"] is None
    await tree.unit("B1", "B")


async def places(institution: Institution) -> dict[str, tuple[str, int, str | None]]:
    """Path, depth and parent of every unit but the root."""
    root = f"{institution.code}/"
    return {
        unit["code"]: (unit["path"].removeprefix(root), unit["depth"], unit["parent"])
        for unit in (await institution.get("units"))["items"]
        if unit["depth"]
    }


async def test_moves_carry_the_subtree(tree: Institution) -> None:
    await tree.initiative("QW-1", "A11", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await tree.report("QW-1", 1, 40, "2022-06-01")
    path = f"{tree.path}/units/A1/move"
    moved = await tree.expect(200, "POST", path, {"parent": "B", "reason": "Merger"})
    assert (moved["path"], moved["depth"], moved["parent"]) == (f"{tree.code}/B/A1", 2, "B")
    assert moved["version"] == 2
    assert await places(tree) == {
        "A": ("A", 1, tree.code), "A2": ("A/A2", 2, "A"), "B": ("B", 1, tree.code),
        "A1": ("B/A1", 2, "B"), "A11": ("B/A1/A11", 3, "A1"),
    }  # fmt: skip
    numbers = {unit: (await tree.rollup(unit))["percent_complete"] for unit in ("A", "B", "A1")}
    assert numbers == {"A": None, "B": 40.0, "A1": 40.0}
    event = (await tree.get("events", limit=200))["items"][-1]
    assert (event["type"], event["subject"], event["data"]["reason"]) == (
        "unit.moved",
        "A1",
        "Merger",
    )
    # Under its own parent, up to the root, and back with the version named.
    same = await tree.expect(200, "POST", path, {"parent": "b"})
    assert same["path"] == moved["path"]
    up = await tree.expect(200, "POST", path, {"parent": tree.code}, if_match='"v3"')
    assert (up["path"], up["depth"]) == (f"{tree.code}/A1", 1)
    assert (await tree.rollup("B"))["percent_complete"] is None
    assert (await tree.rollup())["percent_complete"] == 40.0
    await tree.expect(412, "POST", path, {"parent": "A"}, if_match='"v3"')


async def test_what_follows_from_above_is_not_held_back(tree: Institution) -> None:
    """A unit's answer names the units above it: their changes must reach who knows the old one."""
    address = f"{tree.path}/units/A11"
    for method, path, body in (
        ("PATCH", "units/A", {"code": "AA"}),
        ("POST", "units/A1/move", {"parent": "B"}),
        ("PATCH", "units/A1", {"code": "A-1"}),
    ):
        known = (await tree.operator.get(address)).headers["etag"]
        await tree.expect(200, method, f"{tree.path}/{path}", body, if_match="*")
        answer = await tree.operator.get(address, headers={"If-None-Match": known})
        assert answer.status_code == 200, path
    assert answer.json()["path"] == f"{tree.code}/B/A-1/A11"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"parent": "A"}, "A1 A2"),
        ({"parent": ["a", "A1"]}, "A1 A11 A2"),
        ({"under": "A1"}, "A1 A11"),
        ({"under": ["A2", "B"]}, "A2 B"),
        ({"under": "A", "parent": "A"}, "A1 A2"),
        ({"kind": "city"}, "A2"),
        ({"q": "unit a1"}, "A1 A11"),
        ({"q": "a11"}, "A11"),
        ({"under": "A", "sort": "-code"}, "A2 A11 A1 A"),
        ({"under": "A", "sort": "-created_at"}, "A2 A11 A1 A"),
        ({"under": "A", "sort": "name"}, "A A1 A11 A2"),
        ({"parent": "nowhere"}, ""),
        ({"updated_since": "2199-01-01T00:00:00Z"}, ""),
    ],
)
async def test_filters_and_sorts(tree: Institution, asked: Json, expected: str) -> None:
    await tree.patch("units/A2", {"kind": "city"})
    found = await tree.get("units", **asked)
    assert [unit["code"] for unit in found["items"]] == expected.split()


async def test_updated_since(tree: Institution) -> None:
    changed = await tree.patch("units/A2", {"name": "New"})
    found = await tree.get("units", updated_since=changed["updated_at"])
    assert [unit["code"] for unit in found["items"]] == ["A2"]


async def test_deletion(tree: Institution) -> None:
    await tree.expect(
        204, "DELETE", f"{tree.path}/units/a11", parameters={"reason": "Closed"}, if_match='"v1"'
    )
    await tree.expect(404, "GET", f"{tree.path}/units/A11")
    assert (await places(tree)).keys() == {"A", "A1", "A2", "B"}
    event = (await tree.get("events", limit=200))["items"][-1]
    assert (event["type"], event["data"]["reason"]) == ("unit.deleted", "Closed")
    assert event["data"]["path"] == f"{tree.code}/A/A1/A11"
    again = await tree.unit("A11", "B")  # the code is free again
    assert again["path"] == f"{tree.code}/B/A11"
