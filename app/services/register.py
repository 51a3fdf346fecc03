"""The register of obstacles: what is read of them, by themselves and in filtered lists."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.errors import NotFound
from app.keyset import Key, paginate, parse_sort
from app.models import FollowUp, Initiative, InitiativeArea, Obstacle, Person, Unit
from app.models.base import refers
from app.rollup import facts
from app.rollup.contribution import COUNTED
from app.schemas import obstacles as wire
from app.schemas.fields import LAST_DAY
from app.schemas.obstacles import FollowUpState, ObstacleState, Severity
from app.schemas.pages import Page
from app.services import access, naming
from app.services.access import Scope
from app.services.actors import Actor
from app.services.rollups import Asked

_Owner, _Target = aliased(Person), aliased(Unit)
_SORTS: dict[str, Any] = {
    "created_at": Obstacle.id,  # ids are in the order of creation
    "due_on": func.coalesce(Obstacle.due_on, LAST_DAY, type_=Obstacle.due_on.type),
    "severity": case(
        {severity.value: rank for rank, severity in enumerate(Severity)}, value=Obstacle.severity
    ),
    "updated_at": Obstacle.updated_at,
}


def get(session: Session, actor: Actor, institution: str, obstacle_id: UUID) -> wire.Obstacle:
    """One obstacle."""
    return one(session, access.institution(session, actor, institution), obstacle_id)


def page(
    session: Session, actor: Actor, institution: str, query: wire.ObstaclesQuery
) -> Page[wire.Obstacle]:
    """Obstacles, filtered and sorted."""
    return page_of(session, access.institution(session, actor, institution), query)


def page_of(session: Session, scope: Scope, query: wire.ObstaclesQuery) -> Page[wire.Obstacle]:
    """As `page`, of an institution that is found already."""
    statement = _with_codes(scope).where(*_filters(scope, query))
    keys = parse_sort(query.sort, _SORTS, Key(Obstacle.id, descending=True))
    found = paginate(session, statement, keys, query)
    return found.page(_shapes(session, scope, found.rows))


def waiting(session: Session, asked: Asked, sort: str, limit: int) -> list[wire.Obstacle]:
    """The first of what waits for a decision now, of all that a roll-up counts.

    It is what the roll-up's `obstacles.waiting` is the number of, whatever day that is of.
    """
    units = [] if asked.is_whole else [asked.unit.code]
    query = wire.ObstaclesQuery(unit=units, waiting=True, sort=sort, limit=limit)
    statement = _with_codes(asked.scope).where(*_filters(asked.scope, query), _counted(asked))
    keys = parse_sort(query.sort, _SORTS, Key(Obstacle.id, descending=True))
    return _shapes(session, asked.scope, paginate(session, statement, keys, query).rows)


def one(session: Session, scope: Scope, obstacle_id: UUID) -> wire.Obstacle:
    """An obstacle of the scope; raises `NotFound`."""
    session.flush()
    rows = session.execute(_with_codes(scope).where(Obstacle.id == obstacle_id)).all()
    if not rows:
        raise NotFound
    return _shapes(session, scope, rows)[0]


def overdue_days(due_on: date | None, today: date, *, is_open: bool) -> int:
    """For how many days something that is open has been due."""
    return max(0, (today - due_on).days) if is_open and due_on is not None else 0


def _filters(scope: Scope, query: wire.ObstaclesQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.unit:
        units = access.below(scope, query.unit, subtree=query.subtree)
        conditions.append(or_(Obstacle.unit_id.in_(units), Initiative.unit_id.in_(units)))
    if query.initiative:
        conditions.append(Obstacle.id.in_(_holding_up(scope, query.initiative)))
    if query.severity:
        conditions.append(Obstacle.severity.in_(query.severity))
    if query.state:
        conditions.append(Obstacle.state.in_(query.state))
    if query.owner:
        conditions.append(naming.named_any(_Owner, query.owner))
    if query.escalated_to:
        conditions.append(naming.named_any(_Target, query.escalated_to))
    if query.overdue is not None:
        is_overdue = and_(
            facts.IS_UNRESOLVED, Obstacle.due_on.is_not(None), Obstacle.due_on < scope.today()
        )
        conditions.append(is_overdue if query.overdue else ~is_overdue)
    if query.waiting is not None:
        is_waiting = and_(facts.IS_UNRESOLVED, facts.IS_WAITING)
        conditions.append(is_waiting if query.waiting else ~is_waiting)
    if query.updated_since is not None:
        conditions.append(Obstacle.updated_at >= query.updated_since)
    return conditions


def _counted(asked: Asked) -> ColumnElement[bool]:
    """Of counted initiatives; and of units as a whole, which serve no area."""
    of_initiative: list[ColumnElement[bool]] = [Initiative.status.in_(COUNTED)]
    of_unit: list[ColumnElement[bool]] = [Obstacle.unit_id.is_not(None)]
    if asked.year is not None:
        of_initiative.append(Initiative.year == asked.year)
        of_unit.append(Obstacle.year == asked.year)
    if asked.area[1] is None:
        return or_(and_(*of_initiative), and_(*of_unit))
    serving = select(InitiativeArea.initiative_id).where(
        access.within(asked.scope, InitiativeArea), InitiativeArea.area_id == asked.area[0]
    )
    return and_(*of_initiative, Obstacle.initiative_id.in_(serving))


def _holding_up(scope: Scope, keys: list[str]) -> Select[UUID]:
    """Ids of initiatives' obstacles: SQLite would rather walk all of the institution's in their order."""
    return (
        select(Obstacle.id)
        .join(Initiative, refers(Obstacle.initiative_id, Initiative))
        .where(access.within(scope, Obstacle), naming.named_any(Initiative, keys))
    )


def _with_codes(scope: Scope) -> Select[*tuple[Any, ...]]:
    own = Unit.id == func.coalesce(Obstacle.unit_id, Initiative.unit_id)
    return (
        access.visible(scope, Obstacle)
        .outerjoin(Initiative, refers(Obstacle.initiative_id, Initiative))
        .join(Unit, and_(Unit.institution_id == Obstacle.institution_id, own))
        .outerjoin(_Owner, refers(Obstacle.owner_id, _Owner))
        .outerjoin(_Target, refers(Obstacle.escalated_to_id, _Target))
        .add_columns(
            Unit.code.label("unit"),
            Initiative.code.label("initiative"),
            func.coalesce(Obstacle.year, Initiative.year).label("year"),
            _Owner.code.label("owner"),
            _Target.code.label("escalated_to"),
        )
    )


def _shapes(session: Session, scope: Scope, rows: Any) -> list[wire.Obstacle]:  # noqa: ANN401  rows of `_with_codes`
    today = scope.today()
    counts = _follow_ups(session, scope, [row[0].id for row in rows], today)
    return [_shape(row, today, counts.get(row[0].id, _NO_FOLLOW_UPS)) for row in rows]


_NO_FOLLOW_UPS = wire.FollowUpCounts(open=0, overdue=0, done=0)


def _follow_ups(
    session: Session, scope: Scope, obstacle_ids: list[UUID], today: date
) -> dict[UUID, wire.FollowUpCounts]:
    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    rows = session.execute(
        select(
            FollowUp.obstacle_id,
            count(facts.IS_OPEN).label("open"),
            count(and_(facts.IS_OPEN, FollowUp.due_on < today)).label("overdue"),
            count(FollowUp.state == FollowUpState.DONE).label("done"),
        )
        .where(access.within(scope, FollowUp), FollowUp.obstacle_id.in_(obstacle_ids))
        .group_by(FollowUp.obstacle_id)
    )
    return {
        row.obstacle_id: wire.FollowUpCounts(open=row.open, overdue=row.overdue, done=row.done)
        for row in rows
    }


def _said(text: str | None, by: str | None, at: Any) -> wire.Said | None:  # noqa: ANN401  an instant or None
    return None if text is None or by is None else wire.Said(text=text, by=by, at=at)


def _shape(row: Any, today: date, follow_ups: wire.FollowUpCounts) -> wire.Obstacle:  # noqa: ANN401  a row of `_with_codes`
    of: Obstacle = row[0]
    is_open = of.state is not ObstacleState.RESOLVED
    escalation = None
    if row.escalated_to is not None:
        escalation = wire.Escalated.model_validate(
            {
                "to": row.escalated_to,
                "reason": of.escalation_reason,
                "by": of.escalated_by,
                "at": of.escalated_at,
            }
        )
    return wire.Obstacle(
        id=of.id,
        unit=row.unit,
        initiative=row.initiative,
        year=row.year,
        title=of.title,
        description=of.description,
        severity=of.severity,
        state=of.state,
        owner=row.owner,
        due_on=of.due_on,
        overdue_days=overdue_days(of.due_on, today, is_open=is_open),
        escalation=escalation,
        decision_asked=_said(of.asked, of.asked_by, of.asked_at),
        decision=_said(of.decided, of.decided_by, of.decided_at),
        waiting=is_open and of.asked_at is not None and of.decided_at is None,
        resolution=of.resolution,
        resolved_at=of.resolved_at,
        follow_ups=follow_ups,
        raised_by=of.raised_by,
        created_at=of.created_at,
        updated_at=of.updated_at,
        version=of.version,
    )
