"""Reading requests strictly: one JSON reading for all databases and clients.

Python's reader accepts what JSON or a database does not: NaN, numbers beyond a double, duplicate
keys, NUL, lone surrogates, depth without end. Here each is refused with its place.
"""

import json
from collections.abc import AsyncIterator, Callable, Coroutine
from decimal import Decimal, InvalidOperation
from email.message import Message
from typing import Annotated, Any, TypeVar, get_origin

from fastapi import Depends, Request, Response

from app.api.refusals import TooLarge, Unreadable, UnsupportedFileType, UnsupportedMediaType
from app.api.routing import LateRoute, refuse_nul
from app.errors import Invalid
from app.messages import said
from app.settings import settings

MOST_DEPTH = 16
_LARGEST = Decimal("1e300")
_MERGE_PATCH = "merge-patch+json"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def at_most(size: int) -> Callable[[Endpoint], Endpoint]:
    """Let the body of one endpoint be of this size, in bytes, in place of `max_body_bytes`.

    Stands below the decorator of the route.
    """

    def marked(endpoint: Endpoint) -> Endpoint:
        endpoint.max_body_bytes = size  # type: ignore[attr-defined]
        return endpoint

    return marked


def is_file(size: int, *types: str) -> Callable[[Endpoint], Endpoint]:
    """Let the body of one endpoint be a file of one of these types, of at most so many bytes.

    Stands below the decorator of the route; the endpoint takes it as `File`.
    """

    def marked(endpoint: Endpoint) -> Endpoint:
        endpoint.file_types = types  # type: ignore[attr-defined]
        return at_most(size)(endpoint)

    return marked


def is_streamed(*types: str) -> Callable[[Endpoint], Endpoint]:
    """Leave the body of one endpoint, a file of one of these types, to be taken piece by piece.

    Stands below the decorator of the route; the endpoint reads it by `pieces`.
    """

    def marked(endpoint: Endpoint) -> Endpoint:
        endpoint.streamed_types = types  # type: ignore[attr-defined]
        return endpoint

    return marked


async def _file(request: Request) -> bytes:
    return await request.body()


File = Annotated[bytes, Depends(_file)]
"""The body of an endpoint that `is_file`."""


class Route(LateRoute):
    """A route that refuses unknown parameters and reads its body strictly."""

    def get_route_handler(self) -> Handler:
        """The route's handler behind the strict reading."""
        answer = super().get_route_handler()
        files: tuple[str, ...] = getattr(self.endpoint, "file_types", ())
        has_body = self.body_field is not None or bool(files)
        most: int | None = getattr(self.endpoint, "max_body_bytes", None)
        streamed: tuple[str, ...] = getattr(self.endpoint, "streamed_types", ())
        takes_parameters = bool(self.dependant.query_params)
        single = _single([field.field_info.annotation for field in self.dependant.query_params])

        async def handler(request: Request) -> Response:
            if request.query_params and not takes_parameters:
                name = next(iter(request.query_params))[:100]
                detail = "This address takes no parameters."
                raise Invalid.parameter(_printable(name), "unknown_parameter", detail)
            refuse_nul(request)
            for name in single:
                if len(request.query_params.getlist(name)) > 1:
                    detail = "This parameter takes one value."
                    raise Invalid.parameter(name, "repeated_parameter", detail)
            for name, value in request.query_params.multi_items():
                if "\x00" in value:
                    detail = "A NUL character cannot be stored."
                    raise Invalid.parameter(_printable(name[:100]), "nul_character", detail)
            if streamed:
                check_type(request, streamed)
                return await answer(request)
            # Starlette keeps what it has read in these two; FastAPI then finds our reading, and of
            # a body that the address does not take nobody reads anything.
            largest = most or settings().max_body_bytes
            body = await _read(request, largest, files) if has_body else b""
            request._body = body  # noqa: SLF001
            if body and not files:
                request._json = _parse(body)  # noqa: SLF001
            return await answer(request)

        return handler


def _single(queries: list[Any]) -> list[str]:
    """Parameters of one value. FastAPI would take the last of several, and say nothing."""
    return [
        field.alias or name
        for query in queries
        for name, field in query.model_fields.items()
        if get_origin(field.annotation) is not list
    ]


def _printable(name: str) -> str:
    return name.encode("ascii", "replace").decode()


async def pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body as it comes, of at most so many bytes; raises `TooLarge`."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > most:
        raise TooLarge
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise TooLarge
        yield piece


async def _read(request: Request, most: int, files: tuple[str, ...]) -> bytes:
    """The body, of an accepted type and size: a file of these types, or else JSON."""
    body = b"".join([piece async for piece in pieces(request, most)])
    if body:
        check_type(request, files)
    return body


def check_type(request: Request, files: tuple[str, ...]) -> None:
    """Raise `UnsupportedMediaType` unless the body is said to be one of these, or else JSON."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType
    if not files:
        _check_json(request, header)
    elif header.get_content_type() not in files:
        raise UnsupportedFileType


def _check_json(request: Request, header: Message) -> None:
    kinds = {"json"} | ({_MERGE_PATCH} if request.method == "PATCH" else set())
    if (
        header.get_content_maintype() != "application"
        or header.get_content_subtype() not in kinds
        or not is_utf8(header)
    ):
        raise UnsupportedMediaType


def is_utf8(header: Message) -> bool:
    """Whether a Content-Type names no other charset; one that makes no sense is another."""
    try:
        charset = header.get_content_charset() or "utf-8"
    except (TypeError, ValueError):  # parts by RFC 2231 that do not make a whole
        return False
    return charset.lower() in {"utf-8", "utf8"}


class _Duplicates(dict[str, Any]):
    """An object of which a key came twice."""

    name: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    marked = _Duplicates(plain)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            marked.name = key
            break
        seen.add(key)
    return marked


def _parse(body: bytes) -> Any:  # noqa: ANN401  any JSON
    try:
        parsed = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_float=Decimal)
    except (ValueError, RecursionError, InvalidOperation) as error:  # the last: 1e99999999999999999
        raise Unreadable from error
    _check(parsed, "", 0)
    return parsed


def _check(value: Any, pointer: str, depth: int) -> None:  # noqa: ANN401  any JSON
    if isinstance(value, str):
        _check_text(value, pointer)
    elif isinstance(value, dict):
        _check_depth(pointer, depth)
        if isinstance(value, _Duplicates):
            place = f"{pointer}/{_step(value.name)}"
            raise Invalid.field(place, "duplicate_key", "This key is given twice.")
        for key, item in value.items():
            _check_text(key, pointer)
            _check(item, f"{pointer}/{_step(key)}", depth + 1)
    elif isinstance(value, list):
        _check_depth(pointer, depth)
        for i, item in enumerate(value):
            _check(item, f"{pointer}/{i}", depth + 1)
    elif isinstance(value, float):  # only the words NaN, Infinity and -Infinity
        raise Invalid.field(pointer, "not_a_number", "This is not a JSON number.")
    elif isinstance(value, Decimal) and value.copy_abs() > _LARGEST:
        raise Invalid.field(pointer, "number_too_large", "This number is too large.")


def _check_depth(pointer: str, depth: int) -> None:
    if depth >= MOST_DEPTH:
        raise Invalid.field(
            pointer[:200], "too_deep", said("At most {most} levels are read.", most=MOST_DEPTH)
        )


def _check_text(text: str, pointer: str) -> None:
    if "\x00" in text:
        raise Invalid.field(pointer, "nul_character", "A NUL character cannot be stored.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        detail = "Half of a surrogate pair stands alone."
        raise Invalid.field(pointer, "lone_surrogate", detail) from error


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")[:100]
