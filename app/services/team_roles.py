"""Roles of the reform team: the institution's own words for what people are in it."""

from datetime import datetime
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import InUse
from app.keyset import Key, paginate
from app.models import Appointment, TeamRole
from app.models.base import code_key, new_id, now
from app.schemas import team_roles as wire
from app.schemas.fields import Names
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, events, versions, wholes
from app.services.actors import Actor
from app.services.versions import Expected

_PERMISSION = Permission.INSTITUTION_CHANGE
STANDARD = (
    ("steering", "Tim pengarah", "Steering team"),
    ("executing", "Tim pelaksana", "Executing team"),
    ("companion", "Tim pendamping", "Companion team"),
    ("quick-wins", "Tim quick wins", "Quick-wins team"),
    ("agent-of-change", "Agen perubahan", "Agent of change"),
)
"""What a reform team has: codes, and names in both languages. Where an institution begins; its own
administrators go on from there."""


def add_standard(session: Session, institution_id: UUID) -> list[str]:
    """Give a new institution the standard roles; answers their codes, for its first event."""
    at = now()
    session.add_all(
        [
            _new(institution_id, code, Names(id=name, en=english), at=at)
            for code, name, english in STANDARD
        ]
    )
    return [code for code, *_ in STANDARD]


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewTeamRole
) -> wire.TeamRole:
    """Add a role."""
    scope = wholes.to_add(session, actor, institution, TeamRole, new.code, _PERMISSION)
    row = _new(scope.id, new.code, new.name, new.description, at=now())
    session.add(row)
    events.record(session, actor, scope.id, "team_role.created", _subject(row), new)
    session.flush()
    return _role(row)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    changes: wire.TeamRoleChanges,
    expected: Expected,
) -> wire.TeamRole:
    """Change a role, retire it or take it up again."""
    scope, row = wholes.to_change(session, actor, institution, TeamRole, key, _PERMISSION, expected)
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    if changes.description is not MISSING:
        row.description = changes.description
    if changes.retired is not MISSING:
        row.retired_at = (row.retired_at or now()) if changes.retired else None
    versions.touch(row)
    events.record(session, actor, scope.id, "team_role.changed", _subject(row), changes)
    session.flush()
    return _role(row)


def remove(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Delete a role to which nobody was appointed; else `InUse`: it is retired instead."""
    scope, row = wholes.to_change(session, actor, institution, TeamRole, key, _PERMISSION, expected)
    used = select(Appointment.id).where(
        access.within(scope, Appointment), Appointment.role_id == row.id
    )
    if session.execute(used.limit(1)).first():
        detail = "People were appointed to this role: set retired to true."
        raise InUse(detail)
    wholes.remove(session, scope, row, _subject(row), _role(row), reason)


def get(session: Session, actor: Actor, institution: str, key: str) -> wire.TeamRole:
    """One role."""
    return _role(wholes.one(session, actor, institution, TeamRole, key))


def page(
    session: Session, actor: Actor, institution: str, query: wire.TeamRolesQuery
) -> Page[wire.TeamRole]:
    """Roles, by code."""
    scope = access.institution(session, actor, institution)
    statement = access.visible(scope, TeamRole)
    if query.retired is not None:
        statement = statement.where(TeamRole.retired_at.is_not(None) == query.retired)
    if query.updated_since is not None:
        statement = statement.where(TeamRole.updated_at >= query.updated_since)
    found = paginate(session, statement, [Key(TeamRole.code_key, descending=False)], query)
    return found.page([_role(row[0]) for row in found.rows])


def _new(
    institution_id: UUID, code: str, name: Names, description: str | None = None, *, at: datetime
) -> TeamRole:
    return TeamRole(
        institution_id=institution_id,
        id=new_id(),
        code=code,
        code_key=code_key(code),
        name_id=name.id,
        name_en=name.en,
        description=description,
        retired_at=None,
        created_at=at,
        updated_at=at,
        version=1,
    )


def _subject(row: TeamRole) -> events.Subject:
    return events.Subject(row.id, f"team-roles/{row.code}")


def _role(row: TeamRole) -> wire.TeamRole:
    return wire.TeamRole(
        id=row.id,
        code=row.code,
        name=Names(id=row.name_id, en=row.name_en),
        description=row.description,
        retired_at=row.retired_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
