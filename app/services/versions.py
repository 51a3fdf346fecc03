"""Optimistic concurrency: a change names the version that it was made from."""

from datetime import datetime
from typing import Protocol

from app.errors import StaleVersion
from app.models.base import now

Expected = frozenset[int] | None
"""Versions that the caller accepts; None: whatever is there (`If-Match: *`)."""


class Versioned(Protocol):
    """A row that counts its changes."""

    version: int
    updated_at: datetime


def check(row: Versioned, expected: Expected) -> None:
    """Raise `StaleVersion` unless the row is at one of the expected versions."""
    if expected is not None and row.version not in expected:
        raise StaleVersion


def touch(row: Versioned) -> None:
    """Count a change."""
    row.version += 1
    row.updated_at = now()
