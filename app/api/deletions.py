"""Deletions and restoring over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Path, Query, Request, Response

from app.api import answers
from app.api.calls import Call, InstitutionPath, router
from app.schemas.deletions import DeletedNoun, Deletion, DeletionQuery, NewRestoration, Restored
from app.schemas.pages import Page
from app.services import deletions, restoring

routes = router("/institutions/{institution}/deletions", "deletions")
DeletionPath = Annotated[UUID, Path(description="Id of the deletion.")]
_COLLECTIONS = {
    DeletedNoun.UNIT: "units",
    DeletedNoun.PERSON: "people",
    DeletedNoun.INITIATIVE: "initiatives",
    DeletedNoun.MILESTONE: "initiatives",  # whose milestones' addresses begin with theirs
}


@routes.get("")
async def list_deletions(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[DeletionQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Deletion]:
    """What was deleted and can be restored, or has been; newest first."""
    return answers.paged(request, response, await call.read(deletions.page, institution, query))


@routes.get("/{deletion}")
async def get_deletion(
    call: Call, institution: InstitutionPath, deletion: DeletionPath
) -> Deletion:
    """One deletion."""
    return await call.read(deletions.get, institution, deletion)


@routes.post("/{deletion}/restoration", status_code=201)
async def restore_deletion(
    call: Call,
    institution: InstitutionPath,
    deletion: DeletionPath,
    response: Response,
    restoration: Annotated[NewRestoration, Body(default_factory=NewRestoration)],
) -> Restored:
    """Bring back what was deleted, with all that was deleted along with it.

    It has the ids that it had, its reports, verdicts, owners and ratings, and a newer version; every
    roll-up is what it was, on past dates too. It comes back to its unit, wherever that is in the
    tree by now, or to the one that its unit was merged into. Whoever may delete may restore.

    It is refused, and nothing written, when it has been restored (`already_restored`), its code,
    number or OIDC subject is in use by now (`code_taken`, `number_taken`, `subject_taken`), what it
    belongs to or names is deleted itself (`missing_reference`), or its unit is archived
    (`unit_archived`). After `restorable_until` there is nothing at this address.
    """
    made = await call.write(restoring.restore, institution, deletion, restoration.reason)
    collection = _COLLECTIONS[made.noun]
    return answers.created(
        response, made.resource, "institutions", institution, collection, made.subject
    )
