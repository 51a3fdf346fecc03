"""What anybody may see, over HTTP: no token is needed, and none is looked at."""

import hashlib
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from app import db
from app.api import answers, syndication
from app.api.calls import InitiativePath, InstitutionPath, router
from app.schemas.pages import Page
from app.schemas.public import (
    JsonFeed,
    PublicInitiative,
    PublicInitiativeWithPlan,
    PublicInstitution,
    PublicQuery,
)
from app.services import public, public_feeds

routes = router("/public/institutions/{institution}", "public")


class JsonAnswer(JSONResponse):
    """Something public as JSON, which is written already: its ETag is made of the bytes."""

    def render(self, content: bytes) -> bytes:
        """The bytes as they are."""
        return content


class AtomAnswer(Response):
    """A feed as Atom."""

    media_type = syndication.ATOM


class JsonFeedAnswer(JsonAnswer):
    """A feed as JSON Feed."""

    media_type = syndication.JSON_FEED


@routes.get("", response_model=PublicInstitution, response_class=JsonAnswer)
async def get_public_institution(request: Request, institution: InstitutionPath) -> Response:
    """An institution's name and its progress, as far as its policy shows them; else 404."""
    found = await _database(request).read(public.institution, institution)
    return _answer(request, JsonAnswer, found.model_dump_json().encode())


@routes.get("/initiatives", response_model=Page[PublicInitiative], response_class=JsonAnswer)
async def list_public_initiatives(
    request: Request, institution: InstitutionPath, query: Annotated[PublicQuery, Query()]
) -> Response:
    """The initiatives that are published, with their numbers of today; by code."""
    page = await _database(request).read(public.page, institution, query)
    answer = _answer(request, JsonAnswer, page.model_dump_json().encode())
    answers.paged(request, answer, page)
    return answer


@routes.get(
    "/initiatives/{initiative}",
    response_model=PublicInitiativeWithPlan,
    response_class=JsonAnswer,
)
async def get_public_initiative(
    request: Request, institution: InstitutionPath, initiative: InitiativePath
) -> Response:
    """A published initiative with its milestones, and what was told of it."""
    found = await _database(request).read(public.initiative, institution, initiative)
    return _answer(request, JsonAnswer, found.model_dump_json().encode())


@routes.get(
    "/feed.atom",
    response_class=AtomAnswer,
    responses={200: {"content": {syndication.ATOM: {"schema": {"type": "string"}}}}},
)
async def read_public_atom_feed(request: Request, institution: InstitutionPath) -> Response:
    """What was told of published initiatives, and which of their milestones were reached, as Atom.

    Newest first; of both the last 50.
    """
    feed = await _database(request).read(public_feeds.get, institution)
    return _answer(request, AtomAnswer, syndication.atom(feed, _here(request)))


@routes.get("/feed.json", response_model=JsonFeed, response_class=JsonFeedAnswer)
async def read_public_json_feed(request: Request, institution: InstitutionPath) -> Response:
    """The same as JSON Feed 1.1."""
    feed = await _database(request).read(public_feeds.get, institution)
    told = syndication.json_feed(feed, _here(request))
    return _answer(request, JsonFeedAnswer, told.model_dump_json(exclude_none=True).encode())


def _answer(request: Request, kind: type[Response], body: bytes) -> Response:
    """The answer with an ETag of what it says, so that it tells nothing else; 304 where it is known."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answers.unless_known(request, tag)
    return kind(body, headers={"ETag": tag})


def _database(request: Request) -> db.Database:
    database: db.Database = request.app.state.database
    return database


def _here(request: Request) -> str:
    return str(request.base_url).rstrip("/")
