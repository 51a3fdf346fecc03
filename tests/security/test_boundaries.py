"""Where a role ends: at the other side, at one's own report, when it is taken away, at the root."""

from typing import Any

import pytest

from tests.security.attempts import NEW, allowed, grant, refused, token
from tests.support.institution import API, Institution, Json
from tests.support.posts import PERIOD


async def test_units_leave_and_come_by_the_hands_of_both_sides(tree: Institution) -> None:
    admin = await tree.person("admin", "admin", "A")
    move, merge = "units/{}/move", "units/{}/merge"
    await refused(tree, 422, admin, "POST", move.format("A1"), {"parent": "B"})
    await refused(tree, 422, admin, "POST", merge.format("A1"), {"into": "B"})
    await refused(tree, 404, admin, "POST", move.format("B"), {"parent": "A"})
    await grant(tree, "admin", ("planner", "B"))  # who sees the other side may no more
    for action, to in ((move, "parent"), (merge, "into")):
        await refused(tree, 403, admin, "POST", action.format("A1"), {to: "B"})
        await refused(tree, 403, admin, "POST", action.format("B"), {to: "A"})
        await refused(tree, 403, admin, "POST", action.format("A"), {to: "A2"})
    await refused(tree, 403, admin, "DELETE", "units/A")
    await grant(tree, "admin", ("admin", "B"))
    await allowed(tree, 200, admin, "POST", move.format("A1"), {"parent": "B"})
    await refused(tree, 403, admin, "POST", move.format("B"), {"parent": "A"})


async def test_initiatives_leave_and_come_by_the_hands_of_both_sides(tree: Institution) -> None:
    planner = await tree.person("planner", "planner", "A")
    await refused(tree, 422, planner, "PATCH", "initiatives/QW-A1", {"unit": "B"})
    await refused(tree, 404, planner, "PATCH", "initiatives/QW-B", {"unit": "A1"})
    await grant(tree, "planner", ("verifier", "B"))
    await refused(tree, 403, planner, "PATCH", "initiatives/QW-A1", {"unit": "B"})
    await refused(tree, 403, planner, "PATCH", "initiatives/QW-B", {"unit": "A1"})
    body = {"code": "QW-B", "title": "Mine", "unit": "A1", "year": 2022}
    await refused(tree, 403, planner, "PUT", "initiatives/QW-B", body)
    await grant(tree, "planner", ("planner", "B"))
    await allowed(tree, 200, planner, "PATCH", "initiatives/QW-A1", {"unit": "B"})


async def test_nobody_verifies_their_own_report(tree: Institution) -> None:
    """Neither with another role, nor from another unit, nor with another token."""
    both = await tree.person("both", "reporter", "A1")
    await grant(tree, "both", ("verifier", "A"), ("admin", None))
    at = "initiatives/QW-A1/milestones/1/updates"
    made = await allowed(tree, 201, both, "POST", at, {"percent_complete": 50})
    other = await token(tree, "both", scopes=["updates:verify"])
    for client in (both, other):
        path = f"{at}/{made['id']}/verification"
        told = await refused(tree, 403, client, "POST", path, {"verdict": "verified"})
        assert told["code"] == "own_report"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_program_is_not_made_an_owner(tree: Institution, method: str) -> None:
    await tree.post("people", {"code": "nightly", "name": "N", "kind": "service", "unit": "A1"})
    planner = await tree.person("planner", "planner", "A")
    body: Json = {"owners": [{"person": "nightly", "role": "accountable"}]}
    path = "initiatives" if method == "POST" else "initiatives/QW-A1"
    if method != "PATCH":
        body |= {"code": "QW-A1" if method == "PUT" else "QW-N", "title": "T", "unit": "A1"}
        body |= {"year": 2022, "status": "active"}
    told = await refused(tree, 422, planner, method, path, body)
    assert told["errors"][0]["code"] == "service_owner"


