"""Reading initiatives: one with its plan, or a filtered list, with their numbers of today."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.keyset import Key, paginate, parse_sort
from app.models import (
    Decree,
    Designation,
    Initiative,
    Institution,
    Template,
    Unit,
)
from app.models.base import refers
from app.rollup import queries
from app.rollup.contribution import COUNTED
from app.rollup.figures import Figures, Thresholds
from app.rollup.queries import InitiativeFigures
from app.schemas import initiatives as wire
from app.schemas.fields import LAST_DAY, Health
from app.schemas.pages import Page
from app.services import (
    access,
    baselines,
    judgements,
    milestones,
    naming,
    policies,
    ratings,
    relations,
    selection,
    slippage,
)
from app.services.access import Node, Scope
from app.services.actors import Actor
from app.services.baselines import Finishes

_NOTHING = InitiativeFigures(Figures(), overdue=0, next_due_on=None, finish_on=None)
_UNPLANNED = Finishes()


def get(
    session: Session, actor: Actor, institution: str, key: str
) -> tuple[wire.InitiativeWithPlan, bool]:
    """One initiative with its plan, and whether only its own version can have changed since.

    Older numbers may differ by the date alone, and health by the institution's policy.
    """
    scope = access.institution(session, actor, institution)
    found = session.execute(
        _with_codes(scope)
        .join(Institution, Institution.id == Initiative.institution_id)
        .add_columns(Institution.updated_at)
        .where(naming.named(Initiative, key))
    ).one_or_none()
    if found is None:
        raise NotFound
    initiative = _with_plan(session, scope, found)
    changed_at = initiative.updated_at
    return initiative, changed_at > found.updated_at and scope.day_of(changed_at) == scope.today()


def one(session: Session, scope: Scope, initiative_id: UUID) -> wire.InitiativeWithPlan:
    """One initiative with its plan, by its id."""
    found = session.execute(_with_codes(scope).where(Initiative.id == initiative_id)).one()
    return _with_plan(session, scope, found)


def _with_plan(
    session: Session, scope: Scope, found: Row[*tuple[Any, ...]]
) -> wire.InitiativeWithPlan:
    (numbers,), row = _shapes(session, scope, [found]), found[0]
    return wire.InitiativeWithPlan.model_construct(
        **dict(numbers), plan=milestones.plan(session, scope, row)
    )


def page(
    session: Session, actor: Actor, institution: str, query: wire.InitiativeQuery
) -> Page[wire.Initiative]:
    """Initiatives, filtered and sorted."""
    scope = access.institution(session, actor, institution)
    among = access.visible(scope, Initiative).where(*selection.filters(scope, query))
    keys = parse_sort(query.sort, _SORTS, Key(Initiative.code_key, descending=False))
    ids = among.with_only_columns(Initiative.id)
    is_search = query.q is not None
    found = paginate(session, _with_codes(scope), keys, query, among=ids, scarce=is_search)
    return found.page(_shapes(session, scope, found.rows))


def heading(session: Session, scope: Scope, key: str) -> tuple[Node, Node]:
    """An initiative by its names, and its unit; raises `NotFound`."""
    columns = Initiative.id, Initiative.code, Initiative.title, Unit.id, Unit.code, Unit.name
    row = session.execute(
        access.visible(scope, Initiative)
        .join(Unit, refers(Initiative.unit_id, Unit))
        .with_only_columns(*columns)
        .where(naming.named(Initiative, key))
    ).one_or_none()
    if row is None:
        raise NotFound
    return Node(*row[:3]), Node(*row[3:])


_SORTS: dict[str, Any] = {
    "code": Initiative.code_key,
    "title": Initiative.title,
    "year": Initiative.year,
    "weight": Initiative.weight,
    "status": Initiative.status,
    "start_on": func.coalesce(Initiative.start_on, LAST_DAY, type_=Initiative.start_on.type),
    "due_on": func.coalesce(Initiative.due_on, LAST_DAY, type_=Initiative.due_on.type),
    "created_at": Initiative.created_at,
    "updated_at": Initiative.updated_at,
    "last_reported_at": func.coalesce(
        Initiative.last_reported_at, Initiative.created_at, type_=Initiative.created_at.type
    ),
}


def _with_codes(scope: Scope) -> Select[*tuple[Any, ...]]:
    of_initiative = and_(
        Designation.institution_id == Initiative.institution_id,
        Designation.initiative_id == Initiative.id,
    )
    return judgements.standing(
        access.visible(scope, Initiative)
        .join(
            Unit,
            refers(Initiative.unit_id, Unit),
        )
        .outerjoin(Designation, of_initiative)
        .outerjoin(Decree, refers(Designation.decree_id, Decree))
        .add_columns(
            Unit.code.label("unit"), Decree.code.label("decree"), Designation.designated_on
        )
    )


def _shapes(
    session: Session, scope: Scope, rows: Sequence[Row[*tuple[Any, ...]]]
) -> list[wire.Initiative]:
    """Rows of `_with_codes` as they are answered, with four statements at most, for any number."""
    found = [row[0] for row in rows]
    ids = [initiative.id for initiative in found]
    today, limits = scope.today(), policies.thresholds(scope)
    numbers = queries.initiative_figures(session, scope.id, ids, today)
    related = relations.read(session, scope, ids)
    finishes = baselines.finishes(session, scope, found)
    templates = _templates(session, scope, found)
    return [
        _shape(
            row[0],
            numbers.get(row[0].id, _NOTHING),
            limits,
            finishes.get(row[0].id, _UNPLANNED),
            {
                "unit": row.unit,
                "decree": row.decree,
                "designated_on": row.designated_on,
                "template": templates.get(row[0].template_id),
                "verdict": judgements.closed_with(row),
                **related[row[0].id],
            },
        )
        for row in rows
    ]


def _templates(
    session: Session, scope: Scope, found: Sequence[Initiative]
) -> dict[UUID | None, str]:
    """Codes of the templates that initiatives were copied from, as far as they are there."""
    ids = {row.template_id for row in found} - {None}
    if not ids:
        return {}
    statement = select(Template.id, Template.code).where(
        access.within(scope, Template), Template.id.in_(ids)
    )
    return {row.id: row.code for row in session.execute(statement)}


def _shape(
    row: Initiative,
    numbers: InitiativeFigures,
    limits: Thresholds,
    agreed: Finishes,
    named: dict[str, Any],
) -> wire.Initiative:
    figures = numbers.figures
    is_counted = row.status in COUNTED
    return wire.Initiative(
        id=row.id,
        code=row.code,
        title=row.title,
        description=row.description,
        year=row.year,
        kind=row.kind,
        origin=row.origin,
        status=row.status,
        weight=row.weight,
        start_on=row.start_on,
        due_on=row.due_on,
        expected_result=row.expected_result,
        cancelled_on=row.cancelled_on,
        public=row.public,
        percent_complete=figures.percent_complete,
        percent_verified=figures.percent_verified,
        percent_scheduled=figures.percent_scheduled,
        health=figures.health(limits) if is_counted else Health.NOT_MEASURABLE,
        rating=ratings.latest(row),
        milestones=wire.MilestoneCounts(
            total=figures.totals.milestones,
            done=figures.to_date.done,
            overdue=numbers.overdue if is_counted else 0,
        ),
        next_due_on=numbers.next_due_on,
        finish_on=numbers.finish_on,
        baseline=row.baseline,
        **slippage.days(numbers.finish_on, *agreed),
        last_reported_at=row.last_reported_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        **named,
    )
