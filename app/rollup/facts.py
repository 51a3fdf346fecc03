"""Facts: what the database holds of initiatives, as the pure functions want it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    and_,
    bindparam,
    false,
    func,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from app.models import FollowUp, Initiative, InitiativeArea, ProgressUpdate
from app.models import Milestone as MilestoneRow
from app.models import Obstacle as ObstacleRow
from app.models.base import refers
from app.models.base import table as table_of
from app.models.hints import on_sqlite
from app.rollup import contribution, months
from app.rollup.contribution import Milestone, Report, Standing
from app.rollup.hindrances import Hindrance
from app.schemas.fields import Verification
from app.schemas.obstacles import FollowUpState, ObstacleState


class Stored(NamedTuple):
    """A live milestone's identity and derived columns."""

    id: UUID
    number: int
    share: int
    percent: int
    verified: int
    done_on: date | None
    reports: int


class Fact(NamedTuple):
    """One initiative, where it counts, and what is stored for its live milestones."""

    id: UUID
    code: str
    unit_id: UUID
    area_ids: list[UUID]
    year: int
    initiative: contribution.Initiative
    standing: Standing
    """What is stored of the initiative."""
    stored: list[Stored]
    """What is stored of the live milestones, in the order of `initiative.milestones`."""


def read(session: Session, institution_id: UUID, initiative_ids: Sequence[UUID]) -> Iterator[Fact]:
    """Facts of some initiatives, in their order; ids that are not there are passed over."""
    of_these = {"institution": institution_id, "initiatives": initiative_ids}
    rows = {row.id: row for row in session.execute(_INITIATIVES, of_these)}
    if not rows:  # an initiative that is being made has none yet
        return

    areas: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for initiative_id, area_id in session.execute(_AREAS, of_these):
        areas[initiative_id].append(area_id)

    reports: defaultdict[UUID, list[Report]] = defaultdict(list)
    days: defaultdict[UUID, set[date]] = defaultdict(set)
    told = session.execute(_REPORTS, of_these)
    for initiative_id, milestone_id, day, sequence, percent, verified in told:
        reports[milestone_id].append(Report(day, sequence, percent, verified))
        days[initiative_id].add(day)

    milestones: defaultdict[UUID, list[tuple[Stored, Milestone]]] = defaultdict(list)
    for initiative_id, *columns in session.execute(_MILESTONES, of_these):
        stored = Stored(*columns[:_STORED])
        weight, technique, due_on, planned_on = columns[_STORED:]
        plan = Milestone(weight, technique, due_on, planned_on, reports[stored.id])
        milestones[initiative_id].append((stored, plan))

    hindrances: defaultdict[UUID, list[Hindrance]] = defaultdict(list)
    for initiative_id, *columns in session.execute(_OF_INITIATIVES, of_these):
        hindrances[initiative_id].append(Hindrance(*columns))

    for initiative_id in initiative_ids:
        row = rows.get(initiative_id)
        if row is None:
            continue
        live = milestones[initiative_id]
        yield Fact(
            row.id,
            row.code,
            row.unit_id,
            areas[initiative_id],
            row.year,
            contribution.Initiative(
                row.status,
                row.weight,
                [plan for _, plan in live],
                hindrances[initiative_id],
                months.bits(row.year, days[initiative_id]),
            ),
            Standing(*(getattr(row, name) for name in Standing._fields)),
            [stored for stored, _ in live],
        )


def hindrances_of_units(
    session: Session, institution_id: UUID
) -> dict[UUID, list[tuple[int, Hindrance]]]:
    """What holds units up as a whole: by unit, each with its year."""
    found: defaultdict[UUID, list[tuple[int, Hindrance]]] = defaultdict(list)
    rows = session.execute(_OF_UNITS, {"institution": institution_id})
    for unit_id, year, *columns in rows:
        found[unit_id].append((year, Hindrance(*columns)))
    return found


