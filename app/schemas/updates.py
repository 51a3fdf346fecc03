"""Progress updates (reports) and their verification on the wire."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from app.schemas.evidence import Evidence, ShownEvidence
from app.schemas.fields import (
    CODE_PATTERN,
    Day,
    Flag,
    Instant,
    Percent,
    Reference,
    Shape,
    Text,
    Verdict,
    Verification,
    example,
)
from app.schemas.pages import Paging

Source = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=CODE_PATTERN)]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-~]+$")]


class NewUpdate(Shape):
    """A progress report."""

    model_config = example(
        {"percent_complete": 60, "effective_on": "2022-11-15", "note": "Modul B selesai"}
    )

    percent_complete: Percent
    effective_on: Day | None = None
    """The day on which this was so; today if left out, never in the future."""
    note: Text | None = None
    evidence: Annotated[list[Evidence], Field(max_length=50)] = Field(default_factory=list)
    source: Source | None = None
    """The system that the report comes from; goes with `external_id`."""
    external_id: ExternalId | None = None
    """The report's id in `source`: sent again it answers the report that is there (200)."""
    resubmits: UUID | None = None
    """Id of the returned report of this milestone that this one answers; each is answered once."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.source is None) != (self.external_id is None):
            message = "source and external_id go together"
            raise ValueError(message)
        return self


class NewVerification(Shape):
    """A verifier's verdict on a report, and four findings that it rests on."""

    model_config = example(
        {
            "verdict": "verified",
            "note": "Bukti dukung sesuai",
            "executed_as_planned": True,
            "output_reached": True,
            "quality": True,
            "on_time": False,
        }
    )

    verdict: Verdict
    note: Text | None = None
    """Why; owed when the report is returned."""
    executed_as_planned: Flag | None = None
    """Whether it was carried out as planned; null where that was not judged."""
    output_reached: Flag | None = None
    """Whether the output is there."""
    quality: Flag | None = None
    """Whether its quality is as expected."""
    on_time: Flag | None = None
    """Whether it was there in time."""


class GivenVerification(Shape):
    """A verdict that was given on a report, with its findings."""

    verdict: Verdict
    note: str | None
    executed_as_planned: bool | None
    """Null where it was not judged; so are the other three."""
    output_reached: bool | None
    quality: bool | None
    on_time: bool | None
    verified_by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    verified_at: Instant


FINDINGS = ("executed_as_planned", "output_reached", "quality", "on_time")
"""What a verifier says yes or no to."""
MOST_VERIFICATIONS = 100
"""Verdicts on one report, all of which are kept."""


class Update(Shape):
    """A progress report on one milestone; it is never changed, only verified or followed by another."""

    id: UUID
    initiative: str
    """Code of the initiative."""
    milestone: int
    """Number of the milestone."""
    percent_complete: float
    previous_percent: float
    """What held on `effective_on` before this report."""
    effective_on: Day
    late: bool = False
    """Whether it came after the window of the reporting period of `effective_on`."""
    note: str | None
    evidence: list[ShownEvidence]
    source: str | None
    external_id: str | None
    reported_by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    reported_at: Instant
    verification: Verification
    verified_by: str | None
    """Who gave the latest verdict."""
    verified_at: Instant | None
    verification_note: str | None
    # What came later has defaults, for answers that were kept before it came.
    verifications: list[GivenVerification] = Field(default_factory=list)
    """Every verdict with its findings, oldest first; the last one is the one that holds."""
    resubmits: UUID | None = None
    """The returned report that this one answers."""


class UpdateFilter(Shape):
    """How an institution's reports are filtered."""

    initiative: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    verification: list[Verification] = Field(default_factory=list)
    source: Annotated[list[Source], Field(max_length=50)] = Field(default_factory=list)
    late: bool | None = None
    """Only those that came after the window of their reporting period, or only the others."""
    since: Instant | None = None
    """Reported at or after this instant."""
    updated_since: Instant | None = None
    """Reported, verified or returned at or after this instant."""
    effective_after: Day | None = None
    effective_before: Day | None = None


class UpdateQuery(UpdateFilter, Paging):
    """How an institution's reports are filtered; newest first."""
