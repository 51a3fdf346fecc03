"""Programmes: led by one institution, carried out in others; whoever is of one of them sees it.

The catalogue is shared; which institutions are in a programme are rows of these institutions.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from app.errors import CodeTaken, InUse, Invalid, NotFound
from app.keyset import Key, paginate
from app.models import InitiativeProgramme, Institution, Programme, ProgrammePart, Purpose
from app.models.base import code_key, new_id, now
from app.schemas import programmes as wire
from app.schemas.fields import Names
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.schemas.purposes import PurposeKind
from app.services import access, alterations, events, naming, purposes, rights, versions
from app.services.access import Scope
from app.services.actors import Actor
from app.services.rights import Demand
from app.services.versions import Expected


def create(session: Session, actor: Actor, new: wire.NewProgramme) -> wire.Programme:
    """Add a programme; for operators, and for admins of the institution that leads it."""
    lead = _refer(session, actor, new.lead, "/lead")
    _require(session, actor, lead.id)
    carriers = _carriers(session, actor, new.carriers, known=())
    if session.execute(select(Programme.id).where(naming.named(Programme, new.code))).first():
        raise CodeTaken
    at = now()
    row = Programme(
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        name_id=new.name.id,
        name_en=new.name.en,
        level_id=_level(session, new.level),
        from_year=new.from_year,
        to_year=new.to_year,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    session.flush()
    _take_part(session, row.id, lead.id, carriers)
    _record(session, actor, lead.id, "programme.created", row, new)
    return _one(session, row)


def change(
    session: Session,
    actor: Actor,
    key: str,
    changes: wire.ProgrammeChanges,
    expected: Expected,
) -> wire.Programme:
    """Change a programme; for operators, and for admins of the institution that leads it."""
    row = find(session, actor, key, lock=True)
    lead, carriers = _parts(session, row.id)
    _require(session, actor, lead)
    versions.check(row, expected)
    before = _one(session, row)
    new_lead, new_carriers = lead, carriers
    if changes.lead is not MISSING:
        new_lead = _refer(session, actor, changes.lead, "/lead").id
        if new_lead != lead:
            rights.operator_only(session, actor)
    if changes.carriers is not MISSING:
        new_carriers = _carriers(session, actor, changes.carriers, known=carriers)
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    if changes.level is not MISSING:
        row.level_id = _level(session, changes.level)
    for name in ("from_year", "to_year"):
        if name in changes.model_fields_set:
            setattr(row, name, getattr(changes, name))
    if row.to_year is not None and row.to_year < row.from_year:
        raise Invalid.field("/to_year", "years_order", "to_year cannot be before from_year.")
    if (new_lead, new_carriers) != (lead, carriers):
        _check_unused(session, row.id, {lead, *carriers} - {new_lead, *new_carriers})
        _take_part(session, row.id, new_lead, new_carriers)
    versions.touch(row)
    _record(session, actor, lead, "programme.changed", row, changes)
    session.flush()
    after = _one(session, row)
    told = {"level", "lead", "carriers"}
    alterations.note(
        session, row.id, before.model_dump(include=told), after.model_dump(include=told)
    )
    return after


def get(session: Session, actor: Actor, key: str) -> wire.Programme:
    """One programme, if the actor is of an institution in it."""
    return _one(session, find(session, actor, key))


def page(session: Session, actor: Actor, query: wire.ProgrammeQuery) -> Page[wire.Programme]:
    """The programmes that the actor's institution is in, by code; for operators all."""
    statement = _visible(actor)
    if query.level:
        levels = select(Purpose.id).where(naming.named_any(Purpose, query.level))
        statement = statement.where(Programme.level_id.in_(levels))
    if query.year is not None:
        still = or_(Programme.to_year.is_(None), Programme.to_year >= query.year)
        statement = statement.where(Programme.from_year <= query.year, still)
    if query.updated_since is not None:
        statement = statement.where(Programme.updated_at >= query.updated_since)
    found = paginate(session, statement, [Key(Programme.code_key, descending=False)], query)
    return found.page(_shapes(session, [row[0] for row in found.rows]))


def find(session: Session, actor: Actor, key: str, *, lock: bool = False) -> Programme:
    """A programme by its code or id, if the actor is of an institution in it; else `NotFound`."""
    statement = _visible(actor).where(naming.named(Programme, key))
    row = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def of_institution(session: Session, scope: Scope) -> dict[str, UUID]:
    """Programmes that an institution's initiatives may name, by code and by id, as keys compare."""
    rows = session.execute(
        select(Programme.id, Programme.code_key)
        .join(ProgrammePart, ProgrammePart.programme_id == Programme.id)
        .where(access.within(scope, ProgrammePart))
    )
    return {key: row.id for row in rows for key in (row.code_key, str(row.id))}


def _visible(actor: Actor) -> Select[Programme]:
    everything = select(Programme)
    if actor.operator:
        return everything
    parts = select(ProgrammePart.programme_id).where(
        ProgrammePart.institution_id == actor.institution_id
    )
    return everything.where(Programme.id.in_(parts))


