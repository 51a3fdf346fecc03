"""Which heads of requests are read: one meaning, and no more than a client needs."""

from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.refusals import AddressTooLong, HeadTooLarge, MalformedRequest
from app.errors import Invalid
from app.messages import said

LONGEST_ADDRESS = 8_192
MOST_FIELDS = 100
MOST_PARAMETERS = 100
_SINGLE = frozenset(
    {
        b"authorization", b"content-encoding", b"content-length", b"content-type", b"host",
        b"idempotency-key", b"last-event-id", b"origin",
    }
)  # fmt: skip


class Heads:
    """Refuses heads that are too large, or that two programs could read in two ways.

    414 for the address, 431 for the header fields, 400 for a field that is there twice although it
    has one value, 422 for too many parameters.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            _check_address(scope.get("raw_path"), scope["query_string"])
            self._check_fields(scope["headers"])
        await self._app(scope, receive, send)

    def _check_fields(self, fields: list[tuple[bytes, bytes]]) -> None:
        if len(fields) > MOST_FIELDS or sum(map(_size, fields)) > self._most_bytes:
            raise HeadTooLarge
        names = Counter(name for name, _ in fields)
        if any(names[name] > 1 for name in _SINGLE):
            raise MalformedRequest("A header field that takes one value is there more than once.")


def _check_address(path: bytes | None, query: bytes) -> None:
    if len(path or b"") + len(query) > LONGEST_ADDRESS:
        raise AddressTooLong
    if query.count(b"&") >= MOST_PARAMETERS:
        detail = said("At most {most} parameters are read.", most=MOST_PARAMETERS)
        raise Invalid.parameter("query", "too_many_parameters", detail)


def _size(field: tuple[bytes, bytes]) -> int:
    name, value = field
    return len(name) + len(value) + len(b": \r\n")
