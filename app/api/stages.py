"""Stages over HTTP, with their conflicts and their load."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InstitutionPath, router
from app.schemas.pages import Page
from app.schemas.stages import (
    ConflictQuery,
    LoadQuery,
    NewStage,
    Stage,
    StageChanges,
    StageConflict,
    StageLoad,
    StageQuery,
    Stages,
    StandardStages,
)
from app.services import stage_conflicts, stages

_STAGES = "/stages"
routes = router("/institutions/{institution}", "stages")
StagePath = Annotated[str, Path(description="Code or id of the stage.", max_length=64)]


@routes.post(_STAGES, status_code=201)
async def create_stage(
    call: Call, institution: InstitutionPath, new: NewStage, response: Response
) -> Stage:
    """Add a stage to a calendar, for whoever may change the institution.

    A calendar needs no creation: it is there as soon as a stage names it.
    """
    made = await call.write(stages.create, institution, new)
    return answers.created(response, made, "institutions", institution, "stages", made.code)


@routes.post(_STAGES + "/standard")
async def add_standard_stages(
    call: Call, institution: InstitutionPath, asked: StandardStages
) -> Stages:
    """Add the stages of a calendar that is known here, all or none: `pemilu-2024`.

    Send it again, and what is there already stays as it is. Change afterwards what has moved.
    """
    return await call.write(stages.add_standard, institution, asked)


@routes.get(_STAGES)
async def list_stages(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[StageQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Stage]:
    """The stages of all calendars, filtered and sorted; for all people of the institution."""
    return answers.paged(request, response, await call.read(stages.page, institution, query))


@routes.get("/stage-conflicts")
async def list_stage_conflicts(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[ConflictQuery, Query()],
    request: Request,
    response: Response,
) -> Page[StageConflict]:
    """Where the plans that you may see contradict a stage that they are linked to, as of today.

    Of initiatives that are proposed, shortlisted, active or on hold.
    """
    page = await call.read(stage_conflicts.conflicts, institution, query)
    return answers.paged(request, response, page)


@routes.get("/stage-load")
async def list_stage_loads(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[LoadQuery, Query()],
    request: Request,
    response: Response,
) -> Page[StageLoad]:
    """How much is due in each stage, of the plans that you may see; whether linked to it or not."""
    page = await call.read(stage_conflicts.load, institution, query)
    return answers.paged(request, response, page)


@routes.get(_STAGES + "/{stage}")
async def get_stage(
    call: Call,
    institution: InstitutionPath,
    stage: StagePath,
    request: Request,
    response: Response,
) -> Stage:
    """One stage."""
    return answers.fresh(request, response, await call.read(stages.get, institution, stage))


@routes.patch(_STAGES + "/{stage}")
async def change_stage(
    call: Call,
    institution: InstitutionPath,
    stage: StagePath,
    changes: StageChanges,
    expected: IfMatch,
    response: Response,
) -> Stage:
    """Change a stage; conflicts are those of its new days at once."""
    changed = await call.write(stages.change, institution, stage, changes, expected)
    return answers.tagged(response, changed)


@routes.delete(_STAGES + "/{stage}", status_code=204)
async def delete_stage(
    call: Call,
    institution: InstitutionPath,
    stage: StagePath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete a stage that no initiative is linked to (else `in_use`); its event keeps what it was."""
    await call.write(stages.remove, institution, stage, expected, removal.reason)
