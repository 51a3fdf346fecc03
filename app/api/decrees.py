"""Decrees over HTTP."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InstitutionPath, router
from app.api.problems import teller
from app.schemas.decrees import Decree, DecreeChanges, DecreeQuery, NewDecree
from app.schemas.designations import Designations, NewDesignations
from app.schemas.pages import Page
from app.services import decrees, designations

routes = router("/institutions/{institution}/decrees", "choosing")
DecreePath = Annotated[str, Path(description="Code or id of the decree.", max_length=64)]


@routes.post("", status_code=201)
async def create_decree(
    call: Call, institution: InstitutionPath, new: NewDecree, response: Response
) -> Decree:
    """Register a decree that was issued.

    Needs `decrees:change` on the institution as a whole, as changing and deleting one does.
    """
    made = await call.write(decrees.create, institution, new)
    return answers.created(response, made, "institutions", institution, "decrees", made.code)


@routes.get("")
async def list_decrees(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[DecreeQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Decree]:
    """The institution's decrees, filtered and sorted; everybody in it may read them."""
    return answers.paged(request, response, await call.read(decrees.page, institution, query))


@routes.get("/{decree}")
async def get_decree(
    call: Call,
    institution: InstitutionPath,
    decree: DecreePath,
    request: Request,
    response: Response,
) -> Decree:
    """One decree. `GET …/initiatives?decree=` lists what it designated."""
    return answers.fresh(request, response, await call.read(decrees.get, institution, decree))


@routes.post("/{decree}/designations", status_code=207, responses={200: {"model": Designations}})
async def designate_initiatives(
    call: Call,
    institution: InstitutionPath,
    decree: DecreePath,
    new: NewDesignations,
    request: Request,
    response: Response,
) -> Designations:
    """Make many initiatives active by a decree, in one transaction.

    Each is judged by the rules of the single change of status (`PATCH …/initiatives/{initiative}`
    with `status`, `decree` and, if given, `owners`), has the same event, gets its first baseline,
    and is answered in `results` (207): designated, or with the `problem` that the single change
    would have met. Needs `initiatives:change` on the unit of each. With `atomic: true` all are
    designated (200) or none: a 422 then names every item that is refused, such as
    `/items/3/initiative`. It can be sent again: what is active by this decree already stays as it is
    (`"changed": false`).
    """
    made = await call.write(designations.designate, institution, decree, new, teller(request))
    if new.atomic:
        response.status_code = 200
    return made


@routes.patch("/{decree}")
async def change_decree(
    call: Call,
    institution: InstitutionPath,
    decree: DecreePath,
    changes: DecreeChanges,
    expected: IfMatch,
    response: Response,
) -> Decree:
    """Correct what is said of a decree."""
    changed = await call.write(decrees.change, institution, decree, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/{decree}", status_code=204)
async def delete_decree(
    call: Call,
    institution: InstitutionPath,
    decree: DecreePath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Take a decree out that nothing refers to (else `in_use`)."""
    await call.write(decrees.remove, institution, decree, expected, removal.reason)
