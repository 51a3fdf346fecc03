"""Reporting periods: which there are, who has reported on one, and whom to ask."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from app.api.calls import InstitutionPath
from app.api.periods import PeriodPath
from app.schemas.fields import Reference
from app.schemas.pages import Page as Items
from app.schemas.pages import Paging, Sort
from app.schemas.periods import (
    MissingQuery,
    MissingReport,
    Period,
    PeriodsQuery,
    PeriodStanding,
    StandingQuery,
)
from app.services import access, obligations, periods, standings, units
from app.services.access import Node, Scope
from app.services.actors import Actor
from app.web.calls import PageCall
from app.web.pages import Page, Route, Shown

routes = APIRouter(
    prefix="/institutions/{institution}/periods", route_class=Route, include_in_schema=False
)


class ListQuery(PeriodsQuery):
    """Which periods are listed, the latest days first, and for which unit one looks at them."""

    sort: Sort = "-starts_on"
    unit: Reference | None = None


class PeriodQuery(Paging):
    """Whose standing is shown; of all that the reader may see if no unit is named."""

    unit: Reference | None = None
    sort: Sort = "unit,initiative"


class Standing(NamedTuple):
    """Who has reported on a period and who has not, from one snapshot."""

    scope: Scope
    period: Period
    ancestors: list[Node]
    standing: PeriodStanding
    missing: Items[MissingReport]


@routes.get("")
async def list_periods(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    query: Annotated[ListQuery, Query()],
) -> Response:
    """The reporting periods; who may see some units alone is led to them by the highest of these."""
    found = await call.read(_listing, institution, query)
    if isinstance(found, Node):
        return _led(page, found)
    scope, items = found
    return page.render("periods.html", institution=scope.code, found=items)


@routes.get("/{period}")
async def show_period(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    period: PeriodPath,
    query: Annotated[PeriodQuery, Query()],
) -> Response:
    """Who has reported on a period, by the units below one, and whom to ask."""
    found = await call.read(_standing, institution, period, query)
    if isinstance(found, Node):
        return _led(page, found)
    return page.render("period.html", institution=found.scope.code, found=found, sort=query.sort)


def _led(page: Page, unit: Node) -> Response:
    return RedirectResponse(page.with_query(unit=unit.code), 303)


def _listing(
    session: Session, actor: Actor, institution: str, query: ListQuery
) -> tuple[Scope, Items[Period]] | Node:
    own = None if query.unit else units.foremost(session, actor, institution)
    if own is not None:
        return own
    scope = access.institution(session, actor, institution)
    return scope, periods.page_of(session, scope, query)


def _standing(
    session: Session, actor: Actor, institution: str, key: str, query: PeriodQuery
) -> Standing | Node:
    own = None if query.unit else units.foremost(session, actor, institution)
    if own is not None:
        return own
    standing = standings.standing(session, actor, institution, key, StandingQuery(unit=query.unit))
    scope, unit, *_ = access.place(session, actor, institution, query.unit)
    asked = MissingQuery(
        unit=[] if query.unit is None else [unit.code],
        sort=query.sort,
        limit=query.limit,
        cursor=query.cursor,
        include_total=query.include_total,
    )
    return Standing(
        scope=scope,
        period=periods.get(session, actor, institution, key),
        ancestors=units.ancestors(session, scope, unit.id),
        standing=standing,
        missing=obligations.missing(session, actor, institution, key, asked),
    )
