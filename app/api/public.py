"""What anybody may see, over HTTP: no token is needed, and none is looked at."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from anyio import to_thread
from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from app.api import answers, charts, origins, syndication
from app.api.calls import InitiativePath, InstitutionPath, UnitPath, router, strangers_call
from app.charts import curves, rollups
from app.languages import FALLBACK, Words, words
from app.schemas.charts import BadgeLook, PublicBadgeQuery, PublicCurveChartQuery
from app.schemas.pages import Page
from app.schemas.public import (
    JsonFeed,
    PublicInitiative,
    PublicInitiativeWithPlan,
    PublicInstitution,
    PublicQuery,
)
from app.services import public, public_feeds

P = ParamSpec("P")
T = TypeVar("T")
routes = router("/public/institutions/{institution}", "public")
AskedCurve = Annotated[PublicCurveChartQuery, Query()]
AskedBadge = Annotated[PublicBadgeQuery, Query()]


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
    found = await _read(request, public.institution, institution)
    return _answer(request, JsonAnswer, found.model_dump_json().encode())


@routes.get("/initiatives", response_model=Page[PublicInitiative], response_class=JsonAnswer)
async def list_public_initiatives(
    request: Request, institution: InstitutionPath, query: Annotated[PublicQuery, Query()]
) -> Response:
    """The initiatives that are published, with their numbers of today; by code."""
    page = await _read(request, public.page, institution, query)
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
    found = await _read(request, public.initiative, institution, initiative)
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
    feed = await _read(request, public_feeds.get, institution)
    return _answer(request, AtomAnswer, syndication.atom(feed, origins.own(request)))


@routes.get("/feed.json", response_model=JsonFeed, response_class=JsonFeedAnswer)
async def read_public_json_feed(request: Request, institution: InstitutionPath) -> Response:
    """The same as JSON Feed 1.1."""
    feed = await _read(request, public_feeds.get, institution)
    told = syndication.json_feed(feed, origins.own(request))
    return _answer(request, JsonFeedAnswer, told.model_dump_json(exclude_none=True).encode())


@routes.get("/rollup/s-curve.svg", **charts.DRAWN)
async def draw_public_s_curve(
    request: Request, institution: InstitutionPath, query: AskedCurve
) -> Response:
    """The institution's S-curve as a chart, for any page; 404 unless the roll-up of all is shown."""
    return await _s_curve(request, institution, None, query)


@routes.get("/units/{unit}/rollup/s-curve.svg", **charts.DRAWN)
async def draw_public_unit_s_curve(
    request: Request, institution: InstitutionPath, unit: UnitPath, query: AskedCurve
) -> Response:
    """The same of a unit directly below the root, where the institution shows those."""
    return await _s_curve(request, institution, unit, query)


@routes.get("/rollup/badge.svg", **charts.DRAWN)
async def draw_public_badge(
    request: Request, institution: InstitutionPath, query: AskedBadge
) -> Response:
    """The institution's percent complete of today as a small badge, for any page."""
    return await _badge(request, institution, None, query)


@routes.get("/units/{unit}/rollup/badge.svg", **charts.DRAWN)
async def draw_public_unit_badge(
    request: Request, institution: InstitutionPath, unit: UnitPath, query: AskedBadge
) -> Response:
    """The same of a unit directly below the root, where the institution shows those."""
    return await _badge(request, institution, unit, query)


async def _s_curve(
    request: Request, institution: str, unit: str | None, query: PublicCurveChartQuery
) -> Response:
    found = await _read(request, public.curve, institution, unit)

    def draw(said: Words) -> str:
        return curves.s_curve(found, said, charts.look(query))

    return await _drawn(request, query, draw)


async def _badge(
    request: Request, institution: str, unit: str | None, query: PublicBadgeQuery
) -> Response:
    found, today = await _read(request, public.unit, institution, unit)

    def draw(said: Words) -> str:
        return rollups.public_badge(found.name, found, today, said, charts.look(query))

    return await _drawn(request, query, draw)


async def _drawn(request: Request, query: BadgeLook, draw: Callable[[Words], str]) -> Response:
    language = query.language or FALLBACK
    headers = charts.svg_headers(query.theme, language)
    text = await to_thread.run_sync(draw, words(language))
    return _answer(request, charts.Svg, text.encode(), headers)


def _answer(
    request: Request, kind: type[Response], body: bytes, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer with an ETag of what it says, so that it tells nothing else; 304 where it is known."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answers.unless_known(request, tag, headers)
    return kind(body, headers={**(headers or {}), "ETag": tag})


async def _read(
    request: Request,
    verb: Callable[Concatenate[Session, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    return await strangers_call(request).read(
        lambda session, _nobody: verb(session, *args, **kwargs)
    )
