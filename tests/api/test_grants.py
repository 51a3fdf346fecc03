"""Grants: a role on a unit holds for all below it, from the next request on, and for nothing else."""

import httpx
import pytest

from tests.support.institution import Institution, Json


@pytest.fixture
async def tree(institution: Institution) -> Institution:
    """Units A ─ A1 and B, each with an initiative of its name."""
    for code, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(code, parent)
        await institution.initiative(f"QW-{code}", code)
    return institution


async def codes(tree: Institution, client: httpx.AsyncClient, noun: str, **asked: str) -> list[str]:
    answer = await tree.expect(200, "GET", f"{tree.path}/{noun}", client=client, parameters=asked)
    return [item["code"] for item in answer["items"]]


async def test_a_grant_says_everything(tree: Institution) -> None:
    await tree.post("people", {"code": "ani", "name": "Ani"})
    body = {"person": "ANI", "role": "planner", "unit": "a"}
    answer = await tree.operator.post(f"{tree.path}/grants", json=body)
    made = answer.json()
    assert answer.status_code == 201
    assert made == made | {"person": "ani", "role": "planner", "unit": "A"}
    assert made["granted_by"] == "QUICKWIN_ADMIN_TOKEN"
    assert await tree.get(answer.headers["location"].removeprefix(f"{tree.path}/")) == made
    again = await tree.expect(409, "POST", f"{tree.path}/grants", body)
    assert again["code"] == "already_granted"


async def test_without_a_unit_it_is_the_root(tree: Institution) -> None:
    await tree.post("people", {"code": "ani", "name": "Ani"})
    assert (await tree.post("grants", {"person": "ani", "role": "viewer"}))["unit"] == tree.code


async def test_a_role_shows_its_subtree_and_nothing_else(tree: Institution) -> None:
    viewer = await tree.person("viewer", "viewer", "A")
    assert await codes(tree, viewer, "units") == ["A", "A1"]
    assert await codes(tree, viewer, "initiatives") == ["QW-A", "QW-A1"]
    assert await codes(tree, viewer, "people") == ["viewer"]
    for path in ("units/B", f"units/{tree.code}", "initiatives/QW-B", "rollup", "units/B/rollup"):
        await tree.expect(404, "GET", f"{tree.path}/{path}", client=viewer)
    for path in ("units/A1", "initiatives/QW-A1", "units/A/rollup", "units/A/rollup/children"):
        await tree.expect(200, "GET", f"{tree.path}/{path}", client=viewer)


async def test_who_has_no_role_sees_themselves_alone(tree: Institution) -> None:
    nobody = await tree.person("nobody")
    assert await codes(tree, nobody, "people") == ["nobody"]
    assert await codes(tree, nobody, "units") == []
    assert await codes(tree, nobody, "initiatives") == []
    await tree.expect(404, "GET", f"{tree.path}/rollup", client=nobody)


MAY: list[tuple[str, set[str]]] = [
    ("viewer", set()),
    ("reporter", {"report"}),
    ("planner", {"report", "plan"}),
    ("verifier", {"verify"}),
    ("admin", {"report", "plan", "verify", "administer"}),
]


@pytest.mark.parametrize(("role", "may"), MAY)
async def test_what_each_role_may(tree: Institution, role: str, may: set[str]) -> None:
    await tree.milestone("QW-A1", "2022-03-01")
    update = await tree.report("QW-A1", 1, 10, "2022-01-01")
    somebody = await tree.person("somebody", role, "A")
    at = f"{tree.path}/initiatives/QW-A1/milestones"
    acts: dict[str, tuple[str, Json, int]] = {
        "report": (f"{at}/1/updates", {"percent_complete": 20}, 201),
        "plan": (at, {"title": "Next", "due_on": "2022-06-01"}, 201),
        "verify": (f"{at}/1/updates/{update['id']}/verification", {"verdict": "verified"}, 200),
        "administer": (f"{tree.path}/units", {"code": "A2", "name": "A2", "parent": "A"}, 201),
    }
    for act, (path, body, done) in acts.items():
        await tree.expect(done if act in may else 403, "POST", path, body, client=somebody)


