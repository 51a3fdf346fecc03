"""What tells a page that is left open that something has changed.

Not what: a page asks for itself again, with the rights of whoever looks at it. So it is for everybody
who may read plans, unlike the events themselves.
"""

import time
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from app import db
from app.api.calls import InstitutionPath
from app.api.refusals import TooManyStreams
from app.api.streams import CHECK_SECONDS, HEARTBEAT_SECONDS, EventStream
from app.api.tails import Tail, Tails
from app.errors import QuickwinError
from app.schemas.events import Sequence
from app.schemas.fields import Reference, Shape
from app.services import streams
from app.services.actors import Actor
from app.services.streams import Watch
from app.settings import settings
from app.web.calls import PageCall
from app.web.pages import Route

RETRY_MILLISECONDS = 5_000
routes = APIRouter(prefix="/institutions/{institution}", route_class=Route, include_in_schema=False)


class LiveQuery(Shape):
    """What a page follows, and up to where it has been told."""

    unit: Reference | None = None
    """With all below it."""
    after: Sequence | None = None


class _Glance:
    """A page that is looked at."""

    def __init__(
        self, call: db.Call[Actor], institution: str, query: LiveQuery, watch: Watch
    ) -> None:
        self._call, self._institution, self._query = call, institution, query
        self._watch, self._watched_at = watch, time.monotonic()

    async def frames(self, tails: Tails, after: int | None) -> AsyncGenerator[bytes]:
        """A word whenever something has changed that the page may show; ids are sequences."""
        place = self._watch.sequence
        yield format_sse_event(id=str(place), retry=RETRY_MILLISECONDS)
        if after is not None and after < place:
            yield _word(place)
        said_at = time.monotonic()
        with tails.following(self._watch.institution_id, place) as tail:
            while not tails.is_closing:
                seen = tail.sequence
                try:
                    has_changed = await self._has_changed(tails, tail, place)
                except QuickwinError:  # their access has ended, or the database is away
                    return
                place = max(place, seen)
                is_quiet = time.monotonic() - said_at >= HEARTBEAT_SECONDS
                if has_changed or is_quiet:
                    yield _word(place) if has_changed else KEEPALIVE_COMMENT
                    said_at = time.monotonic()
                await tail.moved(seen, HEARTBEAT_SECONDS)

    async def _has_changed(self, tails: Tails, tail: Tail, place: int) -> bool:
        is_old = time.monotonic() - self._watched_at > CHECK_SECONDS
        if is_old or self._watch.sequence < tail.rights_moved_at:
            async with tails.turns:
                self._watch = await self._call.read(
                    streams.glance, self._institution, self._query.unit
                )
            self._watched_at = time.monotonic()
        kept = tail.behind(place)
        # Who has fallen behind what is kept has missed something.
        return kept is None or any(streams.is_seen(self._watch, each.told) for each in kept)


@routes.get("/events/stream", response_class=EventStream)
async def follow(
    request: Request,
    call: PageCall,
    institution: InstitutionPath,
    query: Annotated[LiveQuery, Query()],
    last_event_id: Annotated[Sequence | None, Header(alias="Last-Event-ID")] = None,
) -> EventStream:
    """Say whenever something has changed that the reader may see."""
    tails: Tails = request.app.state.tails
    if tails.is_closing or tails.followers >= settings().max_streams:
        raise TooManyStreams
    watch = await call.read(streams.glance, institution, query.unit)
    glance = _Glance(call, institution, query, watch)
    after = query.after if last_event_id is None else last_event_id
    headers = {"X-Accel-Buffering": "no"}  # a proxy passes each word on at once
    return EventStream(glance.frames(tails, after), headers=headers)


def _word(sequence: int) -> bytes:
    return format_sse_event(id=str(sequence), data_str="changed")
