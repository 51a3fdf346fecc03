"""Across institutions: the roll-up of all that the caller may see, and of each of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.keyset import Key, paginate
from app.models import Institution, InstitutionClock, Unit
from app.models.base import now
from app.rollup import queries
from app.rollup.figures import Figures, total
from app.schemas import comparisons as wire
from app.schemas.institutions import Policy
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.schemas.rollups import Rollup, RollupQuery
from app.services import access, policies, rollups
from app.services.access import Node, Scope
from app.services.actors import Actor
from app.services.rollups import Asked

_FIRST_ZONE = timedelta(hours=14)
"""How far the earliest time zone is ahead of UTC: no institution's day is later."""


def get(session: Session, actor: Actor, query: RollupQuery) -> wire.PortfolioRollup:
    """One roll-up of all institutions that the actor may see; health by the default policy."""
    _check(query.as_of)
    as_of = query.as_of or now().astimezone(UTC).date()
    area_id, area = rollups.resolve_area(session, query.area)
    roots = session.execute(_roots(actor)).all()
    found = queries.across(
        session, [root[0].id for root in roots], [root.unit_id for root in roots], [area_id],
        query.year, as_of,
    ).values()  # fmt: skip
    sums = total(list(found))
    return wire.PortfolioRollup(
        institutions=len(roots),
        year=query.year,
        area=area,
        as_of=as_of,
        version=sum(root.sequence for root in roots),
        **rollups.numbers(sums, policies.limits(Policy())),
    )


def institutions(session: Session, actor: Actor, query: wire.InstitutionsQuery) -> Page[Rollup]:
    """The roll-up of each institution that the actor may see, by code."""
    _check(query.as_of)
    area = rollups.resolve_area(session, query.area)
    keys = [Key(Institution.code_key, descending=False)]
    listed = paginate(session, _roots(actor), keys, query)
    asked = [
        Asked(
            scope := _scope(actor, row[0]),
            Node(row.unit_id, row.unit, row.unit_name),
            area,
            query.year,
            query.as_of or scope.today(),
            row.sequence,
            policies.thresholds(scope),
        )
        for row in listed.rows
    ]
    found = _figures(session, asked)
    return listed.page(
        [rollups.shape(each, each.unit, area[1], found.get(each.scope.id)) for each in asked]
    )


def _scope(actor: Actor, row: Institution) -> Scope:
    institution = (row.id, row.code, row.name, row.time_zone, row.policy, row.scheme_id)
    return Scope(*institution, row.windows, actor)


def _check(as_of: date | None) -> None:
    if as_of is not None and as_of > (now() + _FIRST_ZONE).date():
        raise Invalid.parameter("as_of", "in_future", "as_of cannot be in the future.")


def _figures(session: Session, asked: Sequence[Asked]) -> dict[UUID, Figures]:
    """Sums by institution; two statements for each day that it is somewhere: three at the most."""
    by_day: defaultdict[date, list[Asked]] = defaultdict(list)
    for each in asked:
        by_day[each.as_of].append(each)
    found: dict[UUID, Figures] = {}
    for as_of, those in by_day.items():
        first = those[0]
        sums = queries.across(
            session, [each.scope.id for each in those], [each.unit.id for each in those],
            [first.area[0]], first.year, as_of,
        )  # fmt: skip
        found |= {institution_id: figures for (institution_id, *_), figures in sums.items()}
    return found


def _roots(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Institutions that the actor may see as a whole, with their root units and event sequences."""
    is_whole = actor.reach(Permission.PLANS_READ) is None
    return (
        access.institutions(actor)
        .where(literal(is_whole))
        .join(Unit, (Unit.institution_id == Institution.id) & Unit.parent_id.is_(None))
        # By what they are distributed by: Citus concludes nothing from a third table.
        .join(InstitutionClock, InstitutionClock.institution_id == Unit.institution_id)
        .add_columns(
            Unit.id.label("unit_id"),
            Unit.code.label("unit"),
            Unit.name.label("unit_name"),
            InstitutionClock.sequence,
        )
    )
