"""The overview of an institution, or of any unit."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from app.api.calls import InstitutionPath, UnitPath
from app.schemas.comparisons import ChildrenQuery, ComparedRollup
from app.schemas.rollups import Rollup
from app.schemas.schemes import Area
from app.services import comparisons, rollups, schemes, units
from app.services.access import Node
from app.services.actors import Actor
from app.web.calls import PageCall
from app.web.pages import Route, Shown

routes = APIRouter(prefix="/institutions/{institution}", route_class=Route, include_in_schema=False)
Asked = Annotated[ChildrenQuery, Query()]


class Overview(NamedTuple):
    """What an overview shows, from one snapshot."""

    ancestors: list[Node]
    areas: list[Area]
    rollup: Rollup
    children: list[ComparedRollup]
    sort: str


@routes.get("")
async def show_institution(
    call: PageCall, page: Shown, institution: InstitutionPath, query: Asked
) -> Response:
    """The institution's overview."""
    found = await call.read(_overview, institution, None, query)
    return page.render("overview.html", institution=found.rollup.institution, found=found)


@routes.get("/units/{unit}")
async def show_unit(
    call: PageCall, page: Shown, institution: InstitutionPath, unit: UnitPath, query: Asked
) -> Response:
    """A unit's overview, with all below it."""
    found = await call.read(_overview, institution, unit, query)
    return page.render("overview.html", institution=found.rollup.institution, found=found)


def _overview(
    session: Session, actor: Actor, institution: str, unit: str | None, query: ChildrenQuery
) -> Overview:
    asked = rollups.resolve(session, actor, institution, unit, query)
    return Overview(
        ancestors=units.ancestors(session, asked.scope, asked.unit.id),
        areas=schemes.named_areas(session, asked.scope.scheme_id),
        rollup=rollups.get(session, actor, institution, unit, query),
        children=comparisons.children(session, actor, institution, unit, query).items,
        sort=query.sort,
    )
