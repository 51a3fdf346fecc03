"""Tokens, and who is asking, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.api import answers
from app.api.calls import Call, InstitutionPath, router
from app.schemas.pages import Page, Paging
from app.schemas.tokens import IssuedToken, Me, NewToken, Token
from app.services import tokens

routes = router("", "tokens")


@routes.get("/me")
async def get_me(call: Call) -> Me:
    """Who is asking: you, as your token says."""
    return await call.read(tokens.me)


@routes.post("/institutions/{institution}/tokens", status_code=201)
async def create_token(
    call: Call, institution: InstitutionPath, new: NewToken, response: Response
) -> IssuedToken:
    """A token for a person of the institution, shown this once; for operators."""
    made = await call.write(tokens.create, institution, new)
    answers.locate(response, "institutions", institution, "tokens", str(made.id))
    return made


@routes.get("/institutions/{institution}/tokens")
async def list_tokens(
    call: Call,
    institution: InstitutionPath,
    paging: Annotated[Paging, Query()],
    request: Request,
    response: Response,
) -> Page[Token]:
    """The institution's tokens without their secrets; for operators."""
    return answers.paged(request, response, await call.read(tokens.page, institution, paging))


@routes.delete("/institutions/{institution}/tokens/{token}", status_code=204)
async def revoke_token(call: Call, institution: InstitutionPath, token: UUID) -> None:
    """Make a token worthless from the next request on; for operators."""
    await call.write(tokens.revoke, institution, token)
