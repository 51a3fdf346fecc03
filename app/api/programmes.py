"""Programmes across institutions over HTTP."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch
from app.api.calls import Call, router
from app.schemas.pages import Page
from app.schemas.programmes import (
    InstitutionInProgramme,
    NewProgramme,
    Programme,
    ProgrammeChanges,
    ProgrammeInstitutionsQuery,
    ProgrammeQuery,
    ProgrammeRollup,
    ProgrammeRollupQuery,
)
from app.services import programme_rollups, programmes

routes = router("/programmes", "programmes")
ProgrammePath = Annotated[str, Path(description="Code or id of the programme.", max_length=64)]


@routes.post("", status_code=201)
async def create_programme(call: Call, new: NewProgramme, response: Response) -> Programme:
    """Add a programme; for operators, and for admins of the institution that leads it."""
    made = await call.write(programmes.create, new)
    return answers.created(response, made, "programmes", made.code)


@routes.get("")
async def list_programmes(
    call: Call, query: Annotated[ProgrammeQuery, Query()], request: Request, response: Response
) -> Page[Programme]:
    """The programmes that your institution leads or carries out, by code; for operators all."""
    return answers.paged(request, response, await call.read(programmes.page, query))


@routes.get("/{programme}")
async def get_programme(
    call: Call, programme: ProgrammePath, request: Request, response: Response
) -> Programme:
    """One programme with its institutions."""
    return answers.fresh(request, response, await call.read(programmes.get, programme))


@routes.patch("/{programme}")
async def change_programme(
    call: Call,
    programme: ProgrammePath,
    changes: ProgrammeChanges,
    expected: IfMatch,
    response: Response,
) -> Programme:
    """Change a programme; for operators, and for admins of the institution that leads it.

    An institution with initiatives in the programme stays in it (`in_use`).
    """
    changed = await call.write(programmes.change, programme, changes, expected)
    return answers.tagged(response, changed)


@routes.get("/{programme}/rollup")
async def get_programme_rollup(
    call: Call, programme: ProgrammePath, query: Annotated[ProgrammeRollupQuery, Query()]
) -> ProgrammeRollup:
    """The numbers of a programme over all its institutions, together.

    For whoever reads the whole of one of them; for others there are 0 institutions.
    """
    return await call.read(programme_rollups.get, programme, query)


@routes.get("/{programme}/rollup/institutions")
async def list_programme_rollups(
    call: Call,
    programme: ProgrammePath,
    query: Annotated[ProgrammeInstitutionsQuery, Query()],
    request: Request,
    response: Response,
) -> Page[InstitutionInProgramme]:
    """The numbers of a programme in each of its institutions, by code.

    All of them for whoever reads the whole of the one that leads; of one that carries it out, its own.
    """
    found = await call.read(programme_rollups.institutions, programme, query)
    return answers.paged(request, response, found)
