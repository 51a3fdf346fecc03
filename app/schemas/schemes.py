"""Schemes and reform areas on the wire."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, Field, WithJsonSchema, model_validator

from app.schemas.fields import Code, Instant, Name, Names, Percent, Reason, Shape, Year, example

Position = Annotated[int, Field(strict=True, ge=1, le=1000)]


class NewScheme(Shape):
    """A new catalogue of reform areas."""

    model_config = example(
        {
            "code": "rb-2025",
            "name": {"id": "Road Map 2025-2029", "en": "Road Map 2025-2029"},
            "from_year": 2025,
            "to_year": 2029,
        }
    )

    code: Code
    name: Names
    basis: Name | None = None
    """The regulation that it stands in."""
    from_year: Year
    to_year: Year | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to_year is not None and self.to_year < self.from_year:
            message = "to_year cannot be before from_year"
            raise ValueError(message)
        return self


class SchemeChanges(Shape):
    """A merge patch of a scheme."""

    model_config = example({"to_year": 2030})

    name: Names | MISSING = MISSING
    basis: Name | MISSING | None = MISSING
    from_year: Year | MISSING = MISSING
    to_year: Year | MISSING | None = MISSING
    reason: Reason | MISSING = MISSING


class Scheme(Shape):
    """A versioned catalogue of reform areas."""

    id: UUID
    code: str
    name: Names
    basis: str | None
    from_year: int
    to_year: int | None
    created_at: Instant
    updated_at: Instant
    version: int


class NewArea(Shape):
    """A reform area for a scheme: a new one, or one that another scheme has already (by its code)."""

    model_config = example({"code": "oversight"})

    code: Code
    name: Names | None = None
    """Needed for a new area; left out for one that is known."""
    position: Position | None = None
    """Place in the scheme; the next one if left out."""
    aliases: Annotated[list[Name], Field(max_length=50)] = Field(default_factory=list)
    """Other names that documents use for a new area."""
    compliance_weight: Percent | None = None
    """Points that the evaluation instrument gives for compliance in this area."""


class AreaChanges(Shape):
    """A merge patch of a reform area in its scheme."""

    model_config = example({"aliases": ["Pengawasan"], "position": 7})

    name: Names | MISSING = MISSING
    position: Position | MISSING = MISSING
    aliases: Annotated[list[Name], Field(max_length=50)] | MISSING = MISSING
    compliance_weight: Percent | MISSING | None = MISSING
    reason: Reason | MISSING = MISSING


class Area(Shape):
    """A reform area in its scheme."""

    id: UUID
    code: str
    """Unique over all schemes."""
    scheme: str
    position: int
    name: Names
    aliases: list[str]
    compliance_weight: Annotated[float, WithJsonSchema({"type": "number"})] | None
    created_at: Instant
    updated_at: Instant
    version: int
