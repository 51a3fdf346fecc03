"""Where plans and stages contradict each other, and what is due in which stage; as plans stand today."""

from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from app.keyset import Key, KeyExpression, paginate
from app.models import Initiative, InitiativeStage, Milestone, Stage, Unit
from app.models.base import refers
from app.rollup.contribution import COUNTED
from app.rollup.points import FULL
from app.schemas import stages as wire
from app.schemas.fields import InitiativeStatus, Names
from app.schemas.pages import Page
from app.schemas.stages import ConflictKind, StageRelation
from app.services import access, selection, stages
from app.services.access import Scope
from app.services.actors import Actor

_UNDER_WAY = (
    InitiativeStatus.PROPOSED,
    InitiativeStatus.SHORTLISTED,
    InitiativeStatus.ACTIVE,
    InitiativeStatus.ON_HOLD,
)
"""Who can still plan otherwise: what is only proposed, too."""


def conflicts(
    session: Session, actor: Actor, institution: str, query: wire.ConflictQuery
) -> Page[wire.StageConflict]:
    """Conflicts of the initiatives that the actor sees."""
    scope = access.institution(session, actor, institution)
    today = scope.today()
    kinds = query.kind or list(ConflictKind)
    parts = [_BY_KIND[kind](scope, query, today) for kind in ConflictKind if kind in kinds]
    found = union_all(*parts).subquery("conflicts")
    columns = found.c
    keys = [
        Key(column, descending=False)
        for column in (
            columns.starts_on, columns.stage_key, columns.initiative_key, columns.kind,
            columns.number,
        )
    ]  # fmt: skip
    page = paginate(session, select(found), keys, query)
    return page.page([_conflict(row, today) for row in page.rows])


def load(
    session: Session, actor: Actor, institution: str, query: wire.LoadQuery
) -> Page[wire.StageLoad]:
    """What is due in each stage, of the initiatives that the actor sees.

    Two statements whatever the number of stages: due milestones are counted by day, once.
    """
    scope = access.institution(session, actor, institution)
    statement = access.visible(scope, Stage).where(*stages.named(query.calendar, query.stage))
    keys = [Key(Stage.starts_on, descending=False), Key(Stage.code_key, descending=False)]
    page = paginate(session, statement, keys, query)
    listed = [row[0] for row in page.rows]
    days = _due_by_day(session, scope, query, listed) if listed else {}
    return page.page([_load(stage, days) for stage in listed])


def _placed(scope: Scope, query: wire.PlacedQuery) -> list[ColumnElement[bool]]:
    place = selection.Place(unit=query.unit, subtree=query.subtree)
    conditions = selection.places(scope, place)
    if query.year:
        conditions.append(Initiative.year.in_(query.year))
    return conditions


def _open(milestone: Any) -> ColumnElement[bool]:  # noqa: ANN401  the model or an alias of it
    return and_(milestone.dropped_at.is_(None), milestone.percent < FULL)


def _linked(
    scope: Scope, query: wire.PlacedQuery, relation: StageRelation
) -> Select[*tuple[Any, ...]]:
    """Initiatives that can still plan otherwise, with a stage that they have this relation to."""
    return (
        access.visible(scope, Initiative)
        .join(
            InitiativeStage,
            and_(
                InitiativeStage.institution_id == Initiative.institution_id,
                InitiativeStage.initiative_id == Initiative.id,
                InitiativeStage.relation == relation,
            ),
        )
        .join(Stage, refers(InitiativeStage.stage_id, Stage))
        .join(Unit, refers(Initiative.unit_id, Unit))
        .where(
            Initiative.status.in_(_UNDER_WAY),
            *stages.named(query.calendar, query.stage),
            *_placed(scope, query),
        )
    )


def _columns(kind: ConflictKind, **of_milestone: KeyExpression) -> list[Any]:
    return [
        literal(kind.value).label("kind"),
        Stage.code.label("stage"),
        Stage.code_key.label("stage_key"),
        Stage.calendar,
        Stage.starts_on,
        Stage.ends_on,
        Initiative.code.label("initiative"),
        Initiative.code_key.label("initiative_key"),
        Initiative.title,
        Unit.code.label("unit"),
        *(column.label(name) for name, column in of_milestone.items()),
    ]


