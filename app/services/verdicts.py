"""Closing verdicts: the words that all institutions share and operators edit."""

from pydantic import MISSING
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import CodeTaken, Invalid, NotFound
from app.keyset import Key, paginate
from app.models import ClosingVerdict
from app.models.base import code_key, new_id, now
from app.schemas import verdicts as wire
from app.schemas.fields import Names
from app.schemas.pages import Page
from app.services import events, naming, rights, versions
from app.services.actors import Actor
from app.services.versions import Expected

_ORDER = [
    Key(column, descending=False) for column in (ClosingVerdict.position, ClosingVerdict.code_key)
]


def create(session: Session, actor: Actor, new: wire.NewClosingVerdict) -> wire.ClosingVerdict:
    """Add a closing verdict; for operators."""
    rights.operator_only(session, actor)
    if _named(session, new.code) is not None:
        raise CodeTaken
    at = now()
    row = ClosingVerdict(
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        name_id=new.name.id,
        name_en=new.name.en,
        position=new.position or _last(session) + 1,
        source=new.source,
        retired_at=None,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    _record(session, actor, "verdict.created", row, new)
    session.flush()
    return _shape(row)


def change(
    session: Session,
    actor: Actor,
    key: str,
    changes: wire.ClosingVerdictChanges,
    expected: Expected,
) -> wire.ClosingVerdict:
    """Change a closing verdict, retire it or take it up again; for operators."""
    rights.operator_only(session, actor)
    row = find(session, key)
    versions.check(row, expected)
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    for name in changes.model_fields_set & {"position", "source"}:
        setattr(row, name, getattr(changes, name))
    if changes.retired is not MISSING:
        row.retired_at = (row.retired_at or now()) if changes.retired else None
    versions.touch(row)
    _record(session, actor, "verdict.changed", row, changes)
    session.flush()
    return _shape(row)


def get(session: Session, _: Actor, key: str) -> wire.ClosingVerdict:
    """One closing verdict."""
    return _shape(find(session, key))


def page(session: Session, _: Actor, query: wire.ClosingVerdictQuery) -> Page[wire.ClosingVerdict]:
    """All closing verdicts, in their order."""
    statement = select(ClosingVerdict)
    if query.retired is not None:
        statement = statement.where(ClosingVerdict.retired_at.is_not(None) == query.retired)
    if query.updated_since is not None:
        statement = statement.where(ClosingVerdict.updated_at >= query.updated_since)
    found = paginate(session, statement, _ORDER, query)
    return found.page([_shape(row[0]) for row in found.rows])


def find(session: Session, key: str) -> ClosingVerdict:
    """A closing verdict by its code or id; raises `NotFound`."""
    row = _named(session, key)
    if row is None:
        raise NotFound
    return row


def refer(session: Session, key: str, pointer: str) -> ClosingVerdict:
    """A closing verdict that is given; raises `Invalid` for none, and for a retired one."""
    row = _named(session, key)
    if row is None:
        raise Invalid.field(pointer, "unknown_verdict", "There is no such closing verdict.")
    if row.retired_at is not None:
        raise Invalid.field(pointer, "retired_verdict", "This verdict is given no more.")
    return row


def _named(session: Session, key: str) -> ClosingVerdict | None:
    statement = select(ClosingVerdict).where(naming.named(ClosingVerdict, key))
    return session.scalars(statement).one_or_none()


def _last(session: Session) -> int:
    """The last position; 0 without any."""
    return session.scalar(select(func.max(ClosingVerdict.position))) or 0


def _record(
    session: Session,
    actor: Actor,
    kind: str,
    row: ClosingVerdict,
    data: wire.NewClosingVerdict | wire.ClosingVerdictChanges,
) -> None:
    events.record(session, actor, events.CATALOGUE, kind, events.Subject(row.id, row.code), data)


def _shape(row: ClosingVerdict) -> wire.ClosingVerdict:
    return wire.ClosingVerdict(
        id=row.id,
        code=row.code,
        name=Names(id=row.name_id, en=row.name_en),
        position=row.position,
        source=row.source,
        retired_at=row.retired_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
