"""Candidates on the wire: what may become a quick win, side by side."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.fields import (
    Day,
    Digits,
    InitiativeKind,
    Origin,
    Reference,
    Shape,
)
from app.schemas.pages import Paging, Search, Sort
from app.schemas.scores import CriterionScore


class CandidateStatus(StrEnum):
    """Where a candidate is: these are chosen from."""

    PROPOSED = "proposed"
    SHORTLISTED = "shortlisted"


class Candidate(Shape):
    """A proposed or shortlisted initiative with what it was given."""

    id: UUID
    code: str
    title: str
    unit: str
    """Code of its unit."""
    year: int
    kind: InitiativeKind
    origin: Origin
    status: CandidateStatus
    start_on: Day | None
    due_on: Day | None
    expected_result: str | None
    rank: int | None
    """Among all that are asked for, by weighted score; equals share a rank. Null without a score."""
    weighted_score: float | None
    """Percent: Σ weight × mean ÷ highest score, of Σ weight. Null until each criterion has a score,
    since who was judged by fewer cannot be compared."""
    criteria: list[CriterionScore]
    """All criteria that are in use, by code."""


class CandidatesQuery(Paging):
    """How candidates are filtered and sorted; ranks are among what the filters leave."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    subtree: bool = True
    """False: the named units alone."""
    area: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    owner: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of people, in any role."""
    year: Annotated[list[Annotated[int, Field(ge=1900, le=2199), Digits]], Field(max_length=50)] = (
        Field(default_factory=list)
    )
    status: list[CandidateStatus] = Field(default_factory=list)
    kind: list[InitiativeKind] = Field(default_factory=list)
    q: Search | None = None
    """Part of the code or title, without regard to case."""
    sort: Sort = "rank"
    """Fields by comma, `-` for descending: rank, code, title, year, weighted_score. Those without a
    score come last by `rank`."""
