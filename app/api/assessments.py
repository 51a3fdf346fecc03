"""Assessments of an institution over HTTP, the index that they form, and lifts of initiatives."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InitiativePath, InstitutionPath, router
from app.schemas.assessments import (
    Assessment,
    AssessmentChanges,
    AssessmentQuery,
    Index,
    IndexQuery,
    InitiativeLifts,
    LiftQuery,
    NewAssessment,
)
from app.schemas.pages import Page
from app.services import assessments, indexes, lifts

routes = router("/institutions/{institution}", "index")


@routes.post("/assessments", status_code=201)
async def record_assessment(
    call: Call, institution: InstitutionPath, new: NewAssessment, response: Response
) -> Assessment:
    """Add what an assessor gave the institution for a year, or the target that it set itself.

    Each assessor's stands by itself: none takes the place of another's.
    """
    made = await call.write(assessments.record, institution, new)
    return answers.created(response, made, "institutions", institution, "assessments", str(made.id))


@routes.get("/assessments")
async def list_assessments(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[AssessmentQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Assessment]:
    """Assessments, filtered; the latest score year first."""
    return answers.paged(request, response, await call.read(assessments.page, institution, query))


@routes.get("/assessments/{assessment}")
async def get_assessment(
    call: Call, institution: InstitutionPath, assessment: UUID, response: Response
) -> Assessment:
    """One assessment; its predicate is by the instrument's bands of today."""
    return answers.tagged(response, await call.read(assessments.get, institution, assessment))


@routes.patch("/assessments/{assessment}")
async def change_assessment(
    call: Call,
    institution: InstitutionPath,
    assessment: UUID,
    changes: AssessmentChanges,
    expected: IfMatch,
    response: Response,
) -> Assessment:
    """Change what an assessment says."""
    changed = await call.write(assessments.change, institution, assessment, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/assessments/{assessment}", status_code=204)
async def delete_assessment(
    call: Call,
    institution: InstitutionPath,
    assessment: UUID,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete an assessment that was recorded by mistake, for good; it owes a `reason`.

    What it was stays in its event. One that was only recorded wrong is changed instead.
    """
    await call.write(assessments.remove, institution, assessment, expected, removal.reason)


@routes.get("/index")
async def get_index(
    call: Call, institution: InstitutionPath, query: Annotated[IndexQuery, Query()]
) -> Index:
    """The institution's index over the years: a series for each instrument and assessor.

    Scores under two instruments are not the same measure. `not_comparable` says where one takes
    the place of another; no difference is computed across.
    """
    return await call.read(indexes.get, institution, query)


@routes.get("/initiatives/{initiative}/lift")
async def get_initiative_lift(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    query: Annotated[LiftQuery, Query()],
) -> InitiativeLifts:
    """What an initiative should lift, what is reported of that, and what was assessed.

    `reported` is the expected lift times the initiative's percent complete. `assessed` is the
    component's score after less that before, under the same instrument: other initiatives are in it.
    """
    return await call.read(lifts.get, institution, initiative, query)
