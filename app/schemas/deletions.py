"""Deletions on the wire."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from app.schemas.fields import Instant, Reason, Reference, Shape, example
from app.schemas.initiatives import InitiativeWithPlan
from app.schemas.milestones import Milestone
from app.schemas.pages import Paging
from app.schemas.people import Person
from app.schemas.units import Unit

Address = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._/-]+$")
]
Restored = Unit | Person | InitiativeWithPlan | Milestone
"""What was restored, as its own address answers it."""


class DeletedNoun(StrEnum):
    """What can be deleted, and restored."""

    UNIT = "unit"
    PERSON = "person"
    INITIATIVE = "initiative"
    MILESTONE = "milestone"


class Deletion(Shape):
    """One deletion. What it removed can be restored until `restorable_until`, all of it together."""

    id: UUID
    """Of the deletion."""
    noun: DeletedNoun
    subject: str
    """What was deleted: a code, or an address such as `QW-1/milestones/3`."""
    subject_id: UUID
    name: str
    """Its name or title."""
    unit: str | None
    """Code of the unit that it comes back to: its own, or for a unit the one above. Null if it has
    none, or while that unit is deleted itself."""
    reason: str | None
    deleted_at: Instant
    deleted_by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    restorable_until: Instant
    """From then on it is gone for good, and so is this record; its events stay. Set at the deletion
    by the institution's policy, and never changed."""
    restored_at: Instant | None
    restored_by: str | None


class NewRestoration(Shape):
    """Why something is restored."""

    model_config = example({"reason": "Terhapus keliru"})

    reason: Reason | None = None


class DeletionQuery(Paging):
    """How deletions are filtered; newest first."""

    noun: list[DeletedNoun] = Field(default_factory=list)
    subject: Annotated[list[Address], Field(max_length=50)] = Field(default_factory=list)
    """Codes, addresses or ids of what was deleted."""
    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them: what comes back there."""
    since: Instant | None = None
    """Deleted at or after this instant."""
    restored: bool | None = None
    """False: only what is still deleted."""
