"""What is due when: milestones and initiatives as entries of a calendar, among its stages and periods."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, or_
from sqlalchemy.orm import Session

from app.models import Initiative, InitiativeStage, Milestone, ReportingPeriod, Stage, Unit
from app.models.base import refers
from app.models.hints import on_sqlite
from app.rollup.points import FULL
from app.schemas.calendars import MOST_DATES, CalendarFilter
from app.schemas.fields import InitiativeStatus
from app.schemas.periods import Period
from app.schemas.stages import Stage as StageShape
from app.services import access, naming, periods, selection, stages
from app.services.access import Scope

_EXCERPT = 500
_UNDECIDED = {InitiativeStatus.PROPOSED, InitiativeStatus.SHORTLISTED}


class Entry(NamedTuple):
    """One due date."""

    id: UUID
    due_on: date
    initiative: str
    number: int | None
    """Of a milestone; null for an initiative itself."""
    title: str
    parent_title: str
    unit: str
    description: str | None
    """Its first 500 characters."""
    percent: int | None
    """Basis points of a milestone."""
    is_done: bool
    is_cancelled: bool
    is_undecided: bool
    created_at: datetime
    updated_at: datetime
    revision: int
    """Grows with every change of what is shown."""


def entries(session: Session, scope: Scope, query: CalendarFilter) -> list[Entry]:
    """What is due of what the actor sees, by date; of very many, those that are due last."""
    placed = selection.Place(_listed(query.unit), _listed(query.owner))
    conditions = selection.places(scope, placed)
    if query.initiative is not None:
        conditions.append(naming.named(Initiative, query.initiative))
    milestones = (
        access.visible(scope, Milestone)
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .with_only_columns(
            *_OF_INITIATIVE,
            Milestone.id,
            Milestone.number,
            Milestone.title,
            func.substr(Milestone.description, 1, _EXCERPT).label("description"),
            Milestone.due_on,
            Milestone.percent,
            Milestone.dropped_at,
            Milestone.created_at,
            Milestone.updated_at,
            Milestone.version,
        )
        .where(*conditions)
    )
    if conditions:
        among = access.visible(scope, Initiative).with_only_columns(Initiative.id)
        milestones = milestones.where(
            on_sqlite(Milestone.initiative_id.in_(among.where(*conditions).correlate(None)))
        )
    initiatives = (
        access.visible(scope, Initiative)
        .with_only_columns(
            *_OF_INITIATIVE,
            Initiative.id,
            func.substr(Initiative.description, 1, _EXCERPT).label("description"),
            Initiative.due_on,
            Initiative.created_at,
        )
        .where(Initiative.due_on.is_not(None), *conditions)
    )
    found = [_of_milestone(row) for row in _last_due(session, milestones, Milestone)]
    found += [_of_initiative(row) for row in _last_due(session, initiatives, Initiative)]
    found.sort(key=lambda entry: (entry.due_on, entry.initiative, entry.number or 0))
    return found[-MOST_DATES:]


def stages_of(session: Session, scope: Scope, query: CalendarFilter) -> list[StageShape]:
    """The institution's stages; of one initiative those that it is linked to. By their first days."""
    statement = access.visible(scope, Stage).order_by(Stage.starts_on.desc(), Stage.id.desc())
    if query.initiative is not None:
        linked = (
            access.visible(scope, Initiative)
            .join(
                InitiativeStage,
                and_(
                    InitiativeStage.institution_id == Initiative.institution_id,
                    InitiativeStage.initiative_id == Initiative.id,
                ),
            )
            .where(naming.named(Initiative, query.initiative))
        )
        statement = statement.where(
            Stage.id.in_(linked.with_only_columns(InitiativeStage.stage_id))
        )
    rows = session.scalars(statement.limit(MOST_DATES)).all()
    return [stages.shape(row) for row in reversed(rows)]


def periods_of(session: Session, scope: Scope, query: CalendarFilter) -> list[Period]:
    """The institution's reporting periods; for one initiative those on which it may owe a report."""
    period = ReportingPeriod
    statement = access.visible(scope, period).order_by(period.closes_on.desc(), period.id.desc())
    if query.initiative is not None:
        named = access.visible(scope, Initiative).where(naming.named(Initiative, query.initiative))
        of_its_year = period.year == Initiative.year
        statement = statement.where(
            named.where(or_(of_its_year, period.all_years)).correlate(period).exists()
        )
    rows = session.scalars(statement.limit(MOST_DATES)).all()
    return [periods.shape(row, scope.today()) for row in reversed(rows)]


_OF_INITIATIVE = (
    Initiative.code,
    Initiative.title.label("parent_title"),
    Initiative.status,
    Initiative.updated_at.label("parent_updated_at"),
    Initiative.version.label("parent_version"),
    Unit.code.label("unit"),
)


def _listed(reference: str | None) -> list[str]:
    return [] if reference is None else [reference]


def _last_due(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    model: type[Initiative] | type[Milestone],
) -> list[Row[*tuple[Any, ...]]]:
    ordered = statement.join(Unit, refers(Initiative.unit_id, Unit)).order_by(
        model.due_on.desc(), model.id.desc()
    )
    return list(session.execute(ordered.limit(MOST_DATES)).all())


def _of_milestone(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(
        row.id,
        row.due_on,
        row.code,
        row.number,
        row.title,
        row.parent_title,
        row.unit,
        row.description,
        row.percent,
        is_done=row.percent == FULL,
        is_cancelled=row.dropped_at is not None or row.status == InitiativeStatus.CANCELLED,
        is_undecided=row.status in _UNDECIDED,
        created_at=row.created_at,
        updated_at=max(row.updated_at, row.parent_updated_at),
        revision=row.version + row.parent_version,
    )


def _of_initiative(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(
        row.id,
        row.due_on,
        row.code,
        None,
        row.parent_title,
        row.parent_title,
        row.unit,
        row.description,
        None,
        is_done=row.status == InitiativeStatus.COMPLETED,
        is_cancelled=row.status == InitiativeStatus.CANCELLED,
        is_undecided=row.status in _UNDECIDED,
        created_at=row.created_at,
        updated_at=row.parent_updated_at,
        revision=row.parent_version,
    )
