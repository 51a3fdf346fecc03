"""Attempts to get more than one was given: each is refused, and leaves everything as it was."""

import pytest

from tests.security.attempts import NEW, allowed, grant, refused, token
from tests.support.institution import API, Institution


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


@pytest.mark.parametrize("role", ["viewer", "reporter", "planner", "verifier"])
async def test_nobody_grants_themselves_anything(tree: Institution, role: str) -> None:
    client = await tree.person("somebody", role, "A")
    for wanted in ("viewer", "planner", "admin"):
        body = {"person": "somebody", "role": wanted, "unit": "A1"}
        await refused(tree, 403, client, "POST", "grants", body)
    await refused(tree, 403, client, "POST", "grants", {"person": "somebody", "role": "admin"})


async def test_an_admin_grants_nothing_above_or_beside_their_unit(tree: Institution) -> None:
    admin = await tree.person("admin", "admin", "A1")
    for unit, status in ((tree.code, 422), (None, 403), ("A", 422), ("A2", 422), ("B", 422)):
        body = {"person": "admin", "role": "admin", "unit": unit}
        await refused(tree, status, admin, "POST", "grants", body)
    await grant(tree, "admin", ("viewer", None))  # who sees it may still not grant it
    for unit in (tree.code, "A", "A2", "B"):
        body = {"person": "admin", "role": "viewer", "unit": unit}
        await refused(tree, 403, admin, "POST", "grants", body)
    for granted in (await tree.get("grants", person="reporter"))["items"]:
        await refused(tree, 404, admin, "DELETE", f"grants/{granted['id']}")


async def test_a_narrow_token_gives_no_more_than_it_has(tree: Institution) -> None:
    await tree.person("admin", "admin", "A")
    await tree.post("people", {"code": "ani", "name": "Ani", "unit": "A"})
    narrow = await token(tree, "admin", scopes=["grants:change", "tokens:change"])
    for role in ("reporter", "planner", "verifier", "admin"):
        body = {"person": "ani", "role": role, "unit": "A"}
        await refused(tree, 403, narrow, "POST", "grants", body)
    for scopes in (None, ["grants:change", "units:change"]):
        await refused(tree, 403, narrow, "POST", "tokens", {"name": "wide", "scopes": scopes})
    await grant(tree, "ani", ("reporter", "A"))
    await refused(tree, 403, narrow, "POST", "tokens", {"person": "ani", "name": "theirs"})
    wide = (await tree.get("tokens"))["items"]
    for item in wide:
        if item["person"] in {"admin", "ani"} and item["scopes"] is None:
            status = 403 if item["person"] == "admin" else 404  # of others it sees none
            await refused(tree, status, narrow, "POST", f"tokens/{item['id']}/rotation")
    body = {"person": "ani", "role": "viewer", "unit": "A"}
    await allowed(tree, 201, narrow, "POST", "grants", body)


@pytest.mark.parametrize(
    "more", [("viewer", None), ("reporter", "B"), ("admin", None)], ids=lambda more: more[0]
)
async def test_nobody_gets_hold_of_who_may_do_more(
    tree: Institution, more: tuple[str, str | None]
) -> None:
    """By a token of theirs, its secret, their address, or by putting them elsewhere or out."""
    admin = await tree.person("admin", "admin", "A")
    await tree.person("boss", "viewer", "A1")
    await grant(tree, "boss", more)
    (item,) = (t for t in (await tree.get("tokens"))["items"] if t["person"] == "boss")
    await refused(tree, 403, admin, "POST", "tokens", {"person": "boss", "name": "mine"})
    await refused(tree, 403, admin, "POST", f"tokens/{item['id']}/rotation")
    for changes in ({"email": "mine@kpu.example"}, {"active": False}, {"unit": "A2"}):
        await refused(tree, 403, admin, "PATCH", "people/boss", changes)
    await refused(tree, 409, admin, "DELETE", "people/boss")
