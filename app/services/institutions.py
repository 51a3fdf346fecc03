"""Institutions: created by operators, each with its root unit and its event clock."""

from pydantic import MISSING
from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.errors import CodeTaken, NotFound
from app.keyset import Key, paginate
from app.models import Institution, InstitutionClock, Scheme, Unit, UnitClosure
from app.models.base import code_key, new_id, now
from app.models.events import GENESIS
from app.schemas import institutions as wire
from app.schemas.pages import ChangesPaging, Page
from app.schemas.permissions import Permission
from app.services import access, events, naming, policies, rights, schemes, team_roles, versions
from app.services.actors import Actor
from app.services.versions import Expected


def create(session: Session, actor: Actor, new: wire.NewInstitution) -> wire.Institution:
    """Add an institution, its root unit of the same code and name, and the standard team roles.

    For operators.
    """
    rights.operator_only(session, actor)
    if session.scalars(
        access.institutions(actor).where(naming.named(Institution, new.code))
    ).first():
        raise CodeTaken
    scheme = schemes.refer(session, new.scheme, "/scheme")
    at = now()
    row = Institution(
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        name=new.name,
        time_zone=new.time_zone,
        scheme_id=scheme.id,
        policy=policies.kept(new.policy),
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    session.flush()
    root = Unit(
        institution_id=row.id,
        id=new_id(),
        parent_id=None,
        code=new.code,
        code_key=code_key(new.code),
        name=new.name,
        kind=None,
        reference_code=None,
        archived_at=None,
        created_at=at,
        updated_at=at,
        version=1,
    )
    clock = InstitutionClock(institution_id=row.id, sequence=0, digest=GENESIS)
    session.add_all([root, clock])
    session.flush()
    session.add(
        UnitClosure(institution_id=row.id, descendant_id=root.id, ancestor_id=root.id, distance=0)
    )
    subject = events.Subject(row.id, row.code)
    data = new.model_dump(mode="json", exclude_unset=True)
    data["team_roles"] = team_roles.add_standard(session, row.id)
    events.record(session, actor, row.id, "institution.created", subject, data)
    return _institution(row, scheme.code, root.code)


def change(
    session: Session,
    actor: Actor,
    key: str,
    changes: wire.InstitutionChanges,
    expected: Expected,
) -> wire.Institution:
    """Change an institution's name, time zone, scheme or policy."""
    scope = access.institution(session, actor, key)
    access.require(session, scope, Permission.INSTITUTION_CHANGE, None)
    row = session.scalars(
        access.institutions(actor).where(Institution.id == scope.id).with_for_update(key_share=True)
    ).one()
    versions.check(row, expected)
    if changes.name is not MISSING:
        row.name = changes.name
    if changes.time_zone is not MISSING:
        row.time_zone = changes.time_zone
    if changes.scheme is not MISSING:
        row.scheme_id = schemes.refer(session, changes.scheme, "/scheme").id
    if changes.policy is not MISSING:
        row.policy = policies.kept(changes.policy)
    versions.touch(row)
    subject = events.Subject(row.id, row.code)
    events.record(session, actor, row.id, "institution.changed", subject, changes)
    session.flush()
    return get(session, actor, key)


def get(session: Session, actor: Actor, key: str) -> wire.Institution:
    """One institution."""
    statement = _with_codes(actor).where(naming.named(Institution, key))
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    return _institution(*row)


def page(session: Session, actor: Actor, paging: ChangesPaging) -> Page[wire.Institution]:
    """The institutions that the actor may see, by code."""
    keys = [Key(Institution.code_key, descending=False)]
    statement = _with_codes(actor)
    if paging.updated_since is not None:
        statement = statement.where(Institution.updated_at >= paging.updated_since)
    found = paginate(session, statement, keys, paging)
    return found.page([_institution(*row[:3]) for row in found.rows])


def _with_codes(actor: Actor) -> Select[Institution, str, str]:
    return (
        access.institutions(actor)
        .join(Scheme, Scheme.id == Institution.scheme_id)
        .join(Unit, (Unit.institution_id == Institution.id) & Unit.parent_id.is_(None))
        .add_columns(Scheme.code, Unit.code)
    )


def _institution(row: Institution, scheme: str, root_unit: str) -> wire.Institution:
    return wire.Institution(
        id=row.id,
        code=row.code,
        name=row.name,
        time_zone=row.time_zone,
        scheme=scheme,
        policy=policies.read(row.policy),
        root_unit=root_unit,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