async def test_a_revoked_role_is_gone_from_the_next_request_on(tree: Institution) -> None:
    viewer = await tree.person("viewer", "viewer", "A")
    (grant,) = (await tree.expect(200, "GET", f"{tree.path}/grants", client=viewer))["items"]
    assert (grant["person"], grant["role"], grant["unit"]) == ("viewer", "viewer", "A")
    await tree.expect(200, "GET", f"{tree.path}/units/A", client=viewer)
    path = f"{tree.path}/grants/{grant['id']}"
    await tree.expect(403, "DELETE", path, client=viewer)
    await tree.expect(204, "DELETE", path)
    await tree.expect(404, "GET", f"{tree.path}/units/A", client=viewer)
    await tree.expect(404, "DELETE", path)


async def test_an_admin_grants_within_their_subtree(tree: Institution) -> None:
    admin = await tree.person("admin", "admin", "A")
    body = {"code": "ani", "name": "Ani", "unit": "A1"}
    await tree.expect(201, "POST", f"{tree.path}/people", body, client=admin)
    grants = f"{tree.path}/grants"
    for unit, status in (("A1", 201), ("A", 201), ("B", 422), (None, 403)):
        given = {"person": "ani", "role": "planner", "unit": unit}
        await tree.expect(status, "POST", grants, given, client=admin)
    listed = await tree.expect(200, "GET", grants, client=admin, parameters={"person": "ani"})
    assert [item["unit"] for item in listed["items"]] == ["A1", "A"]


async def test_nobody_acts_for_who_may_do_more(tree: Institution) -> None:
    """Whoever has a token of somebody, or their address, has all their rights."""
    admin = await tree.person("admin", "admin", "A")
    await tree.person("boss", "admin", "A")
    await tree.post("grants", {"person": "boss", "role": "viewer"})
    body = {"person": "boss", "name": "mine"}
    await tree.expect(403, "POST", f"{tree.path}/tokens", body, client=admin)
    path = f"{tree.path}/people/boss"
    for changes in ({"email": "admin@kpu.example"}, {"active": False}):
        await tree.expect(403, "PATCH", path, changes, client=admin, if_match="*")


async def test_a_unit_takes_its_roles_along_when_it_moves(tree: Institution) -> None:
    viewer = await tree.person("viewer", "viewer", "A")
    await tree.expect(200, "POST", f"{tree.path}/units/A1/move", {"parent": "B"})
    assert await codes(tree, viewer, "initiatives") == ["QW-A"]
    await tree.expect(404, "GET", f"{tree.path}/units/A1", client=viewer)


async def test_roles_keep_a_person_and_a_unit(tree: Institution) -> None:
    await tree.post("people", {"code": "ani", "name": "Ani"})
    await tree.unit("C")
    grant = await tree.post("grants", {"person": "ani", "role": "viewer", "unit": "C"})
    for noun in ("people/ani", "units/C"):
        told = await tree.expect(409, "DELETE", f"{tree.path}/{noun}", if_match="*")
        assert told["code"] == "in_use"
    await tree.expect(204, "DELETE", f"{tree.path}/grants/{grant['id']}")
    for noun in ("people/ani", "units/C"):
        await tree.expect(204, "DELETE", f"{tree.path}/{noun}", if_match="*")


async def test_a_program_owns_nothing(tree: Institution) -> None:
    await tree.post("people", {"code": "nightly", "name": "Nightly job", "kind": "service"})
    assert await codes(tree, tree.operator, "people", kind="service") == ["nightly"]
    owners = [{"person": "nightly", "role": "accountable"}]
    path = f"{tree.path}/initiatives/QW-A"
    told = await tree.expect(422, "PATCH", path, {"owners": owners}, if_match="*")
    assert told["errors"][0]["code"] == "service_owner"


async def test_a_report_of_the_whole_is_not_shown_below(tree: Institution) -> None:
    whole = await tree.post("reports", {"title": "All"})
    part = await tree.post("reports", {"title": "A", "unit": "A"})
    viewer = await tree.person("viewer", "viewer", "A")
    listed = await tree.expect(200, "GET", f"{tree.path}/reports", client=viewer)
    assert [item["id"] for item in listed["items"]] == [part["id"]]
    for tail in ("", "/content", "/content.xlsx", "/difference"):
        await tree.expect(404, "GET", f"{tree.path}/reports/{whole['id']}{tail}", client=viewer)
