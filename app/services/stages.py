"""Stages of an institution's calendars: who belongs to it reads them, its administrators edit them."""

from typing import Any

from pydantic import MISSING
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.errors import CodeTaken, InUse, Invalid
from app.keyset import Key, paginate, parse_sort
from app.models import InitiativeStage, Stage
from app.models.base import code_key, new_id, now
from app.schemas import stages as wire
from app.schemas.fields import Names
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, events, naming, standard_stages, versions, wholes
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected

_PERMISSION = Permission.INSTITUTION_CHANGE
_SORTS: dict[str, Any] = {
    "code": Stage.code_key,
    "calendar": Stage.calendar,
    "starts_on": Stage.starts_on,
    "ends_on": Stage.ends_on,
    "updated_at": Stage.updated_at,
}


def create(session: Session, actor: Actor, institution: str, new: wire.NewStage) -> wire.Stage:
    """Add a stage to a calendar; a calendar is there as soon as a stage names it."""
    scope = wholes.to_add(session, actor, institution, Stage, new.code, _PERMISSION)
    row = _add(session, scope, new)
    session.flush()
    return shape(row)


def add_standard(
    session: Session, actor: Actor, institution: str, asked: wire.StandardStages
) -> wire.Stages:
    """Add what is missing of a known calendar; what has its code there already stays as it is.

    Raises `Invalid` for a calendar that is not known, and `CodeTaken`, with nothing added, where
    something of another calendar has the code of one.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    access.require(session, scope, _PERMISSION, None)
    wanted = standard_stages.of(asked.calendar)
    codes = named([], [each.code for each in wanted])
    rows = {
        row.code_key: row for row in session.scalars(access.visible(scope, Stage).where(*codes))
    }
    if any(row.calendar != asked.calendar for row in rows.values()):
        raise CodeTaken
    present = len(rows)
    for each in wanted:
        if code_key(each.code) not in rows:
            rows[code_key(each.code)] = _add(session, scope, each)
    session.flush()
    items = [shape(rows[code_key(each.code)]) for each in wanted]
    return wire.Stages(created=len(items) - present, present=present, items=items)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    changes: wire.StageChanges,
    expected: Expected,
) -> wire.Stage:
    """Change a stage; what is linked to it is held against its new days at once."""
    scope, row = wholes.to_change(session, actor, institution, Stage, key, _PERMISSION, expected)
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    for name in changes.model_fields_set - {"name", "reason"}:
        setattr(row, name, getattr(changes, name))
    if row.ends_on < row.starts_on:
        detail = "ends_on cannot be before starts_on."
        raise Invalid.field("/ends_on", "ends_before_start", detail)
    versions.touch(row)
    _record(session, scope, "stage.changed", row, changes)
    session.flush()
    return shape(row)


def remove(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Delete a stage that no initiative is linked to, for good; else `InUse`."""
    scope, row = wholes.to_change(session, actor, institution, Stage, key, _PERMISSION, expected)
    linked = select(InitiativeStage.stage_id).where(
        access.within(scope, InitiativeStage), InitiativeStage.stage_id == row.id
    )
    if session.execute(linked.limit(1)).first():
        detail = "Initiatives are linked to this stage: take the links away first."
        raise InUse(detail)
    wholes.remove(session, scope, row, _subject(row), shape(row), reason)


def get(session: Session, actor: Actor, institution: str, key: str) -> wire.Stage:
    """One stage."""
    return shape(wholes.one(session, actor, institution, Stage, key))


def page(
    session: Session, actor: Actor, institution: str, query: wire.StageQuery
) -> Page[wire.Stage]:
    """Stages, filtered and sorted."""
    scope = access.institution(session, actor, institution)
    statement = access.visible(scope, Stage).where(*named(query.calendar))
    if query.on is not None:
        statement = statement.where(Stage.starts_on <= query.on, Stage.ends_on >= query.on)
    if query.updated_since is not None:
        statement = statement.where(Stage.updated_at >= query.updated_since)
    keys = parse_sort(query.sort, _SORTS, Key(Stage.code_key, descending=False))
    found = paginate(session, statement, keys, query)
    return found.page([shape(row[0]) for row in found.rows])


def named(calendars: list[str], keys: list[str] | None = None) -> list[ColumnElement[bool]]:
    """Conditions on stages: of any of these calendars, any of these codes or ids; all if none is named."""
    conditions: list[ColumnElement[bool]] = []
    if calendars:
        conditions.append(Stage.calendar.in_(calendars))
    if keys:
        conditions.append(naming.named_any(Stage, keys))
    return conditions


def shape(row: Stage) -> wire.Stage:
    """A stage as it is answered."""
    return wire.Stage(
        id=row.id,
        code=row.code,
        calendar=row.calendar,
        name=Names(id=row.name_id, en=row.name_en),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        basis=row.basis,
        source_url=row.source_url,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def _add(session: Session, scope: Scope, new: wire.NewStage) -> Stage:
    at = now()
    row = Stage(
        institution_id=scope.id,
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        calendar=new.calendar,
        name_id=new.name.id,
        name_en=new.name.en,
        starts_on=new.starts_on,
        ends_on=new.ends_on,
        basis=new.basis,
        source_url=new.source_url,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    _record(session, scope, "stage.created", row, new)
    return row


def _record(
    session: Session,
    scope: Scope,
    kind: str,
    row: Stage,
    data: wire.NewStage | wire.StageChanges,
) -> None:
    events.record(session, scope.actor, scope.id, kind, _subject(row), data)


def _subject(row: Stage) -> events.Subject:
    return events.Subject(row.id, row.code)
