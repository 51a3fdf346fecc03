"""Outcomes, strategies and levels of schemes over HTTP."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch
from app.api.calls import Call, SchemePath, router
from app.schemas.pages import Page
from app.schemas.purposes import NewPurpose, Purpose, PurposeChanges, PurposeQuery
from app.services import purposes

routes = router("/schemes/{scheme}/purposes", "schemes")
PurposePath = Annotated[
    str, Path(description="Code or id of the outcome, strategy or level.", max_length=64)
]


@routes.post("", status_code=201)
async def add_purpose(
    call: Call, scheme: SchemePath, new: NewPurpose, response: Response
) -> Purpose:
    """Add an outcome, a strategy or a level to a scheme, new or of another one; for operators."""
    made = await call.write(purposes.add, scheme, new)
    return answers.created(response, made, "schemes", made.scheme, "purposes", made.code)


@routes.get("")
async def list_purposes(
    call: Call,
    scheme: SchemePath,
    query: Annotated[PurposeQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Purpose]:
    """The outcomes, strategies and levels of a scheme: by kind, and by position within it."""
    return answers.paged(request, response, await call.read(purposes.page, scheme, query))


@routes.get("/{purpose}")
async def get_purpose(
    call: Call, scheme: SchemePath, purpose: PurposePath, request: Request, response: Response
) -> Purpose:
    """One outcome, strategy or level of a scheme."""
    return answers.fresh(request, response, await call.read(purposes.get, scheme, purpose))


@routes.patch("/{purpose}")
async def change_purpose(
    call: Call,
    scheme: SchemePath,
    purpose: PurposePath,
    changes: PurposeChanges,
    expected: IfMatch,
    response: Response,
) -> Purpose:
    """Change an outcome, a strategy or a level and its place in a scheme; for operators."""
    changed = await call.write(purposes.change, scheme, purpose, changes, expected)
    return answers.tagged(response, changed)
