"""Judged ratings of initiatives and units over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.api import answers
from app.api.calls import Call, InitiativePath, InstitutionPath, UnitPath, router
from app.schemas.pages import Page, Paging
from app.schemas.ratings import NewRating, Rating
from app.services import ratings

_OF_INITIATIVE = "/initiatives/{initiative}/ratings"
_OF_UNIT = "/units/{unit}/ratings"
routes = router("/institutions/{institution}", "ratings")


@routes.post(_OF_INITIATIVE, status_code=201)
async def rate_initiative(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    rating: NewRating,
    response: Response,
) -> Rating:
    """Judge how confident you are that an initiative delivers, and say why.

    The rating is appended, and the initiative shows the one of the latest day beside its computed
    health, which it never changes. A cancelled initiative cannot be rated (`not_rateable`).
    """
    made = await call.write(ratings.rate_initiative, institution, initiative, rating)
    answers.locate(
        response, "institutions", institution, "initiatives", initiative, "ratings", str(made.id)
    )
    return made


@routes.get(_OF_INITIATIVE)
async def list_initiative_ratings(
    call: Call,
    institution: InstitutionPath,
    initiative: InitiativePath,
    paging: Annotated[Paging, Query()],
    request: Request,
    response: Response,
) -> Page[Rating]:
    """The ratings of an initiative, newest day first; of a day the last one first."""
    page = await call.read(ratings.page_of_initiative, institution, initiative, paging)
    return answers.paged(request, response, page)


@routes.get(_OF_INITIATIVE + "/{rating}")
async def get_initiative_rating(
    call: Call, institution: InstitutionPath, initiative: InitiativePath, rating: UUID
) -> Rating:
    """One rating of an initiative."""
    return await call.read(ratings.get_of_initiative, institution, initiative, rating)


@routes.post(_OF_UNIT, status_code=201)
async def rate_unit(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    rating: NewRating,
    response: Response,
) -> Rating:
    """Judge how confident you are that a unit delivers what it has taken on, and say why.

    The rating is appended, and the unit shows the one of the latest day. It says nothing of the
    units below, and changes no roll-up. An archived unit cannot be rated (`not_rateable`).
    """
    made = await call.write(ratings.rate_unit, institution, unit, rating)
    answers.locate(response, "institutions", institution, "units", unit, "ratings", str(made.id))
    return made


@routes.get(_OF_UNIT)
async def list_unit_ratings(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    paging: Annotated[Paging, Query()],
    request: Request,
    response: Response,
) -> Page[Rating]:
    """The ratings of a unit, newest day first; of a day the last one first."""
    page = await call.read(ratings.page_of_unit, institution, unit, paging)
    return answers.paged(request, response, page)


@routes.get(_OF_UNIT + "/{rating}")
async def get_unit_rating(
    call: Call, institution: InstitutionPath, unit: UnitPath, rating: UUID
) -> Rating:
    """One rating of a unit."""
    return await call.read(ratings.get_of_unit, institution, unit, rating)
