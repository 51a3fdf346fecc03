"""Whole plans with their history, as a loader takes them: initiatives, milestones and reports."""

from typing import NamedTuple
from uuid import UUID

from app.schemas.fields import Verdict
from app.schemas.initiatives import NewInitiative
from app.schemas.updates import NewUpdate


class PlannedReport(NamedTuple):
    """A report on one milestone of a plan, and what a verifier found."""

    milestone: int
    """Number of the milestone: as given, or one more than the highest before it in the plan."""
    update: NewUpdate
    reporter: str
    """Code of the person who reports."""
    verdict: Verdict | None = None
    verifier: str | None = None
    """Code of the person who verified or returned it; another than the reporter."""
    verdict_note: str | None = None
    """Why; owed when the report is returned."""
    findings: tuple[bool, ...] = ()
    """In the order of `FINDINGS`; none where nothing but the verdict is known."""


class Plan(NamedTuple):
    """One initiative as it stands, with its milestones inline, and its reports in their order."""

    initiative: NewInitiative
    reports: list[PlannedReport]
    drops: dict[int, str]
    """Milestones that were dropped since, with the reason."""
    template_id: UUID | None = None
    """The template that it is copied from."""


class PlannedScore(NamedTuple):
    """What somebody gave an initiative on a criterion, each by its code."""

    initiative: str
    criterion: str
    scorer: str
    score: int
