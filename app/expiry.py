"""Expiry: how long rows are kept, and how those whose time is over go: a few at a time, while others write."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID

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

    Rows that somebody else holds are passed over: nobody waits, and none is taken from them.
    """

    def __init__(
        self, table: Table, expires_at: Column[Any], *conditions: ColumnElement[bool]
    ) -> None:
        key = list(table.primary_key.columns)
        is_over = (expires_at <= bindparam("now"), *conditions)
        of_one: list[ColumnElement[bool]] = []
        self._institutions: Select[Any] | None = None
        if key[0].name == "institution_id":
            of_one = [key[0] == bindparam("institution")]
            self._institutions = _oldest(expires_at, select(key[0]).where(*is_over))
        self._lock = _oldest(expires_at, select(*key).where(*is_over, *of_one)).with_for_update(
            skip_locked=True, of=table
        )
        self._remove = delete(table).where(
            *of_one, tuple_(*key).in_(bindparam("keys", expanding=True))
        )
        self._count = select(func.count()).select_from(table).where(*is_over)

    def remove(self, session: Session, now: datetime, most: int) -> int:
        """Remove some of them, at most `most`; answers how many they were."""
        removed = 0
        for place, rows in self._locked(session, now, most):
            # These and no others: a DELETE that looks for them itself may find more than it was to.
            asked = place | {"keys": [tuple(row) for row in rows]}
            removed += session.connection().execute(self._remove, asked).rowcount
        return removed

    def lock(self, session: Session, now: datetime, most: int) -> list[Row[Any]]:
        """Lock some of them, at most `most`; answers their keys."""
        return [row for _, rows in self._locked(session, now, most) for row in rows]

    def count(self, session: Session, now: datetime) -> int:
        """How many there are, of which somebody else may hold some."""
        return session.execute(self._count, {"now": now}).scalar_one()

    def _locked(
        self, session: Session, now: datetime, most: int
    ) -> Iterator[tuple[dict[str, UUID], Sequence[Row[Any]]]]:
        """Keys by institution, for Citus locks no rows of several at once; by none if they are of none."""
        connection = session.connection()
        asked: dict[str, Any] = {"now": now, "most": most}
        places: list[dict[str, UUID]] = [{}]
        if self._institutions is not None:
            found = dict.fromkeys(connection.scalars(self._institutions, asked))
            places = [{"institution": each} for each in found]
        for place in places:
            if asked["most"] and (rows := connection.execute(self._lock, asked | place).all()):
                yield place, rows
                asked["most"] -= len(rows)


def _oldest(expires_at: Column[Any], found: Select[Any]) -> Select[Any]:
    return found.order_by(expires_at).limit(bindparam("most"))
