"""Templates: what an institution wants in many units. Who may change all its initiatives keeps them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.keyset import Key, paginate
from app.models import ReformArea, Template, TemplateArea
from app.models.base import code_key, new_id, now
from app.schemas import templates as wire
from app.schemas.pages import ChangesPaging, Page
from app.schemas.permissions import Permission
from app.services import access, alterations, events, parts, plans, schemes, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected

_PLAIN = {"title", "description", "kind", "origin", "weight", "expected_result"}


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewTemplate
) -> wire.Template:
    """Add a template."""
    scope = _changing(session, actor, institution)
    access.code_is_free(session, scope, Template, new.code)
    at = now()
    row = Template(
        institution_id=scope.id,
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        **{name: getattr(new, name) for name in _PLAIN},
        tags=list(dict.fromkeys(new.tags)),
        milestones=_numbered(new.milestones),
        created_at=at,
        updated_at=at,
        version=1,
    )
    area_ids = schemes.area_ids(session, new.areas, "/areas")
    session.add(row)
    session.flush()
    _set_areas(session, scope, row.id, area_ids)
    events.record(session, actor, scope.id, "template.created", subject(row), new)
    return _one(session, scope, row)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    changes: wire.TemplateChanges,
    expected: Expected,
) -> wire.Template:
    """Change a template; what was copied from it stays as it is."""
    scope = _changing(session, actor, institution)
    row = access.find(session, scope, Template, key, lock=True)
    versions.check(row, expected)
    for name in changes.model_fields_set & _PLAIN:
        setattr(row, name, getattr(changes, name))
    if changes.tags is not MISSING:
        row.tags = list(dict.fromkeys(changes.tags))
    if changes.milestones is not MISSING:
        row.milestones = _numbered(changes.milestones)
    if changes.areas is not MISSING:
        _set_areas(session, scope, row.id, schemes.area_ids(session, changes.areas, "/areas"))
    versions.touch(row)
    events.record(session, actor, scope.id, "template.changed", subject(row), changes)
    session.flush()
    return _one(session, scope, row)


def remove(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Delete a template; what was copied from it stays, and its event keeps what it was."""
    scope = _changing(session, actor, institution)
    row = access.find(session, scope, Template, key, lock=True)
    versions.check(row, expected)
    before = _one(session, scope, row).model_dump(mode="json")
    session.delete(row)
    events.record(session, actor, scope.id, "template.deleted", subject(row), before, reason=reason)


def get(session: Session, actor: Actor, institution: str, key: str) -> wire.Template:
    """One template."""
    scope = access.institution(session, actor, institution)
    return _one(session, scope, access.find(session, scope, Template, key))


def page(
    session: Session, actor: Actor, institution: str, paging: ChangesPaging
) -> Page[wire.Template]:
    """The templates of an institution, by code."""
    scope = access.institution(session, actor, institution)
    statement = access.visible(scope, Template)
    if paging.updated_since is not None:
        statement = statement.where(Template.updated_at >= paging.updated_since)
    found = paginate(session, statement, [Key(Template.code_key, descending=False)], paging)
    areas = area_codes(session, scope, [row[0].id for row in found.rows])
    return found.page([_shape(row[0], areas[row[0].id]) for row in found.rows])


def area_codes(session: Session, scope: Scope, ids: Sequence[UUID]) -> defaultdict[UUID, list[str]]:
    """Codes of the reform areas that copies serve, by template."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for template_id, code in session.execute(
        select(TemplateArea.template_id, ReformArea.code)
        .join(ReformArea, ReformArea.id == TemplateArea.area_id)
        .where(access.within(scope, TemplateArea), TemplateArea.template_id.in_(ids))
        .order_by(ReformArea.code_key)
    ):
        found[template_id].append(code)
    return found


def subject(row: Template) -> events.Subject:
    """What an event about a template names."""
    return events.Subject(row.id, row.code)


def _changing(session: Session, actor: Actor, institution: str) -> Scope:
    scope = access.institution(session, actor, institution, Lock.SHARED)
    access.require(session, scope, Permission.INITIATIVES_CHANGE, None)
    return scope


def _numbered(milestones: Sequence[wire.TemplateMilestone]) -> list[dict[str, Any]]:
    """Milestones as they are kept: with their numbers, in the order of these."""
    numbers = plans.numbers(milestones)
    kept = [
        {**milestone.model_dump(mode="json"), "number": number}
        for number, milestone in zip(numbers, milestones, strict=True)
    ]
    return sorted(kept, key=lambda milestone: milestone["number"])


def _set_areas(session: Session, scope: Scope, of: UUID, area_ids: Iterable[UUID]) -> None:
    """Replace what copies of a template serve."""
    before = {"areas": area_codes(session, scope, [of])[of]}
    rows = [{"area_id": area_id} for area_id in area_ids]
    parts.replace(session, scope, TemplateArea, {"template_id": of}, rows)
    alterations.note(session, of, before, {"areas": area_codes(session, scope, [of])[of]})


def _one(session: Session, scope: Scope, row: Template) -> wire.Template:
    return _shape(row, area_codes(session, scope, [row.id])[row.id])


def _shape(row: Template, areas: list[str]) -> wire.Template:
    return wire.Template(
        id=row.id,
        code=row.code,
        title=row.title,
        description=row.description,
        kind=row.kind,
        origin=row.origin,
        weight=row.weight,
        areas=areas,
        tags=row.tags,
        expected_result=row.expected_result,
        milestones=[wire.TemplateMilestone.model_validate(each) for each in row.milestones],
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
