"""Criteria: what an institution judges its proposals by, in all of its units alike."""

from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, InUse
from app.keyset import Key, paginate
from app.messages import said
from app.models import Criterion, Score
from app.models.base import code_key, new_id, now
from app.schemas import criteria as wire
from app.schemas.fields import Names
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, deletions, events, versions, wholes
from app.services.access import Scope
from app.services.actors import Actor
from app.services.versions import Expected

_PERMISSION = Permission.INSTITUTION_CHANGE


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewCriterion
) -> wire.Criterion:
    """Add a criterion; raises `Conflict` where there are `MOST_CRITERIA` in use."""
    scope = wholes.to_add(session, actor, institution, Criterion, new.code, _PERMISSION)
    _check_room(session, scope)
    at = now()
    row = Criterion(
        institution_id=scope.id,
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        name_id=new.name.id,
        name_en=new.name.en,
        description=new.description,
        weight=new.weight,
        highest_score=new.highest_score,
        retired_at=None,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    events.record(session, actor, scope.id, "criterion.created", _subject(row), new)
    session.flush()
    return _criterion(row)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    changes: wire.CriterionChanges,
    expected: Expected,
) -> wire.Criterion:
    """Change a criterion, retire it or take it up again.

    Raises `InUse` for a highest score below one that was given.
    """
    scope, row = wholes.to_change(
        session, actor, institution, Criterion, key, _PERMISSION, expected
    )
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    if changes.highest_score is not MISSING and changes.highest_score < row.highest_score:
        given = _scores(scope, row).where(Score.score > changes.highest_score)
        if session.execute(given).first():
            raise InUse("A score above this was given on the criterion.")
    for name in ("description", "weight", "highest_score"):
        if name in changes.model_fields_set:
            setattr(row, name, getattr(changes, name))
    if changes.retired is True:
        row.retired_at = row.retired_at or now()
    elif changes.retired is False and row.retired_at is not None:
        _check_room(session, scope)
        row.retired_at = None
    versions.touch(row)
    events.record(session, actor, scope.id, "criterion.changed", _subject(row), changes)
    session.flush()
    return _criterion(row)


def remove(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Delete a criterion on which nobody has scored; else `InUse`: it is retired instead."""
    scope, row = wholes.to_change(
        session, actor, institution, Criterion, key, _PERMISSION, expected
    )
    if session.execute(_scores(scope, row)).first() or deletions.hold(session, scope, row.id):
        detail = "Scores were given on this criterion: set retired to true."
        raise InUse(detail)
    wholes.remove(session, scope, row, _subject(row), _criterion(row), reason)


def get(session: Session, actor: Actor, institution: str, key: str) -> wire.Criterion:
    """One criterion."""
    return _criterion(wholes.one(session, actor, institution, Criterion, key))


def page(
    session: Session, actor: Actor, institution: str, query: wire.CriteriaQuery
) -> Page[wire.Criterion]:
    """Criteria, by code."""
    scope = access.institution(session, actor, institution)
    statement = access.visible(scope, Criterion)
    if query.retired is not None:
        statement = statement.where(Criterion.retired_at.is_not(None) == query.retired)
    if query.updated_since is not None:
        statement = statement.where(Criterion.updated_at >= query.updated_since)
    found = paginate(session, statement, [Key(Criterion.code_key, descending=False)], query)
    return found.page([_criterion(row[0]) for row in found.rows])


def in_use(session: Session, scope: Scope) -> list[Criterion]:
    """All that count now, by code: at most `MOST_CRITERIA`."""
    statement = access.visible(scope, Criterion).where(Criterion.retired_at.is_(None))
    return list(session.scalars(statement.order_by(Criterion.code_key)))


def _check_room(session: Session, scope: Scope) -> None:
    count = session.scalar(
        select(func.count()).where(access.within(scope, Criterion), Criterion.retired_at.is_(None))
    )
    if (count or 0) >= wire.MOST_CRITERIA:
        detail = said(
            "At most {most} criteria are in use at a time: retire some first.",
            most=wire.MOST_CRITERIA,
        )
        raise Conflict(detail)


def _scores(scope: Scope, row: Criterion) -> Select[UUID]:
    return (
        select(Score.initiative_id)
        .where(access.within(scope, Score), Score.criterion_id == row.id)
        .limit(1)
    )


def _subject(row: Criterion) -> events.Subject:
    return events.Subject(row.id, f"criteria/{row.code}")


def _criterion(row: Criterion) -> wire.Criterion:
    return wire.Criterion(
        id=row.id,
        code=row.code,
        name=Names(id=row.name_id, en=row.name_en),
        description=row.description,
        weight=row.weight,
        highest_score=row.highest_score,
        retired_at=row.retired_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
