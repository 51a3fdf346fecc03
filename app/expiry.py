"""Expiry: how long rows are kept, and how those whose time is over go: a few at a time, while others write."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
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
    """The rows of a table that go when their time is over, the oldest first.

    Rows that somebody else holds are passed over: nobody waits, and none is taken from them. What
    belongs to institutions is locked by one after the other: Citus locks no rows of several at once.
    """

    def __init__(
        self, table: Table, expires_at: Column[Any], *conditions: ColumnElement[bool]
    ) -> None:
        key = list(table.primary_key.columns)
        is_over = (expires_at <= bindparam("now"), *conditions)
        of_one: list[ColumnElement[bool]] = []
        self._institutions: Select[Any] | None = None
        if "institution_id" in table.primary_key.columns:
            of_one = [table.c.institution_id == bindparam("institution")]
            self._institutions = _oldest(expires_at, select(table.c.institution_id).where(*is_over))
        self._locked = _oldest(expires_at, select(*key).where(*is_over, *of_one)).with_for_update(
            skip_locked=True
        )
        self._removal = delete(table).where(*of_one, tuple_(*key).in_(self._locked))
        self._count = select(func.count()).select_from(table).where(*is_over)

    def remove(self, session: Session, now: datetime, most: int) -> int:
        """Remove some of them, at most `most`; answers how many they were."""
        removed = 0
        for asked in self._places(session, now, most):
            given = asked | {"most": most - removed}
            removed += session.connection().execute(self._removal, given).rowcount
        return removed

    def lock(self, session: Session, now: datetime, most: int) -> list[Row[Any]]:
        """Lock some of them, at most `most`; answers their keys."""
        locked: list[Row[Any]] = []
        for asked in self._places(session, now, most):
            given = asked | {"most": most - len(locked)}
            locked += session.connection().execute(self._locked, given)
        return locked

    def count(self, session: Session, now: datetime) -> int:
        """How many there are, of which somebody else may hold some."""
        return session.execute(self._count, {"now": now}).scalar_one()

    def _places(self, session: Session, now: datetime, most: int) -> Iterator[dict[str, Any]]:
        """What to ask with: each institution that has some, or once where they are of none."""
        asked = {"now": now, "most": most}
        if self._institutions is None:
            yield asked
        else:
            for institution in dict.fromkeys(session.scalars(self._institutions, asked)):
                yield asked | {"institution": institution}


def _oldest(expires_at: Column[Any], found: Select[Any]) -> Select[Any]:
    return found.order_by(expires_at).limit(bindparam("most"))
