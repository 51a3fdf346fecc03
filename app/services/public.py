"""What anybody may see: published initiatives, roll-ups as the policy says, and nothing else.

Nobody is asking, so no query here begins with what an actor sees. Each begins with `published_in`, and
what is answered is listed field by field in `schemas.public`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.keyset import Key, paginate
from app.models import Initiative, Institution, Milestone, Publication, Unit
from app.models.base import refers
from app.models.rollups import ALL_AREAS
from app.rollup import published, queries
from app.rollup.figures import Figures
from app.rollup.points import FULL
from app.schemas import public as wire
from app.schemas.curves import Curve, CurveQuery
from app.schemas.pages import Page
from app.schemas.public import PublicPolicy, PublicRollup
from app.services import access, curves, naming, policies, relations, selection
from app.services.access import Node, Scope
from app.services.actors import Actor
from app.services.publications import NEWEST_FIRST
from app.services.rollups import Asked

MOST_PUBLICATIONS = 100
"""Of one initiative."""
_NOBODY = Actor(
    id=UUID(int=0),
    name="public",
    operator=False,
    institution_id=None,
    token_id=None,
    token_name="public",  # noqa: S106  a name, not a secret
)
"""Holds no role anywhere: whatever asks what they may see gets nothing."""
_NOTHING = Figures()


def institution(session: Session, key: str) -> wire.PublicInstitution:
    """What an institution shows of itself; raises `NotFound` where it shows nothing."""
    scope, policy = _opened(session, key)
    today = scope.today()
    root, *below = _units(session, scope, policy)
    found = _figures(session, scope, policy, [unit.id for unit in (root, *below)], today)
    shows = policy.rollup is not PublicRollup.NONE
    return wire.PublicInstitution(
        code=scope.code,
        name=scope.name,
        as_of=today,
        includes=policy.rollup,
        rollup=wire.PublicNumbers(**_numbers(found.get(root.id, _NOTHING))) if shows else None,
        units=[
            wire.PublicUnit(
                code=unit.code, name=unit.name, **_numbers(found.get(unit.id, _NOTHING))
            )
            for unit in below
        ],
    )


def unit(session: Session, key: str, code: str | None) -> tuple[wire.PublicUnit, date]:
    """What is shown of the root, or of a unit directly below it, today; else raises `NotFound`."""
    scope, policy = _opened(session, key)
    shown = _unit(session, scope, policy, code)
    found = _figures(session, scope, policy, [shown.id], today := scope.today())
    numbers = _numbers(found.get(shown.id, _NOTHING))
    return wire.PublicUnit(code=shown.code, name=shown.name, **numbers), today


def curve(session: Session, key: str, code: str | None) -> Curve:
    """The S-curve of the root, or of a unit directly below it, up to the end of the plan.

    Raises `NotFound` unless the roll-up of all initiatives is shown: over time no other is kept.
    """
    scope, policy = _opened(session, key)
    if policy.rollup is not PublicRollup.ALL:
        raise NotFound
    asked = Asked(
        scope,
        Node(*_unit(session, scope, policy, code)),
        (ALL_AREAS, None),
        year=None,
        as_of=scope.today(),
        version=0,  # how much is written is nobody's business
        thresholds=policies.thresholds(scope),
    )
    return curves.of(session, asked, CurveQuery(), whole_plan=True)


def page(session: Session, key: str, query: wire.PublicQuery) -> Page[wire.PublicInitiative]:
    """Published initiatives, filtered; by code."""
    scope = open_initiatives(session, key)
    place = selection.Place(unit=query.unit, area=query.area)
    statement = _with_unit(scope).where(*selection.places(scope, place))
    for name in ("year", "status"):
        if values := getattr(query, name):
            statement = statement.where(getattr(Initiative, name).in_(values))
    keys = [Key(Initiative.code_key, descending=False)]
    found = paginate(session, statement, keys, query)
    shown = _shown(session, scope, found.rows)
    return found.page([wire.PublicInitiative(**fields) for fields in shown])


def initiative(session: Session, key: str, code: str) -> wire.PublicInitiativeWithPlan:
    """A published initiative with its plan, and what was told of it."""
    scope = open_initiatives(session, key)
    found = session.execute(_with_unit(scope).where(naming.named(Initiative, code))).one_or_none()
    if found is None:
        raise NotFound
    (fields,) = _shown(session, scope, [found])
    row: Initiative = found[0]
    milestones = session.execute(
        select(Milestone.title, Milestone.due_on, Milestone.done_on, Milestone.verified)
        .where(
            access.within(scope, Milestone),
            Milestone.initiative_id == row.id,
            Milestone.dropped_at.is_(None),
        )
        .order_by(Milestone.number)
    )
    publications = session.scalars(
        select(Publication)
        .where(access.within(scope, Publication), Publication.initiative_id == row.id)
        .order_by(*(key.expression.desc() for key in NEWEST_FIRST))
        .limit(MOST_PUBLICATIONS)
    )
    return wire.PublicInitiativeWithPlan(
        **fields,
        description=row.description,
        milestones=[
            wire.PublicMilestone(
                title=title, due_on=due_on, done_on=done_on, verified=verified == FULL
            )
            for title, due_on, done_on, verified in milestones
        ],
        publications=[
            wire.PublicPublication(
                title=each.title,
                said=each.said,
                published_on=each.published_on,
                channel=each.channel,
                url=each.url,
            )
            for each in publications
        ],
    )


def _opened(session: Session, key: str) -> tuple[Scope, PublicPolicy]:
    """An institution that shows something; one that does not is not there."""
    found = session.scalars(
        select(Institution.id).where(naming.named(Institution, key))
    ).one_or_none()
    if found is None:
        raise NotFound
    scope = access.institution(session, _NOBODY._replace(institution_id=found), str(found))
    policy = policies.policy(scope).public
    if policy is None:
        raise NotFound
    return scope, policy


def open_initiatives(session: Session, key: str) -> Scope:
    """An institution that shows its published initiatives; else raises `NotFound`."""
    scope, policy = _opened(session, key)
    if not policy.initiatives:
        raise NotFound
    return scope


def published_in(scope: Scope) -> ColumnElement[bool]:
    """Whether an initiative is one that the institution shows to anybody."""
    return and_(access.within(scope, Initiative), Initiative.public.is_(True))


def _with_unit(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(Initiative, Unit.code.label("unit"), Unit.name.label("unit_name"))
        .join(Unit, refers(Initiative.unit_id, Unit))
        .where(published_in(scope))
    )


def _shown(session: Session, scope: Scope, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Fields of published initiatives, with two statements whatever their number."""
    ids = [row[0].id for row in rows]
    numbers = queries.initiative_figures(session, scope.id, ids, scope.today())
    related = relations.read(session, scope, ids)
    shown = []
    for row, unit, unit_name, *_ in rows:
        figures = numbers[row.id].figures if row.id in numbers else _NOTHING
        shown.append(
            {
                "code": row.code,
                "title": row.title,
                "unit": unit,
                "unit_name": unit_name,
                "year": row.year,
                "areas": related[row.id]["areas"],
                "status": row.status,
                "percent_complete": figures.percent_complete,
                "percent_verified": figures.percent_verified,
                "percent_scheduled": figures.percent_scheduled,
            }
        )
    return shown


