"""Outcomes, strategies and levels: catalogues of the schemes, edited by operators."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app import messages
from app.errors import CodeTaken, Invalid, NotFound
from app.keyset import Key, paginate
from app.models import Purpose, Scheme, SchemePurpose
from app.models.base import code_key, new_id, now
from app.schemas import purposes as wire
from app.schemas.fields import Names
from app.schemas.pages import Page
from app.schemas.purposes import PurposeKind
from app.services import events, naming, rights, schemes, versions
from app.services.actors import Actor
from app.services.versions import Expected


def add(session: Session, actor: Actor, scheme: str, new: wire.NewPurpose) -> wire.Purpose:
    """Add a purpose to a scheme: a new one, or one that another scheme has already; for operators."""
    rights.operator_only(session, actor)
    parent = schemes.find(session, scheme)
    row = session.scalars(select(Purpose).where(naming.named(Purpose, new.code))).one_or_none()
    if row is None:
        row = _new(new)
        session.add(row)
    elif row.kind is not new.kind or new.name not in (None, Names(id=row.name_id, en=row.name_en)):
        raise CodeTaken(
            "What has this code is of another kind or name; leave the name out to share it."
        )
    elif session.get(SchemePurpose, (parent.id, row.id)):
        raise CodeTaken
    session.flush()
    position = new.position or _last(session, parent.id, new.kind) + 1
    session.add(SchemePurpose(scheme_id=parent.id, purpose_id=row.id, position=position))
    _record(session, actor, "purpose.added", parent, row, new)
    session.flush()
    return _shape(_find(session, parent, row.code))


def change(
    session: Session,
    actor: Actor,
    scheme: str,
    key: str,
    changes: wire.PurposeChanges,
    expected: Expected,
) -> wire.Purpose:
    """Change a purpose and its place in a scheme; for operators."""
    rights.operator_only(session, actor)
    parent = schemes.find(session, scheme)
    row, place, _ = _find(session, parent, key)
    versions.check(row, expected)
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    if changes.aliases is not MISSING:
        row.aliases = list(changes.aliases)
    if changes.position is not MISSING:
        place.position = changes.position
    versions.touch(row)
    _record(session, actor, "purpose.changed", parent, row, changes)
    session.flush()
    return _shape(_find(session, parent, row.code))


def get(session: Session, _: Actor, scheme: str, key: str) -> wire.Purpose:
    """One purpose of a scheme."""
    return _shape(_find(session, schemes.find(session, scheme), key))


def page(session: Session, _: Actor, scheme: str, query: wire.PurposeQuery) -> Page[wire.Purpose]:
    """The purposes of a scheme: by kind, and by position within it."""
    statement = _of(schemes.find(session, scheme))
    if query.kind:
        statement = statement.where(Purpose.kind.in_(query.kind))
    if query.updated_since is not None:
        statement = statement.where(Purpose.updated_at >= query.updated_since)
    keys = [
        Key(column, descending=False)
        for column in (Purpose.kind, SchemePurpose.position, Purpose.code_key)
    ]
    found = paginate(session, statement, keys, query)
    return found.page([_shape(row) for row in found.rows])


def names(session: Session, codes: Collection[str]) -> dict[str, Names]:
    """What the purposes of some codes are called, whatever their scheme and kind; by code."""
    columns = Purpose.code, Purpose.name_id, Purpose.name_en
    found = session.execute(select(*columns).where(Purpose.code.in_(codes))) if codes else ()
    return {code: Names(id=indonesian, en=english) for code, indonesian, english in found}


def refer(session: Session, key: str, kind: PurposeKind, pointer: str) -> Purpose:
    """A purpose that a body refers to; raises `Invalid` at `pointer`."""
    statement = select(Purpose).where(naming.named(Purpose, key), Purpose.kind == kind)
    row = session.scalars(statement).one_or_none()
    if row is None:
        raise unknown(kind, pointer)
    return row


def unknown(kind: PurposeKind, pointer: str) -> Invalid:
    """What to say of a purpose that is not there, or not of the kind that is wanted."""
    return Invalid.field(pointer, *messages.unknown(kind.value))


def _new(new: wire.NewPurpose) -> Purpose:
    if new.name is None:
        raise Invalid.field("/name", "missing", "A new purpose needs its name in both languages.")
    at = now()
    return Purpose(
        id=new_id(),
        kind=new.kind,
        code=new.code,
        code_key=code_key(new.code),
        name_id=new.name.id,
        name_en=new.name.en,
        aliases=list(new.aliases),
        created_at=at,
        updated_at=at,
        version=1,
    )


def _last(session: Session, scheme_id: UUID, kind: PurposeKind) -> int:
    """The last position of a kind in a scheme; 0 without any."""
    taken = (
        select(func.max(SchemePurpose.position))
        .join(Purpose, Purpose.id == SchemePurpose.purpose_id)
        .where(SchemePurpose.scheme_id == scheme_id, Purpose.kind == kind)
    )
    return session.scalar(taken) or 0


def _of(scheme: Scheme) -> Select[*tuple[Any, ...]]:
    return (
        select(Purpose, SchemePurpose, Scheme.code)
        .join(SchemePurpose, SchemePurpose.purpose_id == Purpose.id)
        .join(Scheme, Scheme.id == SchemePurpose.scheme_id)
        .where(SchemePurpose.scheme_id == scheme.id)
    )


def _find(session: Session, scheme: Scheme, key: str) -> Row[*tuple[Any, ...]]:
    row = session.execute(_of(scheme).where(naming.named(Purpose, key))).one_or_none()
    if row is None:
        raise NotFound
    return row


def _record(
    session: Session,
    actor: Actor,
    kind: str,
    scheme: Scheme,
    row: Purpose,
    data: wire.NewPurpose | wire.PurposeChanges,
) -> None:
    subject = events.Subject(row.id, f"{scheme.code}/purposes/{row.code}")
    events.record(session, actor, events.CATALOGUE, kind, subject, data)


def _shape(row: Row[*tuple[Any, ...]]) -> wire.Purpose:
    purpose, place, scheme = row[0], row[1], row[2]
    return wire.Purpose(
        id=purpose.id,
        code=purpose.code,
        kind=purpose.kind,
        scheme=scheme,
        position=place.position,
        name=Names(id=purpose.name_id, en=purpose.name_en),
        aliases=purpose.aliases,
        created_at=purpose.created_at,
        updated_at=purpose.updated_at,
        version=purpose.version,
    )
