"""Roll-ups as charts over HTTP: SVG for any page that has the right to see them.

The answers are drawn from what the JSON addresses beside them answer, with the same parameters.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Query, Request, Response

from app import __version__
from app.api import answers
from app.api.calls import Call, InstitutionPath, UnitPath, router
from app.api.problems import language_of
from app.charts import comparisons as drawn_comparisons
from app.charts import curves as drawn_curves
from app.charts import rollups as drawn_rollups
from app.charts.palette import sheet_source
from app.charts.paper import Look
from app.languages import FALLBACK, Words, words
from app.schemas.charts import (
    BadgeLook,
    BadgeQuery,
    ChartLook,
    ChildrenChartQuery,
    CurveChartQuery,
    Theme,
)
from app.schemas.fields import Language
from app.services import comparisons, curves, rollups

routes = router("/institutions/{institution}", "rollups")
AskedCurve = Annotated[CurveChartQuery, Query()]
AskedChildren = Annotated[ChildrenChartQuery, Query()]
AskedBadge = Annotated[BadgeQuery, Query()]


class Svg(Response):
    """A chart."""

    media_type = "image/svg+xml"


DRAWN: dict[str, Any] = {
    "response_class": Svg,
    "responses": {200: {"content": {Svg.media_type: {"schema": {"type": "string"}}}}},
}


@routes.get("/rollup/s-curve.svg", **DRAWN)
async def draw_institution_s_curve(
    call: Call, institution: InstitutionPath, query: AskedCurve, request: Request
) -> Svg:
    """The institution's S-curve as a chart: planned, complete and verified, today, forecast finish."""
    return await _s_curve(call, institution, None, query, request)


@routes.get("/units/{unit}/rollup/s-curve.svg", **DRAWN)
async def draw_unit_s_curve(
    call: Call, institution: InstitutionPath, unit: UnitPath, query: AskedCurve, request: Request
) -> Svg:
    """A unit's S-curve as a chart: planned, complete and verified, today, forecast finish."""
    return await _s_curve(call, institution, unit, query, request)


@routes.get("/rollup/children.svg", **DRAWN)
async def draw_institution_rollup_children(
    call: Call, institution: InstitutionPath, query: AskedChildren, request: Request
) -> Svg:
    """The units directly below the root as a chart: a bar each, in the order of `sort`."""
    return await _children(call, institution, None, query, request)


@routes.get("/units/{unit}/rollup/children.svg", **DRAWN)
async def draw_unit_rollup_children(
    call: Call, institution: InstitutionPath, unit: UnitPath, query: AskedChildren, request: Request
) -> Svg:
    """The units directly below a unit as a chart: a bar each, in the order of `sort`."""
    return await _children(call, institution, unit, query, request)


@routes.get("/rollup/badge.svg", **DRAWN)
async def draw_institution_badge(
    call: Call, institution: InstitutionPath, query: AskedBadge, request: Request
) -> Svg:
    """The institution's percent complete and health as a small badge."""
    return await _badge(call, institution, None, query, request)


@routes.get("/units/{unit}/rollup/badge.svg", **DRAWN)
async def draw_unit_badge(
    call: Call, institution: InstitutionPath, unit: UnitPath, query: AskedBadge, request: Request
) -> Svg:
    """A unit's percent complete and health as a small badge."""
    return await _badge(call, institution, unit, query, request)


async def _s_curve(
    call: Call, institution: str, unit: str | None, query: CurveChartQuery, request: Request
) -> Svg:
    found = await call.read(curves.whole, institution, unit, query)

    def draw(said: Words) -> str:
        return drawn_curves.s_curve(found, said, look(query))

    return await _answer(request, query, [found], draw)


async def _children(
    call: Call, institution: str, unit: str | None, query: ChildrenChartQuery, request: Request
) -> Svg:
    parent, found, *_ = await call.read(comparisons.family, institution, unit, query)

    def draw(said: Words) -> str:
        return drawn_comparisons.children(parent, found, said, look(query), query.limit)

    return await _answer(request, query, [parent, *found.items], draw)


async def _badge(
    call: Call, institution: str, unit: str | None, query: BadgeQuery, request: Request
) -> Svg:
    found = await call.read(rollups.get, institution, unit, query)

    def draw(said: Words) -> str:
        return drawn_rollups.badge(found, said, look(query))

    return await _answer(request, query, [found], draw)


def look(query: BadgeLook) -> Look:
    """How a chart is drawn that stands alone; a badge has a width of its own."""
    return Look(query.width, query.theme) if isinstance(query, ChartLook) else Look(0, query.theme)


async def _answer(
    request: Request,
    query: BadgeLook,
    rollups: Sequence[Any],
    draw: Callable[[Words], str],
) -> Svg:
    """The chart with the ETag of its roll-ups; 304 before anything is drawn, where it is known."""
    language = query.language or language_of(request, FALLBACK)
    headers = svg_headers(query.theme, language)
    if query.language is None:
        headers["Vary"] = "Accept-Language"
    tag = answers.rolled_up_tag(request, rollups, f" {language} {__version__}")
    answers.unless_known(request, tag, headers)
    # In a thread: hundreds of bars take a while, and nobody else shall wait.
    body = await to_thread.run_sync(draw, words(language))
    return Svg(body, headers=headers | {"ETag": tag})


def svg_headers(theme: Theme, language: Language) -> dict[str, str]:
    """What an answer needs to be shown by itself: its own style sheet, and nothing else."""
    policy = f"default-src 'none'; style-src {sheet_source(theme)}; frame-ancestors 'none'"
    return {"Content-Security-Policy": policy, "Content-Language": language.value}
