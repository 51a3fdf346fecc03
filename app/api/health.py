"""Whether the service is up; without a token."""

import asyncio
from collections.abc import Coroutine
from typing import Literal

from fastapi import APIRouter, Request
from sqlalchemy.exc import ProgrammingError

from app import revisions
from app.api.documents import operation_id
from app.errors import DatabaseUnavailable
from app.revisions import Found, SchemaAhead
from app.schemas.fields import Shape

routes = APIRouter(prefix="/health", tags=["health"], generate_unique_id_function=operation_id)
READY_SECONDS = 2.0
"""An answer comes within this time: who asks waits some seconds, and a pool that is full may last."""


class HealthAnswer(Shape):
    """The service answers."""

    status: Literal["ok"]


class ReadyAnswer(Shape):
    """The service can do its work."""

    status: Literal["ok"]
    database: Literal["reached"]
    """The database answered within 2 seconds."""
    schema_revision: Literal["current", "newer"]
    """How the database's schema stands to this release; it runs on newer ones that serve it still."""


class SchemaOutdated(DatabaseUnavailable):
    """The database's schema is older than this release: run `quickwin db upgrade`."""

    code, title = "schema_outdated", "Schema is outdated"


@routes.get("/live")
async def live() -> HealthAnswer:
    """The process answers."""
    return HealthAnswer(status="ok")


@routes.get("/ready")
async def ready(request: Request) -> ReadyAnswer:
    """Whether requests may be sent here, within 2 seconds; 503 if not, and `code` says why.

    `database_unavailable`: the database does not answer; `schema_outdated`: its schema is older than
    this release; `schema_ahead`: its schema no longer serves this release.
    """
    found = await _answered(request.app.state.database.read(revisions.found))
    standing = revisions.standing(found)
    if standing == "behind":
        raise SchemaOutdated
    if standing == "ahead":
        raise SchemaAhead
    return ReadyAnswer(status="ok", database="reached", schema_revision=standing)


async def _answered(question: Coroutine[None, None, Found]) -> Found:
    """What the database answers; whoever asks is not kept by one that neither answers nor refuses."""
    task = asyncio.create_task(question)
    await asyncio.wait({task}, timeout=READY_SECONDS)
    if not task.done():
        task.add_done_callback(_forget)  # it may take its own time to leave the connection
        _left.add(task)
        task.cancel()
        raise DatabaseUnavailable(f"The database did not answer within {READY_SECONDS:g} seconds.")
    try:
        return task.result()
    except ProgrammingError as error:  # there are no tables at all
        raise SchemaOutdated from error


_left: set[asyncio.Task[Found]] = set()


def _forget(task: asyncio.Task[Found]) -> None:
    _left.discard(task)
    if not task.cancelled():
        task.exception()  # nobody else asks for it
