"""Tokens: shown once, worthless at once when revoked."""

from typing import Any

import httpx
import pytest

from app.services import minting
from tests.conftest import Clients
from tests.support.institution import API, Institution, Json


async def me(institution: Institution, secret: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {secret}"}
    return await institution.reporter.get(f"{API}/me", headers=headers)


async def issue(institution: Institution, **more: Any) -> Json:
    return await institution.post("tokens", {"person": "reporter", "name": "laptop", **more})


async def test_a_token_acts_for_its_person(institution: Institution) -> None:
    made = await issue(institution)
    assert made["token"].startswith("qw_")
    assert (made["person"], made["name"]) == ("reporter", "laptop")
    assert (made["expires_at"], made["revoked_at"]) == (None, None)
    told = (await me(institution, made["token"])).json()
    assert told == {
        "actor": "reporter", "operator": False, "institution": institution.code,
        "person": "reporter", "signed_in_with": "api_token", "token_id": made["id"],
        "token_name": "laptop", "scopes": None,
        "rights": [
            {
                "unit": institution.code, "role": "reporter",
                "permissions": ["obstacles:report", "plans:read", "updates:report"],
            },
        ],
    }  # fmt: skip


async def test_an_operator_is_told_so(institution: Institution) -> None:
    told = await institution.expect(200, "GET", f"{API}/me")
    assert told == told | {"operator": True, "institution": None, "person": None}
    assert told["actor"] == told["token_name"] == "QUICKWIN_ADMIN_TOKEN"


async def test_the_list_has_no_secrets(institution: Institution) -> None:
    made = await issue(institution)
    answer = await institution.operator.get(f"{institution.path}/tokens")
    items = answer.json()["items"]
    assert [item["name"] for item in items] == ["tests", "tests", "laptop"]
    assert items[-1] == {name: value for name, value in made.items() if name != "token"}
    assert "qw_" not in answer.text


async def test_a_revoked_token_is_worthless_at_once(institution: Institution) -> None:
    made, other = await issue(institution), await issue(institution)
    assert (await me(institution, made["token"])).status_code == 200
    await institution.expect(204, "DELETE", f"{institution.path}/tokens/{made['id']}")
    assert (await me(institution, made["token"])).status_code == 401
    assert (await me(institution, other["token"])).status_code == 200
    listed = {item["id"]: item for item in (await institution.get("tokens"))["items"]}
    assert listed[made["id"]]["revoked_at"]
    assert listed[other["id"]]["revoked_at"] is None
    before = (await institution.rollup())["version"]
    await institution.expect(204, "DELETE", f"{institution.path}/tokens/{made['id']}")
    assert (await institution.rollup())["version"] == before


async def test_an_expired_token_is_worthless(institution: Institution) -> None:
    gone = await issue(institution, expires_at="2022-01-01T00:00:00+07:00")
    assert gone["expires_at"] == "2021-12-31T17:00:00Z"
    assert (await me(institution, gone["token"])).status_code == 401
    lasting = await issue(institution, expires_at="2190-01-01T00:00:00Z")
    assert (await me(institution, lasting["token"])).status_code == 200


async def test_an_inactive_person_does_not_come_in(institution: Institution) -> None:
    made = await issue(institution)
    await institution.patch("people/reporter", {"active": False})
    assert (await me(institution, made["token"])).status_code == 401
    await institution.patch("people/reporter", {"active": True})
    assert (await me(institution, made["token"])).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer qw_no", "Basic cXc6cXc="])
async def test_nobody_comes_in_without_one(clients: Clients, header: str) -> None:
    answer = await clients.nobody.get(f"{API}/me", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_belongs_to_its_institution(institution: Institution) -> None:
    made = await issue(institution)
    other = f"{institution.code}-b"
    await institution.expect(201, "POST", f"{API}/institutions", {"code": other, "name": "Other"})
    await institution.expect(404, "DELETE", f"{API}/institutions/{other}/tokens/{made['id']}")
    body = {"person": "reporter", "name": "x"}
    told = await institution.expect(422, "POST", f"{API}/institutions/{other}/tokens", body)
    assert told["errors"][0]["pointer"] == "/person"
    assert (await me(institution, made["token"])).status_code == 200


async def test_a_token_for_oneself(institution: Institution) -> None:
    path = f"{institution.path}/tokens"
    body = {"name": "own"}
    made = await institution.expect(201, "POST", path, body, client=institution.reporter)
    assert made["person"] == "reporter"
    told = await institution.expect(422, "POST", path, body)
    assert told["errors"][0] == told["errors"][0] | {"pointer": "/person", "code": "missing"}
    other = {"person": "verifier", "name": "theirs"}
    await institution.expect(403, "POST", path, other, client=institution.reporter)


async def test_one_sees_ones_own_tokens_alone(institution: Institution) -> None:
    path = f"{institution.path}/tokens"
    listed = await institution.expect(200, "GET", path, client=institution.reporter)
    assert [item["person"] for item in listed["items"]] == ["reporter"]
    (theirs,) = (
        item for item in (await institution.get("tokens"))["items"] if item["person"] == "verifier"
    )
    for method, to in (("GET", ""), ("DELETE", ""), ("POST", "/rotation")):
        address = f"{path}/{theirs['id']}{to}"
        await institution.expect(404, method, address, client=institution.reporter)


async def test_scopes_narrow_a_token(institution: Institution) -> None:
    await institution.post("grants", {"person": "reporter", "role": "planner"})
    made = await issue(institution, scopes=["updates:report"])
    assert made["scopes"] == ["updates:report"]
    narrow = institution.client(made["token"])
    async with narrow:
        (right, _) = (await institution.expect(200, "GET", f"{API}/me", client=narrow))["rights"]
        assert right["permissions"] == ["plans:read", "updates:report"]
        path = f"{institution.path}/initiatives"
        body = {"code": "QW-1", "title": "T", "unit": institution.code, "year": 2022, "areas": []}
        await institution.expect(403, "POST", path, body, client=narrow)
        for scopes, status in ((None, 403), (["units:change"], 403), (["updates:report"], 201)):
            new = {"name": "child", "scopes": scopes}
            await institution.expect(
                status, "POST", f"{institution.path}/tokens", new, client=narrow
            )


async def test_scopes_give_nothing_that_the_person_lacks(institution: Institution) -> None:
    made = await issue(institution, scopes=["units:change"])
    async with institution.client(made["token"]) as client:
        body = {"code": "A", "name": "A"}
        await institution.expect(403, "POST", f"{institution.path}/units", body, client=client)


async def test_rotation_keeps_all_but_the_secret(institution: Institution) -> None:
    made = await issue(institution, scopes=["updates:report"])
    path = f"{institution.path}/tokens/{made['id']}"
    turned = await institution.expect(200, "POST", f"{path}/rotation", client=institution.reporter)
    assert turned["token"] != made["token"]
    assert {**turned, "token": made["token"]} == made
    assert (await me(institution, made["token"])).status_code == 401
    assert (await me(institution, turned["token"])).status_code == 200
    await institution.expect(204, "DELETE", path)
    told = await institution.expect(409, "POST", f"{path}/rotation")
    assert told["code"] == "token_ended"


async def test_the_last_use_is_kept(institution: Institution) -> None:
    made = await issue(institution)
    path = f"tokens/{made['id']}"
    assert (await institution.get(path))["last_used_at"] is None
    await me(institution, made["token"])
    first = (await institution.get(path))["last_used_at"]
    assert first is not None
    await me(institution, made["token"])
    assert (await institution.get(path))["last_used_at"] == first  # not every read is a write


async def test_a_mistyped_token_is_told_by_its_checksum(institution: Institution) -> None:
    made = await issue(institution)
    token = made["token"]
    assert not minting.is_mistyped(token)
    for place in (3, 30, len(token) - 1):
        other = "a" if token[place] != "a" else "b"
        wrong = token[:place] + other + token[place + 1 :]
        assert minting.is_mistyped(wrong)
        assert (await me(institution, wrong)).status_code == 401
