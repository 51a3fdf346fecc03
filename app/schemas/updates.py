"""Progress updates (reports) and their verification on the wire."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from app.schemas.fields import (
    CODE_PATTERN,
    Day,
    Instant,
    Name,
    Percent,
    Reference,
    Shape,
    Text,
    Url,
    Verdict,
    Verification,
    example,
)
from app.schemas.pages import Paging

Source = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=CODE_PATTERN)]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-~]+$")]


class Evidence(Shape):
    """A document that shows what was reached."""

    title: Name
    url: Url


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

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.source is None) != (self.external_id is None):
            message = "source and external_id go together"
            raise ValueError(message)
        return self


class NewVerification(Shape):
    """A verifier's verdict on a report."""

    model_config = example({"verdict": "verified", "note": "Bukti dukung sesuai"})

    verdict: Verdict
    note: Text | None = None
    """Why; owed when the report is returned."""


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
    evidence: list[Evidence]
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
