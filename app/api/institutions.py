"""Institutions over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch
from app.api.calls import Call, InstitutionPath, router
from app.schemas.institutions import Institution, InstitutionChanges, NewInstitution
from app.schemas.pages import ChangesPaging, Page
from app.services import institutions

routes = router("/institutions", "institutions")


@routes.post("", status_code=201)
async def create_institution(call: Call, new: NewInstitution, response: Response) -> Institution:
    """Add an institution; its root unit gets the same code."""
    made = await call.write(institutions.create, new)
    return answers.created(response, made, "institutions", made.code)


@routes.get("")
async def list_institutions(
    call: Call, paging: Annotated[ChangesPaging, Query()], request: Request, response: Response
) -> Page[Institution]:
    """The institutions that you may see, by code."""
    return answers.paged(request, response, await call.read(institutions.page, paging))


@routes.get("/{institution}")
async def get_institution(
    call: Call, institution: InstitutionPath, request: Request, response: Response
) -> Institution:
    """One institution."""
    return answers.fresh(request, response, await call.read(institutions.get, institution))


@routes.patch("/{institution}")
async def change_institution(
    call: Call,
    institution: InstitutionPath,
    changes: InstitutionChanges,
    expected: IfMatch,
    response: Response,
) -> Institution:
    """Change an institution's name, time zone, scheme or policy."""
    changed = await call.write(institutions.change, institution, changes, expected)
    return answers.tagged(response, changed)
