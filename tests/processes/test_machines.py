"""Two servers on one PostgreSQL: what is changed through one holds at the other at once."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx
import pytest

from tests.api.test_periods import about
from tests.conftest import OPERATOR
from tests.support.contract import CheckedTransport
from tests.support.events import following
from tests.support.institution import API, Institution
from tests.support.postgres import create_database
from tests.support.server import serving

QUOTA = 10_000
Json = dict[str, Any]


class Machines(NamedTuple):
    """An institution as it is driven through one server, and the same through the other."""

    here: Institution
    there: Institution
    urls: tuple[str, str]

    def at(self, server: int, token: str) -> httpx.AsyncClient:
        """A client of a server."""
        return httpx.AsyncClient(base_url=self.urls[server], headers=bearer(token), timeout=60)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
async def machines(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Machines]:
    folder: Path = tmp_path_factory.mktemp("machines")
    url = await create_database(postgres_server, "machines")
    settings: Json = {
        "files_url": folder / "files",
        "rate_limit_token": QUOTA,
        "background": "false",
    }
    async with AsyncExitStack() as stack:
        urls = [
            stack.enter_context(serving(url, folder / name, token=OPERATOR, **settings)).url
            for name in "ab"
        ]
        made = []
        for base in urls:
            client = httpx.AsyncClient(base_url=base, headers=bearer(OPERATOR), timeout=60)
            await stack.enter_async_context(client)
            made.append(Institution("two", client, cast("CheckedTransport", client)))
        here, there = made
        await here.expect(201, "POST", f"{API}/institutions", {"code": "two", "name": "Two"})
        await here.post("people", {"code": "reporter", "name": "Reporter"})
        await here.post("grants", {"person": "reporter", "role": "reporter"})
        await here.initiative("QW-1", milestones=[{"title": "Step", "due_on": "2022-06-30"}])
        yield Machines(here, there, (urls[0], urls[1]))


async def token_of(machines: Machines, name: str) -> Json:
    return await machines.here.post("tokens", {"person": "reporter", "name": name})


async def test_a_token_ends_everywhere(machines: Machines) -> None:
    here, there = machines.here, machines.there
    made = await token_of(machines, "ends")
    async with machines.at(1, made["token"]) as client:
        assert (await client.get(f"{API}/me")).status_code == 200  # made here, good there
        await here.expect(204, "DELETE", f"{here.path}/tokens/{made['id']}")
        assert (await client.get(f"{API}/me")).status_code == 401
        assert (await client.get(f"{there.path}/rollup")).status_code == 401


async def test_a_role_ends_everywhere(machines: Machines) -> None:
    here, there = machines.here, machines.there
    await here.unit("A")
    await here.post("people", {"code": "guest", "name": "Guest"})
    grant = await here.post("grants", {"person": "guest", "role": "viewer", "unit": "A"})
    made = await here.post("tokens", {"person": "guest", "name": "guest"})
    async with machines.at(1, made["token"]) as client:
        assert (await client.get(f"{there.path}/units/A/rollup")).status_code == 200
        await here.expect(204, "DELETE", f"{here.path}/grants/{grant['id']}")
        assert (await client.get(f"{there.path}/units/A/rollup")).status_code == 404


async def test_a_policy_holds_everywhere(machines: Machines) -> None:
    here, there = machines.here, machines.there
    await here.expect(
        201, "POST", f"{here.path}/initiatives/QW-1/milestones/1/updates",
        {"percent_complete": 50, "effective_on": "2022-03-01"},
    )  # fmt: skip
    before = await there.operator.get(f"{there.path}/rollup")
    assert before.json()["health"] == "off_track"
    policy = {"on_track_from": 0.5, "at_risk_from": 0.4}
    await here.expect(200, "PATCH", here.path, {"policy": policy}, if_match="*")
    known = {"If-None-Match": before.headers["etag"]}
    after = await there.operator.get(f"{there.path}/rollup", headers=known)
    assert after.json()["health"] == "on_track"


async def test_a_closed_period_locks_everywhere(machines: Machines) -> None:
    here, there = machines.here, machines.there
    await here.post("periods", about("2022-01-01", "2022-01-31", closes_on="2022-02-10"))
    report = {"percent_complete": 60, "effective_on": "2022-01-15"}
    path = f"{there.path}/initiatives/QW-1/milestones/1/updates"
    await there.expect(201, "POST", path, report)
    await here.expect(200, "POST", f"{here.path}/periods/P/close", {})
    refused = await there.operator.post(path, json=report)
    assert (refused.status_code, refused.json()["code"]) == (409, "period_locked")


async def test_what_one_has_handed_out_the_other_takes(machines: Machines) -> None:
    """Cursors, idempotency keys, versions and browsers that are signed in."""
    here, there = machines.here, machines.there
    await here.unit("second")
    page = await here.get("units", limit=1)
    assert (await there.get("units", limit=1, cursor=page["next_cursor"]))["items"]
    once = {"Idempotency-Key": "once"}
    unit = {"code": "once", "name": "Once"}
    first = await here.operator.post(f"{here.path}/units", json=unit, headers=once)
    again = await there.operator.post(f"{there.path}/units", json=unit, headers=once)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    seen = {"If-Match": first.headers["etag"]}
    changed = await there.operator.patch(
        f"{there.path}/units/once", json={"name": "2"}, headers=seen
    )
    assert changed.status_code == 200
    stale = await here.operator.patch(f"{here.path}/units/once", json={"name": "3"}, headers=seen)
    assert stale.status_code == 412
    made = await token_of(machines, "browser")
    async with (
        httpx.AsyncClient(base_url=machines.urls[0], timeout=60) as browser,
        httpx.AsyncClient(base_url=machines.urls[1], timeout=60) as same,
    ):
        same_origin = {"Sec-Fetch-Site": "same-origin"}
        form = {"token": made["token"], "next": "/"}
        assert (await browser.post("/sign-in", data=form, headers=same_origin)).status_code == 303
        same.cookies = browser.cookies
        kept = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
        assert (await same.get("/institutions/two", headers=kept)).status_code == 200
        await browser.post("/sign-out", headers=same_origin | kept)
        led = await same.get("/institutions/two", headers=kept)
        assert led.status_code == 401


async def test_an_event_of_one_is_told_by_the_other(machines: Machines) -> None:
    feed = machines.urls[1] + machines.there.path
    async with following(feed, f"Bearer {OPERATOR}") as stream:
        await machines.here.unit("told")
        async for event in stream:
            if event["type"] == "unit.created" and event["subject"] == "told":
                break


async def test_each_counts_requests_for_itself(machines: Machines) -> None:
    """Without Redis: the quota of a client is that of each process, times the processes."""
    made = await token_of(machines, "counted")
    lefts = []
    for server in (0, 0, 0, 1, 1):
        async with machines.at(server, made["token"]) as client:
            answer = await client.get(f"{API}/me")
        policy, left = re.findall(r'"(\w+)";r=(\d+)', answer.headers["ratelimit"])[0]
        lefts.append(int(left) if policy == "token" else None)
    assert lefts == [None, QUOTA - 1, QUOTA - 2, None, QUOTA - 1]
