"""Roll-ups taken apart over HTTP: their terms, what moved them, and groups of initiatives."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.calls import Call, InitiativePath, InstitutionPath, UnitPath, router
from app.schemas.explanations import (
    Changes,
    ChangesQuery,
    Explanation,
    ExplanationQuery,
    InitiativeExplanation,
    InitiativeExplanationQuery,
)
from app.schemas.groups import Groups, GroupsQuery
from app.services import changes, explanations, groups

routes = router("/institutions/{institution}", "rollups")
AskedExplanation = Annotated[ExplanationQuery, Query()]
AskedInitiative = Annotated[InitiativeExplanationQuery, Query()]
AskedChanges = Annotated[ChangesQuery, Query()]
AskedGroups = Annotated[GroupsQuery, Query()]


@routes.get("/rollup/explain")
async def get_institution_explanation(
    call: Call,
    institution: InstitutionPath,
    query: AskedExplanation,
    request: Request,
    response: Response,
) -> Explanation:
    """The terms of the institution's number: the units below the root and its own initiatives, the largest first."""
    found = await call.read(explanations.of_unit, institution, None, query)
    return answers.paged(request, response, found)


@routes.get("/units/{unit}/rollup/explain")
async def get_unit_explanation(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    query: AskedExplanation,
    request: Request,
    response: Response,
) -> Explanation:
    """The terms of the unit's number: the units below it and its own initiatives, the largest first."""
    found = await call.read(explanations.of_unit, institution, unit, query)
    return answers.paged(request, response, found)


@routes.get("/rollup/changes")
async def get_institution_changes(
    call: Call,
    institution: InstitutionPath,
    query: AskedChanges,
    request: Request,
    response: Response,
) -> Changes:
    """What moved the institution's number between two dates, the largest first."""
    found = await call.read(changes.get, institution, None, query)
    return answers.paged(request, response, found)


@routes.get("/units/{unit}/rollup/changes")
async def get_unit_changes(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    query: AskedChanges,
    request: Request,
    response: Response,
) -> Changes:
    """What moved the unit's number between two dates, the largest first."""
    found = await call.read(changes.get, institution, unit, query)
    return answers.paged(request, response, found)


@routes.get("/rollup/by")
async def get_institution_groups(
    call: Call,
    institution: InstitutionPath,
    query: AskedGroups,
    request: Request,
    response: Response,
) -> Groups:
    """The institution's numbers by owner, status, tag and so on, the largest weight first."""
    found = await call.read(groups.get, institution, None, query)
    return answers.paged(request, response, found)


@routes.get("/units/{unit}/rollup/by")
async def get_unit_groups(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    query: AskedGroups,
    request: Request,
    response: Response,
) -> Groups:
    """The unit's numbers by owner, status, tag and so on, the largest weight first."""
    found = await call.read(groups.get, institution, unit, query)
    return answers.paged(request, response, found)


@routes.get("/initiatives/{initiative}/rollup/explain")
async def get_initiative_explanation(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    query: AskedInitiative,
) -> InitiativeExplanation:
    """The terms of an initiative's number: its live milestones, the largest first."""
    return await call.read(explanations.of_initiative, institution, initiative, query)
