"""One line for each request, when it is over: who, what, how it ended, how long it took; and counts.

It is made of what we know ourselves (the route's template, ids of ours, numbers) and of the codes
of an institution and a unit, where these were found. No address as it was sent, no query, no field
of the head or the body.
"""

import logging
import re
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs
from app.api import meters
from app.schemas.fields import CODE_PATTERN
from app.seen import COUNTS

_QUIET = {"/health/live", "/health/ready", "/metrics"}
"""Asked for by machines, again and again: told at the level of debugging."""
_CODE = re.compile(CODE_PATTERN)
_REFUSED, _MISSING = 400, 404
_MILLISECONDS = 1_000
_log = logging.getLogger("app.access")


class AccessLog:
    """Looks at each request from the outside, the outermost layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, size = perf_counter(), 0, 0
        ended = 0.0

        async def send_counted(message: Message) -> None:
            nonlocal status, size, ended
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    ended = perf_counter()  # what is done behind the answer, nobody waits for
            await send(message)

        COUNTS.in_flight += 1
        try:
            await self._app(scope, receive, send_counted)
        finally:
            COUNTS.in_flight -= 1
            seconds, route = (ended or perf_counter()) - started, route_of(scope)
            meters.request(scope["method"], route, status, seconds)
            _tell(scope, route, status, size, seconds)


def refused(request_id: str, status: int, code: str) -> None:
    """Log and count what was no request at all, and had its answer from the connection."""
    meters.request("other", None, status, 0.0)
    if _log.isEnabledFor(logging.INFO):
        fields = {"event": "request", "request_id": request_id, "status": status, "code": code}
        logs.entry(_log, logging.INFO, fields)


def _tell(scope: Scope, route: str | None, status: int, size: int, seconds: float) -> None:
    level = logging.DEBUG if route in _QUIET else logging.INFO
    if not _log.isEnabledFor(level):
        return
    state = scope["state"]
    asked = state.get("asked")
    is_found = status and (status < _REFUSED or (asked is not None and status != _MISSING))
    named = scope.get("path_params", {}) if is_found else {}
    fields = {
        "event": "request",
        "request_id": state.get("request_id"),
        "method": scope["method"],
        "route": route,
        "status": status or None,  # none: the client left, or the answer broke off
        "duration_ms": round(seconds * _MILLISECONDS, 1),
        "bytes": size,
        "actor": asked and str(asked.actor.id),
        "actor_type": asked and ("operator" if asked.actor.operator else "person"),
        "institution": _code(named.get("institution")),
        "unit": _code(named.get("unit")),
    }
    if "trace_id" in state:
        fields["trace_id"] = state["trace_id"]
    logs.entry(_log, level, fields)


def route_of(scope: Scope) -> str | None:
    """The template of the address that a request is for; None where there is none."""
    found: str | None = getattr(scope.get("route"), "path_format", None)
    return found


def _code(given: object) -> str | None:
    """A code or id from an address; nothing that could be anything else, such as a token of ours."""
    return given if isinstance(given, str) and _CODE.fullmatch(given) else None