def hindrances_of_unit(
    session: Session, institution_id: UUID, unit_id: UUID
) -> list[tuple[int, Hindrance]]:
    """What holds one unit up as a whole, each with its year."""
    rows = session.execute(_OF_UNIT, {"institution": institution_id, "unit": unit_id})
    return [(year, Hindrance(*columns)) for _, year, *columns in rows]


_OBSTACLE, _FOLLOW_UP = table_of(ObstacleRow).c, table_of(FollowUp).c
IS_WAITING = and_(_OBSTACLE.asked_at.is_not(None), _OBSTACLE.decided_at.is_(None))
"""Whether what was asked is not decided; said of obstacles that are not resolved."""
IS_UNRESOLVED = _OBSTACLE.state != ObstacleState.RESOLVED
IS_OPEN = _FOLLOW_UP.state == FollowUpState.OPEN


def _hindrances(of: ColumnElement[bool], *where: Column[Any]) -> CompoundSelect[*tuple[Any, ...]]:
    obstacles = select(
        *where, false().label("is_follow_up"), IS_WAITING.label("is_waiting"), _OBSTACLE.due_on
    )
    follow_ups = select(*where, true(), false(), _FOLLOW_UP.due_on).join_from(
        ObstacleRow, FollowUp, refers(FollowUp.obstacle_id, ObstacleRow)
    )
    here = _OBSTACLE.institution_id == bindparam("institution")
    these = select(_OBSTACLE.id).where(here, of).correlate(None)
    of_these = on_sqlite(_FOLLOW_UP.obstacle_id.in_(these))
    return union_all(
        obstacles.where(here, of, IS_UNRESOLVED), follow_ups.where(here, of, IS_OPEN, of_these)
    )


_OF_INITIATIVES = _hindrances(
    _OBSTACLE.initiative_id.in_(bindparam("initiatives", expanding=True)), _OBSTACLE.initiative_id
)
_OF_UNITS = _hindrances(_OBSTACLE.unit_id.is_not(None), _OBSTACLE.unit_id, _OBSTACLE.year)
_OF_UNIT = _hindrances(_OBSTACLE.unit_id == bindparam("unit"), _OBSTACLE.unit_id, _OBSTACLE.year)
_STORED = len(Stored._fields)
_INITIATIVES = select(
    Initiative.id,
    Initiative.code,
    Initiative.unit_id,
    Initiative.year,
    Initiative.status,
    Initiative.weight,
    *(table_of(Initiative).c[name] for name in Standing._fields),
).where(
    Initiative.institution_id == bindparam("institution"),
    Initiative.id.in_(bindparam("initiatives", expanding=True)),
)
_AREAS = (
    select(InitiativeArea.initiative_id, InitiativeArea.area_id)
    .where(
        InitiativeArea.institution_id == bindparam("institution"),
        InitiativeArea.initiative_id.in_(bindparam("initiatives", expanding=True)),
    )
    .order_by(InitiativeArea.area_id)
)
_MILESTONES = (
    select(
        MilestoneRow.initiative_id,
        *(table_of(MilestoneRow).c[name] for name in Stored._fields),
        MilestoneRow.weight,
        MilestoneRow.technique,
        MilestoneRow.due_on,
        func.coalesce(MilestoneRow.baseline_due_on, MilestoneRow.due_on),
    )
    .where(
        MilestoneRow.institution_id == bindparam("institution"),
        MilestoneRow.initiative_id.in_(bindparam("initiatives", expanding=True)),
        MilestoneRow.dropped_at.is_(None),
    )
    .order_by(MilestoneRow.initiative_id, MilestoneRow.number)
)
_REPORTS = select(
    ProgressUpdate.initiative_id,
    ProgressUpdate.milestone_id,
    ProgressUpdate.effective_on,
    ProgressUpdate.sequence,
    ProgressUpdate.percent,
    (ProgressUpdate.verification == Verification.VERIFIED).label("verified"),
).where(
    ProgressUpdate.institution_id == bindparam("institution"),
    ProgressUpdate.initiative_id.in_(bindparam("initiatives", expanding=True)),
)
