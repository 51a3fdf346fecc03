"""Scores and the candidates that they rank over HTTP."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import Removal
from app.api.calls import Call, InitiativePath, InstitutionPath, router
from app.schemas.candidates import Candidate, CandidatesQuery
from app.schemas.pages import Page
from app.schemas.scores import NewScore, Score, ScoreSheet
from app.services import candidates, scores

_OF_INITIATIVE = "/initiatives/{initiative}/scores"
routes = router("/institutions/{institution}", "choosing")
CriterionPath = Annotated[str, Path(description="Code or id of the criterion.", max_length=64)]


@routes.get("/candidates")
async def list_candidates(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[CandidatesQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Candidate]:
    """What is proposed or shortlisted, side by side on each criterion, ranked by weighted score.

    Who lacks a score on any criterion has no rank: null, never 0.
    """
    return answers.paged(request, response, await call.read(candidates.page, institution, query))


@routes.get(_OF_INITIATIVE)
async def get_scores(
    call: Call, institution: InstitutionPath, initiative: InitiativePath
) -> ScoreSheet:
    """An initiative's scores: everybody's on each criterion, side by side."""
    return await call.read(scores.sheet, institution, initiative)


@routes.put(_OF_INITIATIVE + "/{criterion}")
async def put_score(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    criterion: CriterionPath,
    new: NewScore,
) -> Score:
    """Set your own score on a criterion; sent twice, it is the same.

    While the initiative is proposed or shortlisted: afterwards (`not_rateable`) the scores stay as
    what the choice was made by.
    """
    return await call.write(scores.put, institution, initiative, criterion, new)


@routes.delete(_OF_INITIATIVE + "/{criterion}", status_code=204)
async def withdraw_score(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    criterion: CriterionPath,
    removal: Annotated[Removal, Query()],
) -> None:
    """Take your own score back."""
    await call.write(scores.withdraw, institution, initiative, criterion, removal.reason)
