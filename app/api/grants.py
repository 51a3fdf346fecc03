"""Grants of roles over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import Removal
from app.api.calls import Call, InstitutionPath, router
from app.schemas.grants import Grant, GrantQuery, NewGrant
from app.schemas.pages import Page
from app.services import grants

routes = router("/institutions/{institution}/grants", "grants")
GrantPath = Annotated[UUID, Path(description="Id of the grant.")]


@routes.post("", status_code=201)
async def create_grant(
    call: Call, institution: InstitutionPath, new: NewGrant, response: Response
) -> Grant:
    """Give a person a role on a unit and all below it.

    Needs `grants:change` there, and everything that the role allows.
    """
    made = await call.write(grants.create, institution, new)
    answers.locate(response, "institutions", institution, "grants", str(made.id))
    return made


@routes.get("")
async def list_grants(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[GrantQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Grant]:
    """Your own grants, and those on units where you hold `grants:read`; oldest first."""
    return answers.paged(request, response, await call.read(grants.page, institution, query))


@routes.get("/{grant}")
async def get_grant(call: Call, institution: InstitutionPath, grant: GrantPath) -> Grant:
    """One grant."""
    return await call.read(grants.get, institution, grant)


@routes.delete("/{grant}", status_code=204)
async def revoke_grant(
    call: Call,
    institution: InstitutionPath,
    grant: GrantPath,
    removal: Annotated[Removal, Query()],
) -> None:
    """Take a role away, from the next request on."""
    await call.write(grants.revoke, institution, grant, removal.reason)
