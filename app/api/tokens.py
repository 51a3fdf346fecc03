"""Tokens, and who is asking, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.calls import Call, InstitutionPath, router
from app.schemas.pages import Page, Paging
from app.schemas.tokens import IssuedToken, Me, NewToken, Token
from app.services import tokens

routes = router("", "tokens")
TokenPath = Annotated[UUID, Path(description="Id of the token.")]


@routes.get("/me")
async def get_me(call: Call) -> Me:
    """Who is asking, and what you may do where."""
    return await call.read(tokens.me)


@routes.post("/institutions/{institution}/tokens", status_code=201)
async def create_token(
    call: Call, institution: InstitutionPath, new: NewToken, response: Response
) -> IssuedToken:
    """A token for yourself, or for a person or service of whom you hold every right; shown this once.

    For others it needs `tokens:change` on their unit.
    """
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
    """Your own tokens, and those of people in units where you hold `tokens:read`; without secrets."""
    return answers.paged(request, response, await call.read(tokens.page, institution, paging))


@routes.get("/institutions/{institution}/tokens/{token}")
async def get_token(call: Call, institution: InstitutionPath, token: TokenPath) -> Token:
    """One token, without its secret."""
    return await call.read(tokens.get, institution, token)


@routes.post("/institutions/{institution}/tokens/{token}/rotation")
async def rotate_token(call: Call, institution: InstitutionPath, token: TokenPath) -> IssuedToken:
    """A new secret for a token, shown this once; the old one is worthless from the next request on.

    For an overlap make a second token, and revoke the first when all use the second.
    """
    return await call.write(tokens.rotate, institution, token)


@routes.delete("/institutions/{institution}/tokens/{token}", status_code=204)
async def revoke_token(call: Call, institution: InstitutionPath, token: TokenPath) -> None:
    """Make a token worthless from the next request on."""
    await call.write(tokens.revoke, institution, token)
