"""Closing verdicts on the wire: the words by which it is said what became of an initiative."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.fields import (
    Code,
    Flag,
    Instant,
    Names,
    Reason,
    Shape,
    Text,
    example,
)
from app.schemas.pages import ChangesPaging

Place = Annotated[int, Field(ge=1, le=1_000)]


class NewClosingVerdict(Shape):
    """A new closing verdict."""

    model_config = example(
        {
            "code": "met-late",
            "name": {"id": "Sesuai ekspektasi, terlambat", "en": "Met expectations, late"},
            "position": 4,
            "source": "Pedoman evaluasi internal 2026",
        }
    )

    code: Code
    name: Names
    position: Place | None = None
    """Place among the verdicts; the next one if left out."""
    source: Text | None = None
    """Where its words were read."""
    reason: Reason | None = None


class ClosingVerdictChanges(Shape):
    """A merge patch of a closing verdict."""

    model_config = example({"retired": True, "reason": "Istilah baru sejak 2026"})

    name: Names | MISSING = MISSING
    position: Place | MISSING = MISSING
    source: Text | MISSING | None = MISSING
    retired: Flag | MISSING = MISSING
    """True: it is given no more; where it was given it stays."""
    reason: Reason | MISSING = MISSING


class ClosingVerdict(Shape):
    """What can be said of an initiative that is completed or cancelled."""

    id: UUID
    code: str
    name: Names
    position: int
    source: str | None
    retired_at: Instant | None
    """Since when it is given no more; null while it is in use."""
    created_at: Instant
    updated_at: Instant
    version: int


class ClosingVerdictQuery(ChangesPaging):
    """How closing verdicts are filtered."""

    retired: bool | None = None
    """Whether they are out of use."""
