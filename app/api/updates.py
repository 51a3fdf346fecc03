"""Progress updates (reports) and their verification over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.api import answers
from app.api.calls import Call, InitiativePath, InstitutionPath, MilestoneNumber, router
from app.api.problems import teller
from app.schemas.batches import Batch, NewBatch
from app.schemas.pages import Page, Paging
from app.schemas.updates import NewUpdate, NewVerification, Update, UpdateQuery
from app.schemas.verifications import VerificationCase, VerificationQuery
from app.services import progress, updates, verification

_OF_MILESTONE = "/initiatives/{initiative}/milestones/{number}/updates"
routes = router("/institutions/{institution}", "updates")


@routes.post(_OF_MILESTONE, status_code=201, responses={200: {"model": Update}})
async def report_progress(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
    report: NewUpdate,
    response: Response,
) -> Update:
    """Report progress on a milestone; a known source and external_id answer 200 and the old report."""
    made, is_new = await call.write(progress.report, institution, initiative, number, report)
    answers.locate(
        response, "institutions", institution, "initiatives", initiative, "milestones", str(number),
        "updates", str(made.id),
    )  # fmt: skip
    if not is_new:
        response.status_code = 200
    return made


@routes.get(_OF_MILESTONE)
async def list_updates(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
    paging: Annotated[Paging, Query()],
    request: Request,
    response: Response,
) -> Page[Update]:
    """The reports on a milestone, newest first."""
    page = await call.read(updates.page, institution, initiative, number, paging)
    return answers.paged(request, response, page)


@routes.get(_OF_MILESTONE + "/{update}")
async def get_update(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
    update: UUID,
) -> Update:
    """One report."""
    return await call.read(updates.get, institution, initiative, number, update)


@routes.post(_OF_MILESTONE + "/{update}/verification")
async def verify_update(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
    update: UUID,
    verdict: NewVerification,
) -> Update:
    """Verify somebody else's report, or return it with a note; four findings say why.

    A later verdict holds in place of an earlier one; `verifications` keeps them all.
    """
    return await call.write(verification.verify, institution, initiative, number, update, verdict)


@routes.get("/verifications")
async def list_verifications(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[VerificationQuery, Query()],
    request: Request,
    response: Response,
) -> Page[VerificationCase]:
    """What waits for you as a verifier, oldest first; by `state` also the record of what was judged.

    Reports on units where you may verify, but not your own: those are for somebody else.
    """
    page = await call.read(verification.page, institution, query)
    return answers.paged(request, response, page)


@routes.post("/updates", status_code=207, responses={201: {"model": Batch}})
async def report_batch(
    call: Call, institution: InstitutionPath, batch: NewBatch, request: Request, response: Response
) -> Batch:
    """Report progress on many milestones at once, in one transaction.

    Items are taken in order by the rules of a single report, and each is answered in `results`
    (207): with `update`, or with the `problem` that a single report would have met. An item that is
    wrong by itself (an unknown field, `percent_complete` 101) is refused alone. With `atomic: true`
    all are taken (201) or none: a 422 then names every item that is refused, such as
    `/items/3/percent_complete`.

    The whole batch is refused, and nothing written, when the body is not JSON as this service reads
    it (400, or 422 for duplicate keys, NUL characters, lone surrogates), when something is wrong
    beside the items (422), and when it is too large (413): 1 MiB takes 1,000 items with notes of
    500 characters. What has a `source` and an `external_id` can be sent again as it is.
    """
    made = await call.write(progress.report_batch, institution, batch, teller(request))
    if batch.atomic:
        response.status_code = 201
    return made


@routes.get("/updates")
async def list_institution_updates(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[UpdateQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Update]:
    """Every report of the institution, newest first."""
    return answers.paged(request, response, await call.read(updates.feed, institution, query))
