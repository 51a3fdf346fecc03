"""The application: composes the floors; `app.main:app` is what a server runs."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from opentelemetry.trace import TracerProvider
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from app import __version__, orphans, replica, tracing, worker
from app.api import (
    access_log,
    answers,
    archives,
    assessments,
    attention,
    baselines,
    bodiless,
    calendars,
    charts,
    compression,
    criteria,
    decrees,
    deletions,
    dependencies,
    documents,
    events,
    explanations,
    exports,
    files,
    follow_ups,
    grants,
    headers,
    heads,
    health,
    imports,
    indicators,
    initiatives,
    institutions,
    instruments,
    limits,
    meters,
    metrics,
    milestones,
    nationwide,
    obstacles,
    oidc,
    people,
    periods,
    problems,
    programmes,
    public,
    publications,
    purposes,
    ratings,
    reports,
    requests,
    rollups,
    schemes,
    scores,
    stages,
    streams,
    teams,
    templates,
    tokens,
    units,
    updates,
    verdicts,
    webhooks,
)
from app.api.connections import CLOSING
from app.api.denials import Denials
from app.api.strangers import Strangers
from app.api.tails import Tails
from app.db import Database
from app.errors import DatabaseUnavailable
from app.opening import open_database
from app.settings import Settings, settings
from app.web import (
    assets,
    docs,
    explained,
    home,
    initiative,
    live,
    overview,
    relying,
    scripting,
    sign_in,
    sign_in_oidc,
    worklists,
)
from app.web import initiatives as initiative_pages
from app.web import milestones as milestone_pages
from app.web import periods as period_pages
from app.web import problems as problem_pages
from app.web import reports as report_pages
from app.web import sessions as session_pages
from app.web import updates as update_pages
from app.web import verification as verification_pages

_PATIENCE_SECONDS = 30
COLLECTED_AFTER = 50_000
"""Objects from which garbage is looked for: what most requests make lasts until their answer, that
of a large batch too, and needs no collector after it."""


def create_app(
    configuration: Settings | None = None,
    *,
    turn: Path | None = None,
    traces: TracerProvider | None = None,
) -> FastAPI:
    """The application over one database; the database is migrated by whoever starts it.

    Of several processes that are given the same file as `turn`, one does the background work.
    Spans go to `traces`, or where the environment says.
    """
    chosen = configuration or settings()
    traces = traces or tracing.asked_for()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        app.state.database = database = await _open_patiently(chosen)
        app.state.replica = replica.opened(chosen, database)
        app.state.settings = chosen
        app.state.denials, app.state.strangers = Denials(database), Strangers(database)
        app.state.tails = Tails(database)
        app.state.looker = metrics.Looker(database)
        app.state.oidc = None if chosen.oidc_issuer is None else oidc.Verifier(chosen)
        app.state.relying = await relying.party(chosen, database)
        gc.collect()
        gc.freeze()  # what is here stays: the collector need not look at it again and again
        gc.set_threshold(COLLECTED_AFTER)
        async with AsyncExitStack() as running:
            databases = [
                database,
                *filter(None, [app.state.replica and app.state.replica.database]),
            ]
            await running.enter_async_context(tracing.tracing(traces, databases))
            await running.enter_async_context(orphans.leaving_with_parent())
            await running.enter_async_context(database.wakes.listening())
            await running.enter_async_context(meters.sampling(*databases))
            stop = asyncio.Event()
            if chosen.background:
                await running.enter_async_context(worker.working(database, chosen, stop, turn))

            def closing() -> None:
                app.state.tails.stop()
                stop.set()

            yield {CLOSING: closing}
            await app.state.tails.close()
        if app.state.oidc is not None:
            await app.state.oidc.close()
        await asyncio.gather(app.state.denials.close(), app.state.strangers.close())
        if app.state.replica is not None:
            await app.state.replica.close()
        await database.close()

    app = FastAPIOffline(
        docs_url=None,  # ours has more on it: `web/docs`
        redoc_url=None,  # likewise
        static_url=docs.STATIC,
        title="Quickwin",
        version=__version__,
        summary="Quick-win reform initiatives, rolled up exactly through a tree of units.",
        description=documents.DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/", "description": "This server"}],
        openapi_tags=documents.TAGS,
        generate_unique_id_function=documents.operation_id,
        lifespan=lifespan,
        telemetry=tracing.telemetry(traces),
        redirect_slashes=False,  # an address that the document does not name is a 404
    )
    for noun in (
        rollups, charts, nationwide, explanations, attention, reports, initiatives, milestones, baselines,
        dependencies, templates, updates, files, imports, ratings, periods, obstacles, follow_ups, calendars,
        units, people, deletions, institutions, schemes, purposes, programmes, assessments,
        instruments, indicators, streams, events, webhooks, grants, tokens, exports, archives,
        criteria, scores, decrees, stages, publications, public, teams, verdicts,
        health, metrics, home, docs, scripting, explained, overview, initiative_pages, initiative, milestone_pages,
        report_pages, period_pages, sign_in, sign_in_oidc, session_pages,
        worklists, update_pages, verification_pages, live,
    ):  # fmt: skip
        # Taken as they are: included routers are asked one after the other, and again on each level;
        # up to half the time of a short request went there.
        app.router.routes.extend(noun.routes.routes)
    app.mount(assets.ADDRESS, assets.files)
    problems.install(app, problem_pages.shown)
    app.add_exception_handler(answers.NotModified, answers.not_modified)
    documents.install(app, chosen.oidc_issuer)
    _surround(app, chosen, traces)
    return app


def _surround(app: FastAPI, chosen: Settings, traces: TracerProvider | None) -> None:
    """Put the layers around the routes, from the innermost to the outermost."""
    app.add_middleware(bodiless.Bodiless)
    app.add_middleware(limits.Limits, chosen)
    app.add_middleware(heads.Heads, chosen.max_head_bytes)
    app.add_middleware(requests.Failures, problem_pages.shown)
    app.add_middleware(headers.cross_origin(chosen.cors_origins))
    app.add_middleware(headers.SecurityHeaders, chosen.oidc_issuer)
    app.add_middleware(compression.Compression)  # behind what reads pages for their scripts
    if traces is not None:
        app.add_middleware(tracing.Traced)
    app.add_middleware(requests.RequestIds)
    app.add_middleware(access_log.AccessLog)


async def _open_patiently(chosen: Settings) -> Database:
    """As `open_database`; a server process that replaces another may find the database away."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(DatabaseUnavailable),
        wait=wait_fixed(1),
        stop=stop_after_delay(_PATIENCE_SECONDS),
        reraise=True,
    ):
        with attempt:
            return await open_database(chosen, serving=True)
    raise AssertionError  # the last attempt has raised


def __getattr__(name: str) -> FastAPI:
    """`app` is made when a server asks for it, not when somebody imports this module."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