async def test_worthless_tokens_do_nothing(tree: Institution) -> None:
    """Revoked, rotated away, expired, mistyped, cut, of somebody inactive; and each was good once."""
    await tree.person("ani", "admin", None)

    async def issue(**limits: Any) -> Json:
        return await tree.post("tokens", {"person": "ani", "name": "another", **limits})

    revoked, rotated, other = [await issue() for _ in range(3)]
    expired = await issue(expires_at="2022-01-01T00:00:00Z")
    for made in (revoked, rotated, other):
        await tree.expect(200, "GET", tree.path, client=tree.client(made["token"]))
    await tree.delete(f"tokens/{revoked['id']}")
    await tree.expect(200, "POST", f"{tree.path}/tokens/{rotated['id']}/rotation")
    good = other["token"]
    wrong = [
        revoked["token"], rotated["token"], expired["token"],
        good[:-1], good + "0", good[:-1] + ("1" if good[-1] != "1" else "2"),
        good.swapcase(), good[3:], f"qw_{'0' * 22}_{'0' * 46}", "null", other["id"],
    ]  # fmt: skip
    for secret in wrong:
        client = tree.client(secret)
        await refused(tree, 401, client, "POST", "units", {"code": "X", "name": "X"})
        await refused(tree, 401, client, "GET", "units/A")
    await tree.patch("people/ani", {"active": False})
    await refused(tree, 401, tree.client(good), "POST", "units", {"code": "X", "name": "X"})


async def test_a_role_that_is_taken_away_is_gone_at_once(tree: Institution) -> None:
    planner = await tree.person("planner", "planner", "A")
    await grant(tree, "planner", ("viewer", "A"))
    held = (await tree.get("grants", person="planner"))["items"]
    by_role = {item["role"]: item["id"] for item in held}
    change = ("PATCH", "initiatives/QW-A1", {"title": "New"})
    await allowed(tree, 200, planner, *change)
    await tree.delete(f"grants/{by_role['planner']}")
    await refused(tree, 403, planner, *change)
    await tree.delete(f"grants/{by_role['viewer']}")
    await refused(tree, 404, planner, *change)


async def test_access_goes_with_a_unit_that_leaves(tree: Institution) -> None:
    """To the admins of where it goes; only who holds a role on itself keeps it."""
    left, got, kept = [
        await tree.person(code, "planner", unit)
        for code, unit in (("left", "A"), ("got", "B"), ("kept", "A11"))
    ]
    await tree.initiative("QW-A11", "A11")
    await tree.expect(200, "POST", f"{tree.path}/units/A1/move", {"parent": "B"})
    for path in ("initiatives/QW-A1", "initiatives/QW-A11", "units/A1/rollup", "units/A11"):
        await refused(tree, 404, left, "GET", path)
        await allowed(tree, 200, got, "GET", path)
    await refused(tree, 404, left, "PATCH", "initiatives/QW-A11", {"title": "New"})
    for client in (got, kept):
        await allowed(tree, 200, client, "PATCH", "initiatives/QW-A11", {"title": "New"})


async def test_a_role_on_a_merged_unit_does_not_go_along(tree: Institution) -> None:
    """What the unit had is the other's: a role there does not grow by a merger."""
    admin = await tree.person("admin", "admin", "A1")
    taker = await tree.person("taker", "planner", "A2")
    await tree.expect(200, "POST", f"{tree.path}/units/A1/merge", {"into": "A2"})
    seen = await allowed(tree, 200, admin, "GET", "units/A1")
    assert (seen["merged_into"], seen["archived_at"] is None) == ("A2", False)
    for path in ("units/A2", "units/A11", "initiatives/QW-A1", "units/A2/rollup"):
        await refused(tree, 404, admin, "GET", path)
        await allowed(tree, 200, taker, "GET", path)
    assert (await allowed(tree, 200, admin, "GET", "initiatives"))["items"] == []
    for noun, body in NEW.items():
        await refused(tree, 422, admin, "POST", noun, {"code": "new", **body})
    await refused(tree, 409, admin, "PATCH", "units/A1", {"archived": False})


