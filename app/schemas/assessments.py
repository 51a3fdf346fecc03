"""Assessments on the wire: scores by year, instrument and assessor, and the series that they form."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, Field, model_validator

from app.schemas.amounts import Figure, Lift, Score
from app.schemas.fields import (
    Day,
    Instant,
    Names,
    Reason,
    Reference,
    Shape,
    Text,
    Url,
    Year,
    example,
)
from app.schemas.instruments import Predicate
from app.schemas.pages import ChangesPaging
from app.schemas.rollups import RollupYear


class Assessor(StrEnum):
    """Who assesses.

    The institution itself (`self`), its `internal_auditor` (APIP), the evaluator of a sector
    (`meso`) or of the nation (`national`).
    """

    SELF = "self"
    INTERNAL_AUDITOR = "internal_auditor"
    MESO = "meso"
    NATIONAL = "national"


class ComponentScore(Shape):
    """What an assessment gave a component."""

    component: Reference
    """Code of the component."""
    score: Score


ComponentScores = Annotated[list[ComponentScore], Field(max_length=200)]


class NewAssessment(Shape):
    """A new assessment: a score, a target, or both."""

    model_config = example(
        {
            "instrument": "permenpan-26-2020",
            "score_year": 2020,
            "assessor": "national",
            "announced_on": "2022-02-08",
            "score": 71.63,
            "target": 77,
        }
    )

    instrument: Reference
    score_year: Year
    """The year that is assessed."""
    assessor: Assessor
    announced_on: Day | None = None
    """When the score was made known: often in a later year."""
    score: Score | None = None
    """Total points."""
    announced_predicate: Predicate | None = None
    """As it was made known; `predicate` follows from the bands."""
    target: Score | None = None
    scores: ComponentScores = Field(default_factory=list)
    """Points by component, as far as they are known."""
    source: Text | None = None
    source_url: Url | None = None
    note: Text | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.score is None and self.target is None:
            message = "an assessment has a score, a target, or both"
            raise ValueError(message)
        return self


class AssessmentChanges(Shape):
    """A merge patch of an assessment; the scores of components are replaced whole."""

    model_config = example({"target": 77, "reason": "Renstra"})

    announced_on: Day | MISSING | None = MISSING
    score: Score | MISSING | None = MISSING
    announced_predicate: Predicate | MISSING | None = MISSING
    target: Score | MISSING | None = MISSING
    scores: ComponentScores | MISSING = MISSING
    source: Text | MISSING | None = MISSING
    source_url: Url | MISSING | None = MISSING
    note: Text | MISSING | None = MISSING
    reason: Reason | MISSING = MISSING


class NextGrade(Shape):
    """The grade above the present one."""

    predicate: str
    from_: Annotated[Score, Field(alias="from", serialization_alias="from")]
    """Its bound."""
    inclusive: bool
    """False: the bound must be exceeded."""
    gap: Figure
    """Points from the score to the bound."""


class Graded(Shape):
    """A score with what follows from it."""

    score_year: int
    announced_on: Day | None
    score: Score | None
    predicate: str | None
    """By the instrument's bands; null where it has none, or there is no score."""
    announced_predicate: str | None
    target: Score | None
    gap_to_target: Figure | None
    """Points from the score to the target; negative where it is exceeded."""
    next_grade: NextGrade | None
    """Null at the highest, and where there are no bands."""


class Assessment(Graded):
    """What an assessor gave an institution for a year under an instrument."""

    id: UUID
    instrument: str
    assessor: Assessor
    scores: list[ComponentScore]
    """In the instrument's order."""
    source: str | None
    source_url: str | None
    note: str | None
    created_at: Instant
    updated_at: Instant
    version: int


class AssessmentQuery(ChangesPaging):
    """Which assessments. Filters join by AND; a repeated one by OR."""

    instrument: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    assessor: list[Assessor] = Field(default_factory=list)
    score_year: Annotated[list[RollupYear], Field(max_length=50)] = Field(default_factory=list)


class IndexQuery(Shape):
    """Which series of the index."""

    instrument: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    assessor: list[Assessor] = Field(default_factory=list)


class IndexPoint(Graded):
    """One year of a series."""

    change: Figure | None
    """From the score before it in the same series; null for the first."""


class IndexSeries(Shape):
    """The scores of one assessor under one instrument, which can be compared with each other."""

    instrument: str
    name: Names
    assessor: Assessor
    maximum: Score | None
    points: list[IndexPoint]
    """By score year."""


class IndexBreak(Shape):
    """Where the instrument changes: scores before and after it are not the same measure."""

    assessor: Assessor
    from_instrument: str
    from_year: int
    """Last year under the former instrument."""
    to_instrument: str
    to_year: int
    """First year under the other."""


class Index(Shape):
    """An institution's index over the years: a series for each instrument and assessor."""

    institution: str
    series: list[IndexSeries]
    not_comparable: list[IndexBreak]
    """In the order of years; no difference is computed across them."""


class ExpectedLift(Shape):
    """By how much an initiative should lift a component."""

    instrument: Reference
    component: Reference
    points: Lift


ExpectedLifts = Annotated[list[ExpectedLift], Field(max_length=50)]


class LiftQuery(Shape):
    """Whose assessments are compared."""

    assessor: Assessor = Assessor.NATIONAL


class YearScore(Shape):
    """A component's score in a year."""

    score_year: int
    score: Score


class ComponentLift(Shape):
    """What an initiative should add to a component, what is reported of it, and what was assessed."""

    instrument: str
    component: str
    name: Names
    expected: Score
    """Points, as the plan says."""
    reported: Figure | None
    """Expected × percent complete of the initiative, today; null while nothing is measured."""
    assessed: Figure | None
    """The score after less the score before, which is of all that happened in between."""
    before: YearScore | None
    """The last score of a year before the initiative's."""
    after: YearScore | None
    """The first score of the initiative's year or a later one."""
    reason: str | None
    """Why nothing is assessed: `not_assessed_before`, `not_assessed_after`, or `other_instrument`
    where there are assessments, but none under the instrument of the component."""


class InitiativeLifts(Shape):
    """Expected, reported and assessed lift of an initiative, side by side."""

    initiative: str
    year: int
    assessor: Assessor
    percent_complete: float | None
    items: list[ComponentLift]
