"""The event feeds over HTTP."""

from typing import Annotated

from fastapi import Query

from app.api.calls import Call, InstitutionPath, router
from app.schemas.events import EventQuery, Events
from app.services import events

routes = router("", "events")


@routes.get("/institutions/{institution}/events")
async def list_events(
    call: Call, institution: InstitutionPath, query: Annotated[EventQuery, Query()]
) -> Events:
    """What was written, in the order of commits, behind `after`."""
    return await call.read(events.feed, institution, query.after, query.limit)


@routes.get("/events")
async def list_catalogue_events(call: Call, query: Annotated[EventQuery, Query()]) -> Events:
    """What was written above institutions: schemes, areas, operators' tokens; for operators."""
    return await call.read(events.catalogue_feed, query.after, query.limit)
