"""Closing verdicts that were given on initiatives, on the wire."""

from uuid import UUID

from app.schemas.fields import Day, Instant, Reason, Reference, Shape, Url, example


class NewJudgement(Shape):
    """A closing verdict on an initiative that is completed or cancelled."""

    model_config = example(
        {
            "verdict": "met-fast",
            "note": "Loket berjalan sejak Desember, antrean turun separuh",
            "judged_on": "2023-01-20",
        }
    )

    verdict: Reference
    """Code of a closing verdict that is in use."""
    note: Reason
    """Why; owed, and kept with the verdict."""
    judged_on: Day | None = None
    """The day of the verdict; today if left out, never in the future."""
    decree: Reference | None = None
    """Code of the decree by which it was given, if one was."""
    url: Url | None = None
    """Where the evaluation can be read."""


class ClosedWith(Shape):
    """The closing verdict that stands."""

    verdict: str
    """Code of the closing verdict."""
    note: str
    judged_on: Day
    judged_by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    judged_at: Instant


class Judgement(ClosedWith):
    """One closing verdict in the history of an initiative; what it says is never changed."""

    id: UUID
    decree: str | None
    url: str | None
    stands: bool
    """False since a later one was given, or since the initiative's status changed."""
