"""The chain of an institution's events: each digest is of the one before and of the event itself.

    digest = SHA-256(digest before, hex ‖ the event without its digest, as canonical JSON of RFC 8785)

So a digest stands for all that was written up to it. What is digested is the event as it is
exported, so that whoever has the export can compute the chain without us.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import rfc8785

_FIELDS = (
    "institution_id", "sequence", "id", "type", "at", "actor", "actor_id", "token_id", "token_name",
    "request_id", "unit_id", "subject", "subject_id", "data", "changes",
)  # fmt: skip
"""What a digest is of. Written down here: a column that comes later changes no digest."""


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """An event's row as JSON, without its digest."""
    return {name: _plain(row[name]) for name in _FIELDS}


def digest(previous: str, row: Mapping[str, Any]) -> str:
    """The digest, hex, of an event's row behind another event's digest."""
    return sha256(previous.encode() + rfc8785.dumps(told(row))).hexdigest()


def instant(value: datetime) -> str:
    """An instant as JSON: UTC, to the microsecond."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:  # noqa: ANN401  any column
    if isinstance(value, UUID):
        return str(value)
    return instant(value) if isinstance(value, datetime) else value