def _units(session: Session, scope: Scope, policy: PublicPolicy) -> list[Any]:
    """The root, and the units directly below it by code, where the policy shows them."""
    root = session.execute(_all_units(scope).where(Unit.parent_id.is_(None))).one()
    if policy.rollup is PublicRollup.NONE or not policy.units:
        return [root]
    return [root, *session.execute(_below(scope, root.id).order_by(Unit.code_key))]


def _unit(session: Session, scope: Scope, policy: PublicPolicy, code: str | None) -> Any:  # noqa: ANN401  a row
    """One of these by its code, the root without; raises `NotFound` where its roll-up is not shown."""
    if policy.rollup is PublicRollup.NONE:
        raise NotFound
    root = session.execute(_all_units(scope).where(Unit.parent_id.is_(None))).one()
    if code is None:
        return root
    if not policy.units:
        raise NotFound
    named = _below(scope, root.id).where(naming.named(Unit, code))
    found = session.execute(named).one_or_none()
    if found is None:
        raise NotFound
    return found


def _all_units(scope: Scope) -> Select[UUID, str, str]:
    return select(Unit.id, Unit.code, Unit.name).where(access.within(scope, Unit))


def _below(scope: Scope, root_id: UUID) -> Select[UUID, str, str]:
    return _all_units(scope).where(Unit.parent_id == root_id, Unit.archived_at.is_(None))


def _figures(
    session: Session, scope: Scope, policy: PublicPolicy, unit_ids: list[UUID], today: date
) -> dict[UUID, Figures]:
    if policy.rollup is PublicRollup.NONE:
        return {}
    if policy.rollup is PublicRollup.PUBLISHED:
        return published.figures(session, scope.id, unit_ids, today)
    found = queries.figures(session, scope.id, unit_ids, [ALL_AREAS], None, today)
    return {unit_id: figures for (unit_id, _), figures in found.items()}


def _numbers(found: Figures) -> dict[str, Any]:
    totals = found.totals
    return {
        "percent_complete": found.percent_complete,
        "percent_verified": found.percent_verified,
        "percent_scheduled": found.percent_scheduled,
        "initiatives": wire.PublicInitiativeCounts(
            total=found.initiatives,
            active=totals.active,
            on_hold=totals.on_hold,
            completed=totals.completed,
        ),
        "milestones": wire.PublicMilestoneCounts(total=totals.milestones, done=found.to_date.done),
    }
