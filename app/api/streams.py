"""The event feed as a stream of server-sent events, which goes on for as long as it is read."""

import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.types import Receive, Scope, Send

from app import db
from app.api.calls import Call, InstitutionPath, router
from app.api.refusals import TooManyStreams
from app.api.tails import Tail, Tails, frame
from app.errors import QuickwinError
from app.models.base import now
from app.schemas.events import Event, EventExport, EventStreamQuery, Sequence
from app.services import feeds, streams
from app.services.actors import Actor
from app.services.streams import Watch
from app.settings import settings

HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 25.0
"""How old the rights of a stream may be, where no event of its institution moves them earlier."""
RETRY_MILLISECONDS = 2_000
"""After which a client comes back."""
_STRETCH = 200
_PIECE = 65_536  # bytes, where the server begins to wait for its reader
_NEVER = datetime.max.replace(tzinfo=UTC)
_MEDIA_TYPE = "text/event-stream"
routes = router("", "events")


class EventStream(StreamingResponse):
    """Server-sent events; whatever ends the answer ends what makes them."""

    media_type = _MEDIA_TYPE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        frames = self.body_iterator
        assert isinstance(frames, AsyncGenerator)  # noqa: S101  made below
        async with aclosing(frames):
            await super().__call__(scope, receive, send)


class _Follower:
    """Who follows what, up to where they have been told, and what they see."""

    def __init__(
        self,
        call: db.Call[Actor],
        institution: str,
        query: EventStreamQuery,
        watch: Watch,
        after: int | None,
    ) -> None:
        self._call, self._institution, self._query = call, institution, query
        self._watch, self._watched_at = watch, now()
        self._place = watch.sequence if after is None else after
        # Who names no place is told theirs, so that they can come back before the first event.
        self._named = None if after is not None else str(watch.sequence)

    async def frames(self, tails: Tails) -> AsyncGenerator[bytes]:
        """The stream, in pieces that a slow reader makes wait."""
        yield format_sse_event(id=self._named, retry=RETRY_MILLISECONDS)
        told_at = time.monotonic()
        with tails.following(self._watch.institution_id, self._watch.sequence) as tail:
            while not tails.is_closing:
                seen = tail.sequence
                try:
                    frames, is_caught_up = await self._next(tails, tail)
                except QuickwinError:  # their access has ended, or the database is away
                    return
                for piece in _pieces(frames):
                    yield piece
                    told_at = time.monotonic()
                if not is_caught_up:
                    continue
                if self._is_over():
                    return
                await tail.moved(seen, self._patience())
                if time.monotonic() - told_at >= HEARTBEAT_SECONDS:
                    yield KEEPALIVE_COMMENT
                    told_at = time.monotonic()

    async def _next(self, tails: Tails, tail: Tail) -> tuple[list[bytes], bool]:
        """What comes next, and whether that is all there is."""
        until = tail.sequence
        kept = tail.behind(self._place)
        if kept is None:  # they have fallen behind, or begin there
            asked = EventExport(**dict(self._query) | {"after": self._place})
            async with tails.turns:
                rows, _ = await self._call.read(
                    feeds.stretch, self._institution, asked, until, _STRETCH
                )
            self._place = until if len(rows) < _STRETCH else rows[-1]["sequence"]
            return [frame(Event.model_validate(row)) for row in rows], False
        if self._must_look(tail):
            async with tails.turns:
                self._watch = await self._call.read(streams.watch, self._institution, self._query)
            self._watched_at = now()
        self._place = max(self._place, until)
        shown = [each.frame for each in kept if streams.shows(self._watch, self._query, each.told)]
        return shown, True

    def _must_look(self, tail: Tail) -> bool:
        """Whether what they see may have changed."""
        return (
            self._watch.sequence < tail.rights_moved_at
            or (now() - self._watched_at).total_seconds() > CHECK_SECONDS
            or (self._ends_at() <= now() and self._watched_at < self._ends_at())
        )

    def _is_over(self) -> bool:
        """Whether nothing that comes can be before `until`."""
        return self._watched_at >= self._ends_at() and self._place >= self._watch.sequence

    def _ends_at(self) -> datetime:
        return self._query.until or _NEVER

    def _patience(self) -> float:
        """For how long to wait for events."""
        left = (self._ends_at() - now()).total_seconds()
        return min(HEARTBEAT_SECONDS, max(left, 0.0))


def _pieces(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Frames joined to pieces of which the server holds few for a slow reader."""
    piece: list[bytes] = []
    size = 0
    for each in frames:
        if piece and size + len(each) > _PIECE:
            yield b"".join(piece)
            piece, size = [], 0
        piece.append(each)
        size += len(each)
    if piece:
        yield b"".join(piece)


@routes.get(
    "/institutions/{institution}/events/stream",
    response_class=EventStream,
    responses={200: {"content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
async def stream_events(
    request: Request,
    call: Call,
    institution: InstitutionPath,
    query: Annotated[EventStreamQuery, Query()],
    last_event_id: Annotated[
        Sequence | None,
        Header(
            alias="Last-Event-ID",
            description="The sequence that you have read up to; it goes before `after`.",
        ),
    ] = None,
) -> EventStream:
    """Events as they are committed, as server-sent events: `id` is the sequence, `data` an `Event`.

    First comes what was written since `Last-Event-ID` or `after`; without either, it begins with
    what comes next. Filters and visibility are those of the feed. A comment every 15 seconds keeps
    the connection open. The stream ends when your access does, at `until`, and with the server:
    come back with the last `id`, and you miss nothing.
    """
    tails: Tails = request.app.state.tails
    if tails.is_closing or tails.followers >= settings().max_streams:
        raise TooManyStreams
    watch = await call.read(streams.watch, institution, query)
    after = query.after if last_event_id is None else last_event_id
    follower = _Follower(call, institution, query, watch, after)
    headers = {"X-Accel-Buffering": "no"}  # a proxy passes each event on at once
    return EventStream(follower.frames(tails), headers=headers)
