"""People over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InstitutionPath, PersonPath, router
from app.schemas.loads import Load, LoadQuery
from app.schemas.pages import Page
from app.schemas.people import NewPerson, Person, PersonChanges, PersonQuery
from app.services import loads, people, removing

routes = router("/institutions/{institution}/people", "people")


@routes.post("", status_code=201)
async def create_person(
    call: Call, institution: InstitutionPath, new: NewPerson, response: Response
) -> Person:
    """Add a person."""
    made = await call.write(people.create, institution, new)
    return answers.created(response, made, "institutions", institution, "people", made.code)


@routes.get("")
async def list_people(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[PersonQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Person]:
    """People, filtered; by code."""
    return answers.paged(request, response, await call.read(people.page, institution, query))


@routes.get("/{person}")
async def get_person(
    call: Call,
    institution: InstitutionPath,
    person: PersonPath,
    request: Request,
    response: Response,
) -> Person:
    """One person."""
    return answers.fresh(request, response, await call.read(people.get, institution, person))


@routes.get("/{person}/load")
async def get_person_load(
    call: Call,
    institution: InstitutionPath,
    person: PersonPath,
    query: Annotated[LoadQuery, Query()],
) -> Load:
    """What a person owns: open and overdue today, due next, and what was done on time, by year.

    Of the initiatives that you see, in any role of theirs.
    """
    return await call.read(loads.get, institution, person, query)


@routes.patch("/{person}")
async def change_person(
    call: Call,
    institution: InstitutionPath,
    person: PersonPath,
    changes: PersonChanges,
    expected: IfMatch,
    response: Response,
) -> Person:
    """Change a person."""
    changed = await call.write(people.change, institution, person, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/{person}", status_code=204)
async def delete_person(
    call: Call,
    institution: InstitutionPath,
    person: PersonPath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete a person who has left no trace; others become inactive. See deletions for the way back."""
    await call.write(removing.person, institution, person, expected, removal.reason)
