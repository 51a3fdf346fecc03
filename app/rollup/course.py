"""The course of a milestone: its reports, and what new ones change. Pure.

A course knows the latest report, or all where new ones reach back, and takes new ones in order.
"""

from datetime import date
from typing import NamedTuple

from app.rollup import contribution
from app.rollup.contribution import Change, Milestone, Report
from app.rollup.points import FULL


class Kept(NamedTuple):
    """What is kept of a milestone beside its reports."""

    share: int
    percent: int
    """Basis points of the latest report."""
    done_on: date | None
    reports: int
    """How many there are; the sequence of the newest."""


class Moved(NamedTuple):
    """What is kept of a milestone after new reports, and by how much they change sums over it."""

    percent: int
    """Basis points of the latest report."""
    done_on: date | None
    earned: int
    done: int
    new: int
    """Reports."""


class Course:
    """One live milestone, before and after its new reports."""

    def __init__(self, plan: Milestone, kept: Kept) -> None:
        """`plan` comes without reports; those that matter are put into `reports`."""
        self.kept = kept
        self.reports: set[Report] = set()
        self.new = 0
        self._plan = plan

    def is_deep(self, day: date, basis_points: int) -> bool:
        """Whether a report on a day needs the whole history, where the latest is known.

        It does behind the latest, and where it corrects the latest to 100 %: that may close a gap,
        and only the history says since when the milestone is done.
        """
        if not self.reports:
            return False
        latest = max(self.reports)
        closes = basis_points == FULL != latest.basis_points
        return day < latest.effective_on or (day == latest.effective_on and closes)

    @property
    def sequence(self) -> int:
        """That of the newest report."""
        return self.kept.reports + self.new

    def held(self, day: date) -> int:
        """Basis points that hold on a day, so far."""
        before, _ = self._around(day)
        return before.basis_points if before else 0

    def take(self, day: date, basis_points: int) -> dict[date, Change]:
        """Add a report that was just made, and answer what it changes.

        A report acts from its day to the next report's, so its two neighbours say all.
        """
        self.new += 1
        mine = Report(day, self.sequence, basis_points, verified=False)
        around = [neighbour for neighbour in self._around(day) if neighbour]
        self.reports.add(mine)
        plan, share = self._plan._replace(reports=around), self.kept.share
        return contribution.of_reports(plan, share, [*around, mine])

    def moved(self) -> Moved:
        """Where the milestone stands now; it is done since it is at 100 % without a break."""
        since = self.kept.done_on
        before = [Report(since, 0, FULL, verified=False)] if since else []
        current, done_on = contribution.latest([*before, *self.reports])
        now, then = (
            contribution.earned(self._plan.technique, basis_points)
            for basis_points in (current, self.kept.percent)
        )
        done = int(current == FULL) - int(self.kept.percent == FULL)
        return Moved(current, done_on, self.kept.share * (now - then), done, self.new)

    def _around(self, day: date) -> tuple[Report | None, Report | None]:
        """The report that holds on a day, and the one that takes over after it."""
        before = max((r for r in self.reports if r.effective_on <= day), default=None)
        later = (r for r in self.reports if r.effective_on > day)
        after = min(later, key=lambda r: (r.effective_on, -r.sequence), default=None)
        return before, after
