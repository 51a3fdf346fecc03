"""Initiatives over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, OptionalIfMatch, Removal
from app.api.calls import Call, InitiativePath, InstitutionPath, router
from app.schemas.initiatives import (
    Initiative,
    InitiativeChanges,
    InitiativeQuery,
    InitiativeWithPlan,
    NewInitiative,
)
from app.schemas.pages import Page
from app.services import initiatives, portfolio, removing

routes = router("/institutions/{institution}/initiatives", "initiatives")


@routes.post("", status_code=201)
async def create_initiative(
    call: Call, institution: InstitutionPath, new: NewInitiative, response: Response
) -> InitiativeWithPlan:
    """Add an initiative, with its milestones if you like."""
    made = await call.write(initiatives.create, institution, new)
    return answers.created(response, made, "institutions", institution, "initiatives", made.code)


@routes.get("")
async def list_initiatives(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[InitiativeQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Initiative]:
    """Initiatives with their numbers of today, filtered and sorted."""
    return answers.paged(request, response, await call.read(portfolio.page, institution, query))


@routes.get("/{initiative}")
async def get_initiative(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    request: Request,
    response: Response,
) -> InitiativeWithPlan:
    """One initiative with its numbers of today and its milestones."""
    found, is_of_today = await call.read(portfolio.get, institution, initiative)
    return answers.fresh(request, response, found, may_be_known=is_of_today)


@routes.patch("/{initiative}")
async def change_initiative(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    changes: InitiativeChanges,
    expected: IfMatch,
    response: Response,
) -> InitiativeWithPlan:
    """Change an initiative; a change of status follows its life cycle."""
    changed = await call.write(initiatives.change, institution, initiative, changes, expected)
    return answers.tagged(response, changed)


@routes.put("/{initiative}", responses={201: {"model": InitiativeWithPlan}})
async def replace_initiative(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    new: NewInitiative,
    expected: OptionalIfMatch,
    response: Response,
) -> InitiativeWithPlan:
    """Create the initiative of this code, or make it what is given; sent twice, it is the same."""
    found, is_new = await call.write(initiatives.replace, institution, initiative, new, expected)
    if is_new:
        response.status_code = 201
        answers.locate(response, "institutions", institution, "initiatives", found.code)
    return answers.tagged(response, found)


@routes.delete("/{initiative}", status_code=204)
async def delete_initiative(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete an initiative with its milestones and reports; all of it can be restored for a while.

    The event keeps what it was, and `GET …/deletions?subject=` has the deletion to restore.
    """
    await call.write(removing.initiative, institution, initiative, expected, removal.reason)
