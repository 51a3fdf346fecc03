"""Dependencies of initiatives and milestones over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import Removal
from app.api.calls import Call, InitiativePath, InstitutionPath, router
from app.schemas.dependencies import (
    Dependency,
    DependencyQuery,
    InitiativeDependencyQuery,
    NewDependency,
)
from app.schemas.pages import Page
from app.services import dependencies

_OF_INITIATIVE = "/initiatives/{initiative}/dependencies"
routes = router("/institutions/{institution}", "dependencies")
DependencyPath = Annotated[UUID, Path(description="Id of the dependency.")]


@routes.post(_OF_INITIATIVE, status_code=201)
async def create_dependency(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    new: NewDependency,
    response: Response,
) -> Dependency:
    """Let an initiative, or one of its milestones, wait for another to be finished.

    Needs `milestones:change` on what waits, and that you see what it waits for. What would wait for
    itself in the end is refused (`dependency_cycle`).
    """
    made = await call.write(dependencies.create, institution, initiative, new)
    answers.locate(
        response, "institutions", institution, "initiatives", initiative, "dependencies",
        str(made.id),
    )  # fmt: skip
    return made


@routes.get(_OF_INITIATIVE)
async def list_initiative_dependencies(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    query: Annotated[InitiativeDependencyQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Dependency]:
    """What an initiative and its milestones wait for, and what waits for them; oldest first."""
    page = await call.read(dependencies.page_of_initiative, institution, initiative, query)
    return answers.paged(request, response, page)


@routes.get(_OF_INITIATIVE + "/{dependency}")
async def get_dependency(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    dependency: DependencyPath,
) -> Dependency:
    """One dependency of an initiative."""
    return await call.read(dependencies.get, institution, initiative, dependency)


@routes.delete(_OF_INITIATIVE + "/{dependency}", status_code=204)
async def delete_dependency(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    dependency: DependencyPath,
    removal: Annotated[Removal, Query()],
) -> None:
    """Let it wait no more. Needs `milestones:change` on what waits."""
    await call.write(dependencies.remove, institution, initiative, dependency, removal.reason)


@routes.get("/dependencies")
async def list_dependencies(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[DependencyQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Dependency]:
    """The dependencies of which you see either side; with `late=true`, where a predecessor is late."""
    return answers.paged(request, response, await call.read(dependencies.page, institution, query))
