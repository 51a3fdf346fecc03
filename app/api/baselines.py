"""Baselines of initiatives over HTTP."""

from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field

from app.api import answers
from app.api.calls import Call, InitiativePath, InstitutionPath, router
from app.schemas.baselines import (
    MOST_BASELINES,
    Baseline,
    BaselineComparison,
    BaselineWithPlan,
    ComparisonQuery,
    NewBaseline,
)
from app.schemas.fields import Digits
from app.schemas.pages import Page, Paging
from app.services import baselines

routes = router("/institutions/{institution}/initiatives/{initiative}/baselines", "baselines")
BaselineNumber = Annotated[
    int, Field(ge=1, le=MOST_BASELINES), Digits, Path(description="Number of the baseline.")
]


@routes.post("", status_code=201)
async def take_baseline(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    new: NewBaseline,
    response: Response,
) -> BaselineWithPlan:
    """Make the present plan the newest baseline: from now on it decides what is scheduled.

    Older versions stay as they are. The first is taken by itself when the initiative becomes active.
    """
    made = await call.write(baselines.take, institution, initiative, new)
    answers.locate(
        response, "institutions", institution, "initiatives", initiative, "baselines",
        str(made.number),
    )  # fmt: skip
    return made


@routes.get("")
async def list_baselines(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    paging: Annotated[Paging, Query()],
    request: Request,
    response: Response,
) -> Page[Baseline]:
    """The versions of an initiative's baseline, newest first."""
    page = await call.read(baselines.page, institution, initiative, paging)
    return answers.paged(request, response, page)


@routes.get("/{number}")
async def get_baseline(
    call: Call, institution: InstitutionPath, initiative: InitiativePath, number: BaselineNumber
) -> BaselineWithPlan:
    """One version, with the plan as it was."""
    return await call.read(baselines.get, institution, initiative, number)


@routes.get("/{number}/comparison")
async def compare_baseline(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: BaselineNumber,
    query: Annotated[ComparisonQuery, Query()],
) -> BaselineComparison:
    """What became of a version, up to the present plan or to another version."""
    return await call.read(baselines.compare, institution, initiative, number, query)
