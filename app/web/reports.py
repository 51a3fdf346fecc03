"""Reports to print: what was frozen, and what a unit would report today."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import MISSING
from sqlalchemy.orm import Session

from app.api.calls import InstitutionPath, UnitPath
from app.api.reports import ReportPath
from app.rollup.figures import Figures
from app.schemas.comparisons import ChildrenQuery, ComparedRollup
from app.schemas.curves import Curve, CurveQuery
from app.schemas.explanations import Move
from app.schemas.fields import Names
from app.schemas.obstacles import Obstacle
from app.schemas.periods import Period
from app.schemas.reports import OverdueMilestone, Report, ReportQuery, ReportWithContent
from app.schemas.rollups import Rollup, RollupQuery
from app.schemas.schemes import Area
from app.services import (
    access,
    comparisons,
    curves,
    people,
    register,
    reports,
    rollups,
    schemes,
    units,
)
from app.services.access import Scope
from app.services.actors import Actor
from app.services.comparisons import Course
from app.services.rollups import Asked
from app.web import stretches
from app.web.calls import PageCall
from app.web.pages import Route, Shown
from app.web.stretches import PrintQuery

routes = APIRouter(prefix="/institutions/{institution}", route_class=Route, include_in_schema=False)
_MOST_OVERDUE, _MOST_WAITING, _MOST_EARLIER = 50, 50, 20
"""What is printed of a list; beyond it the count says how many there are."""


class Moved(NamedTuple):
    """What was different at the beginning of what is reported."""

    since: date
    """From the end of which day change is counted."""
    courses: dict[str, Course]
    """By code, of the unit and of those below it."""
    of_areas: dict[str, Course]
    """By code."""
    moves: list[Move] | None
    """The initiatives that moved the number most; None where they, or the years, are too many."""


class Choice(NamedTuple):
    """What the form of a live report offers."""

    period: Period | None
    """Chosen."""
    periods: list[Period]
    areas: list[Area]


class Printed(NamedTuple):
    """What a report shows, from one snapshot."""

    institution: str
    institution_name: str
    time_zone: str
    rollup: Rollup
    children: Sequence[ComparedRollup]
    areas: Sequence[Rollup]
    area_names: dict[str, Names]
    overdue: Sequence[OverdueMilestone]
    unit_names: dict[str, str]
    waiting: list[Obstacle]
    """As they are now, as a roll-up counts them; a frozen report keeps how many there were."""
    counted_on: date
    """The day of which the numbers of obstacles are: their past is not kept."""
    curve: Curve | None
    moved: Moved | None
    """None of a frozen report, which has none, and where there is no day to count from."""
    choice: Choice | None
    """Of a live report."""
    frozen: ReportWithContent | None
    """None for what is of this moment."""
    is_past: bool
    """Whether it is of another day than the present one."""
    is_drawn_anew: bool
    """Whether the curve is none of what was frozen."""
    earlier: list[Report]
    """Frozen reports of the same unit, the newest first; of a live one alone."""
    people: dict[str, str]
    """Names of those who froze."""


@routes.get("/units/{unit}/report")
async def show_unit_report(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    unit: UnitPath,
    query: Annotated[PrintQuery, Query()],
) -> Response:
    """What a unit with all below it would report now, to print.

    A period says both days: what is typed beside it is taken away.
    """
    if query.period is not None and (query.as_of or query.since):
        return RedirectResponse(page.with_query(as_of=None, since=None), 303)
    found = await call.read(_live, institution, unit, query)
    return page.render("report.html", institution=found.institution, found=found)


@routes.get("/reports/{report}")
async def show_report(
    call: PageCall, page: Shown, institution: InstitutionPath, report: ReportPath
) -> Response:
    """A frozen report, to print."""
    found = await call.read(_frozen, institution, report)
    return page.render("report.html", institution=found.institution, found=found)


def _live(
    session: Session, actor: Actor, institution: str, unit: str, query: PrintQuery
) -> Printed:
    stretch = stretches.of(session, actor, institution, unit, query)
    asked, since = stretch.asked, stretch.since
    scope = asked.scope
    plain = RollupQuery(year=asked.year, area=asked.area[1], as_of=asked.as_of)
    family = comparisons.family_of(session, asked, ChildrenQuery(**dict(plain), since=since))
    areas, of_areas = comparisons.areas_since(session, asked, since)
    initiatives = family.rollup.initiatives.total
    moves = stretches.moves(session, actor, stretch, initiatives)
    earlier = ReportQuery(unit=[asked.unit.code], subtree=False, limit=_MOST_EARLIER)
    return _printed(
        session,
        scope,
        rollup=family.rollup,
        children=family.children.items,
        areas=areas,
        overdue=reports.longest(session, asked, _MOST_OVERDUE),
        waiting=register.waiting(session, asked, "due_on", _MOST_WAITING),
        counted_on=scope.today(),
        curve=_curve(session, asked, plain, family.figures),
        moved=None if since is None else Moved(since, family.courses, of_areas, moves),
        choice=Choice(
            stretch.period,
            stretches.offered(session, scope, stretch.period),
            schemes.named_areas(session, scope.scheme_id),
        ),
        frozen=None,
        earlier=reports.page_of(session, scope, earlier).items,
    )


def _frozen(session: Session, actor: Actor, institution: str, report_id: UUID) -> Printed:
    scope = access.institution(session, actor, institution)
    found = reports.with_content(session, scope, report_id)
    told = found.content
    curve = _drawn_anew(session, actor, scope, found) if told.curve is MISSING else told.curve
    return _printed(
        session,
        scope,
        rollup=told.rollup,
        children=told.children.items,
        areas=told.areas.items,
        overdue=told.overdue[:_MOST_OVERDUE],
        waiting=[],
        counted_on=scope.day_of(found.frozen_at),
        curve=curve,
        moved=None,
        choice=None,
        frozen=found,
        earlier=[],
    )


def _drawn_anew(session: Session, actor: Actor, scope: Scope, report: Report) -> Curve | None:
    """Of a report that was frozen before curves were kept; where its unit is gone there is none."""
    unit = units.node(session, scope, report.unit)
    if unit is None:
        return None
    plain = RollupQuery(year=report.year, as_of=report.as_of)
    return _curve(session, rollups.resolve(session, actor, scope.code, unit.code, plain), plain)


def _printed(
    session: Session,
    scope: Scope,
    *,
    rollup: Rollup,
    children: Sequence[ComparedRollup],
    areas: Sequence[Rollup],
    overdue: Sequence[OverdueMilestone],
    waiting: list[Obstacle],
    counted_on: date,
    curve: Curve | None,
    moved: Moved | None,
    choice: Choice | None,
    frozen: ReportWithContent | None,
    earlier: list[Report],
) -> Printed:
    moves = (moved.moves if moved else None) or []
    named = {each.unit for each in overdue} | {each.unit for each in waiting}
    named |= {each.unit for each in moves}
    froze = {each.frozen_by for each in (*earlier, *([frozen] if frozen else []))}
    return Printed(
        institution=scope.code,
        institution_name=scope.name,
        time_zone=scope.time_zone,
        rollup=rollup,
        children=children,
        areas=areas,
        area_names=schemes.area_names(session, [each.area for each in areas if each.area]),
        overdue=overdue,
        unit_names=units.names(session, scope, named),
        waiting=waiting,
        counted_on=counted_on,
        curve=curve,
        moved=moved,
        choice=choice,
        frozen=frozen,
        is_past=rollup.as_of != scope.today(),
        is_drawn_anew=frozen is not None and frozen.content.curve is MISSING,
        earlier=earlier,
        people=people.names(session, scope, froze),
    )


def _curve(
    session: Session, asked: Asked, plain: RollupQuery, found: Figures | None = None
) -> Curve:
    query = CurveQuery(**dict(plain))
    return curves.of(session, asked, query, whole_plan=True, found=found)
