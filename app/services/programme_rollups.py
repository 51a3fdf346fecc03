"""Programmes across institutions: the numbers of their initiatives, in all and by institution.

They are grouped over where initiatives stand, as groups are. A bucket of the ledger for each
programme would be exact too, and readable for any past day, but each report would write it.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from app.keyset import Key, paginate
from app.models import Initiative, InitiativeProgramme, Institution, Programme, ProgrammePart
from app.models.base import now, refers
from app.rollup.contribution import COUNTED
from app.schemas import programmes as wire
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import groups, programmes
from app.services.actors import Actor


def get(
    session: Session, actor: Actor, key: str, query: wire.ProgrammeRollupQuery
) -> wire.ProgrammeRollup:
    """One ratio of sums over all counted initiatives of a programme, wherever they are.

    For whoever reads the whole of an institution in it; for others 0 institutions.
    """
    programme = programmes.find(session, actor, key)
    each = _by_institution(actor, programme, query).subquery("each")
    sums = [
        cast(func.coalesce(func.sum(each.c[number.name]), 0), BigInteger).label(number.name)
        for number in groups.numbers()
    ]
    row = session.execute(select(func.count().label("institutions"), *sums).select_from(each)).one()
    return wire.ProgrammeRollup(
        programme=programme.code,
        year=query.year,
        as_of=now().date(),
        institutions=row.institutions,
        **groups.shape(row),
    )


def institutions(
    session: Session, actor: Actor, key: str, query: wire.ProgrammeInstitutionsQuery
) -> Page[wire.InstitutionInProgramme]:
    """The numbers of a programme in each of its institutions, by code.

    All of them for whoever reads the whole of the leading one; else the actor's own.
    """
    programme = programmes.find(session, actor, key)
    statement = _by_institution(actor, programme, query).where(_is_told_apart(actor, programme))
    found = paginate(session, statement, [Key(Institution.code_key, descending=False)], query)
    return found.page(
        [
            wire.InstitutionInProgramme(
                institution=row.code,
                institution_name=row.name,
                leads=row.leads,
                carries=row.carries,
                **groups.shape(row),
            )
            for row in found.rows
        ]
    )


def _by_institution(
    actor: Actor, programme: Programme, query: wire.ProgrammeRollupQuery
) -> Select[*tuple[Any, ...]]:
    """Its institutions, each with its sums, 0 where there is nothing.

    None for who does not read the whole of their own: of one in it, or the programme was not found.
    """
    is_whole = actor.reach(Permission.PLANS_READ) is None
    numbers = groups.numbers()
    counted = [
        InitiativeProgramme.programme_id == programme.id,
        Initiative.status.in_(COUNTED),
        *([] if query.year is None else [Initiative.year == query.year]),
    ]
    sums = (
        select(Initiative.institution_id, *numbers)
        .join(InitiativeProgramme, refers(InitiativeProgramme.initiative_id, Initiative))
        .where(*counted)
        .group_by(Initiative.institution_id)
        .subquery("sums")
    )
    return (
        select(Institution)
        .where(literal(is_whole), ProgrammePart.programme_id == programme.id)
        .join(ProgrammePart, ProgrammePart.institution_id == Institution.id)
        .outerjoin(sums, sums.c.institution_id == ProgrammePart.institution_id)
        .with_only_columns(
            Institution.code,
            Institution.name,
            ProgrammePart.leads,
            ProgrammePart.carries,
            *(func.coalesce(sums.c[n.name], 0).label(n.name) for n in numbers),
        )
    )


def _is_told_apart(actor: Actor, programme: Programme) -> ColumnElement[bool]:
    """Whether an institution's own numbers are for the actor: theirs, and all to the one that leads."""
    if actor.operator:
        return true()
    leading = aliased(ProgrammePart)
    leads = exists().where(
        leading.programme_id == programme.id,
        leading.institution_id == actor.institution_id,
        leading.leads,
    )
    return or_(Institution.id == actor.institution_id, leads)
