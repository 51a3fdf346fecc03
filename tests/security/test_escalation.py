"""Attempts to get more than one was given: each is refused, and leaves everything as it was."""

from typing import Any

import httpx
import pytest

from tests.support.institution import API, Institution, Json


@pytest.fixture
async def tree(institution: Institution) -> Institution:
    """Units A ─ A1 ─ A11, A ─ A2, and B; A1 and B have an initiative of their name."""
    for code, parent in (("A", None), ("A1", "A"), ("A11", "A1"), ("A2", "A"), ("B", None)):
        await institution.unit(code, parent)
    plan = [{"title": "Milestone", "due_on": "2022-06-30"}]
    for code in ("A1", "B"):
        await institution.initiative(f"QW-{code}", code, milestones=plan)
    return institution


async def refused(
    tree: Institution,
    status: int,
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: Any = None,
) -> Json:
    """Insist that a request of somebody is refused, and that nothing was written."""
    before = (await tree.rollup())["version"]
    told = await tree.expect(
        status, method, f"{tree.path}/{path}", body, client=client, if_match="*"
    )
    assert (await tree.rollup())["version"] == before
    return told


async def allowed(
    tree: Institution,
    status: int,
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: Any = None,
) -> Json:
    """Insist that somebody may."""
    return await tree.expect(
        status, method, f"{tree.path}/{path}", body, client=client, if_match="*"
    )


async def grant(tree: Institution, person: str, *roles: tuple[str, str | None]) -> None:
    """Give somebody roles on units."""
    for role, unit in roles:
        await tree.post("grants", {"person": person, "role": role, "unit": unit})


async def token(tree: Institution, person: str, **limits: Any) -> httpx.AsyncClient:
    """A client with a new token of somebody, narrowed or ending."""
    made = await tree.post("tokens", {"person": person, "name": "another", **limits})
    return tree.client(made["token"])


NEW: dict[str, Json] = {
    "initiatives": {"title": "T", "unit": "A1", "year": 2022},
    "people": {"name": "P", "unit": "A1"},
    "units": {"name": "U", "parent": "A1"},
}


@pytest.mark.parametrize("noun", NEW)
async def test_codes_are_not_told_to_who_may_not_create(tree: Institution, noun: str) -> None:
    """Only a code that one may take oneself can turn out to be taken, by whatever one cannot see."""
    await tree.post("people", {"code": "ani", "name": "Ani", "unit": "B"})
    taken = {"initiatives": "QW-B", "people": "ani", "units": "B"}[noun]
    viewer, nobody = await tree.person("viewer", "viewer", "A"), await tree.person("nobody")
    for code in (taken, "free"):
        await refused(tree, 403, viewer, "POST", noun, {"code": code, **NEW[noun]})
        await refused(tree, 422, nobody, "POST", noun, {"code": code, **NEW[noun]})
        if noun == "initiatives":
            body = {"code": code, **NEW[noun]}
            await refused(tree, 403, viewer, "PUT", f"{noun}/{code}", body)
            await refused(tree, 422, nobody, "PUT", f"{noun}/{code}", body)
    admin = await tree.person("admin", "admin", "A")
    told = await refused(tree, 409, admin, "POST", noun, {"code": taken, **NEW[noun]})
    assert told["code"] == "code_taken"


async def test_owners_of_other_units_are_known_by_their_codes_alone(tree: Institution) -> None:
    await tree.post("people", {"code": "ani", "name": "Ani of B", "unit": "B"})
    owners = [
        {"person": "reporter", "role": "accountable"},
        {"person": "ani", "role": "supporting"},
    ]
    await tree.patch("initiatives/QW-A1", {"owners": owners})
    viewer = await tree.person("viewer", "viewer", "A")
    path = f"{tree.path}/units/A1/rollup/by"
    for client, name in ((viewer, None), (tree.operator, "Ani of B")):
        found = await tree.expect(
            200, "GET", path, client=client, parameters={"dimension": "owner"}
        )
        assert {group["key"]: group["name"] for group in found["items"]}["ani"] == name


async def test_a_report_is_superseded_by_who_may_freeze_it(tree: Institution) -> None:
    whole = await tree.post("reports", {"title": "All"})
    planner = await tree.person("planner", "planner", "A")
    new = {"title": "Mine", "unit": "A", "supersedes": whole["id"]}
    told = await refused(tree, 422, planner, "POST", "reports", new)
    assert told["errors"][0]["code"] == "unknown_report"
    await grant(tree, "planner", ("viewer", None))
    await refused(tree, 403, planner, "POST", "reports", new)
    assert (await tree.get(f"reports/{whole['id']}"))["superseded_by"] is None
    await grant(tree, "planner", ("planner", None))
    await allowed(tree, 201, planner, "POST", "reports", new)


async def test_a_token_makes_none_that_outlives_it(tree: Institution) -> None:
    await tree.person("ani", "reporter", "A")
    ending = await token(tree, "ani", expires_at="2150-01-01T00:00:00Z")
    for ends, status in (
        (None, 403), ("2150-01-02T00:00:00Z", 403), ("2150-01-01T00:00:00Z", 201),
    ):  # fmt: skip
        await tree.expect(
            status, "POST", f"{tree.path}/tokens", {"name": "child", "expires_at": ends},
            client=ending,
        )  # fmt: skip
    listed = (await tree.expect(200, "GET", f"{tree.path}/tokens", client=ending))["items"]
    for item in listed:
        lasts = item["expires_at"] is None
        path = f"{tree.path}/tokens/{item['id']}/rotation"
        # The one that asks comes second, and is another from then on.
        if lasts:
            await tree.expect(403, "POST", path, client=ending)
        elif item["name"] == "child":
            await tree.expect(200, "POST", path, client=ending)
    assert [item["expires_at"] is None for item in listed] == [True, False, False]


async def test_me_tells_what_the_institution_as_a_whole_takes(tree: Institution) -> None:
    """The right to change the institution is of its root: elsewhere a role does not bring it."""
    for person, unit, brings in (("part", "A", False), ("whole", None, True)):
        admin = await tree.person(person, "admin", unit)
        (right,) = (await tree.expect(200, "GET", f"{API}/me", client=admin))["rights"]
        assert ("institution:change" in right["permissions"]) is brings
        await tree.expect(
            200 if brings else 403, "PATCH", tree.path, {"name": "New"}, client=admin, if_match="*"
        )
