"""A primary that is lost under load: its standby is promoted, and nothing acknowledged is missing."""

import asyncio
import time
from pathlib import Path
from typing import cast

import httpx

from app.db import Database
from app.services import operators
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.faults.storm import Storm, blowing, check, plan
from tests.faults.test_restarts import reached, unavailable
from tests.support import replication
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution
from tests.support.server import serving

pytestmark = replication.NEEDED
UNCHECKED = cast("CheckedTransport", httpx.AsyncHTTPTransport())
"""The document takes seconds to make, and answers are checked against it elsewhere."""
BACK_WITHIN = 30.0
WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = 'quickwin'"
ALONE = {"source": "test", "external_id": "alone"}


async def test_a_lost_primary_takes_nothing_acknowledged_with_it(tmp_path: Path) -> None:
    with replication.replicated() as pair:
        await pair.primary.ask("CREATE DATABASE quickwin")
        url = pair.url("quickwin")
        database = Database(Settings(database_url=url))
        await database.migrate()
        await database.write(operators.first_start, OPERATOR)
        await pair.wait_for_each_other()
        with serving(url, tmp_path / "log", token=OPERATOR, background="false") as server:
            headers = {"Authorization": f"Bearer {OPERATOR}"}
            async with httpx.AsyncClient(
                base_url=server.url, headers=headers, timeout=60
            ) as client:
                institution = Institution("lost", client, UNCHECKED)
                await institution.expect(
                    201, "POST", "/api/v1/institutions", {"code": "lost", "name": "L"}
                )
                await institution.post("people", {"code": "reporter", "name": "Reporter"})
                await plan(institution)
                await without_its_standby(pair, client, institution)
                storm = Storm(institution.path, unavailable)
                async with blowing(storm, server.url):
                    await reached(storm, 30)
                    pair.primary.kill()
                    since = time.monotonic()
                    assert await pair.standby.ask("SELECT pg_promote(true, 60)") is True
                    await reached(storm, 30)
                    took = time.monotonic() - since
                ready = await client.get("/health/ready")
                assert ready.status_code == 200, ready.text
                assert took < BACK_WITHIN
                assert storm.refusals.keys() <= {503}
        await database.close()  # its connections ended with the primary
        await check(storm, database, "lost")
        await database.close()


async def without_its_standby(
    pair: replication.Pair, client: httpx.AsyncClient, institution: Institution
) -> None:
    """What only the primary has is not acknowledged: nobody would have it when that is lost."""
    pair.standby.stop()
    path = f"{institution.path}/initiatives/QW-0/milestones/1/updates"
    report = {"percent_complete": 7, "effective_on": "2022-01-05"} | ALONE
    sent = asyncio.create_task(client.post(path, json=report))
    async with asyncio.timeout(60):
        while not await pair.primary.ask(f"SELECT count(*) {WAITING}"):
            assert not sent.done()
            await asyncio.sleep(0.02)
    # Somebody loses patience: it is committed, and the primary's connection says so with a warning.
    await pair.primary.ask(f"SELECT count(pg_cancel_backend(pid)) {WAITING}")
    answer = await sent
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == "outcome_unknown"
    await asyncio.to_thread(pair.standby.start)
    again = await client.post(path, json=report)
    assert again.status_code == 200, again.text  # it had been written
