"""Institutions: tenants with a policy, each seen by its own people and by operators."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Institution as Row
from app.schemas.evidence import STANDARD_KINDS
from tests.support.institution import API, Institution


async def made(institution: Institution, suffix: str, **fields: Any) -> dict[str, Any]:
    body = {"code": f"{institution.code}-{suffix}", "name": "Komisi", **fields}
    return await institution.expect(201, "POST", f"{API}/institutions", body)


KINDS = {
    "evidence_kinds": [kind.model_dump() for kind in STANDARD_KINDS], "evidence_for_completion": [],
}  # fmt: skip
"""What a policy says of evidence that says nothing."""


async def change(institution: Institution, body: Any, status: int = 200) -> dict[str, Any]:
    return await institution.expect(status, "PATCH", institution.path, body, if_match="*")


async def test_every_field_is_kept(institution: Institution) -> None:
    policy = {"on_track_from": 0.9, "at_risk_from": 0.75, "stale_after_days": 30, "decree_required": True,
              "ranked_from_initiatives": 5, "ranked_from_coverage": 0.6, "restorable_days": 7,
              "public": {"initiatives": False, "rollup": "published", "units": True}}  # fmt: skip
    fields = {"name": "KPU RI", "time_zone": "Asia/Jayapura", "scheme": "zi", "policy": policy}
    found = await made(institution, "full", **fields)
    assert found == found | fields | {"policy": policy | KINDS}
    assert (found["root_unit"], found["version"]) == (f"{institution.code}-full", 1)
    for key in (found["code"].upper(), found["id"]):
        assert await institution.expect(200, "GET", f"{API}/institutions/{key}") == found


async def test_the_root_unit_has_the_same_code_and_name(institution: Institution) -> None:
    root = await institution.get(f"units/{institution.code}")
    assert (root["code"], root["name"], root["parent"]) == (institution.code, "Test", None)


async def test_codes_are_unique_without_case(institution: Institution) -> None:
    body = {"code": institution.code.upper(), "name": "Other"}
    told = await institution.expect(409, "POST", f"{API}/institutions", body)
    assert told["code"] == "code_taken"


async def test_absent_keeps_and_a_policy_is_replaced_whole(institution: Institution) -> None:
    policy = {"on_track_from": 0.9, "at_risk_from": 0.75, "stale_after_days": 30, "decree_required": True,
              "ranked_from_initiatives": 5, "ranked_from_coverage": 0.6, "restorable_days": 7,
              "public": {"initiatives": False, "rollup": "published", "units": True}}  # fmt: skip
    await change(institution, {"policy": policy})
    renamed = await change(institution, {"name": "Baru"})
    assert (renamed["name"], renamed["policy"], renamed["version"]) == ("Baru", policy | KINDS, 3)
    fewer = await change(institution, {"policy": {"stale_after_days": 10}})
    assert fewer["policy"] == {
        "on_track_from": 0.95, "at_risk_from": 0.8, "stale_after_days": 10, "decree_required": False,
        "ranked_from_initiatives": 3, "ranked_from_coverage": 0.5, "restorable_days": 30,
        "public": None, **KINDS,
    }  # fmt: skip
    moved = await change(institution, {"time_zone": "Asia/Makassar", "scheme": "ZI"})
    assert (moved["time_zone"], moved["scheme"]) == ("Asia/Makassar", "zi")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scheme": "nothing"}, "/scheme"),
        ({"time_zone": "Mars/Base"}, "/time_zone"),
        ({"policy": {"at_risk_from": 0.96}}, "/policy"),
        ({"policy": {"stale_after_days": 0}}, "/policy/stale_after_days"),
        ({"name": None}, "/name"),
        ({"code": "other"}, "/code"),
    ],
)
async def test_what_is_wrong_is_named(
    institution: Institution, body: dict[str, Any], pointer: str
) -> None:
    told = await change(institution, body, status=422)
    assert told["errors"][0]["pointer"].startswith(pointer)


async def test_the_policy_decides_health(institution: Institution) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await institution.report("QW-1", 1, 85, "2022-06-01")
    before = await institution.rollup()
    assert (before["health"], before["schedule_performance_index"]) == ("at_risk", 0.85)
    for policy, health in (
        ({"on_track_from": 0.85, "at_risk_from": 0.5}, "on_track"),
        ({"on_track_from": 0.95, "at_risk_from": 0.86}, "off_track"),
    ):
        await change(institution, {"policy": policy})
        assert (await institution.rollup())["health"] == health
        assert (await institution.get("initiatives/QW-1"))["health"] == health
        listed = await institution.get("initiatives", health=health)
        assert [item["code"] for item in listed["items"]] == ["QW-1"]


async def test_what_a_newer_release_keeps_in_a_policy_is_passed_over(
    institution: Institution, database: Database
) -> None:
    policy = (await institution.expect(200, "GET", institution.path))["policy"]

    def write(session: Session) -> None:
        row = session.scalars(
            select(Row).where(Row.code_key == institution.code).with_for_update()
        ).one()
        first, *others = policy["evidence_kinds"]
        kinds = [first | {"newer": True}, *others]
        row.policy = policy | {"newer": 1, "evidence_kinds": kinds}

    await database.write(write)
    assert (await institution.expect(200, "GET", institution.path))["policy"] == policy
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    assert (await institution.rollup())["health"] is not None


async def test_the_scheme_decides_the_listed_areas(institution: Institution) -> None:
    assert len((await institution.rollup(part="/areas"))["items"]) == 8
    await change(institution, {"scheme": "zi"})
    assert len((await institution.rollup(part="/areas"))["items"]) == 6


async def test_people_see_their_own_institution_only(institution: Institution) -> None:
    other = await made(institution, "other")
    codes: list[str] = []
    asked: dict[str, Any] = {"limit": 200}
    while "cursor" not in asked or asked["cursor"]:
        page = await institution.expect(200, "GET", f"{API}/institutions", parameters=asked)
        codes += [item["code"] for item in page["items"]]
        asked["cursor"] = page["next_cursor"]
    assert {institution.code, other["code"]} <= set(codes)
    assert len(set(codes)) == len(codes)
    client = institution.reporter
    mine = await institution.expect(
        200, "GET", f"{API}/institutions", parameters={"include_total": True}, client=client
    )
    assert ([item["code"] for item in mine["items"]], mine["total"]) == ([institution.code], 1)
    for path in ("", "/units", "/rollup", "/initiatives", "/updates", "/events", "/people"):
        for key in (other["code"], other["id"]):
            await institution.expect(404, "GET", f"{API}/institutions/{key}{path}", client=client)


async def test_only_operators_add_institutions(institution: Institution) -> None:
    body = {"code": f"{institution.code}-mine", "name": "Mine"}
    told = await institution.expect(
        403, "POST", f"{API}/institutions", body, client=institution.reporter
    )
    assert told["code"] == "forbidden"
    await institution.expect(404, "GET", f"{API}/institutions/{body['code']}")
