"""Reading initiatives: one with its plan, or a filtered list, with their numbers of today."""

from collections import defaultdict
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
    InitiativeArea,
    InitiativeOwner,
    InitiativeTag,
    Institution,
    Person,
    ReformArea,
    Unit,
)
from app.models.base import refers
from app.rollup import queries
from app.rollup.contribution import COUNTED
from app.rollup.figures import Figures, Thresholds
from app.rollup.queries import InitiativeFigures
from app.schemas import initiatives as wire
from app.schemas.fields import LAST_DAY, Health, OwnerRole
from app.schemas.pages import Page
from app.services import access, milestones, policies, ratings, selection, stage_links
from app.services.access import Scope
from app.services.actors import Actor

_NOTHING = InitiativeFigures(Figures(), overdue=0, next_due_on=None)
_ROLE_ORDER = list(OwnerRole)


def get(
    session: Session, actor: Actor, institution: str, key: str
) -> tuple[wire.InitiativeWithPlan, bool]:
    """One initiative with its plan, and whether only its own version can have changed since.

    Older numbers may differ by the date alone, and health by the institution's policy.
    """
    scope = access.institution(session, actor, institution)
    found = session.execute(
        select(Initiative.id, Institution.updated_at)
        .join(Institution, Institution.id == Initiative.institution_id)
        .where(
            access.within(scope, Initiative),
            access.seen(scope, Initiative),
            access.named(Initiative, key),
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    initiative = one(session, scope, found.id)
    changed_at = initiative.updated_at
    return initiative, changed_at > found.updated_at and scope.day_of(changed_at) == scope.today()


def one(session: Session, scope: Scope, initiative_id: UUID) -> wire.InitiativeWithPlan:
    """One initiative with its plan, by its id."""
    found = session.execute(_with_codes(scope).where(Initiative.id == initiative_id)).one()
    (numbers,), row = _shapes(session, scope, [found]), found[0]
    return wire.InitiativeWithPlan.model_construct(
        **dict(numbers), plan=milestones.plan(session, scope, row)
    )


def page(
    session: Session, actor: Actor, institution: str, query: wire.InitiativeQuery
) -> Page[wire.Initiative]:
    """Initiatives, filtered and sorted."""
    scope = access.institution(session, actor, institution)
    statement = _with_codes(scope).where(*selection.filters(scope, query))
    keys = parse_sort(query.sort, _SORTS, Key(Initiative.code_key, descending=False))
    found = paginate(session, statement, keys, query)
    return found.page(_shapes(session, scope, found.rows))


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
    return (
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
    """Rows of `_with_codes` as they are answered, with five statements whatever their number."""
    ids = [row[0].id for row in rows]
    today, limits = scope.today(), policies.thresholds(scope)
    numbers = queries.initiative_figures(session, scope.id, ids, today)
    served, owners, tags = (
        areas(session, scope, ids),
        _owners(session, scope, ids),
        _tags(session, scope, ids),
    )
    stages = stage_links.of(session, scope, ids)
    return [
        _shape(
            row[0],
            numbers.get(row[0].id, _NOTHING),
            limits,
            {
                "unit": row.unit,
                "decree": row.decree,
                "designated_on": row.designated_on,
                "areas": served[row[0].id],
                "owners": owners[row[0].id],
                "tags": tags[row[0].id],
                "stages": stages[row[0].id],
            },
        )
        for row in rows
    ]


def belongings(session: Session, scope: Scope, initiative_id: UUID) -> dict[str, Any]:
    """Areas, owners and tags of one initiative, JSON-ready."""
    ids = [initiative_id]
    return {
        "areas": areas(session, scope, ids)[initiative_id],
        "owners": [
            owner.model_dump(mode="json") for owner in _owners(session, scope, ids)[initiative_id]
        ],
        "tags": _tags(session, scope, ids)[initiative_id],
    }


def areas(session: Session, scope: Scope, ids: list[UUID]) -> defaultdict[UUID, list[str]]:
    """Codes of the reform areas of some initiatives."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for initiative_id, code in session.execute(
        select(InitiativeArea.initiative_id, ReformArea.code)
        .join(ReformArea, ReformArea.id == InitiativeArea.area_id)
        .where(access.within(scope, InitiativeArea), InitiativeArea.initiative_id.in_(ids))
        .order_by(ReformArea.code_key)
    ):
        found[initiative_id].append(code)
    return found


def _owners(session: Session, scope: Scope, ids: list[UUID]) -> defaultdict[UUID, list[wire.Owner]]:
    found: defaultdict[UUID, list[wire.Owner]] = defaultdict(list)
    for initiative_id, person, role in session.execute(
        select(InitiativeOwner.initiative_id, Person.code, InitiativeOwner.role)
        .join(
            Person,
            refers(InitiativeOwner.person_id, Person),
        )
        .where(access.within(scope, InitiativeOwner), InitiativeOwner.initiative_id.in_(ids))
        .order_by(Person.code_key)
    ):
        found[initiative_id].append(wire.Owner(person=person, role=role))
    for owners in found.values():
        owners.sort(key=lambda owner: _ROLE_ORDER.index(owner.role))
    return found


def _tags(session: Session, scope: Scope, ids: list[UUID]) -> defaultdict[UUID, list[str]]:
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for initiative_id, tag in session.execute(
        select(InitiativeTag.initiative_id, InitiativeTag.tag)
        .where(access.within(scope, InitiativeTag), InitiativeTag.initiative_id.in_(ids))
        .order_by(InitiativeTag.tag)
    ):
        found[initiative_id].append(tag)
    return found


def _shape(
    row: Initiative,
    numbers: InitiativeFigures,
    limits: Thresholds,
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
        last_reported_at=row.last_reported_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        **named,
    )
