"""Leases: one process at a time serves a webhook, and who was overtaken changes nothing."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from app.db import Database
from app.expiry import Kept
from app.models.base import now
from app.schemas.webhooks import DeliveryError
from app.services import deliveries, dispatch
from app.services.dispatch import Result
from app.services.parcels import Address
from app.settings import Settings
from tests.support.institution import Institution, Json
from tests.support.webhooks import LEASE, address_of, taken

PAUSES = Settings().webhook_retry_seconds


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that is moved by hand."""
    with time_machine.travel(now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
async def webhook(institution: Institution) -> Json:
    """A webhook with two events to be sent: its own creation, and a unit."""
    made = await institution.post("webhooks", {"url": "https://hooks.invalid/"})
    await institution.unit("A")
    return made


def sent(status: int = 200, wait: timedelta | None = None) -> Result:
    error = None if 200 <= status < 300 else DeliveryError.STATUS
    return Result(now(), 5, status, error, wait)


async def is_due(database: Database, address: Address) -> bool:
    return address in await database.read(dispatch.due, 1_000_000)


async def test_one_at_a_time(institution: Institution, database: Database, webhook: Json) -> None:
    address = await address_of(institution, webhook)
    assert await is_due(database, address)
    parcels = await asyncio.gather(*(taken(database, address) for _ in range(8)))
    (parcel,) = [each for each in parcels if each]
    assert (parcel.type, parcel.attempt) == ("webhook.created", 1)
    assert not await is_due(database, address)
    following = await database.write(dispatch.settle, parcel, sent(), PAUSES, LEASE)
    assert following is not None
    assert (following.type, following.fence) == ("unit.created", parcel.fence)
    assert await taken(database, address) is None
    assert await database.write(dispatch.settle, following, sent(), PAUSES, LEASE) is None
    assert not await is_due(database, address)
    assert await taken(database, address) is None  # there is nothing more


async def test_a_lease_that_runs_out_is_taken_over(
    institution: Institution,
    database: Database,
    webhook: Json,
    clock: time_machine.Traveller,
) -> None:
    address = await address_of(institution, webhook)
    lost = await taken(database, address)
    assert lost is not None
    clock.shift(LEASE - timedelta(seconds=1))
    assert await taken(database, address) is None
    clock.shift(timedelta(seconds=1))
    assert await is_due(database, address)
    found = await taken(database, address)
    assert found is not None
    assert (found.event_id, found.fence) == (lost.event_id, lost.fence + 1)
    # The other comes back: nothing is written, so nothing is taken from who has it now.
    assert await database.write(dispatch.settle, lost, sent(410), PAUSES, LEASE) is None
    assert (await institution.get(f"webhooks/{webhook['id']}/deliveries"))["items"] == []
    assert await database.write(dispatch.settle, found, sent(), PAUSES, LEASE) is not None


async def test_attempts_follow_the_schedule_with_jitter(
    institution: Institution,
    database: Database,
    webhook: Json,
    clock: time_machine.Traveller,
) -> None:
    address = await address_of(institution, webhook)
    path = f"webhooks/{webhook['id']}"
    for attempt, pause in enumerate((*PAUSES, None), start=1):
        parcel = await taken(database, address)
        assert parcel is not None
        assert (parcel.type, parcel.attempt) == ("webhook.created", attempt)
        assert await database.write(dispatch.settle, parcel, sent(500), PAUSES, LEASE) is None
        found = await institution.get(path)
        assert found["failed_attempts"] == attempt
        if pause is None:
            break
        assert found["next_attempt_at"]
        clock.shift(timedelta(seconds=0.9 * pause - 0.1))
        assert not await is_due(database, address)
        assert await taken(database, address) is None
        clock.shift(timedelta(seconds=0.2 * pause + 0.2))
    assert attempt == 10
    assert (found["active"], found["disabled_reason"]) == (False, "failing")


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(600, 600), (1, 300), (10**9, 86_400)],
    ids=["longer", "shorter than the schedule", "beyond the bound"],
)
async def test_retry_after_is_honoured_within_bounds(
    institution: Institution,
    database: Database,
    webhook: Json,
    clock: time_machine.Traveller,
    asked: int,
    waits: int,
) -> None:
    address = await address_of(institution, webhook)
    parcel = await taken(database, address)
    assert parcel is not None
    wait = timedelta(seconds=asked)
    await database.write(dispatch.settle, parcel, sent(503, wait), (300.0,), LEASE)
    clock.shift(timedelta(seconds=0.89 * waits))
    assert not await is_due(database, address)
    clock.shift(timedelta(seconds=0.22 * waits))
    assert await is_due(database, address)


async def test_a_replay_meanwhile_is_not_undone(
    institution: Institution, database: Database, webhook: Json
) -> None:
    address = await address_of(institution, webhook)
    first = await taken(database, address)
    assert first is not None
    second = await database.write(dispatch.settle, first, sent(), PAUSES, LEASE)
    assert second is not None
    path = f"{institution.path}/webhooks/{webhook['id']}/replay"
    await institution.expect(200, "POST", path, {"after": webhook["delivered_to"]})
    again = await database.write(dispatch.settle, second, sent(), PAUSES, LEASE)
    assert again is not None
    assert again.event_id == first.event_id


async def test_what_is_deleted_meanwhile_is_let_go(
    institution: Institution, database: Database, webhook: Json
) -> None:
    parcel = await taken(database, await address_of(institution, webhook))
    assert parcel is not None
    await institution.delete(f"webhooks/{webhook['id']}")
    assert await database.write(dispatch.settle, parcel, sent(), PAUSES, LEASE) is None


async def test_the_log_is_forgotten_in_time(
    institution: Institution,
    database: Database,
    webhook: Json,
    clock: time_machine.Traveller,
) -> None:
    parcel = await taken(database, await address_of(institution, webhook))
    assert parcel is not None
    await database.write(dispatch.settle, parcel, sent(), PAUSES, None)
    clock.shift(Kept().deliveries - timedelta(seconds=1))
    await database.write(deliveries.forget)
    path = f"webhooks/{webhook['id']}/deliveries"
    assert len((await institution.get(path))["items"]) == 1
    clock.shift(timedelta(seconds=1))
    while await database.write(deliveries.forget):
        pass
    assert (await institution.get(path))["items"] == []


async def test_without_the_key_nothing_is_signed(
    institution: Institution, database: Database, webhook: Json
) -> None:
    """Whoever has the database alone cannot sign, where the key is elsewhere."""
    address = await address_of(institution, webhook)
    key = database.session_info["webhook_key"]
    try:
        database.session_info["webhook_key"] = "another key of the service, from elsewhere"
        parcel = await taken(database, address)
    finally:
        database.session_info["webhook_key"] = key
    assert parcel is not None
    assert parcel.secrets == ()
