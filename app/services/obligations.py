"""Obligations: which initiatives owe a report on a period, and which of them have none.

Owing is as things stand now: an initiative that was cancelled or finished since owes nothing. What
was the case when a period closed is kept with the period.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from app.given import portions
from app.keyset import Key, paginate, parse_sort
from app.models import (
    Initiative,
    InitiativeOwner,
    Person,
    ProgressUpdate,
    ReportingPeriod,
    Unit,
)
from app.models.base import refers
from app.rollup import months
from app.schemas import periods as wire
from app.schemas.fields import InitiativeStatus, OwnerRole
from app.schemas.pages import Page
from app.services import access, selection
from app.services.access import Scope
from app.services.actors import Actor

_UNDER_WAY = (InitiativeStatus.ACTIVE, InitiativeStatus.ON_HOLD)
_AT_ONCE = 500
_IS_ACCOUNTABLE = and_(
    refers(InitiativeOwner.initiative_id, Initiative),
    InitiativeOwner.role == OwnerRole.ACCOUNTABLE,
)
_NEVER = datetime(1900, 1, 1, tzinfo=UTC)
_SORTS: dict[str, Any] = {
    # By the plain column SQLite begins with the units, and reads all initiatives for each of them.
    "unit": func.coalesce(Unit.code_key, "", type_=Unit.code_key.type),
    "initiative": Initiative.code_key,
    "last_reported_at": func.coalesce(
        Initiative.last_reported_at,
        literal(_NEVER, Initiative.last_reported_at.type),
        type_=Initiative.created_at.type,
    ),
}


def missing(
    session: Session, actor: Actor, institution: str, key: str, query: wire.MissingQuery
) -> Page[wire.MissingReport]:
    """The initiatives that owe a report on a period and have none, with whom to ask."""
    scope = access.institution(session, actor, institution)
    period = access.find(session, scope, ReportingPeriod, key)
    is_seen = type_coerce(access.seen(scope, Person), Boolean)
    with_unit = access.visible(scope, Initiative).join(Unit, refers(Initiative.unit_id, Unit))
    among = with_unit.with_only_columns(Initiative.id).where(
        *_misses(scope, period), *selection.places(scope, _Placed(query))
    )
    statement = (
        with_unit.outerjoin(InitiativeOwner, _IS_ACCOUNTABLE)
        .outerjoin(Person, refers(InitiativeOwner.person_id, Person))
        .add_columns(
            Unit.code.label("unit"),
            Unit.name.label("unit_name"),
            Person.code.label("person"),
            Person.name.label("person_name"),
            Person.email,
            is_seen.label("is_seen"),
        )
    )
    keys = parse_sort(query.sort, _SORTS, Key(Initiative.id, descending=False))
    found = paginate(session, statement, keys, query, among=among)
    days_late = max(0, (scope.today() - period.closes_on).days)
    return found.page([_missing(row, days_late) for row in found.rows])


class Owing(NamedTuple):
    """What a unit still owes on a period, and by whom."""

    unit_id: UUID
    unit: str
    unit_name: str
    initiatives: list[str]
    people: list[str]
    """Codes of those who are accountable for these."""


def owing_units(session: Session, scope: Scope, period: ReportingPeriod) -> list[Owing]:
    """The units whose own initiatives owe a report on a period and have none, by code."""
    statement = (
        select(Unit.id, Unit.code, Unit.name, Initiative.code, Person.code.label("person"))
        .select_from(Initiative)
        .join(Unit, refers(Initiative.unit_id, Unit))
        .outerjoin(InitiativeOwner, _IS_ACCOUNTABLE)
        .outerjoin(Person, refers(InitiativeOwner.person_id, Person))
        .where(
            access.within(scope, Initiative),
            *_misses(scope, period),
        )
        .order_by(Unit.code_key, Initiative.code_key)
    )
    found: dict[UUID, Owing] = {}
    for unit_id, unit, name, initiative, person in session.execute(statement):
        owing = found.setdefault(unit_id, Owing(unit_id, unit, name, [], []))
        owing.initiatives.append(initiative)
        if person is not None and person not in owing.people:
            owing.people.append(person)
    return list(found.values())


def owing_of(
    session: Session, scope: Scope, period: ReportingPeriod, initiative_ids: Collection[UUID]
) -> set[UUID]:
    """Those of some initiatives that owe a report on a period and have none."""
    found: set[UUID] = set()
    for some in portions(sorted(initiative_ids), _AT_ONCE):
        statement = select(Initiative.id).where(
            access.within(scope, Initiative),
            Initiative.id.in_(some),
            *_misses(scope, period),
        )
        found.update(session.scalars(statement))
    return found


class _Placed:
    """A query as lists of initiatives have it."""

    def __init__(self, query: wire.MissingQuery) -> None:
        self.unit, self.subtree, self.owner = query.unit, query.subtree, query.owner
        self.area: list[str] = []


def owes(period: ReportingPeriod) -> list[ColumnElement[bool]]:
    """Which initiatives owe a report: under way, begun, and with something left to report on."""
    return [*_may_owe(period), _is_left(period)]


def _misses(scope: Scope, period: ReportingPeriod) -> list[ColumnElement[bool]]:
    """Which initiatives owe a report and have none."""
    # Most have one: what is left is looked at for the others alone.
    has_none = case((has_come(scope, period), false()), else_=_is_left(period))
    return [*_may_owe(period), has_none]


def _may_owe(period: ReportingPeriod) -> list[ColumnElement[bool]]:
    conditions = [
        Initiative.status.in_(_UNDER_WAY),
        or_(Initiative.start_on.is_(None), Initiative.start_on <= period.ends_on),
    ]
    if not period.all_years:
        conditions.append(Initiative.year == period.year)
    return conditions


def _is_left(period: ReportingPeriod) -> ColumnElement[bool]:
    """Whether something is left to report on; what was done before needs no report that it still is."""
    return or_(Initiative.done < Initiative.milestones, Initiative.last_done_on >= period.starts_on)


def has_come(scope: Scope, period: ReportingPeriod) -> ColumnElement[bool]:
    """Whether there is a report on the initiative at hand."""
    found = is_found(scope, period)
    days = months.of_period(period.year, period.starts_on, period.ends_on)
    if period.all_years or days is None:
        return found
    reported = Initiative.reported_months
    return case(
        (reported.bitwise_and(days.whole) != 0, true()),
        (reported.bitwise_and(days.touched) == 0, false()),
        else_=found,
    )


def is_found(
    scope: Scope, period: ReportingPeriod, *how: ColumnElement[bool]
) -> ColumnElement[bool]:
    """The same of such reports, by looking for one."""
    return exists().where(
        access.within(scope, ProgressUpdate),
        ProgressUpdate.initiative_id == Initiative.id,
        ProgressUpdate.effective_on.between(period.starts_on, period.ends_on),
        *how,
    )


def _missing(row: Any, days_late: int) -> wire.MissingReport:  # noqa: ANN401  a row of `missing`
    initiative: Initiative = row[0]
    return wire.MissingReport(
        initiative=initiative.code,
        title=initiative.title,
        unit=row.unit,
        unit_name=row.unit_name,
        accountable=None
        if row.person is None
        else wire.Chased(
            code=row.person,
            name=row.person_name if row.is_seen else None,
            email=row.email if row.is_seen else None,
        ),
        days_late=days_late,
        last_reported_at=initiative.last_reported_at,
    )
