"""`Call`: the one dependency of an endpoint — who is asking, and the database."""

import logging
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field
from sqlalchemy.orm import Session

from app import db, replica
from app.api import cookies, oidc, origins
from app.api.answers import API
from app.api.bodies import Route
from app.api.denials import Asked
from app.api.documents import operation_id
from app.api.idempotency import OnceCall, name_of
from app.errors import DatabaseUnavailable, InvalidToken, Unauthorized
from app.schemas.fields import Digits
from app.services import actors, minting, sessions, sign_in, tokens
from app.services.actors import Actor
from app.services.events import REQUEST_ID
from app.services.naming import key_of
from app.services.sessions import Visit

A = TypeVar("A")
BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="An API token: `qw_…`.")
_SILENT = {"files", "imports", "tokens", "webhooks"}
"""Last uses of tokens, attempts of webhooks, how far an import is, what storage has of files."""
_log = logging.getLogger(__name__)


async def call(
    request: Request,
    response: Response,
    after: BackgroundTasks,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
) -> db.Call[Actor]:
    """The call of whoever sends a token, or reads in a browser that is signed in."""
    token = credentials.credentials if credentials else ""
    if not token and "authorization" not in request.headers:
        return _browser_call(request)
    if not token:
        raise Unauthorized
    if len(token) > oidc.LONGEST_TOKEN or minting.is_mistyped(token):
        raise InvalidToken
    database: db.Database = request.app.state.database
    verifier: oidc.Verifier | None = request.app.state.oidc
    if verifier is not None and oidc.is_jwt(token):
        resolve = sign_in.identify(await verifier.verify(token))
    else:
        resolve = actors.identify(actors.digest(token))
    resolved: list[Actor] = []

    def identify(session: Session) -> Actor:
        session.info[REQUEST_ID] = request.state.request_id
        resolved[:] = [resolve(session)]
        return _note(request, session, resolved[-1])

    after.add_task(_note_use, database, resolved)
    name = name_of(request)
    if name is not None:
        return OnceCall(database, identify, name, token, request, response)
    return near(request, identify)


def _browser_call(request: Request) -> db.Call[Actor]:
    """A call of whoever is signed in with this browser, which only reads; raises `Unauthorized`.

    It is no use of the session: a page that is left open asks by itself.
    """
    secret = cookies.read(request)
    if secret is None or request.method not in origins.SAFE:
        raise Unauthorized
    origins.refuse_foreign(request)
    return session_call(request, secret, [])


def session_call(request: Request, secret: str, visits: list[Visit]) -> db.Call[Actor]:
    """A call of the session that a secret stands for, which is put into `visits`."""
    resolve = sessions.identify(secret)

    def identify(session: Session) -> Actor:
        session.info[REQUEST_ID] = request.state.request_id
        visits[:] = [resolve(session)]
        return _note(request, session, visits[-1].actor)

    return near(request, identify)


def near(request: Request, identify: Callable[[Session], Actor]) -> db.Call[Actor]:
    """A call that reads from the replica where there is one, and where what is read moves the clock."""

    def note(session: Session, actor: Actor) -> Actor:
        session.info[REQUEST_ID] = request.state.request_id
        return _note(request, session, actor)

    return _near(request, identify, note)


def strangers_call(request: Request) -> db.Call[None]:
    """A call of nobody in particular, likewise."""
    return _near(request, lambda _: None, lambda _, nobody: nobody)


def _near(
    request: Request, identify: Callable[[Session], A], note: Callable[[Session, A], A]
) -> db.Call[A]:
    database: db.Database = request.app.state.database
    found: replica.Replica | None = request.app.state.replica
    key = request.path_params.get("institution")
    if found is None or key is None or request.method not in origins.SAFE or _is_silent(request):
        return db.Call(database, identify)
    return replica.Call(database, identify, note, found, key_of(key))


def _is_silent(request: Request) -> bool:
    """Whether an address shows what is written without an event, which a replica may not have yet."""
    return not _SILENT.isdisjoint(request.url.path.split("/"))


def _note(request: Request, session: Session, actor: Actor) -> Actor:
    request.state.asked = Asked(actor, session.info)
    return actor


async def _call_unless_keyed(
    request: Request,
    response: Response,
    after: BackgroundTasks,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
) -> db.Call[Actor] | None:
    if "key" in request.query_params:
        return None
    return await call(request, response, after, credentials)


async def _note_use(database: db.Database, resolved: list[Actor]) -> None:
    """Keep when a token was last used; runs behind the answer, which does not depend on it."""
    if resolved and (token_id := resolved[-1].token_id) and actors.is_use_news(resolved[-1]):
        try:
            await database.write(tokens.used, token_id)
        except DatabaseUnavailable:
            _log.warning("the last use of a token was not noted")


Call = Annotated[db.Call[Actor], Depends(call)]
CallUnlessKeyed = Annotated[db.Call[Actor] | None, Depends(_call_unless_keyed)]
"""For an address that a secret in the parameter `key` opens too: None where there is one."""

InstitutionPath = Annotated[str, Path(description="Code or id of the institution.", max_length=64)]
UnitPath = Annotated[str, Path(description="Code or id of the unit.", max_length=64)]
PersonPath = Annotated[str, Path(description="Code or id of the person.", max_length=64)]
SchemePath = Annotated[str, Path(description="Code or id of the scheme.", max_length=64)]
AreaPath = Annotated[str, Path(description="Code or id of the reform area.", max_length=64)]
InitiativePath = Annotated[str, Path(description="Code or id of the initiative.", max_length=64)]
MilestoneNumber = Annotated[
    int, Field(ge=1, le=9999), Digits, Path(description="Number of the milestone.")
]


def router(prefix: str, tag: str) -> APIRouter:
    """A router of strict routes below `answers.API`; `create_app` takes its routes as they are."""
    return APIRouter(
        prefix=API + prefix, tags=[tag], route_class=Route, generate_unique_id_function=operation_id
    )
