"""The outermost layer: every request has an id, and every failure an answer."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems
from app.errors import InternalError
from app.models.base import new_id

HEADER = "X-Request-ID"
_RAW_HEADER = HEADER.lower().encode()
_WELL_FORMED = re.compile(rb"[A-Za-z0-9_.-]{1,64}")


class AnswerBrokenOff(Exception):
    """Something went wrong when the answer was on its way already; the log has the request's id."""


class Requests:
    """Gives each request its id: `request.state.request_id`, and `X-Request-ID` on its answer.

    A client's own well-formed `X-Request-ID` (1-64 letters, digits, `-`, `_`, `.`) is kept, so that
    one id goes through several services; otherwise it is a UUIDv7.

    Whatever is raised further in and rendered by nobody is answered as a problem here, so that no
    failure passes by what the layers in between put on answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given(scope["headers"]) or str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        is_started = False

        async def send_named(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        except Exception as error:  # noqa: BLE001  whatever it is, it has an answer
            problem = InternalError()
            problem.__cause__ = error
            answer = problems.render(problem, request_id)
            if is_started:
                raise AnswerBrokenOff from None  # the server closes the connection
            await answer(scope, receive, send_named)


def _given(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The id that the client gave, if it gave one that is well-formed."""
    ids = [value for name, value in headers if name == _RAW_HEADER]
    if len(ids) == 1 and _WELL_FORMED.fullmatch(ids[0]):
        return ids[0].decode()
    return None