async def test_a_person_without_a_unit_is_of_the_whole(tree: Institution) -> None:
    """Their roles hold; but only who is in charge of the whole sees or changes them."""
    await tree.post("people", {"code": "free", "name": "Free"})
    await grant(tree, "free", ("planner", "A"))
    free, admin = await token(tree, "free"), await tree.person("admin", "admin", "A")
    await allowed(tree, 200, free, "PATCH", "initiatives/QW-A1", {"title": "New"})
    await allowed(tree, 200, free, "GET", "people/free")
    await refused(tree, 403, free, "PATCH", "people/free", {"email": "x@kpu.example"})
    await refused(tree, 404, admin, "PATCH", "people/free", {"unit": "A1"})
    await refused(tree, 422, admin, "POST", "tokens", {"person": "free", "name": "mine"})
    await refused(tree, 403, admin, "POST", "people", {"code": "other", "name": "Of no unit"})
    await tree.person("ani", "viewer", "A1")
    await refused(tree, 403, admin, "PATCH", "people/ani", {"unit": None})
    await refused(tree, 422, admin, "PATCH", "people/ani", {"unit": "B"})


async def test_the_admin_of_the_whole_is_no_operator(tree: Institution) -> None:
    admin = await tree.person("admin", "admin", None)
    await tree.expect(200, "PATCH", tree.path, {"name": "New"}, client=admin, if_match="*")
    new = {"code": f"{tree.code}-mine", "name": "Mine"}
    await tree.expect(201, "POST", f"{API}/institutions", {**new, "code": f"{tree.code}-y"})
    for status, method, path, body in (
        (403, "POST", "institutions", new),
        (403, "POST", "schemes", {**new, "name": {"id": "X", "en": "X"}, "from_year": 2022}),
        (403, "PATCH", "schemes/rb-2020", {"basis": "Mine"}),
        (403, "GET", "events", None),
        (404, "GET", f"institutions/{tree.code}-y", None),
        (404, "GET", f"institutions/{tree.code}-y/units", None),
        (404, "PATCH", f"institutions/{tree.code}-y", {"name": "Mine"}),
    ):
        await tree.expect(status, method, f"{API}/{path}", body, client=admin, if_match="*")
    listed = await tree.expect(200, "GET", f"{API}/institutions", client=admin)
    assert [item["code"] for item in listed["items"]] == [tree.code]


