"""A server that is killed in a storm of writes, again and again: nothing lost, nothing half done."""

import asyncio
import signal
from pathlib import Path

import httpx

from app.db import Database
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.faults.storm import ROUNDS, Storm, check, plan
from tests.support.institution import Institution
from tests.support.server import quickwin, serving


def gone(answer: httpx.Response) -> None:
    """The only failure is that the server is gone."""
    assert answer.status_code == 599, answer.text


async def test_a_killed_server_loses_and_halves_nothing(
    institution: Institution, database: Database, configuration: Settings, tmp_path: Path
) -> None:
    await plan(institution)
    storm = Storm(institution.path, gone)
    for turn in range(ROUNDS):
        before = len(storm.acknowledged)
        with serving(configuration.database_url, tmp_path / "log", token=OPERATOR) as server:
            writing = asyncio.create_task(storm.blow(server.url))
            while len(storm.acknowledged) < before + 30 or not storm.moves:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.037 * (turn % 10))
            server.process.send_signal(signal.SIGKILL)
            await writing
        await check(storm, database, institution.code)
    url = configuration.database_url
    verified = quickwin(url, "rollups", "verify", "--institution", institution.code)
    assert verified.returncode == 0, verified.stdout
