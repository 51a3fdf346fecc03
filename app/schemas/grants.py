"""Grants of roles on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.fields import Instant, Reference, Shape, example
from app.schemas.pages import Paging
from app.schemas.permissions import Role


class NewGrant(Shape):
    """A role for a person on a unit; it holds for all units below, from the next request on."""

    model_config = example({"person": "sek-32", "role": "planner", "unit": "32"})

    person: Reference
    """Code of the person."""
    role: Role
    unit: Reference | None = None
    """Code of the unit; the root unit, which is the whole institution, if left out."""


class Grant(Shape):
    """A role that a person has on a unit and all below it."""

    id: UUID
    person: str
    role: Role
    unit: str
    granted_by: str
    """Code of the person, or name of the token, that granted it."""
    granted_at: Instant


class GrantQuery(Paging):
    """Which grants are asked for."""

    person: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of people."""
    role: Annotated[list[Role], Field(max_length=10)] = Field(default_factory=list)
    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
