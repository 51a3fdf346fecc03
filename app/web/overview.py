"""The overview of an institution, or of any unit: where it stands, and what needs somebody's eye."""

from datetime import date
from typing import Annotated, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from app.api.calls import InstitutionPath, UnitPath
from app.schemas.attention import MilestonesQuery, PlannedMilestone
from app.schemas.comparisons import ChildrenQuery, ComparedRollup
from app.schemas.curves import Curve, CurveQuery
from app.schemas.obstacles import Obstacle
from app.schemas.pages import Sort
from app.schemas.periods import Period
from app.schemas.rollups import Rollup, RollupQuery
from app.schemas.schemes import Area
from app.services import (
    attention,
    comparisons,
    curves,
    periods,
    register,
    rollups,
    schemes,
    units,
)
from app.services.access import Node
from app.services.actors import Actor
from app.services.rollups import Asked
from app.web.calls import PageCall
from app.web.pages import Page, Route, Shown

routes = APIRouter(prefix="/institutions/{institution}", route_class=Route, include_in_schema=False)
_FIRST = 5
"""How many of a list an overview shows; the whole list has an address of its own."""
MANY_SILENT = 999
_COUNTABLE = 10_000
"""Initiatives, each of which is looked at to find the silent ones."""
_SOON = 30
"""Days ahead; as in a roll-up's `due_next_30_days`."""


class OverviewQuery(ChildrenQuery):
    """What of an overview is asked for."""

    sort: Sort = "-percent_complete"


class Today(NamedTuple):
    """The first of what waits for somebody; lists are of today alone."""

    overdue: list[PlannedMilestone]
    due: list[PlannedMilestone]
    waiting: list[Obstacle]
    silent: int | None
    """Initiatives; more than `MANY_SILENT` are not counted, and none among very many."""
    unit_names: dict[str, str]


class Overview(NamedTuple):
    """What an overview shows, from one snapshot."""

    ancestors: list[Node]
    rollup: Rollup
    curve: Curve
    areas: list[Area]
    by_area: list[Rollup]
    children: list[ComparedRollup]
    since: date | None
    """Change is counted from the end of this day."""
    period: Period | None
    """What ended on it, where no day was asked for: the last reporting period that was over."""
    today: Today | None
    sort: str
    counted_on: date
    """The present day: obstacles are told as they are now, of whatever day the rest is."""


@routes.get("")
async def show_institution(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    query: Annotated[OverviewQuery, Query()],
) -> Response:
    """The institution's overview; who may see some units of it alone is led to the highest of these."""
    found = await call.read(_whole, institution, query)
    if isinstance(found, Node):
        return RedirectResponse(f"{page.path}/units/{quote(found.code)}{page.query_but()}", 303)
    return _shown(page, found)


@routes.get("/units/{unit}")
async def show_unit(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    unit: UnitPath,
    query: Annotated[OverviewQuery, Query()],
) -> Response:
    """A unit's overview, with all below it."""
    return _shown(page, await call.read(_overview, institution, unit, query))


def _shown(page: Page, found: Overview) -> Response:
    institution = found.rollup.institution
    return page.render("overview.html", institution=institution, found=found, many=MANY_SILENT)


def _whole(
    session: Session, actor: Actor, institution: str, query: OverviewQuery
) -> Overview | Node:
    own = units.foremost(session, actor, institution)
    return own or _overview(session, actor, institution, None, query)


def _overview(
    session: Session, actor: Actor, institution: str, unit: str | None, query: OverviewQuery
) -> Overview:
    plain = RollupQuery(year=query.year, area=query.area, as_of=query.as_of)
    asked = rollups.resolve(session, actor, institution, unit, plain)
    period = None
    if query.since is None:
        period = periods.last_ended(session, asked.scope, asked.as_of)
        query = query.model_copy(update={"since": period.ends_on if period else None})
    family = comparisons.family_of(session, asked, query)
    curve = CurveQuery(**dict(plain))
    return Overview(
        ancestors=units.ancestors(session, asked.scope, asked.unit.id),
        rollup=family.rollup,
        curve=curves.of(session, asked, curve, whole_plan=True, found=family.figures),
        areas=schemes.named_areas(session, asked.scope.scheme_id),
        by_area=rollups.areas_of(session, asked).items,
        children=family.children.items,
        since=query.since,
        period=period,
        today=_today(session, asked, family.rollup.initiatives.total)
        if asked.as_of == asked.scope.today()
        else None,
        sort=query.sort,
        counted_on=asked.scope.today(),
    )


def _today(session: Session, asked: Asked, initiatives: int) -> Today:
    # The whole is not asked for by its unit: what is due first is then read off an index, whatever
    # there is in all, where the units below the root would each be looked through.
    unit = [] if asked.is_whole else [asked.unit.code]
    places = MilestonesQuery(
        unit=unit,
        area=[asked.area[1]] if asked.area[1] else [],
        year=[asked.year] if asked.year else [],
        limit=_FIRST,
    )
    late, due = (
        attention.milestones_of(session, asked.scope, places.model_copy(update=which)).items
        for which in ({"overdue": True}, {"due_within": _SOON})
    )
    waiting = register.waiting(session, asked, "created_at", _FIRST)
    silent = None
    if initiatives <= _COUNTABLE:
        silent = attention.silent(session, asked, MANY_SILENT + 1)
    named = {each.unit for each in (*late, *due)} | {each.unit for each in waiting}
    return Today(late, due, waiting, silent, units.names(session, asked.scope, named))
