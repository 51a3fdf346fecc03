"""Expiry: how long rows are kept, and how those whose time is over go: a few at a time, while others write."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from sqlalchemy import (
    Column,
    ColumnElement,
    Delete,
    Select,
    Table,
    bindparam,
    delete,
    func,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from app.settings import Settings

KEPT = "kept"
"""Key of `Session.info`: how long what is written is kept; the defaults without it."""


class Kept(NamedTuple):
    """How long something is kept from when it is written: what was promised then holds."""

    keys: timedelta = timedelta(hours=24)
    deliveries: timedelta = timedelta(days=14)
    imports: timedelta = timedelta(days=30)

    @classmethod
    def by(cls, settings: Settings) -> Self:
        """As an operator has it."""
        return cls(
            timedelta(hours=settings.idempotency_hours),
            timedelta(days=settings.delivery_days),
            timedelta(days=settings.import_days),
        )


def kept(session: Session) -> Kept:
    """How long this process keeps what it writes."""
    found: Kept = session.info.get(KEPT, _DEFAULT)
    return found


_DEFAULT = Kept()


class Expiring:
    """The rows of a table that go when their time is over."""

    def __init__(
        self, table: Table, expires_at: Column[Any], *conditions: ColumnElement[bool]
    ) -> None:
        self._removal = removal(table, expires_at, *conditions)
        self._count = (
            select(func.count())
            .select_from(table)
            .where(expires_at <= bindparam("now"), *conditions)
        )

    def remove(self, session: Session, now: datetime, most: int) -> int:
        """Remove some of them, as `removal` does; answers how many they were."""
        return session.connection().execute(self._removal, {"now": now, "most": most}).rowcount

    def count(self, session: Session, now: datetime) -> int:
        """How many there are, of which somebody else may hold some."""
        return session.execute(self._count, {"now": now}).scalar_one()


def removal(table: Table, expires_at: Column[object], *conditions: ColumnElement[bool]) -> Delete:
    """Removes the rows that have expired by `now`, the oldest first and at most `most`.

    Rows that somebody else holds are passed over: nobody waits, and none is taken from them.
    """
    key = list(table.primary_key.columns)
    return delete(table).where(tuple_(*key).in_(over(table, expires_at, *conditions)))


def over(
    table: Table, expires_at: Column[object], *conditions: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """The keys of those rows, which are locked."""
    return (
        select(*table.primary_key.columns)
        .where(expires_at <= bindparam("now"), *conditions)
        .order_by(expires_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
