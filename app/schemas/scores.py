"""Scores on the wire: what people give an initiative on each criterion, side by side."""

from typing import Annotated

from pydantic import Field

from app.schemas.fields import Instant, Names, Shape, Text, example


class NewScore(Shape):
    """One's own score of an initiative on a criterion."""

    model_config = example({"score": 4, "note": "Terlihat langsung oleh pemilih"})

    score: Annotated[int, Field(strict=True, ge=0, le=1000)]
    """From 0 to the criterion's `highest_score`."""
    note: Text | None = None
    """Why; the one there was goes if it is left out."""


class Score(Shape):
    """What one person gives."""

    scorer: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    score: int
    note: str | None
    scored_at: Instant


class CriterionScore(Shape):
    """What was given on a criterion. Without a score its numbers are null, never 0."""

    criterion: str
    """Its code."""
    name: Names
    weight: int
    highest_score: int
    mean: float | None
    """Of all scorers, each counted alike; two decimals."""
    lowest: int | None
    highest: int | None
    scorers: int
    """How many people have scored."""


class CriterionScores(CriterionScore):
    """A criterion with the scores of everybody."""

    retired: bool
    """Out of use: its scores are shown, and do not count."""
    scores: list[Score]
    """By the scorers' codes."""


class ScoreSheet(Shape):
    """An initiative with all of its scores."""

    initiative: str
    """Code of the initiative."""
    weighted_score: float | None
    """Percent: Σ weight × mean ÷ highest score, of Σ weight. Null until each criterion has a score."""
    criteria: list[CriterionScores]
    """By code: all that are in use, and those that were scored before they were retired."""
