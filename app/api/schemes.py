"""Schemes and reform areas over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch
from app.api.calls import AreaPath, Call, SchemePath, router
from app.schemas.pages import ChangesPaging, Page
from app.schemas.schemes import Area, AreaChanges, NewArea, NewScheme, Scheme, SchemeChanges
from app.services import schemes

routes = router("/schemes", "schemes")


@routes.post("", status_code=201)
async def create_scheme(call: Call, new: NewScheme, response: Response) -> Scheme:
    """Add a catalogue of reform areas; for operators."""
    made = await call.write(schemes.create, new)
    return answers.created(response, made, "schemes", made.code)


@routes.get("")
async def list_schemes(
    call: Call, paging: Annotated[ChangesPaging, Query()], request: Request, response: Response
) -> Page[Scheme]:
    """All schemes, by code."""
    return answers.paged(request, response, await call.read(schemes.page, paging))


@routes.get("/{scheme}")
async def get_scheme(
    call: Call, scheme: SchemePath, request: Request, response: Response
) -> Scheme:
    """One scheme."""
    return answers.fresh(request, response, await call.read(schemes.get, scheme))


@routes.patch("/{scheme}")
async def change_scheme(
    call: Call, scheme: SchemePath, changes: SchemeChanges, expected: IfMatch, response: Response
) -> Scheme:
    """Change a scheme; for operators."""
    changed = await call.write(schemes.change, scheme, changes, expected)
    return answers.tagged(response, changed)


@routes.post("/{scheme}/areas", status_code=201)
async def add_area(call: Call, scheme: SchemePath, new: NewArea, response: Response) -> Area:
    """Add a reform area to a scheme, a new one or one of another scheme; for operators."""
    made = await call.write(schemes.add_area, scheme, new)
    return answers.created(response, made, "schemes", made.scheme, "areas", made.code)


@routes.get("/{scheme}/areas")
async def list_areas(
    call: Call,
    scheme: SchemePath,
    paging: Annotated[ChangesPaging, Query()],
    request: Request,
    response: Response,
) -> Page[Area]:
    """The reform areas of a scheme, by position."""
    return answers.paged(request, response, await call.read(schemes.area_page, scheme, paging))


@routes.get("/{scheme}/areas/{area}")
async def get_area(
    call: Call, scheme: SchemePath, area: AreaPath, request: Request, response: Response
) -> Area:
    """One reform area of a scheme."""
    return answers.fresh(request, response, await call.read(schemes.get_area, scheme, area))


@routes.patch("/{scheme}/areas/{area}")
async def change_area(
    call: Call,
    scheme: SchemePath,
    area: AreaPath,
    changes: AreaChanges,
    expected: IfMatch,
    response: Response,
) -> Area:
    """Change a reform area and its place in a scheme; for operators."""
    changed = await call.write(schemes.change_area, scheme, area, changes, expected)
    return answers.tagged(response, changed)
