"""Follow-ups of a whole institution over HTTP; those of one obstacle are below it."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.calls import Call, InstitutionPath, router
from app.schemas.obstacles import AllFollowUpsQuery, FollowUp
from app.schemas.pages import Page
from app.services import follow_ups

routes = router("/institutions/{institution}/follow-ups", "obstacles")


@routes.get("")
async def list_institution_follow_ups(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[AllFollowUpsQuery, Query()],
    request: Request,
    response: Response,
) -> Page[FollowUp]:
    """The actions against all obstacles that you may see, filtered; the newest first."""
    page = await call.read(follow_ups.of_institution, institution, query)
    return answers.paged(request, response, page)
