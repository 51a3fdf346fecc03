"""Worklists: what waits for somebody's report."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.schemas.fields import Reference
from app.schemas.pages import Limit, Paging


class Pressing(StrEnum):
    """How much a milestone presses: past its date, within 30 days, or later."""

    OVERDUE = "overdue"
    SOON = "soon"
    LATER = "later"


class WorklistQuery(Paging):
    """Which milestones of a worklist; those that are due first come first."""

    limit: Limit = 30
    due: Pressing | None = None
    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
