"""What needs attention, over HTTP: counts for a unit, and the milestones of an institution."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api import answers
from app.api.calls import Call, InstitutionPath, UnitPath, router
from app.schemas.attention import Attention, AttentionQuery, MilestonesQuery, PlannedMilestone
from app.schemas.pages import Page
from app.services import attention

_counts = router("/institutions/{institution}", "rollups")
_lists = router("/institutions/{institution}", "milestones")
Asked = Annotated[AttentionQuery, Query()]


@_counts.get("/rollup/attention")
async def get_institution_attention(
    call: Call, institution: InstitutionPath, query: Asked, request: Request, response: Response
) -> Attention:
    """What needs attention in the institution: stale initiatives, late and coming milestones."""
    found = await call.read(attention.get, institution, None, query)
    answers.rolled_up(request, response, [found])
    return found


@_counts.get("/units/{unit}/rollup/attention")
async def get_unit_attention(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    query: Asked,
    request: Request,
    response: Response,
) -> Attention:
    """What needs attention in a unit: stale initiatives, late and coming milestones."""
    found = await call.read(attention.get, institution, unit, query)
    answers.rolled_up(request, response, [found])
    return found


@_lists.get("/milestones")
async def list_institution_milestones(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[MilestonesQuery, Query()],
    request: Request,
    response: Response,
) -> Page[PlannedMilestone]:
    """The milestones of all initiatives, filtered and sorted: what is late, and what is due next."""
    page = await call.read(attention.milestones, institution, query)
    return answers.paged(request, response, page)


routes = APIRouter(routes=[*_counts.routes, *_lists.routes])
