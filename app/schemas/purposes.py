"""Outcomes, strategies and levels of schemes on the wire."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.fields import Code, Instant, Name, Names, Reason, Reference, Shape, example
from app.schemas.pages import ChangesPaging
from app.schemas.schemes import Position

Aliases = Annotated[list[Name], Field(max_length=50)]
Outcomes = Annotated[list[Reference], Field(max_length=20)]
Strategies = Annotated[list[Reference], Field(max_length=20)]


class PurposeKind(StrEnum):
    """What sort of purpose it is.

    An `outcome` to reach, a `strategy` to reach it by, or the `level` (national policy, a sector's
    programme, an institution's own) on which one works.
    """

    OUTCOME = "outcome"
    STRATEGY = "strategy"
    LEVEL = "level"


class NewPurpose(Shape):
    """A purpose for a scheme: a new one, or one that another scheme has already (by its code)."""

    model_config = example(
        {
            "code": "digital-service",
            "kind": "outcome",
            "name": {"id": "Layanan digital", "en": "Digital service"},
        }
    )

    code: Code
    kind: PurposeKind
    name: Names | None = None
    """Needed for a new one; left out for one that is known."""
    position: Position | None = None
    """Place among those of its kind in the scheme; the next one if left out."""
    aliases: Aliases = Field(default_factory=list)
    """Other names that documents use for a new one."""


class PurposeChanges(Shape):
    """A merge patch of a purpose in its scheme. Its kind stays."""

    model_config = example({"aliases": ["Pelayanan publik"], "position": 3})

    name: Names | MISSING = MISSING
    position: Position | MISSING = MISSING
    aliases: Aliases | MISSING = MISSING
    reason: Reason | MISSING = MISSING


class Purpose(Shape):
    """An outcome, a strategy or a level in its scheme."""

    id: UUID
    code: str
    """Unique over all schemes and kinds."""
    kind: PurposeKind
    scheme: str
    position: int
    name: Names
    aliases: list[str]
    created_at: Instant
    updated_at: Instant
    version: int


class PurposeQuery(ChangesPaging):
    """Which purposes of a scheme."""

    kind: list[PurposeKind] = Field(default_factory=list)
