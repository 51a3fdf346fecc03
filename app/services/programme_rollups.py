"""Programmes across institutions: the numbers of their initiatives, in all and by institution.

They are grouped over where initiatives stand, as groups are. A bucket of the ledger for each
programme would be exact too, and readable for any past day, but each report would write it.
"""

from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, literal, select
from sqlalchemy.orm import Session

from app.keyset import Key, paginate
from app.models import Initiative, InitiativeProgramme, Institution, Programme, ProgrammePart
from app.models.base import now, refers
from app.rollup.contribution import COUNTED
from app.schemas import programmes as wire
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, groups, programmes
from app.services.actors import Actor


def get(
    session: Session, actor: Actor, key: str, query: wire.ProgrammeRollupQuery
) -> wire.ProgrammeRollup:
    """One ratio of sums over all counted initiatives of a programme, where the actor sees all."""
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
    """The numbers of a programme in each of its institutions that the actor sees, by code."""
    programme = programmes.find(session, actor, key)
    statement = _by_institution(actor, programme, query)
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
    """Its institutions that the actor sees as a whole, each with its sums; 0 where there is nothing."""
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
        access.institutions(actor)
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
