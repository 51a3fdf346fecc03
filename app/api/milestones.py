"""Milestones over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InitiativePath, InstitutionPath, MilestoneNumber, router
from app.schemas.milestones import Milestone, MilestoneChanges, NewMilestone
from app.schemas.pages import ChangesPaging, Page
from app.services import milestones, removing

routes = router("/institutions/{institution}/initiatives/{initiative}/milestones", "milestones")


@routes.post("", status_code=201)
async def create_milestone(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    new: NewMilestone,
    response: Response,
) -> Milestone:
    """Add a milestone; the shares of the others shrink."""
    made = await call.write(milestones.create, institution, initiative, new)
    return answers.created(
        response, made,
        "institutions", institution, "initiatives", initiative, "milestones", str(made.number),
    )  # fmt: skip


@routes.get("")
async def list_milestones(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    paging: Annotated[ChangesPaging, Query()],
    request: Request,
    response: Response,
) -> Page[Milestone]:
    """The milestones of an initiative, by number; dropped ones too."""
    page = await call.read(milestones.page, institution, initiative, paging)
    return answers.paged(request, response, page)


@routes.get("/{number}")
async def get_milestone(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
    request: Request,
    response: Response,
) -> Milestone:
    """One milestone with its numbers of today."""
    found, is_of_today = await call.read(milestones.get, institution, initiative, number)
    return answers.fresh(request, response, found, may_be_known=is_of_today)


@routes.patch("/{number}")
async def change_milestone(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
    changes: MilestoneChanges,
    expected: IfMatch,
    response: Response,
) -> Milestone:
    """Change, drop or bring back a milestone."""
    changed = await call.write(
        milestones.change, institution, initiative, number, changes, expected
    )
    return answers.tagged(response, changed)


@routes.delete("/{number}", status_code=204)
async def delete_milestone(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete a milestone without reports; one with reports is dropped. See deletions for the way back."""
    await call.write(removing.milestone, institution, initiative, number, expected, removal.reason)