def _in_blocked(scope: Scope, query: wire.PlacedQuery, _: date) -> Select[*tuple[Any, ...]]:
    return (
        _linked(scope, query, StageRelation.BLOCKED_DURING)
        .join(
            Milestone,
            and_(
                Milestone.institution_id == Initiative.institution_id,
                Milestone.initiative_id == Initiative.id,
                _open(Milestone),
                Milestone.due_on.between(Stage.starts_on, Stage.ends_on),
            ),
        )
        .with_only_columns(
            *_columns(
                ConflictKind.MILESTONE_IN_BLOCKED_STAGE,
                number=Milestone.number,
                milestone_title=Milestone.title,
                due_on=Milestone.due_on,
            )
        )
    )


def _unfinished_before(
    scope: Scope, query: wire.PlacedQuery, today: date
) -> Select[*tuple[Any, ...]]:
    last, each = aliased(Milestone), aliased(Milestone)
    due_last = (
        select(each.id)
        .where(
            each.institution_id == scope.id,
            each.initiative_id == Initiative.id,
            _open(each),
        )
        .order_by(each.due_on.desc(), each.number.desc())
        .limit(1)
        .correlate(Initiative)
        .scalar_subquery()
    )
    of_it = and_(last.institution_id == Initiative.institution_id, last.id == due_last)
    without_plan = and_(Initiative.milestones == 0, Initiative.due_on.is_not(None))
    due_on = func.coalesce(last.due_on, Initiative.due_on, type_=Milestone.due_on.type)
    number = func.coalesce(last.number, 0, type_=Integer())
    return (
        _linked(scope, query, StageRelation.MUST_FINISH_BEFORE)
        .outerjoin(last, of_it)
        .where(
            or_(last.id.is_not(None), without_plan),
            or_(due_on >= Stage.starts_on, Stage.starts_on <= today),
        )
        .with_only_columns(
            *_columns(
                ConflictKind.UNFINISHED_BEFORE_STAGE,
                number=number,
                milestone_title=last.title,
                due_on=due_on,
            )
        )
    )


_BY_KIND = {
    ConflictKind.MILESTONE_IN_BLOCKED_STAGE: _in_blocked,
    ConflictKind.UNFINISHED_BEFORE_STAGE: _unfinished_before,
}


def _conflict(row: Any, today: date) -> wire.StageConflict:  # noqa: ANN401  a row of the union
    kind = ConflictKind(row.kind)
    if kind is ConflictKind.MILESTONE_IN_BLOCKED_STAGE:
        moved = row.ends_on - row.due_on
    else:
        moved = max(row.due_on, today) - row.starts_on
    return wire.StageConflict(
        kind=kind,
        stage=row.stage,
        calendar=row.calendar,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        initiative=row.initiative,
        title=row.title,
        unit=row.unit,
        milestone=row.number or None,
        milestone_title=row.milestone_title,
        due_on=row.due_on,
        days=moved.days + 1,
    )


_Days = dict[date, tuple[int, int, int]]
"""Due, done and overdue milestones by due date."""


def _due_by_day(
    session: Session, scope: Scope, query: wire.LoadQuery, listed: list[Stage]
) -> _Days:
    first = min(stage.starts_on for stage in listed)
    last = max(stage.ends_on for stage in listed)
    is_late = and_(Milestone.percent < FULL, Milestone.due_on < scope.today())
    rows = session.execute(
        access.visible(scope, Milestone)
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .where(
            Milestone.dropped_at.is_(None),
            Milestone.due_on.between(first, last),
            Initiative.status.in_(COUNTED),
            *_placed(scope, query),
        )
        .with_only_columns(
            Milestone.due_on,
            func.count(),
            _count(Milestone.percent == FULL),
            _count(is_late),
        )
        .group_by(Milestone.due_on)
    )
    return {due_on: (due, done, overdue) for due_on, due, done, overdue in rows}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), Integer)


def _load(stage: Stage, days: _Days) -> wire.StageLoad:
    within = [counts for day, counts in days.items() if stage.starts_on <= day <= stage.ends_on]
    due, done, overdue = (sum(counts) for counts in zip((0, 0, 0), *within, strict=True))
    return wire.StageLoad(
        stage=stage.code,
        calendar=stage.calendar,
        name=Names(id=stage.name_id, en=stage.name_en),
        starts_on=stage.starts_on,
        ends_on=stage.ends_on,
        due=due,
        done=done,
        overdue=overdue,
    )
