"""Closing verdicts over HTTP: their catalogue, and those that were given on initiatives."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch
from app.api.calls import Call, InitiativePath, InstitutionPath, router
from app.schemas.judgements import Judgement, NewJudgement
from app.schemas.pages import Page, Paging
from app.schemas.verdicts import (
    ClosingVerdict,
    ClosingVerdictChanges,
    ClosingVerdictQuery,
    NewClosingVerdict,
)
from app.services import judgements, verdicts

_catalogue = router("/verdicts", "verdicts")
_given = router("/institutions/{institution}/initiatives/{initiative}/verdicts", "verdicts")
VerdictPath = Annotated[str, Path(description="Code or id of the closing verdict.", max_length=64)]


@_catalogue.post("", status_code=201)
async def create_verdict(call: Call, new: NewClosingVerdict, response: Response) -> ClosingVerdict:
    """Add a closing verdict; for operators."""
    made = await call.write(verdicts.create, new)
    return answers.created(response, made, "verdicts", made.code)


@_catalogue.get("")
async def list_verdicts(
    call: Call,
    query: Annotated[ClosingVerdictQuery, Query()],
    request: Request,
    response: Response,
) -> Page[ClosingVerdict]:
    """The closing verdicts that there are, in their order."""
    return answers.paged(request, response, await call.read(verdicts.page, query))


@_catalogue.get("/{verdict}")
async def get_verdict(
    call: Call, verdict: VerdictPath, request: Request, response: Response
) -> ClosingVerdict:
    """One closing verdict."""
    return answers.fresh(request, response, await call.read(verdicts.get, verdict))


@_catalogue.patch("/{verdict}")
async def change_verdict(
    call: Call,
    verdict: VerdictPath,
    changes: ClosingVerdictChanges,
    expected: IfMatch,
    response: Response,
) -> ClosingVerdict:
    """Change a closing verdict, or retire it; for operators. Where it was given it stays."""
    changed = await call.write(verdicts.change, verdict, changes, expected)
    return answers.tagged(response, changed)


@_given.post("", status_code=201)
async def give_verdict(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    new: NewJudgement,
    response: Response,
) -> Judgement:
    """Say in the official words what became of an initiative that is completed or cancelled.

    Needs `verdicts:give`, and is for somebody else than the accountable owner (`own_initiative`).
    It stands until a later one is given or the initiative's status changes; all are kept. Before
    the end there is nothing to say (`not_closed`).
    """
    made = await call.write(judgements.give, institution, initiative, new)
    answers.locate(
        response, "institutions", institution, "initiatives", initiative, "verdicts", str(made.id)
    )
    return made


@_given.get("")
async def list_initiative_verdicts(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    paging: Annotated[Paging, Query()],
    request: Request,
    response: Response,
) -> Page[Judgement]:
    """The closing verdicts that were given on an initiative, the newest first."""
    found = await call.read(judgements.page, institution, initiative, paging)
    return answers.paged(request, response, found)


@_given.get("/{judgement}")
async def get_initiative_verdict(
    call: Call, institution: InstitutionPath, initiative: InitiativePath, judgement: UUID
) -> Judgement:
    """One closing verdict that was given on an initiative."""
    return await call.read(judgements.get, institution, initiative, judgement)


routes = APIRouter(routes=[*_catalogue.routes, *_given.routes])
