"""One unit's rows of the ledger against its own facts, and its children's rows as they stand.

Where that holds for every unit, the whole is right; and one costs little, whatever lies below it.
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Column, ColumnElement, bindparam, cast, func, select
from sqlalchemy.orm import Session

from app.models import RollupPeriod, RollupTotal, Unit
from app.models.base import table as table_of
from app.models.rollups import Span
from app.rollup import audit, facts, ledger
from app.rollup.contribution import Change, Totals
from app.rollup.ledger import Bucket, Entries, Entry


def verify(session: Session, institution_id: UUID, unit_id: UUID) -> audit.Findings:
    """Compare one unit's rows with its own facts and its children's rows as they stand.

    It costs the unit's own initiatives and as many rows as it has itself, whatever lies below.
    """
    expected, own = _own(session, institution_id, unit_id)
    asked = {"institution": institution_id, "unit": unit_id}
    for area_id, year, *totals in session.execute(_TOTALS, asked):
        expected.setdefault(Bucket(unit_id, area_id, year), Entry()).merge_totals(totals)
    for area_id, year, span, starts_on, *steps in session.execute(_PERIODS, asked):
        entry = expected.setdefault(Bucket(unit_id, area_id, year), Entry())
        entry.merge_period((Span(span), starts_on), steps)
    code = session.execute(_CODE, asked).scalar_one()
    differences = audit.compare(session, institution_id, unit_id, code, expected)
    return audit.Findings(differences, own.derived, own.initiatives)


class _Own(NamedTuple):
    """What was found of the unit's own initiatives."""

    initiatives: int
    derived: list[audit.Derived]


def _own(session: Session, institution_id: UUID, unit_id: UUID) -> tuple[Entries, _Own]:
    """The rows that a unit would have without children."""
    mine: Entries = {}
    initiatives, derived = 0, list[audit.Derived]()
    for fact in audit.facts_of_unit(session, institution_id, unit_id):
        initiatives += 1
        ledger.collect(mine, fact)
        derived += audit.derived_of(fact)
    for year, hindrance in facts.hindrances_of_unit(session, institution_id, unit_id):
        ledger.collect_hindrance(mine, unit_id, year, hindrance)
    for entry in {id(entry): entry for entry in mine.values()}.values():
        entry.fill_months()
    return mine, _Own(initiatives, derived)


def _sum(column: Column[int]) -> ColumnElement[int]:
    return cast(func.sum(column), BigInteger)  # PostgreSQL's own type for it is numeric


_BELOW = select(Unit.id).where(
    Unit.institution_id == bindparam("institution"), Unit.parent_id == bindparam("unit")
)
_TOTALS = (
    select(
        RollupTotal.area_id,
        RollupTotal.year,
        *(_sum(table_of(RollupTotal).c[name]) for name in Totals._fields),
    )
    .where(RollupTotal.institution_id == bindparam("institution"), RollupTotal.unit_id.in_(_BELOW))
    .group_by(RollupTotal.area_id, RollupTotal.year)
)
_PERIODS = (
    select(
        *(
            key := (
                RollupPeriod.area_id,
                RollupPeriod.year,
                RollupPeriod.span,
                RollupPeriod.starts_on,
            )
        ),
        *(_sum(table_of(RollupPeriod).c[name]) for name in Change._fields),
    )
    .where(
        RollupPeriod.institution_id == bindparam("institution"), RollupPeriod.unit_id.in_(_BELOW)
    )
    .group_by(*key)
)
_CODE = select(Unit.code).where(
    Unit.institution_id == bindparam("institution"), Unit.id == bindparam("unit")
)
