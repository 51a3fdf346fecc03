"""Publications of initiatives over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InitiativePath, InstitutionPath, router
from app.schemas.pages import ChangesPaging, Page
from app.schemas.publications import NewPublication, Publication, PublicationChanges
from app.services import publications

routes = router("/institutions/{institution}/initiatives/{initiative}/publications", "publications")


@routes.post("", status_code=201)
async def create_publication(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    new: NewPublication,
    response: Response,
) -> Publication:
    """Keep what was told of an initiative, for whoever may change the initiative.

    It is shown to the public if the initiative is `public` and the institution's policy says so.
    """
    made = await call.write(publications.create, institution, initiative, new)
    return answers.created(
        response, made, "institutions", institution, "initiatives", initiative, "publications",
        str(made.id),
    )  # fmt: skip


@routes.get("")
async def list_publications(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    paging: Annotated[ChangesPaging, Query()],
    request: Request,
    response: Response,
) -> Page[Publication]:
    """What was told of an initiative, newest first."""
    page = await call.read(publications.page, institution, initiative, paging)
    return answers.paged(request, response, page)


@routes.get("/{publication}")
async def get_publication(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    publication: UUID,
    request: Request,
    response: Response,
) -> Publication:
    """One publication."""
    found = await call.read(publications.get, institution, initiative, publication)
    return answers.fresh(request, response, found)


@routes.patch("/{publication}")
async def change_publication(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    publication: UUID,
    changes: PublicationChanges,
    expected: IfMatch,
    response: Response,
) -> Publication:
    """Correct what was kept."""
    changed = await call.write(
        publications.change, institution, initiative, publication, changes, expected
    )
    return answers.tagged(response, changed)


@routes.delete("/{publication}", status_code=204)
async def delete_publication(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    publication: UUID,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Forget a publication, for good; its event keeps what it was."""
    await call.write(
        publications.remove, institution, initiative, publication, expected, removal.reason
    )
