"""What waits for the reader's report."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.calls import InstitutionPath
from app.schemas.worklists import WorklistQuery
from app.services import worklists
from app.web.calls import PageCall
from app.web.pages import Route, Shown

routes = APIRouter(prefix="/institutions/{institution}", route_class=Route, include_in_schema=False)


@routes.get("/reporting")
async def show_worklist(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    query: Annotated[WorklistQuery, Query()],
) -> Response:
    """The milestones that wait for the reader's report, by how much they press."""
    found = await call.read(worklists.get, institution, query)
    return page.render("worklist.html", institution=found.institution, found=found)
