"""The outermost layers: every request has an id, and every failure an answer."""

import re

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems
from app.errors import InternalError, QuickwinError
from app.models.base import new_id
from app.seen import REQUEST_ID

HEADER = "X-Request-ID"
_RAW_HEADER = HEADER.lower().encode()
_WELL_FORMED = re.compile(rb"[A-Za-z0-9_.-]{1,64}")


class AnswerBrokenOff(Exception):
    """Something went wrong when the answer was on its way already; the log has the request's id."""


class RequestIds:
    """Gives each request its id: `request.state.request_id`, and `X-Request-ID` on its answer.

    A client's own well-formed `X-Request-ID` (1-64 letters, digits, `-`, `_`, `.`) is kept, so that
    one id goes through several services; otherwise it is a UUIDv7.
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
        REQUEST_ID.set(request_id)  # a server serves each request in a task of its own

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self._app(scope, receive, send_named)


class Failures:
    """Answers whatever is raised further in and rendered by nobody.

    So nothing passes by the layers further out, which put their headers on each answer.
    """

    def __init__(self, app: ASGIApp, shown: problems.Shown = problems.as_data) -> None:
        self._app, self._shown = app, shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_started = False

        async def send_watched(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except QuickwinError as error:
            problem = error
        except Exception as error:  # noqa: BLE001  whatever it is, it has an answer
            problem = InternalError()
            problem.__cause__ = error
        else:
            return
        answer = problems.answer(Request(scope), problem, self._shown)
        if is_started:
            raise AnswerBrokenOff from None  # the server closes the connection
        await answer(scope, receive, send)


def _given(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The id that the client gave, if it gave one that is well-formed."""
    ids = [value for name, value in headers if name == _RAW_HEADER]
    if len(ids) == 1 and _WELL_FORMED.fullmatch(ids[0]):
        return ids[0].decode()
    return None
