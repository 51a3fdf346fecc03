"""Catalogues of reform areas: seeded, shared by all institutions, edited by operators."""

from typing import Any

import pytest

from tests.support.institution import API, Institution

EIGHT = {
    "change-management": ("Manajemen Perubahan", "Change management"),
    "deregulation": ("Deregulasi Kebijakan", "Policy deregulation"),
    "organisation": ("", ""),
    "business-process": ("", ""),
    "human-resources": ("Penataan Sistem Manajemen SDM", "Human-resource management"),
    "accountability": ("", ""),
    "oversight": ("", ""),
    "public-service": ("", ""),
}
SIX = set(EIGHT) - {"deregulation", "organisation"}


async def listed(institution: Institution, path: str) -> list[dict[str, Any]]:
    found = await institution.expect(200, "GET", f"{API}/schemes{path}")
    items: list[dict[str, Any]] = found["items"]
    return items


@pytest.fixture
async def scheme(institution: Institution) -> str:
    """A scheme of this test alone, with one new area and one that is shared."""
    code = f"s-{institution.code}"
    await institution.expect(
        201,
        "POST",
        f"{API}/schemes",
        {
            "code": code, "name": {"id": "Peta Jalan", "en": "Road Map"},
            "basis": "Permenpan RB 1/2026", "from_year": 2025, "to_year": 2029,
        },
    )  # fmt: skip
    await institution.expect(201, "POST", f"{API}/schemes/{code}/areas", new_area(code))
    await institution.expect(201, "POST", f"{API}/schemes/{code}/areas", {"code": "oversight"})
    return code


def new_area(scheme: str) -> dict[str, Any]:
    return {
        "code": f"a-{scheme}", "name": {"id": "Digital", "en": "Digital government"},
        "aliases": ["SPBE"], "compliance_weight": 2.5,
    }  # fmt: skip


async def test_the_eight_areas_are_seeded(institution: Institution) -> None:
    areas = await listed(institution, "/rb-2020/areas")
    assert [area["code"] for area in areas] == list(EIGHT)
    assert [area["position"] for area in areas] == list(range(1, 9))
    for area in areas:
        indonesian, english = EIGHT[area["code"]]
        assert area["name"]["id"].startswith(indonesian)
        assert area["name"]["en"].startswith(english)
        assert area["name"]["id"] != area["name"]["en"]
        assert area["scheme"] == "rb-2020"
        assert area["compliance_weight"] > 0


async def test_the_six_areas_of_integrity_zones_are_shared(institution: Institution) -> None:
    of_roadmap = {area["code"]: area for area in await listed(institution, "/rb-2020/areas")}
    of_zone = await listed(institution, "/zi/areas")
    assert len(of_zone) == 6
    assert {area["code"] for area in of_zone} == SIX
    for area in of_zone:
        assert (area["scheme"], area["id"]) == ("zi", of_roadmap[area["code"]]["id"])
        assert area["name"] == of_roadmap[area["code"]]["name"]


async def test_the_schemes_are_seeded(institution: Institution) -> None:
    found = {scheme["code"]: scheme for scheme in await listed(institution, "?limit=200")}
    roadmap, zone = found["rb-2020"], found["zi"]
    assert (roadmap["from_year"], roadmap["to_year"]) == (2020, 2024)
    assert roadmap["basis"] == "Permenpan RB 25/2020"
    assert (zone["from_year"], zone["to_year"]) == (2021, None)
    assert zone["name"] == {"id": "Zona Integritas", "en": "Integrity Zone"}
    assert list(found) == sorted(found)


async def test_one_by_code_or_id(institution: Institution) -> None:
    scheme = await institution.expect(200, "GET", f"{API}/schemes/RB-2020")
    assert await institution.expect(200, "GET", f"{API}/schemes/{scheme['id']}") == scheme
    path = f"{API}/schemes/rb-2020/areas"
    area = await institution.expect(200, "GET", f"{path}/Oversight")
    assert await institution.expect(200, "GET", f"{path}/{area['id']}") == area
    await institution.expect(404, "GET", f"{API}/schemes/zi/areas/deregulation")
    await institution.expect(404, "GET", f"{API}/schemes/nothing/areas")