async def test_a_batch_tells_the_hidden_from_the_absent_no_more_than_one_report(
    tree: Institution,
) -> None:
    """Each item is judged by itself: of a unit that one reports for, sees, or does not see."""
    client = await tree.person("ani", "reporter", "A")
    await tree.initiative("QW-A2", "A2", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await tree.person("eva", "viewer", "A")
    items = [
        {"initiative": code, "milestone": 1, "percent_complete": 10}
        for code in ("QW-B", "nowhere", "QW-A1")
    ]
    path = f"{tree.path}/updates"
    told = await tree.expect(207, "POST", path, {"items": items}, client=client)
    hidden, absent, own = told["results"]
    assert [hidden["status"], absent["status"], own["status"]] == [404, 404, 201]
    for problem in (hidden["problem"], absent["problem"]):
        for each_time in ("instance", "request_id"):
            problem.pop(each_time, None)
    assert str(hidden["problem"]) == str(absent["problem"]).replace("/items/1", "/items/0")
    await grant(tree, "ani", ("viewer", "B"))
    (seen,) = (await tree.expect(207, "POST", path, {"items": items[:1]}, client=client))["results"]
    assert seen["status"] == 403
    await refused(tree, 422, client, "POST", "updates", {"atomic": True, "items": items})


async def test_me_is_then_found_to_be_true(tree: Institution) -> None:
    """A call for each right, tried by every role and by narrow tokens: listed ones work, no other."""
    update = await tree.report("QW-A1", 1, 10, "2022-01-01")
    at = "initiatives/QW-A1"
    await tree.post("people", {"code": "ani", "name": "Ani", "unit": "A1"})
    granted = await tree.post("grants", {"person": "ani", "role": "viewer", "unit": "A1"})
    made = await tree.post("tokens", {"person": "ani", "name": "theirs"})
    rating: Json = {"rating": "amber", "reason": "R"}
    asked = {"title": "O", "initiative": "QW-A1", "decision_asked": "?"}
    obstacle = await tree.post("obstacles", asked)
    calls: dict[str, tuple[str, str, Json | None]] = {
        "plans:read": ("GET", at, None),
        "updates:report": ("POST", f"{at}/milestones/1/updates", {"percent_complete": 20}),
        "updates:verify": (
            "POST", f"{at}/milestones/1/updates/{update['id']}/verification",
            {"verdict": "verified"},
        ),
        "initiatives:change": ("PATCH", at, {"title": "New"}),
        "milestones:change": ("PATCH", f"{at}/milestones/1", {"title": "New"}),
        "ratings:judge": ("POST", f"{at}/ratings", rating),
        "reports:freeze": ("POST", "reports", {"title": "R", "unit": "A1"}),
        "units:change": ("PATCH", "units/A1", {"name": "New"}),
        "people:change": ("PATCH", "people/verifier-of-a", {"name": "New"}),
        "grants:read": ("GET", f"grants/{granted['id']}", None),
        "grants:change": ("POST", "grants", {"person": "ani", "role": "viewer", "unit": "A1"}),
        "tokens:read": ("GET", f"tokens/{made['id']}", None),
        "tokens:change": ("POST", "tokens", {"person": "verifier-of-a", "name": "N"}),
        "events:read": ("GET", "events", None),
        "institution:change": ("PATCH", "", {"name": "New"}),
        "obstacles:report": ("PATCH", f"obstacles/{obstacle['id']}", {"severity": "low"}),
        "obstacles:decide": ("POST", f"obstacles/{obstacle['id']}/decision", {"decision": "Y"}),
        "periods:change": ("PATCH", "periods/2021-B03", {"all_years": True}),
    }  # fmt: skip
    await tree.post("periods", PERIOD)
    await tree.post("people", {"code": "verifier-of-a", "name": "V", "unit": "A1"})
    await tree.person("planner", "planner", "A")
    await tree.person("admin", "admin", "A")
    await tree.person("whole", "admin", None)
    clients = [
        await tree.person("viewer", "viewer", "A"),
        await tree.person("tester", "verifier", "A1"),
        *[await token(tree, code) for code in ("planner", "admin", "whole")],
        await token(tree, "admin", scopes=["units:change", "tokens:read"]),
        await token(tree, "planner", scopes=["ratings:judge", "units:change"]),
        await token(tree, "admin", scopes=["plans:read"]),
        await tree.person("nobody"),
    ]
    wrong = []
    for client in clients:
        told = await tree.expect(200, "GET", f"{API}/me", client=client)
        listed = {each for right in told["rights"] for each in right["permissions"]}
        for permission, (method, path, body) in calls.items():
            answer = await client.request(
                method, f"{tree.path}/{path}".rstrip("/"), json=body, headers={"If-Match": "*"}
            )
            done = {"already_granted", "status_conflict"}  # by somebody before
            works = answer.status_code < 300 or answer.json()["code"] in done
            if works is not (permission in listed):
                wrong.append(f"{told['token_name']} of {told['actor']}: {permission}")
            if not works and answer.status_code not in {403, 404, 422}:
                wrong.append(f"{permission}: {answer.status_code} {answer.text}")
    assert not wrong, "\n".join(wrong)
