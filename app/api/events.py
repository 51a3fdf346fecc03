"""The event feeds over HTTP."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from app.api.calls import Call, InstitutionPath, router
from app.schemas.events import CatalogueEventQuery, EventExport, EventQuery, Events
from app.services import chain, feeds

JSON_LINES = "application/jsonl"
_STRETCH = 500
routes = router("", "events")


class JsonLines(StreamingResponse):
    """JSON Lines: an event each."""

    media_type = JSON_LINES


@routes.get("/institutions/{institution}/events")
async def list_events(
    call: Call, institution: InstitutionPath, query: Annotated[EventQuery, Query()]
) -> Events:
    """What was written and what was denied, in the order of commits, behind `after`."""
    return await call.read(feeds.of_institution, institution, query)


@routes.get(
    "/institutions/{institution}/events/export",
    response_class=JsonLines,
    responses={200: {"content": {JSON_LINES: {"schema": {"type": "string"}}}}},
)
async def export_events(
    call: Call, institution: InstitutionPath, query: Annotated[EventExport, Query()]
) -> JsonLines:
    """All events up to now, as JSON Lines (an `Event` on each line), to be kept elsewhere.

    Each digest is the SHA-256 of the digest before, in hex, and of the event without its digest, as
    canonical JSON (RFC 8785). Before the first event it is 64 zeros. Without a filter, the export
    can so be verified by anybody.
    """
    rows, until = await call.read(feeds.stretch, institution, query, None, _STRETCH)

    async def lines() -> AsyncIterator[bytes]:
        stretch = rows
        while stretch:
            yield _lines(stretch)
            if len(stretch) < _STRETCH:
                return
            following = query.model_copy(update={"after": stretch[-1]["sequence"]})
            # Rows never change, so what several reads find is as of one moment.
            stretch, _ = await call.read(feeds.stretch, institution, following, until, _STRETCH)

    return JsonLines(lines())


@routes.get("/events")
async def list_catalogue_events(
    call: Call, query: Annotated[CatalogueEventQuery, Query()]
) -> Events:
    """What was written above institutions, and how many sign-ins were refused; for operators."""
    return await call.read(feeds.of_catalogue, query)


def _lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(
        json.dumps(chain.told(row) | {"digest": row["digest"]}, ensure_ascii=False).encode() + b"\n"
        for row in rows
    )
