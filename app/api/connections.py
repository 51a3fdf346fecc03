"""Connections that nobody holds for nothing: a request arrives in time, or its connection is closed.

uvicorn waits for a request, and for a client that does not read, without end. `Connection` is its
protocol with deadlines, taken from the settings, since each server process makes its own.
"""

import asyncio
from typing import TYPE_CHECKING

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from app.api import access_log, headers, problems, requests
from app.api.refusals import HeadTooLarge, MalformedRequest, SlowRequest
from app.errors import QuickwinError
from app.models.base import new_id
from app.settings import settings

LEAST_RATE = 16_384
"""Bytes of a body that gain it another second."""
LINGERING = 2.0
"""Seconds in which a closed connection may still take what was written."""

CLOSING = "closing"
"""Key of the application's state: what is called when the server begins to stop, perhaps often."""

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
else:
    _Protocol = asyncio.Protocol


class Deadlines(_Protocol):
    """To be mixed with a protocol of uvicorn, of which it uses what both have.

    A head, with the silence before it, has `receive_seconds`, and `max_head_bytes`. A body has a
    second more for each `LEAST_RATE` bytes, so that a large one may take its time and a dripping
    one may not. A client that takes nothing of its answer for as long is cut off.
    """

    _timer: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _served: "RequestResponseCycle | None" = None
    _started = 0.0
    _received = 0
    _is_last = False
    """Whether the server stops, so that a request that arrives yet is the last one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        self._seconds, self._most_head = settings().receive_seconds, settings().max_head_bytes
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._stop()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a request that is complete has no deadline any more."""
        if self.transport.is_closing():
            return
        if self._timer is None:
            self._expect()
        self._received += len(data)
        super().data_received(data)
        if self._is_last and self.cycle is not None:
            self.cycle.keep_alive = False
        if self.cycle is None or self.cycle.response_complete:
            if self._received > self._most_head and not self._is_answered_early():
                self._refuse(HeadTooLarge())
        elif not self.cycle.more_body:
            self._stop()

    def pause_writing(self) -> None:
        """The client does not take what is written."""
        super().pause_writing()
        self._reading = self.loop.call_later(self._seconds, self._cut)

    def resume_writing(self) -> None:
        """It does again."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: what has no end by itself ends, and nobody makes it wait.

        A request that is on its way to us is answered yet: closed now, it would be lost, since who
        has just connected has no reason to try again.
        """
        self.app_state.get(CLOSING, _nothing)()
        self._seconds, self._is_last = min(self._seconds, LINGERING), True
        if self._reading is not None:
            self._reading.cancel()
            self._reading = self.loop.call_later(self._seconds, self._cut)
        is_awaited = self._timer is not None and not self._is_answered_early()
        if is_awaited and (self.cycle is None or self.cycle.response_complete):
            self._stop()
            self._timer = self.loop.call_later(self._seconds, self._look)
        else:
            super().shutdown()

    def _start_asgi_task(self, cycle: "RequestResponseCycle", app: "ASGI3Application") -> None:
        # Of requests that came at once, `cycle` is the last, which may be waiting yet.
        self._served = cycle
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  theirs
        """What is not HTTP is a problem too."""
        self._refuse(MalformedRequest())

    def _is_answered_early(self) -> bool:
        """Whether a body is on its way that nobody reads, since its request has its answer."""
        return self.cycle is not None and self.cycle.response_complete and self.cycle.more_body

    def _expect(self) -> None:
        self._started, self._received = self.loop.time(), 0
        self._timer = self.loop.call_later(self._seconds, self._look)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Wait on, if enough has come by the deadline."""
        now = self.loop.time()
        until = self._started + self._seconds
        if self.flow.read_paused:
            until = now + self._seconds  # it is we who do not read
        elif self.cycle is not None and not self.cycle.response_complete:
            until += self._received / LEAST_RATE
        if now < until:
            self._timer = self.loop.call_at(until, self._look)
        elif self._received:
            self._refuse(SlowRequest())
        else:
            self._close()

    def _refuse(self, error: QuickwinError) -> None:
        """Close, with an answer if none has begun."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_answer(error))
        self._close()

    def _close(self) -> None:
        self._leave()
        self.transport.close()
        self.loop.call_later(LINGERING, self.transport.abort)

    def _cut(self) -> None:
        self._leave()
        self.transport.abort()

    def _leave(self) -> None:
        """Let the application know that nobody listens any more."""
        self._stop()
        for cycle in (self.cycle, self._served):
            if cycle is not None:
                cycle.disconnected = True


def _answer(error: QuickwinError) -> bytes:
    """A whole answer, for where no application writes it."""
    request_id = str(new_id())
    problem = problems.render(error, request_id)
    access_log.refused(request_id, error.status, error.code)
    fields = {
        **headers.ALWAYS, requests.HEADER: request_id, "Connection": "close", **problem.headers,
    }  # fmt: skip
    lines = [f"HTTP/1.1 {error.status} {error.title}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + bytes(problem.body)


def _nothing() -> None:
    """For an application that says nothing to it."""


Connection = type("Connection", (Deadlines, AutoHTTPProtocol), {})
