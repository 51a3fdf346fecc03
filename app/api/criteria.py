"""Criteria over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InstitutionPath, router
from app.api.scores import CriterionPath
from app.schemas.criteria import CriteriaQuery, Criterion, CriterionChanges, NewCriterion
from app.schemas.pages import Page
from app.services import criteria

routes = router("/institutions/{institution}/criteria", "choosing")


@routes.post("", status_code=201)
async def create_criterion(
    call: Call, institution: InstitutionPath, new: NewCriterion, response: Response
) -> Criterion:
    """Add a criterion that proposals are judged by, at most 50 at a time.

    Needs `institution:change`, as changing and deleting one does.
    """
    made = await call.write(criteria.create, institution, new)
    return answers.created(response, made, "institutions", institution, "criteria", made.code)


@routes.get("")
async def list_criteria(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[CriteriaQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Criterion]:
    """The institution's criteria, retired ones too; by code."""
    return answers.paged(request, response, await call.read(criteria.page, institution, query))


@routes.get("/{criterion}")
async def get_criterion(
    call: Call,
    institution: InstitutionPath,
    criterion: CriterionPath,
    request: Request,
    response: Response,
) -> Criterion:
    """One criterion."""
    return answers.fresh(request, response, await call.read(criteria.get, institution, criterion))


@routes.patch("/{criterion}")
async def change_criterion(
    call: Call,
    institution: InstitutionPath,
    criterion: CriterionPath,
    changes: CriterionChanges,
    expected: IfMatch,
    response: Response,
) -> Criterion:
    """Change a criterion, retire it, or take it up again; weighted scores follow at once."""
    changed = await call.write(criteria.change, institution, criterion, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/{criterion}", status_code=204)
async def delete_criterion(
    call: Call,
    institution: InstitutionPath,
    criterion: CriterionPath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete a criterion on which nobody has scored; one with scores is retired instead (`in_use`)."""
    await call.write(criteria.remove, institution, criterion, expected, removal.reason)
