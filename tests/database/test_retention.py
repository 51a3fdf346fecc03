"""What is past its time goes, a little at a time, and is counted before; what was promised holds."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app import expiry
from app.db import Database
from app.expiry import Kept
from app.keeping import retention
from app.models import FileContent, IdempotencyKey, Import, WebhookDelivery
from app.models import Institution as Owner
from app.models.base import now
from app.models.base import table as table_of
from app.services import idempotency
from app.settings import Settings
from tests.processes.test_worker import KEYS, keep_expired_keys
from tests.support.institution import Institution
from tests.support.typed import quickwin


def keys(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(IdempotencyKey)) or 0


async def test_it_goes_by_a_command_and_is_counted_before(
    configuration: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.write(keep_expired_keys)
    before = await database.read(keys)
    waiting = await retention.waiting(database)
    assert waiting["idempotency keys"] >= KEYS
    url = configuration.database_url
    counted = quickwin(url, "retention", "--dry-run")
    assert counted.stdout.splitlines() == [
        f"{name}: {number:,} to remove" for name, number in waiting.items()
    ]
    assert await database.read(keys) == before

    most: list[int] = []
    remove = idempotency.EXPIRED.remove

    def watched(session: Session, at: datetime, given: int) -> int:
        most.append(remove(session, at, given))
        return most[-1]

    monkeypatch.setattr(idempotency.EXPIRED, "remove", watched)
    done = quickwin(url, "retention", files_url=str(configuration.files_url))
    assert done.stdout.splitlines() == [
        f"{name}: {number:,} removed" for name, number in waiting.items()
    ]
    assert max(most) <= idempotency.MOST_FORGOTTEN < KEYS
    assert await database.read(keys) == before - waiting["idempotency keys"]
    assert set((await retention.waiting(database)).values()) == {0}


async def test_it_stops_between_two_transactions(database: Database) -> None:
    await database.write(keep_expired_keys)
    stop, before = asyncio.Event(), await database.read(keys)

    def some(session: Session) -> int:
        stop.set()
        return idempotency.forget(session)

    assert await retention.exhaust(database, some, stop) == idempotency.MOST_FORGOTTEN
    assert await database.read(keys) == before - idempotency.MOST_FORGOTTEN
    assert set((await retention.apply(database, stop)).values()) == {0}
    await retention.apply(database)


async def test_how_long_is_said_where_it_is_written(
    institution: Institution, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Settings(idempotency_hours=48, delivery_days=3, import_days=5)
    monkeypatch.setitem(database.session_info, expiry.KEPT, Kept.by(chosen))
    sent = await institution.operator.post(
        f"{institution.path}/units",
        json={"code": "A", "name": "A", "parent": None},
        headers={"Idempotency-Key": f"kept-for-{institution.code}"},
    )
    assert sent.status_code == 201, sent.text
    hook = await institution.post("webhooks", {"url": "https://127.0.0.1/x", "unit": "A"})
    await institution.post(f"webhooks/{hook['id']}/test", {})
    plan = b"code;title;unit;year;B06;B12\nQW-7;SIAKBA;A;2025;40;100\n"
    answer = await institution.operator.post(
        f"{institution.path}/imports?mode=check", content=plan, headers={"Content-Type": "text/csv"}
    )
    assert answer.status_code == 201, answer.text

    def lasting(session: Session) -> list[timedelta]:
        key = session.scalars(
            select(IdempotencyKey)
            .where(IdempotencyKey.claimed_at <= now())  # another test's clock may have run ahead
            .order_by(IdempotencyKey.claimed_at.desc())
            .limit(1)
        ).one()
        of_hook = WebhookDelivery.webhook_id == UUID(hook["id"])
        delivery = session.scalars(select(WebhookDelivery).where(of_hook)).one()
        sheet = session.scalars(select(Import).where(Import.id == UUID(answer.json()["id"]))).one()
        return [
            key.expires_at - key.claimed_at,
            delivery.expires_at - delivery.requested_at,
            sheet.expires_at - sheet.submitted_at,
        ]

    assert await database.read(lasting) == [
        timedelta(hours=48), timedelta(days=3), timedelta(days=5),
    ]  # fmt: skip


async def test_no_more_goes_at_once_than_was_asked_for(
    institution: Institution, shared: Institution, database: Database
) -> None:
    """Of two institutions, by one and by many at once; each takes other rows, the oldest first."""
    codes, long_ago, each = (institution.code, shared.code), datetime(2000, 1, 1, tzinfo=UTC), 30
    contents = table_of(FileContent)
    expiring = expiry.Expiring(contents, contents.c.touched_at)

    def keep(session: Session) -> None:
        found = session.scalars(select(Owner.id).where(Owner.code.in_(codes))).all()
        rows = [
            {"institution_id": owner, "digest": f"{number:064}", "removing": False,
             "touched_at": long_ago - timedelta(days=number + 100 * place)}
            for place, owner in enumerate(found) for number in range(each)
        ]  # fmt: skip
        session.execute(insert(contents), rows)

    def some(session: Session, most: int) -> int:
        return expiring.remove(session, long_ago, most)

    def left(session: Session) -> list[datetime]:
        found = contents.c.touched_at.desc()
        over = select(contents.c.touched_at).where(contents.c.touched_at <= long_ago)
        return list(session.scalars(over.order_by(found)))

    await database.write(keep)
    before = await database.read(left)
    assert await database.read(expiring.count, long_ago) == len(before) == 2 * each
    assert await database.write(some, 1) == 1
    assert await asyncio.gather(*(database.write(some, 7) for _ in range(4))) == [7] * 4
    assert await database.read(left) == before[: each + 1]
    assert await database.write(some, 5) == 5  # of one institution, and of the other
    assert await database.read(left) == before[: each - 4]
    taken = await asyncio.gather(*(database.write(some, each) for _ in range(4)))
    assert sum(taken) == each - 4
    assert max(taken) <= each
    assert await database.read(left) == []
