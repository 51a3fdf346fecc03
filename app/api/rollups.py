"""Roll-ups over HTTP, of the institution and of any unit."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.calls import Call, InstitutionPath, UnitPath, router
from app.schemas.comparisons import ChildrenQuery, RollupChildren
from app.schemas.curves import Curve, CurveQuery
from app.schemas.rollups import Rollup, RollupAreas, RollupQuery
from app.services import comparisons, curves, rollups

routes = router("/institutions/{institution}", "rollups")
Asked = Annotated[RollupQuery, Query()]
AskedChildren = Annotated[ChildrenQuery, Query()]
AskedCurve = Annotated[CurveQuery, Query()]


@routes.get("/rollup")
async def get_institution_rollup(
    call: Call, institution: InstitutionPath, query: Asked, request: Request, response: Response
) -> Rollup:
    """The institution's numbers."""
    found = await call.read(rollups.get, institution, None, query)
    answers.rolled_up(request, response, [found])
    return found


@routes.get("/rollup/children")
async def get_institution_rollup_children(
    call: Call,
    institution: InstitutionPath,
    query: AskedChildren,
    request: Request,
    response: Response,
) -> RollupChildren:
    """The numbers of each unit directly below the root, ranked."""
    found = await call.read(comparisons.children, institution, None, query)
    answers.rolled_up(request, response, found.items)
    return found


@routes.get("/rollup/areas")
async def get_institution_rollup_areas(
    call: Call, institution: InstitutionPath, query: Asked, request: Request, response: Response
) -> RollupAreas:
    """The institution's numbers for each reform area; these do not add up to its total."""
    found = await call.read(rollups.areas, institution, None, query)
    answers.rolled_up(request, response, found.items)
    return found


@routes.get("/rollup/s-curve")
async def get_institution_s_curve(
    call: Call,
    institution: InstitutionPath,
    query: AskedCurve,
    request: Request,
    response: Response,
) -> Curve:
    """The institution's planned, earned and verified value over time, and its forecast."""
    found = await call.read(curves.get, institution, None, query)
    answers.rolled_up(request, response, [found])
    return found


@routes.get("/units/{unit}/rollup")
async def get_unit_rollup(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    query: Asked,
    request: Request,
    response: Response,
) -> Rollup:
    """A unit's numbers, with all below it."""
    found = await call.read(rollups.get, institution, unit, query)
    answers.rolled_up(request, response, [found])
    return found


@routes.get("/units/{unit}/rollup/children")
async def get_unit_rollup_children(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    query: AskedChildren,
    request: Request,
    response: Response,
) -> RollupChildren:
    """The numbers of each unit directly below a unit, ranked."""
    found = await call.read(comparisons.children, institution, unit, query)
    answers.rolled_up(request, response, found.items)
    return found


@routes.get("/units/{unit}/rollup/areas")
async def get_unit_rollup_areas(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    query: Asked,
    request: Request,
    response: Response,
) -> RollupAreas:
    """A unit's numbers for each reform area; these do not add up to its total."""
    found = await call.read(rollups.areas, institution, unit, query)
    answers.rolled_up(request, response, found.items)
    return found


@routes.get("/units/{unit}/rollup/s-curve")
async def get_unit_s_curve(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    query: AskedCurve,
    request: Request,
    response: Response,
) -> Curve:
    """A unit's planned, earned and verified value over time, and its forecast."""
    found = await call.read(curves.get, institution, unit, query)
    answers.rolled_up(request, response, [found])
    return found
