"""Loads: what a person owns and sees to, how much is open or late, and what was done on time."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, true
from sqlalchemy.orm import Session

from app.models import FollowUp, Initiative, InitiativeOwner, Milestone, Obstacle, Person
from app.models.base import refers
from app.models.hints import on_sqlite
from app.rollup import facts
from app.rollup.contribution import COUNTED
from app.rollup.points import FULL, percent
from app.schemas import loads as wire
from app.schemas.fields import InitiativeStatus, OwnerRole
from app.services import access
from app.services.access import Scope
from app.services.actors import Actor

_SOON = timedelta(days=30)
_OPEN = (InitiativeStatus.ACTIVE, InitiativeStatus.ON_HOLD)
_UNDECIDED = (InitiativeStatus.PROPOSED, InitiativeStatus.SHORTLISTED)
_OF_MILESTONES = ("open", "overdue", "due_next_30_days", "done_on_time", "done_late")


def get(
    session: Session, actor: Actor, institution: str, key: str, query: wire.LoadQuery
) -> wire.Load:
    """A person's load and record, of what the actor sees; a statement for each kind of thing."""
    scope = access.institution(session, actor, institution)
    person = access.find(session, scope, Person, key)
    today = scope.today()
    owned = [
        Initiative.year.in_(query.year) if query.year else Initiative.year.is_not(None),
        InitiativeOwner.person_id == person.id,
    ]
    initiatives: defaultdict[int, Counter[InitiativeStatus]] = defaultdict(Counter)
    roles: Counter[OwnerRole] = Counter()
    for year, role, status, count in session.execute(_initiatives(scope, owned)):
        initiatives[year][status] += count
        if status in _OPEN:
            roles[role] += count
    milestones = {
        row.year: {name: getattr(row, name) for name in _OF_MILESTONES}
        for row in session.execute(_milestones(scope, owned, today))
    }
    obstacles = session.execute(_obstacles(scope, person.id, query.year, today)).one()
    follow_ups = session.execute(_follow_ups(scope, person.id, query.year, today)).one()
    nothing = dict.fromkeys(_OF_MILESTONES, 0)
    return wire.Load(
        person=person.code,
        name=person.name,
        as_of=today,
        initiatives=wire.OpenInitiatives(
            total=roles.total(), **{role.value: roles[role] for role in OwnerRole}
        ),
        milestones=wire.OpenMilestones(
            **{
                name: sum(of_year[name] for of_year in milestones.values())
                for name in wire.OpenMilestones.model_fields
            }
        ),
        obstacles=wire.OwnedObstacles(
            total=obstacles.total, open=obstacles.open, overdue=obstacles.overdue
        ),
        follow_ups=wire.OpenFollowUps(open=follow_ups.open, overdue=follow_ups.overdue),
        years=[
            wire.YearRecord(
                year=year,
                initiatives=_of_year(initiatives[year]),
                milestones=_done(milestones.get(year, nothing)),
            )
            for year in sorted(initiatives, reverse=True)
        ],
    )


def _initiatives(scope: Scope, owned: list[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """(year, role, status, how many)."""
    grouped = (Initiative.year, InitiativeOwner.role, Initiative.status)
    return (
        access.visible(scope, Initiative)
        .join(InitiativeOwner, _owner())
        .with_only_columns(*grouped, func.count())
        .where(*owned)
        .group_by(*grouped)
    )


def _milestones(
    scope: Scope, owned: list[ColumnElement[bool]], today: date
) -> Select[*tuple[Any, ...]]:
    """Of each year how many milestones are open, late and done. A person has one role in each."""
    of_theirs = (
        access.visible(scope, Initiative)
        .join(InitiativeOwner, _owner())
        .with_only_columns(Initiative.id)
        .where(*owned)
    )
    is_done = Milestone.percent == FULL
    is_on_time = Milestone.done_on <= func.coalesce(Milestone.baseline_due_on, Milestone.due_on)
    counted = {
        "open": ~is_done,
        "overdue": and_(~is_done, Milestone.due_on < today),
        "due_next_30_days": and_(~is_done, Milestone.due_on.between(today, today + _SOON)),
        "done_on_time": and_(is_done, is_on_time),
        "done_late": and_(is_done, ~is_on_time),
    }
    return (
        access.visible(scope, Milestone)
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .join(InitiativeOwner, _owner())
        .with_only_columns(
            Initiative.year,
            *(func.sum(case((is_so, 1), else_=0)).label(name) for name, is_so in counted.items()),
        )
        .where(
            on_sqlite(Milestone.initiative_id.in_(of_theirs.correlate(None))),
            *owned,
            Initiative.status.in_(COUNTED),
            Milestone.dropped_at.is_(None),
        )
        .group_by(Initiative.year)
    )


def _obstacles(
    scope: Scope, person_id: UUID, years: list[int], today: date
) -> Select[*tuple[Any, ...]]:
    """How many a person sees to: in all, not resolved, and of these past their day."""
    overdue = and_(facts.IS_UNRESOLVED, Obstacle.due_on < today)
    return (
        access.visible(scope, Obstacle)
        .outerjoin(Initiative, refers(Obstacle.initiative_id, Initiative))
        .where(Obstacle.owner_id == person_id, _of_years(years))
        .with_only_columns(
            func.count().label("total"),
            func.count(case((facts.IS_UNRESOLVED, 1))).label("open"),
            func.count(case((overdue, 1))).label("overdue"),
        )
    )


def _follow_ups(
    scope: Scope, person_id: UUID, years: list[int], today: date
) -> Select[*tuple[Any, ...]]:
    """How many a person has to do, and of these past their day."""
    return (
        access.visible(scope, Obstacle)
        .join(FollowUp, refers(FollowUp.obstacle_id, Obstacle))
        .outerjoin(Initiative, refers(Obstacle.initiative_id, Initiative))
        .where(
            FollowUp.owner_id == person_id,
            facts.IS_OPEN,
            _of_years(years),
        )
        .with_only_columns(
            func.count().label("open"),
            func.count(case((FollowUp.due_on < today, 1))).label("overdue"),
        )
    )


def _of_years(years: list[int]) -> ColumnElement[bool]:
    return func.coalesce(Obstacle.year, Initiative.year).in_(years) if years else true()


def _owner() -> ColumnElement[bool]:
    return and_(
        InitiativeOwner.institution_id == Initiative.institution_id,
        InitiativeOwner.initiative_id == Initiative.id,
    )


def _of_year(found: Counter[InitiativeStatus]) -> wire.YearInitiatives:
    return wire.YearInitiatives(
        total=found.total(),
        undecided=sum(found[status] for status in _UNDECIDED),
        open=sum(found[status] for status in _OPEN),
        completed=found[InitiativeStatus.COMPLETED],
        cancelled=found[InitiativeStatus.CANCELLED],
    )


def _done(found: dict[str, int]) -> wire.YearMilestones:
    done = found["done_on_time"] + found["done_late"]
    on_time = percent(found["done_on_time"], done) if done else None
    return wire.YearMilestones(**found, percent_on_time=on_time)
