"""The chain of an institution's events: each digest is of the one before and of the event itself.

    digest = SHA-256(digest before, hex ‖ the event without its digest, as canonical JSON of RFC 8785)

So a digest stands for all that was written up to it. What is digested is the event as it is
exported, so that whoever has the export can compute the chain without us.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

import rfc8785

_FIELDS = (
    "institution_id", "sequence", "id", "type", "at", "actor", "actor_id", "token_id", "token_name",
    "request_id", "unit_id", "subject", "subject_id", "data", "changes",
)  # fmt: skip
"""What a digest is of. Written down here: a column that comes later changes no digest."""
_AS_IT_IS = {str, int, dict, type(None)}
"""What of a row is JSON already."""


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """An event's row as JSON, without its digest."""
    return {
        name: value if type(value := row[name]) in _AS_IT_IS else _plain(value) for name in _FIELDS
    }


def digest(previous: str, row: Mapping[str, Any]) -> str:
    """The digest, hex, of an event's row behind another event's digest."""
    return sha256(previous.encode() + canonical(told(row))).hexdigest()


def canonical(value: Any) -> bytes:  # noqa: ANN401  any JSON
    """A JSON value as `rfc8785.dumps` writes it, which takes ten times as long.

    Raises `ValueError` for what is no JSON, `rfc8785.CanonicalizationError` for most of it.
    """
    try:
        return _written(value).encode()
    except UnicodeEncodeError:
        return rfc8785.dumps(value)  # which says what is wrong


def _written(value: object) -> str:
    return _WRITERS.get(type(value), _by_the_library)(value)


def _by_the_library(value: Any) -> str:  # noqa: ANN401  as above
    return rfc8785.dumps(value).decode()


def _object(value: dict[Any, Any]) -> str:
    try:
        is_plain = "".join(value).isascii()  # only then code points sort as the standard wants it
    except TypeError:
        is_plain = False
    if not is_plain:
        return _by_the_library(value)
    members = [f"{encode_basestring(name)}:{_written(value[name])}" for name in sorted(value)]
    return f"{{{','.join(members)}}}"


def _array(value: list[Any]) -> str:
    return f"[{','.join([_written(item) for item in value])}]"


def _integer(value: int) -> str:
    return str(value) if -_SAFE <= value <= _SAFE else _by_the_library(value)


def _float(value: float) -> str:
    if not value:
        return "0"
    # Python turns to exponents below and above; the standard does later.
    if 1e-4 <= abs(value) < 1e16:  # noqa: PLR2004  said above
        return str(value).removesuffix(".0")
    return _by_the_library(value)


_SAFE = 2**53 - 1
"""The largest integer that the standard takes, since doubles are exact so far."""
_WRITERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: _integer,
    float: _float,
    dict: _object,
    list: _array,
}


def instant(value: datetime) -> str:
    """An instant as JSON: UTC, to the microsecond."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:  # noqa: ANN401  any column
    if isinstance(value, UUID):
        return str(value)
    return instant(value) if isinstance(value, datetime) else value
