"""Failed sign-ins are in the operators' trail, summed up, and nothing of what was tried."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI

from app.api import strangers
from app.api.strangers import Strangers
from app.db import Database
from app.errors import DatabaseUnavailable
from app.services import audit
from app.services.actors import SYSTEM
from tests.conftest import Clients
from tests.support.institution import API
from tests.web.conftest import HOME, Browser


@pytest.fixture
async def fresh(app: FastAPI, database: Database) -> AsyncIterator[Strangers]:
    """Refusals of which none is counted yet."""
    former, app.state.strangers = app.state.strangers, Strangers(database, shortest=86_400)
    yield app.state.strangers
    await app.state.strangers.close()
    app.state.strangers = former


async def told(clients: Clients, most: int = 1) -> list[dict[str, Any]]:
    """What operators read of it, the newest first."""
    asked: dict[str, Any] = {"type": "access.refused", "sort": "-sequence", "limit": most}
    answer = await clients.operator.get(f"{API}/events", params=asked)
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_refused_tokens_are_one_event(
    clients: Clients, fresh: Strangers, database: Database
) -> None:
    secret = "qw_nobody-has-this-token-0123456789"
    for number in range(7):
        headers = {"Authorization": f"Bearer {secret}{number}", "X-Request-ID": f"tried-{number}"}
        answer = await clients.nobody.get(f"{API}/me", headers=headers)
        assert answer.status_code == 401
    assert (await clients.nobody.get(f"{API}/me")).status_code == 401  # who shows none tries none
    page = Browser(clients.nobody)
    clients.nobody.cookies.clear()
    answer = await page.client.post(
        f"{HOME}/sign-in", data={"token": secret}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 401
    before = await told(clients)
    await fresh.close()
    (event,) = await told(clients)
    assert [event] != before
    assert event["data"] == {
        "seconds": event["data"]["seconds"],
        "ways": {"api": 7, "page": 1},
        "addresses": 1,
        "most_from_one": 8,
        "requests": [f"tried-{number}" for number in range(5)],
    }
    assert (event["actor"], event["subject"], event["request_id"]) == ("quickwin", "sign-in", None)
    assert secret not in str(event)
    assert "127.0.0.1" not in str(event)
    await fresh.close()
    assert await told(clients) == [event]  # nothing is told twice
    found = await database.read(audit.verify, SYSTEM, None, [], lambda _done, _all: None)
    assert not found.wrong


class Kept:
    """A database that keeps what it was to write."""

    def __init__(self) -> None:
        self.counted: list[Any] = []
        self.failure: Exception | None = None

    async def write(self, _: object, counted: object) -> None:
        """Keep it, or fail."""
        if self.failure is not None:
            raise self.failure
        self.counted.append(counted)


class Clock:
    """A loop whose time passes when it is told to."""

    def __init__(self) -> None:
        self.create_task = asyncio.get_running_loop().create_task
        self.now = 0.0
        self.waiting: list[tuple[float, Any]] = []

    def time(self) -> float:
        """Seconds since it began."""
        return self.now

    def call_later(self, seconds: float, act: Any) -> Any:
        """Call when so much time has passed."""
        self.waiting.append((self.now + seconds, act))
        return self

    def cancel(self) -> None:
        """Of whatever waits."""
        self.waiting.clear()

    def next(self) -> float:
        """Let the time pass until something is called; answers how long that took."""
        (at, act), *self.waiting = self.waiting
        passed, self.now = at - self.now, at
        act()
        return passed


def counting(kept: Kept, clock: Clock) -> Strangers:
    """Refusals that are told to `kept`, by another time."""
    made = Strangers(kept)  # type: ignore[arg-type]
    made.loop = clock  # type: ignore[assignment]
    return made


async def test_stretches_grow_to_an_hour_and_end_when_it_is_quiet() -> None:
    kept, clock = Kept(), Clock()
    refused = counting(kept, clock)
    took = []
    for _ in range(8):
        refused.note("api", "192.0.2.1", "r")
        took.append(clock.next())
    assert took == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert (clock.next(), clock.waiting) == (3600, [])  # nothing came
    refused.note("oidc", "192.0.2.1", "r")
    assert clock.next() == 60
    await refused.close()
    assert [found.seconds for found in kept.counted] == [*took, 60]


async def test_what_is_kept_of_many_is_bounded() -> None:
    kept, clock = Kept(), Clock()
    refused = counting(kept, clock)
    for number in range(strangers.MOST_ADDRESSES + 500):
        refused.note("api", f"address-{number}", f"r{number}")
    clock.next()
    await refused.close()
    (found,) = kept.counted
    assert (found.ways, found.addresses, len(found.requests)) == ({"api": 1500}, 1000, 5)


async def test_a_database_that_is_away_is_told_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept, clock = Kept(), Clock()
    kept.failure = DatabaseUnavailable()
    refused = counting(kept, clock)
    refused.note("page", "192.0.2.1", "r")
    clock.next()
    await refused.close()
    assert "refused sign-ins not counted: DatabaseUnavailable" in caplog.text
