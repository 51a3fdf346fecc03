"""Decrees: a register of the institution as a whole, which all of it may read."""

from datetime import date
from typing import Any

from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import InUse, Invalid
from app.keyset import Key, paginate, parse_sort
from app.models import Appointment, Decree, Designation, Judgement
from app.models.base import code_key, new_id, now
from app.models.texts import has
from app.schemas import decrees as wire
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, deletions, events, naming, versions, wholes
from app.services.access import Scope
from app.services.actors import Actor
from app.services.versions import Expected

_PERMISSION = Permission.DECREES_CHANGE
_SORTS: dict[str, Any] = {
    "code": Decree.code_key,
    "number": Decree.number,
    "issued_on": Decree.issued_on,
    "created_at": Decree.created_at,
    "updated_at": Decree.updated_at,
}


def create(session: Session, actor: Actor, institution: str, new: wire.NewDecree) -> wire.Decree:
    """Register a decree."""
    scope = wholes.to_add(session, actor, institution, Decree, new.code, _PERMISSION)
    _check_issued(scope, new.issued_on)
    at = now()
    row = Decree(
        institution_id=scope.id,
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        number=new.number,
        issued_on=new.issued_on,
        signer=new.signer,
        title=new.title,
        url=new.url,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    events.record(session, actor, scope.id, "decree.created", _subject(row), new)
    session.flush()
    return _decree(row)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    changes: wire.DecreeChanges,
    expected: Expected,
) -> wire.Decree:
    """Correct what the register says of a decree."""
    scope, row = wholes.to_change(session, actor, institution, Decree, key, _PERMISSION, expected)
    if changes.issued_on is not MISSING:
        _check_issued(scope, changes.issued_on)
    for name in changes.model_fields_set - {"reason"}:
        setattr(row, name, getattr(changes, name))
    versions.touch(row)
    events.record(session, actor, scope.id, "decree.changed", _subject(row), changes)
    session.flush()
    return _decree(row)


def remove(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Take a decree out of the register that nothing refers to; else `InUse`."""
    scope, row = wholes.to_change(session, actor, institution, Decree, key, _PERMISSION, expected)
    uses = [
        select(column).where(access.within(scope, model), column == row.id).limit(1)
        for model, column in (
            (Designation, Designation.decree_id),
            (Appointment, Appointment.decree_id),
            (Judgement, Judgement.decree_id),
        )
    ]
    is_used = any(session.execute(use).first() for use in uses)
    if is_used or deletions.hold(session, scope, row.id):
        detail = (
            "It has designated, appointed or judged, perhaps what is deleted and may come back."
        )
        raise InUse(detail)
    wholes.remove(session, scope, row, _subject(row), _decree(row), reason)


def get(session: Session, actor: Actor, institution: str, key: str) -> wire.Decree:
    """One decree."""
    return _decree(wholes.one(session, actor, institution, Decree, key))


def page(
    session: Session, actor: Actor, institution: str, query: wire.DecreeQuery
) -> Page[wire.Decree]:
    """Decrees, filtered and sorted."""
    scope = access.institution(session, actor, institution)
    statement = access.visible(scope, Decree)
    if query.issued_since is not None:
        statement = statement.where(Decree.issued_on >= query.issued_since)
    if query.issued_until is not None:
        statement = statement.where(Decree.issued_on <= query.issued_until)
    if query.updated_since is not None:
        statement = statement.where(Decree.updated_at >= query.updated_since)
    if query.q is not None:
        texts = (Decree.code_key, Decree.number, Decree.title, Decree.signer)
        statement = statement.where(has(query.q, *texts))
    keys = parse_sort(query.sort, _SORTS, Key(Decree.code_key, descending=False))
    found = paginate(session, statement, keys, query)
    return found.page([_decree(row[0]) for row in found.rows])


def refer(session: Session, scope: Scope, key: str, pointer: str) -> Decree:
    """A decree that a body refers to, which stays until this transaction ends; else `Invalid`."""
    statement = access.visible(scope, Decree).where(naming.named(Decree, key))
    row = session.scalars(statement.with_for_update(read=True)).one_or_none()
    if row is None:
        raise unknown(pointer)
    return row


def unknown(pointer: str) -> Invalid:
    """What to say of a decree that is not in the register."""
    return Invalid.field(pointer, "unknown_decree", "There is no such decree.")


def _check_issued(scope: Scope, issued_on: date) -> None:
    if issued_on > scope.today():
        detail = "A decree cannot have been issued on a day that has not come."
        raise Invalid.field("/issued_on", "in_future", detail)


def _subject(row: Decree) -> events.Subject:
    return events.Subject(row.id, f"decrees/{row.code}")


def _decree(row: Decree) -> wire.Decree:
    return wire.Decree(
        id=row.id,
        code=row.code,
        number=row.number,
        issued_on=row.issued_on,
        signer=row.signer,
        title=row.title,
        url=row.url,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
