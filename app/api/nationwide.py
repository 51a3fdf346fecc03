"""Roll-ups across institutions over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.calls import Call, router
from app.schemas.comparisons import InstitutionsQuery, PortfolioRollup
from app.schemas.pages import Page
from app.schemas.rollups import Rollup, RollupQuery
from app.services import nationwide

routes = router("/rollup", "rollups")


@routes.get("")
async def get_portfolio_rollup(
    call: Call, query: Annotated[RollupQuery, Query()], request: Request, response: Response
) -> PortfolioRollup:
    """The numbers of all institutions that you may see, together."""
    found = await call.read(nationwide.get, query)
    answers.rolled_up(request, response, [found])
    return found


@routes.get("/institutions")
async def list_institution_rollups(
    call: Call, query: Annotated[InstitutionsQuery, Query()], request: Request, response: Response
) -> Page[Rollup]:
    """The numbers of each institution that you may see, by code."""
    return answers.paged(request, response, await call.read(nationwide.institutions, query))
