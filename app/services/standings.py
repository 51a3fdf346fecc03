"""Standings: who has reported on a period and who has not, counted by units.

As with what is owed, it is as things stand now; what was the case when a period closed is kept with it.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Subquery, and_, case, cast, func, or_, select, true
from sqlalchemy.orm import Session

from app.models import Initiative, ProgressUpdate, ReportingPeriod, Unit, UnitClosure
from app.models.base import refers
from app.rollup.points import percent
from app.schemas import periods as wire
from app.services import access, obligations
from app.services.access import Scope
from app.services.actors import Actor

_IN_TIME, _LATE = 0, 1


def standing(
    session: Session, actor: Actor, institution: str, key: str, query: wire.StandingQuery
) -> wire.PeriodStanding:
    """Who has reported on a period and who has not, by the units below the one that is asked for."""
    scope, unit, _, is_whole = access.place(session, actor, institution, query.unit)
    period = access.find(session, scope, ReportingPeriod, key)
    by_unit = _by_unit(scope, period, None if is_whole else unit.id)
    is_own = Unit.id == unit.id
    rows = session.execute(
        select(Unit.id, Unit.code, Unit.name, *_sums(by_unit))
        .select_from(Unit)
        .join(UnitClosure, refers(UnitClosure.ancestor_id, Unit))
        .outerjoin(by_unit, by_unit.c.unit_id == UnitClosure.descendant_id)
        .where(
            access.within(scope, Unit),
            access.within(scope, UnitClosure),
            or_(Unit.parent_id == unit.id, and_(is_own, UnitClosure.distance == 0)),
        )
        .group_by(Unit.id, Unit.code, Unit.name, Unit.code_key)
        .order_by(Unit.code_key)
    ).all()
    named = [(row.id, _of_unit(row.code, row.name, _counted(row))) for row in rows]
    parts = [counts for _, counts in named]
    return wire.PeriodStanding(
        period=period.code,
        closes_on=period.closes_on,
        total=_of_unit(unit.code, unit.name, _added(parts)),
        own=next(counts for unit_id, counts in named if unit_id == unit.id),
        items=[counts for unit_id, counts in named if unit_id != unit.id],
    )


def counts(session: Session, scope: Scope, period: ReportingPeriod) -> wire.Counts:
    """Who has reported, of the whole institution."""
    return _counted(session.execute(select(*_sums(_by_unit(scope, period, None)))).one())


def _came(scope: Scope, period: ReportingPeriod) -> ColumnElement[int]:
    """When reports on the initiative at hand came: in time if one did, else late; null if none."""
    # Late ones are few, and PostgreSQL has an index of them: of the others it is enough that there is a report.
    late = select(ProgressUpdate.initiative_id).where(
        access.within(scope, ProgressUpdate),
        ProgressUpdate.late,
        ProgressUpdate.effective_on.between(period.starts_on, period.ends_on),
    )
    in_time = obligations.is_found(scope, period, ~ProgressUpdate.late)
    return case(
        (Initiative.id.in_(late), case((in_time, _IN_TIME), else_=_LATE)),
        (obligations.has_come(scope, period), _IN_TIME),
    )


def _by_unit(scope: Scope, period: ReportingPeriod, top: UUID | None) -> Subquery:
    """How many initiatives of each unit below one owe a report, by how theirs came.

    They are counted before units are joined, and in groups: else each would be looked at again for
    every sum that is made of it.
    """
    came = _came(scope, period).label("came")
    owing = (
        select(Initiative.unit_id, came, func.count().label("initiatives"))
        .where(access.within(scope, Initiative), *obligations.owes(period))
        .group_by(Initiative.unit_id, came)
    )
    if top is not None:
        owing = owing.where(Initiative.unit_id.in_(access.below(scope, [str(top)])))
    return owing.subquery()


def _sums(by_unit: Subquery) -> list[ColumnElement[int]]:
    def total(which: ColumnElement[bool]) -> ColumnElement[int]:
        found = func.sum(case((which, by_unit.c.initiatives), else_=0))
        return cast(func.coalesce(found, 0), Integer)

    return [
        total(true()).label("owing"),
        total(by_unit.c.came == _IN_TIME).label("in_time"),
        total(by_unit.c.came == _LATE).label("late"),
    ]


def _counted(row: Any) -> wire.Counts:  # noqa: ANN401  a row with `_sums`
    return _counts(row.owing, row.in_time, row.late)


def _counts(owing: int, in_time: int, late: int) -> wire.Counts:
    return wire.Counts(
        owing=owing,
        in_time=in_time,
        late=late,
        missing=owing - in_time - late,
        percent_reported=percent(in_time + late, owing) if owing else None,
    )


def _added(parts: list[wire.UnitStanding]) -> wire.Counts:
    sums = (sum(getattr(part, name) for part in parts) for name in ("owing", "in_time", "late"))
    return _counts(*sums)


def _of_unit(code: str, name: str, counts: wire.Counts) -> wire.UnitStanding:
    return wire.UnitStanding(unit=code, unit_name=name, **dict(counts))
