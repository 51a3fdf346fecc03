"""Judged ratings on the wire: what a person thinks, beside what the reports compute."""

from uuid import UUID

from app.schemas.fields import Confidence, Day, Health, Instant, Reason, Shape, example

EQUIVALENT: dict[Health, frozenset[Confidence]] = {
    Health.COMPLETED: frozenset({Confidence.GREEN, Confidence.AMBER_GREEN}),
    Health.ON_TRACK: frozenset({Confidence.GREEN, Confidence.AMBER_GREEN}),
    Health.AT_RISK: frozenset({Confidence.AMBER, Confidence.AMBER_RED}),
    Health.OFF_TRACK: frozenset({Confidence.AMBER_RED, Confidence.RED}),
}
"""Ratings that say the same as a computed health; any other one differs.

Nothing differs from `not_started` and `not_measurable`: where nothing is due or counted yet, the
reports say nothing that a judgement could contradict. `amber_red` (in doubt; whether the issues can
be resolved is open) fits both `at_risk` and `off_track`.
"""


class NewRating(Shape):
    """A judgement of delivery confidence, with its reason."""

    model_config = example(
        {"rating": "amber_red", "reason": "Vendor mundur, lelang ulang", "judged_on": "2022-10-03"}
    )

    rating: Confidence
    reason: Reason
    """Why; owed, and kept with the rating."""
    judged_on: Day | None = None
    """The day of the judgement; today if left out, never in the future."""


class JudgedRating(Shape):
    """A person's judgement of delivery confidence. It never changes the computed health."""

    rating: Confidence
    reason: str
    judged_on: Day
    judged_by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    judged_at: Instant


class Rating(JudgedRating):
    """One judgement in the history of an initiative or a unit; it is never changed."""

    id: UUID
