"""Tokens: shown once, worthless at once when revoked."""

import httpx
import pytest

from tests.conftest import Clients
from tests.support.institution import API, Institution, Json


async def me(institution: Institution, secret: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {secret}"}
    return await institution.reporter.get(f"{API}/me", headers=headers)


async def issue(institution: Institution, **more: str) -> Json:
    return await institution.post("tokens", {"person": "reporter", "name": "laptop", **more})


async def test_a_token_acts_for_its_person(institution: Institution) -> None:
    made = await issue(institution)
    assert made["token"].startswith("qw_")
    assert (made["person"], made["name"]) == ("reporter", "laptop")
    assert (made["expires_at"], made["revoked_at"]) == (None, None)
    told = (await me(institution, made["token"])).json()
    assert told == {
        "actor": "reporter", "operator": False, "institution": institution.code,
        "person": "reporter", "token_id": made["id"], "token_name": "laptop", "scopes": None,
        "rights": [
            {
                "unit": institution.code, "role": "reporter",
                "permissions": ["plans:read", "updates:report"],
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
