"""Frozen reports on the wire."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.comparisons import RollupChildren
from app.schemas.curves import Curve
from app.schemas.fields import Day, Digits, Instant, Name, Reference, Shape, Text, Year, example
from app.schemas.pages import Paging
from app.schemas.rollups import Rollup, RollupAreas


class NewReport(Shape):
    """A report to freeze: what the numbers are now, kept for ever."""

    model_config = example(
        {"title": "Laporan triwulan III", "unit": "32", "year": 2022, "as_of": "2022-09-30"}
    )

    title: Name
    unit: Reference | None = None
    """Code of the unit, reported with all below it; the root unit if left out."""
    year: Year | None = None
    """Initiatives of this year; all years if left out."""
    as_of: Day | None = None
    """Reports effective by this day, with the plan as it stands now; today if left out."""
    note: Text | None = None
    supersedes: UUID | None = None
    """Id of the frozen report that this one takes the place of."""


class OverdueMilestone(Shape):
    """A live milestone of a counted initiative, past its due date and not at 100 %."""

    initiative: str
    """Code of the initiative."""
    initiative_title: str
    unit: str
    """Code of the initiative's unit."""
    milestone: int
    """Number of the milestone in the initiative."""
    milestone_title: str
    due_on: Day
    overdue_days: int
    """Days from `due_on` to `as_of`."""
    percent_complete: float
    """As reported by `as_of`; 0 without a report."""


class Picture(Shape):
    """The numbers of a unit on a date, as the roll-up answers them, and what is overdue."""

    rollup: Rollup
    children: RollupChildren
    areas: RollupAreas
    overdue: list[OverdueMilestone]
    """The longest overdue first; as many as `rollup` counts."""


class ReportContent(Picture):
    """All that was told; its canonical JSON (RFC 8785) is what the digest is made of."""

    format: Literal[1]
    """Rises when what is written here changes its meaning."""
    id: UUID
    """The report's id."""
    title: str
    note: str | None
    supersedes: UUID | None
    frozen_at: Instant
    frozen_by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    curve: Curve | MISSING = MISSING
    """The S-curve by months, to the end of the plan, with the forecast. Reports that were frozen before
    it was kept have none."""


class Report(Shape):
    """A frozen report; it is never changed, only superseded by another."""

    id: UUID
    title: str
    note: str | None
    unit: str
    """Code of the unit, as it was then."""
    year: int | None
    """Null: all years."""
    as_of: Day
    version: int
    """The institution's event sequence at that moment: every write up to it is included."""
    digest: str
    """SHA-256 of the content as it is downloaded, hex: what `sha256sum` prints."""
    frozen_at: Instant
    frozen_by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    supersedes: UUID | None
    """The report that this one took the place of."""
    superseded_by: UUID | None
    """The report that took the place of this one."""


class ReportWithContent(Report):
    """A frozen report with all that was told."""

    content: ReportContent


class ReportQuery(Paging):
    """How frozen reports are filtered; newest first."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    subtree: bool = True
    """False: only reports on the units themselves."""
    year: Annotated[list[Annotated[int, Field(ge=1900, le=2199), Digits]], Field(max_length=50)] = (
        Field(default_factory=list)
    )
    since: Instant | None = None
    """Frozen at or after this instant."""
    superseded: bool | None = None
    """False: only those that still stand."""
