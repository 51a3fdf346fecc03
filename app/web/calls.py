"""`PageCall`: who looks at a page, and the database."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy.orm import Session

from app import db
from app.api import calls, cookies, origins
from app.errors import DatabaseUnavailable, QuickwinError, SessionEnded
from app.services import sessions
from app.services.actors import Actor
from app.services.sessions import Lifetime, Visit
from app.settings import Settings

_log = logging.getLogger(__name__)


def lifetime_of(request: Request) -> Lifetime:
    """How long sessions last here."""
    settings: Settings = request.app.state.settings
    return Lifetime(
        timedelta(seconds=settings.session_seconds),
        timedelta(seconds=settings.session_idle_seconds),
    )


async def _page_call(
    request: Request,
    response: Response,
    after: BackgroundTasks,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(calls.BEARER)],
) -> AsyncIterator[db.Call[Actor]]:
    """The call of whoever is signed in; a token in the header goes before. Raises `Unauthorized`."""
    if "authorization" in request.headers:
        yield await calls.call(request, response, after, credentials)
        return
    secret = cookies.read(request)
    if secret is None:
        raise SessionEnded
    if request.method in origins.SAFE:
        origins.refuse_foreign(request, links=True)
    visits: list[Visit] = []
    try:
        yield calls.session_call(request, secret, visits)
    finally:
        await _note(request, visits)


async def _note(request: Request, visits: list[Visit]) -> None:
    """Keep when a session was last used, if it is a person who uses it: a script asks by itself."""
    is_asked_for = request.headers.get("sec-fetch-dest", "document") == "document"
    lifetime = lifetime_of(request)
    if (
        visits
        and (is_asked_for or request.method not in origins.SAFE)
        and sessions.is_use_news(visits[-1], lifetime)
    ):
        try:
            await request.app.state.database.write(sessions.used, visits[-1], lifetime)
        except DatabaseUnavailable:
            _log.warning("the last use of a session was not noted")


PageCall = Annotated[db.Call[Actor], Depends(_page_call)]


async def _maybe_call(
    request: Request,
    response: Response,
    after: BackgroundTasks,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(calls.BEARER)],
) -> AsyncIterator[db.Call[Actor] | None]:
    """As `PageCall` for pages that strangers may see too: None for them."""
    if "authorization" not in request.headers and cookies.read(request) is None:
        yield None
        return
    async with asynccontextmanager(_page_call)(request, response, after, credentials) as made:
        yield made


MaybeCall = Annotated[db.Call[Actor] | None, Depends(_maybe_call)]


async def _meet(request: Request) -> None:
    """Find out who is signed in, for a page that is the same for all: its language and its header."""
    secret = cookies.read(request)
    if secret is None or "authorization" in request.headers:
        return
    visits: list[Visit] = []
    with suppress(QuickwinError):  # strangers read it too, and without a database
        origins.refuse_foreign(request, links=True)
        await calls.session_call(request, secret, visits).read(_identified)
        await _note(request, visits)


def _identified(_: Session, __: Actor) -> None:
    """Nothing is read but who it is."""


MEET = Depends(_meet)
"""For pages that strangers may see too, and that ask the database for nothing else."""
