"""What a transaction alters in rows, before and after: gathered as the session is flushed.

So no verb has to say it: `nouns` lists what is told. What is written below the ORM is said by the
verb that does it.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import PassiveFlag, Session, UOWTransaction
from sqlalchemy.orm.attributes import get_history

from app.models import Base, Scheme
from app.services import chain
from app.services.nouns import NOUNS, Code, Noun

_ALTERED = "altered"


_Values = Callable[[Any, str], tuple[Any, Any] | None]
"""Before and after of a row's column; None where it stays."""


class Altered(NamedTuple):
    """What happened to the subject of an event."""

    unit_id: UUID | None
    changes: dict[str, list[Any]]
    """Before and after, by field."""
    part: tuple[UUID, str] | None
    is_new: bool


@event.listens_for(Session, "before_flush")
def gather(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Note what is about to be written; called by the flush itself."""
    for rows, values in (
        (session.new, _after),
        (session.dirty, _both),
        (session.deleted, _before),
    ):
        for row in rows:
            noun = NOUNS.get(type(row))
            if noun is not None:
                _gather(session, row, noun, values)


def note(session: Session, subject_id: UUID, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Say how fields change below the ORM, of a row that is flushed too, before this or after."""
    altered = _altered(session).setdefault(subject_id, Altered(None, {}, None, is_new=False))
    for field, value in after.items():
        if value != before[field]:
            _put(altered, field, None if altered.is_new else before[field], value)


def of_removed(session: Session, row: Base) -> dict[str, Any]:
    """The changes of a row that is removed below the ORM."""
    altered = Altered(None, {}, None, is_new=False)
    _tell(session, row, NOUNS[type(row)], altered, _before)
    return told(altered)


def of_added(session: Session, row: Base) -> dict[str, Any]:
    """The changes of a row that is added below the ORM."""
    altered = Altered(None, {}, None, is_new=True)
    _tell(session, row, NOUNS[type(row)], altered, _after)
    return told(altered)


def of(session: Session, subjects: Collection[UUID]) -> dict[UUID, Altered]:
    """What was gathered of the subjects of events, with that of their parts; it is forgotten then."""
    gathered: dict[UUID, Altered] = session.info.pop(_ALTERED, {})
    for row_id, altered in gathered.items():
        if row_id not in subjects and altered.part and altered.part[0] in subjects:
            whole = gathered.get(altered.part[0])
            if whole is not None and not whole.is_new:
                for field, (before, after) in altered.changes.items():
                    _put(whole, altered.part[1] + field, before, after)
    return {row_id: gathered[row_id] for row_id in subjects if row_id in gathered}


def told(altered: Altered) -> dict[str, Any]:
    """Changes as JSON; what is in the end as it was is none."""
    return {
        field: {"before": before, "after": after}
        for field, (before, after) in altered.changes.items()
        if before != after
    }


def _gather(
    session: Session,
    row: Any,  # noqa: ANN401  a row of any of the nouns
    noun: Noun,
    values: _Values,
) -> None:
    gathered = _altered(session)
    subject_id = getattr(row, noun.subject)
    known = gathered.get(subject_id)
    is_new = known.is_new if known else values is _after
    changes = known.changes if known else {}
    part = noun.part(row) if noun.part else None
    gathered[subject_id] = altered = Altered(noun.unit(session, row), changes, part, is_new)
    _tell(session, row, noun, altered, values)


def _tell(session: Session, row: Any, noun: Noun, altered: Altered, values: _Values) -> None:  # noqa: ANN401  as above
    for column, field in noun.columns.items():
        found = values(row, column)
        if found is None:
            continue
        if isinstance(field, Code):
            before, after = (_code(session, row, field.model, value) for value in found)
            _put(altered, field.field, before, after)
        else:
            _put(altered, field, *map(_plain, found))


def _altered(session: Session) -> dict[UUID, Altered]:
    gathered: dict[UUID, Altered] = session.info.setdefault(_ALTERED, {})
    return gathered


def _put(altered: Altered, field: str, before: Any, after: Any) -> None:  # noqa: ANN401  any JSON
    """Note a change; of several in a row the first has what was before."""
    altered.changes.setdefault(field, [before, after])[1] = after


def _after(row: Any, column: str) -> tuple[Any, Any]:  # noqa: ANN401  any row
    return None, getattr(row, column)


def _before(row: Any, column: str) -> tuple[Any, Any]:  # noqa: ANN401  any row
    return getattr(row, column), None


def _both(row: Any, column: str) -> tuple[Any, Any] | None:  # noqa: ANN401  any row
    history = get_history(row, column, PassiveFlag.PASSIVE_NO_INITIALIZE)
    return (_first(history.deleted), _first(history.added)) if history.has_changes() else None


def _first(values: Iterable[Any] | None) -> Any:  # noqa: ANN401  any value
    return next(iter(values or ()), None)


def _code(session: Session, row: Any, model: type[Any], key: UUID | None) -> str | None:  # noqa: ANN401  any row
    if key is None:
        return None
    found = session.get(model, key if model is Scheme else (row.institution_id, key))
    return found.code if found else str(key)


def _plain(value: Any) -> Any:  # noqa: ANN401  any column
    if isinstance(value, datetime):
        return chain.instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value.value if isinstance(value, Enum) else value
