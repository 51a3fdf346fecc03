"""Units on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.fields import Code, Flag, Instant, Label, Name, Reason, Reference, Shape, example
from app.schemas.pages import Paging, Search, Sort
from app.schemas.ratings import JudgedRating


class NewUnit(Shape):
    """A new unit."""

    model_config = example(
        {"code": "32.73", "name": "KPU Kota Bandung", "parent": "32", "kind": "city"}
    )

    code: Code
    name: Name
    parent: Reference | None = None
    """Code of the unit above; the root unit if left out."""
    kind: Label | None = None
    """What sort of unit it is, in the institution's own words, such as `provincial`."""
    reference_code: Code | None = None
    """Its code in a national register, such as the Ministry of Home Affairs' area code."""


class UnitChanges(Shape):
    """A merge patch of a unit; another parent is set by `move`, and `merge` ends a unit."""

    model_config = example({"name": "KPU Kota Bandung", "archived": False})

    code: Code | MISSING = MISSING
    name: Name | MISSING = MISSING
    kind: Label | MISSING | None = MISSING
    reference_code: Code | MISSING | None = MISSING
    archived_at: Instant | MISSING | None = MISSING
    """An instant archives the unit (it takes no new initiatives, people or units); null restores it,
    unless it has been merged into another."""
    archived: Flag | MISSING = MISSING
    """Short for `archived_at` now, or null."""
    reason: Reason | MISSING = MISSING


class UnitMove(Shape):
    """Where a unit goes, with all below it."""

    model_config = example({"parent": "32", "reason": "New province"})

    parent: Reference
    """Code of the new unit above."""
    reason: Reason | None = None


class UnitMerge(Shape):
    """Which unit takes over what a unit has."""

    model_config = example({"into": "32", "reason": "Presidential decree 12/2023"})

    into: Reference
    """Code of the unit that takes over; neither the merged unit itself nor one below it."""
    reason: Reason | None = None


class Unit(Shape):
    """A unit of an institution."""

    id: UUID
    code: str
    name: str
    kind: str | None
    parent: str | None
    """Code of the unit above; null for the root."""
    path: str
    """Codes from the root down to this unit, joined by `/`."""
    depth: int
    """Steps below the root, which has 0."""
    reference_code: str | None
    archived_at: Instant | None
    merged_into: str | None
    """Code of the unit that took over what this one had; it stays archived. Null if not merged."""
    rating: JudgedRating | None
    """The latest judged one, of the unit itself; beside the roll-up's computed health. Null if none."""
    created_at: Instant
    updated_at: Instant
    version: int


class UnitQuery(Paging):
    """How units are filtered and sorted."""

    parent: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units: their direct children."""
    under: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units: they and all below them."""
    kind: Annotated[list[Label], Field(max_length=50)] = Field(default_factory=list)
    archived: bool | None = None
    updated_since: Instant | None = None
    """Changed at or after this instant."""
    q: Search | None = None
    """Part of the name or code, without regard to case."""
    sort: Sort = "code"
    """Fields by comma, `-` for descending: code, name, created_at, updated_at."""
