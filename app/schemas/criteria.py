"""Criteria on the wire: by what an institution chooses its quick wins."""

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
    Weight,
    example,
)
from app.schemas.pages import ChangesPaging

MOST_CRITERIA = 50
"""Criteria that are in use at a time: all of them stand side by side."""
HighestScore = Annotated[int, Field(strict=True, ge=1, le=1000)]


class NewCriterion(Shape):
    """A new criterion."""

    model_config = example(
        {
            "code": "leverage",
            "name": {"id": "Daya ungkit", "en": "Leverage"},
            "description": "Seberapa besar dampaknya bagi perubahan yang lain.",
            "weight": 3,
            "highest_score": 5,
        }
    )

    code: Code
    name: Names
    description: Text | None = None
    """What is asked, and what the scores mean."""
    weight: Weight = 1
    """How much it counts among the criteria."""
    highest_score: HighestScore = 5
    """Scores are whole numbers from 0 to this one."""
    reason: Reason | None = None


class CriterionChanges(Shape):
    """A merge patch of a criterion."""

    model_config = example({"weight": 2, "reason": "Disepakati dalam rapat tim"})

    name: Names | MISSING = MISSING
    description: Text | MISSING | None = MISSING
    weight: Weight | MISSING = MISSING
    highest_score: HighestScore | MISSING = MISSING
    """Not below a score that was given (`in_use`)."""
    retired: Flag | MISSING = MISSING
    """True takes it out of use: it is scored and counted no more, and its scores stay to be read."""
    reason: Reason | MISSING = MISSING


class Criterion(Shape):
    """What proposals are judged by, the same for all units of an institution."""

    id: UUID
    code: str
    name: Names
    description: str | None
    weight: int
    highest_score: int
    retired_at: Instant | None
    """Since when it is out of use; null while it counts."""
    created_at: Instant
    updated_at: Instant
    version: int


class CriteriaQuery(ChangesPaging):
    """How criteria are filtered."""

    retired: bool | None = None
    """Whether they are out of use."""