async def test_an_operator_adds_and_changes_a_scheme(institution: Institution, scheme: str) -> None:
    path = f"{API}/schemes/{scheme}"
    found = await institution.expect(200, "GET", path)
    assert (found["basis"], found["to_year"], found["version"]) == ("Permenpan RB 1/2026", 2029, 1)
    await institution.expect(412, "PATCH", path, {"to_year": 2030}, if_match='"v9"')
    changed = await institution.expect(
        200, "PATCH", path, {"to_year": None, "basis": None}, if_match='"v1"'
    )
    assert (changed["to_year"], changed["basis"], changed["version"]) == (None, None, 2)
    assert (changed["name"], changed["from_year"]) == (found["name"], 2025)
    body = {"code": scheme.upper(), "name": {"id": "A", "en": "B"}, "from_year": 2025}
    told = await institution.expect(409, "POST", f"{API}/schemes", body)
    assert told["code"] == "code_taken"


async def test_an_operator_adds_and_changes_an_area(institution: Institution, scheme: str) -> None:
    path = f"{API}/schemes/{scheme}/areas"
    mine, shared = await listed(institution, f"/{scheme}/areas")
    assert mine == mine | new_area(scheme) | {"position": 1, "scheme": scheme}
    roadmap = await institution.expect(200, "GET", f"{API}/schemes/rb-2020/areas/oversight")
    assert (shared["position"], shared["id"]) == (2, roadmap["id"])
    changes = {"name": {"id": "Digital", "en": "E-government"}, "aliases": [], "position": 5}
    changed = await institution.expect(
        200, "PATCH", f"{path}/{mine['code']}", changes, if_match=f'"v{mine["version"]}"'
    )
    assert changed == mine | changes | {
        "version": mine["version"] + 1,
        "updated_at": changed["updated_at"],
    }
    cleared = await institution.expect(
        200, "PATCH", f"{path}/{mine['code']}", {"compliance_weight": None}, if_match="*"
    )
    assert (cleared["compliance_weight"], cleared["position"]) == (None, 5)
    order = [area["code"] for area in await listed(institution, f"/{scheme}/areas")]
    assert order == ["oversight", mine["code"]]


async def test_an_area_is_in_a_scheme_once(institution: Institution, scheme: str) -> None:
    path = f"{API}/schemes/{scheme}/areas"
    told = await institution.expect(409, "POST", path, {"code": "OVERSIGHT"})
    assert told["code"] == "code_taken"
    other = {"code": "deregulation", "name": {"id": "Lain", "en": "Other"}}
    assert (await institution.expect(409, "POST", path, other))["code"] == "code_taken"
    told = await institution.expect(422, "POST", path, {"code": f"b-{scheme}"})
    assert told["errors"][0]["pointer"] == "/name"
    assert len(await listed(institution, f"/{scheme}/areas")) == 2


async def test_others_read_but_do_not_write(institution: Institution, scheme: str) -> None:
    client = institution.reporter
    path = f"{API}/schemes/{scheme}"
    await institution.expect(200, "GET", path, client=client)
    await institution.expect(200, "GET", f"{path}/areas", client=client)
    body = {"code": f"{scheme}-x", "name": {"id": "A", "en": "B"}, "from_year": 2025}
    for method, to, sent in (
        ("POST", f"{API}/schemes", body),
        ("PATCH", path, {"to_year": 2030}),
        ("POST", f"{path}/areas", {"code": "deregulation"}),
        ("PATCH", f"{path}/areas/oversight", {"position": 3}),
    ):
        told = await institution.expect(403, method, to, sent, if_match="*", client=client)
        assert told["code"] == "forbidden"
    await institution.expect(403, "GET", f"{API}/events", client=client)


async def test_a_new_area_serves_initiatives_and_rollups(
    institution: Institution, scheme: str
) -> None:
    area = new_area(scheme)["code"]
    await institution.initiative(
        "QW-1", areas=[area], milestones=[{"title": "M", "due_on": "2022-06-30"}]
    )
    assert (await institution.rollup(area=area.upper()))["initiatives"]["total"] == 1
    items = (await institution.rollup(part="/areas"))["items"]
    assert [item["area"] for item in items] == [*EIGHT, area]
    assert items[-1]["milestones"]["total"] == 1