def _require(session: Session, actor: Actor, lead_id: UUID) -> None:
    rights.demand(session, actor, Demand(lead_id, Permission.INSTITUTION_CHANGE))


def _refer(session: Session, actor: Actor, key: str, pointer: str) -> Institution:
    statement = access.institutions(actor).where(naming.named(Institution, key))
    row = session.scalars(statement).one_or_none()
    if row is None:
        raise Invalid.field(pointer, "unknown_institution", "There is no such institution.")
    return row


def _carriers(
    session: Session, actor: Actor, keys: Sequence[str], known: Iterable[UUID]
) -> frozenset[UUID]:
    """Ids of institutions that the actor sees, or that carry the programme already."""
    if not keys:
        return frozenset()
    seen = access.institutions(actor).with_only_columns(Institution.id)
    rows = session.execute(
        select(Institution.id, Institution.code_key).where(
            naming.named_any(Institution, list(keys)),
            or_(Institution.id.in_(seen), Institution.id.in_(list(known))),
        )
    )
    by_key = {key: row.id for row in rows for key in (row.code_key, str(row.id))}
    for i, key in enumerate(keys):
        if key.lower() not in by_key:
            detail = "There is no such institution."
            raise Invalid.field(f"/carriers/{i}", "unknown_institution", detail)
    return frozenset(by_key[key.lower()] for key in keys)


def _level(session: Session, key: str | None) -> UUID | None:
    return None if key is None else purposes.refer(session, key, PurposeKind.LEVEL, "/level").id


def _parts(session: Session, programme_id: UUID) -> tuple[UUID, frozenset[UUID]]:
    """The institution that leads a programme, and those that carry it out."""
    rows = session.execute(
        select(ProgrammePart.institution_id, ProgrammePart.leads, ProgrammePart.carries).where(
            ProgrammePart.programme_id == programme_id
        )
    ).all()
    (lead,) = (row.institution_id for row in rows if row.leads)
    return lead, frozenset(row.institution_id for row in rows if row.carries)


def _check_unused(session: Session, programme_id: UUID, leaving: set[UUID]) -> None:
    """Raise `InUse` where an institution that leaves has initiatives in the programme."""
    used = select(InitiativeProgramme.initiative_id).where(
        InitiativeProgramme.programme_id == programme_id,
        InitiativeProgramme.institution_id.in_(leaving),
    )
    if leaving and session.execute(used.limit(1)).first():
        raise InUse("Initiatives of an institution that leaves are in this programme.")


def _take_part(session: Session, programme_id: UUID, lead: UUID, carriers: frozenset[UUID]) -> None:
    session.execute(
        delete(ProgrammePart)
        .where(ProgrammePart.programme_id == programme_id)
        .execution_options(synchronize_session=False)
    )
    session.add_all(
        ProgrammePart(
            institution_id=institution_id,
            programme_id=programme_id,
            leads=institution_id == lead,
            carries=institution_id in carriers,
        )
        for institution_id in sorted({lead, *carriers})
    )
    session.flush()


def _record(
    session: Session,
    actor: Actor,
    lead_id: UUID,
    kind: str,
    row: Programme,
    data: wire.NewProgramme | wire.ProgrammeChanges,
) -> None:
    """Tell it in the feed of the institution that leads, whose admins answer for the programme."""
    events.record(session, actor, lead_id, kind, events.Subject(row.id, row.code), data)


def _one(session: Session, row: Programme) -> wire.Programme:
    return _shapes(session, [row])[0]


def _shapes(session: Session, rows: Sequence[Programme]) -> list[wire.Programme]:
    """Programmes as they are answered, with two statements whatever their number."""
    ids = [row.id for row in rows]
    parts = session.execute(
        select(
            ProgrammePart.programme_id, ProgrammePart.leads, ProgrammePart.carries, Institution.code
        )
        .join(Institution, Institution.id == ProgrammePart.institution_id)
        .where(ProgrammePart.programme_id.in_(ids))
        .order_by(Institution.code_key)
    ).all()
    leads = {part.programme_id: part.code for part in parts if part.leads}
    carriers: defaultdict[UUID, list[str]] = defaultdict(list)
    for part in parts:
        if part.carries:
            carriers[part.programme_id].append(part.code)
    levels = {
        row.id: row.code
        for row in session.execute(
            select(Purpose.id, Purpose.code).where(Purpose.id.in_({row.level_id for row in rows}))
        )
    }
    return [
        wire.Programme(
            id=row.id,
            code=row.code,
            name=Names(id=row.name_id, en=row.name_en),
            level=None if row.level_id is None else levels[row.level_id],
            lead=leads[row.id],
            carriers=carriers[row.id],
            from_year=row.from_year,
            to_year=row.to_year,
            created_at=row.created_at,
            updated_at=row.updated_at,
            version=row.version,
        )
        for row in rows
    ]
