"""The rules of the roll-up once more, slowly: plain facts, exact fractions, one day at a time.

Written from the rules alone, and importing nothing of the application: whatever it shares with the
application it shares by the rules. Points are whole; everything else is a fraction until the edge.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

POINTS = 1_000_000
HUNDRED = Fraction(100)
ONE_DAY = timedelta(days=1)
COUNTED = ("active", "on_hold", "completed")


@dataclass
class Report:
    """A report: from its day on the milestone is at `percent`; the higher sequence wins a day."""

    effective_on: date
    sequence: int
    percent: Fraction
    verified: bool = False


@dataclass
class Milestone:
    """A milestone with its reports in the order in which they came."""

    number: int
    weight: int
    technique: str
    due_on: date
    baseline_due_on: date | None = None
    dropped: bool = False
    reports: list[Report] = field(default_factory=list)

    def at(self, day: date, *, verified: bool = False) -> Fraction:
        """Percent that holds on a day: of the latest report so far, or the latest verified one."""
        holding: Report | None = None
        for report in self.reports:
            if report.effective_on > day or (verified and not report.verified):
                continue
            if holding is None or (holding.effective_on, holding.sequence) < (
                report.effective_on,
                report.sequence,
            ):
                holding = report
        return holding.percent if holding else Fraction(0)

    def earns(self, day: date, *, verified: bool = False) -> Fraction:
        """Fraction of its share that it has earned on a day: a binary one all or nothing."""
        percent = self.at(day, verified=verified)
        if self.technique == "binary" and percent != HUNDRED:
            return Fraction(0)
        return percent / HUNDRED

    def planned_on(self) -> date:
        """The day from which its share is planned value."""
        return self.due_on if self.baseline_due_on is None else self.baseline_due_on

    def last_day(self) -> date:
        """The last day on which a report took effect; the first of all days without one."""
        return max((report.effective_on for report in self.reports), default=date.min)

    def done_on(self) -> date | None:
        """Since when it has been at 100 % to this day, walking back one day at a time."""
        day = self.last_day()
        if self.at(day) != HUNDRED:
            return None
        while self.at(day - ONE_DAY) == HUNDRED:
            day -= ONE_DAY
        return day


@dataclass
class Initiative:
    """An initiative, where it counts, and its milestones by number."""

    code: str
    unit: str
    year: int
    status: str
    weight: int
    areas: frozenset[str]
    milestones: dict[int, Milestone] = field(default_factory=dict)
    baselined: bool = False
    """Whether its plan has been agreed on, by becoming active or on request."""

    def baseline(self) -> None:
        """Agree on its dates as they are set, and forget those of dropped milestones."""
        self.baselined = True
        for milestone in self.milestones.values():
            if milestone.dropped:
                milestone.baseline_due_on = None

    def become(self, status: str) -> None:
        """Be in another status; what is begun is agreed on, as due where no date is set."""
        before, self.status = self.status, status
        if status == "active" and before not in COUNTED and self.live() and not self.baselined:
            for milestone in self.live():
                milestone.baseline_due_on = milestone.planned_on()
            self.baseline()

    def live(self) -> list[Milestone]:
        """Milestones that are not dropped, by number."""
        return [
            self.milestones[n] for n in sorted(self.milestones) if not self.milestones[n].dropped
        ]

    def shares(self) -> dict[int, int]:
        """Points by number: the whole part of each quota, then one point at a time.

        The next point goes where most is missing; where equally much is, to the lower number.
        """
        live = self.live()
        everything = sum(milestone.weight for milestone in live)
        quotas = {m.number: Fraction(self.weight * POINTS * m.weight, everything) for m in live}
        shares = {number: floor(quota) for number, quota in quotas.items()}
        remainders = {number: quota - floor(quota) for number, quota in quotas.items()}
        while live and sum(shares.values()) < self.weight * POINTS:
            most = max(remainders.values())
            number = min(n for n, remainder in remainders.items() if remainder == most)
            shares[number] += 1
            del remainders[number]
        return shares


@dataclass
class Obstacle:
    """What holds up an initiative, known by its code, or a unit as a whole in a year."""

    initiative: str | None
    unit: str | None
    year: int | None
    due_on: date | None
    waiting: bool = False
    resolved: bool = False
    follow_ups: list["FollowUp"] = field(default_factory=list)


@dataclass
class FollowUp:
    """An action against an obstacle."""

    due_on: date | None
    open: bool = True


class Sums(NamedTuple):
    """What an initiative adds on a day: points planned, earned and verified, milestones counted."""

    bac: int
    planned: int
    earned: Fraction
    verified: Fraction
    milestones: int
    done: int
    overdue: int
    due_soon: int


def sums(initiative: Initiative, day: date) -> Sums:
    """The leaves of one initiative on a day."""
    shares, live = initiative.shares(), initiative.live()
    unfinished = [m for m in live if m.at(day) < HUNDRED]
    return Sums(
        sum(shares.values()),
        sum(shares[m.number] for m in live if m.planned_on() <= day),
        sum((shares[m.number] * m.earns(day) for m in live), Fraction(0)),
        sum((shares[m.number] * m.earns(day, verified=True) for m in live), Fraction(0)),
        len(live),
        len(live) - len(unfinished),
        sum(m.due_on < day for m in unfinished),
        sum(day <= m.due_on <= day + 30 * ONE_DAY for m in unfinished),
    )


@dataclass
class World:
    """An institution: each unit's parent, its initiatives by code, and its obstacles."""

    parents: dict[str, str | None]
    initiatives: dict[str, Initiative] = field(default_factory=dict)
    obstacles: list[Obstacle] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)
    """Units that were merged, and what each went into."""
    on_track_from: Fraction = Fraction(95, 100)
    at_risk_from: Fraction = Fraction(80, 100)

    def path(self, unit: str) -> Iterator[str]:
        """A unit and all above it."""
        at: str | None = unit
        while at is not None:
            yield at
            at = self.parents[at]

    def children(self, unit: str) -> list[str]:
        """Units directly below one, by code."""
        return sorted(child for child, parent in self.parents.items() if parent == unit)

    def merge(self, unit: str, into: str) -> None:
        """Whatever names a unit names the other; the unit itself stays where it is."""
        for initiative in self.initiatives.values():
            if initiative.unit == unit:
                initiative.unit = into
        for obstacle in self.obstacles:
            if obstacle.unit == unit:
                obstacle.unit = into
        for child in self.children(unit):
            self.parents[child] = into
        self.merged[unit] = into

    def heir(self, unit: str) -> str:
        """The unit, or the one that has what it had."""
        while unit in self.merged:
            unit = self.merged[unit]
        return unit

    def on(self, day: date) -> "Snapshot":
        """The world on one day: each initiative's leaves are summed once."""
        counted = [i for i in self.initiatives.values() if i.status in COUNTED]
        return Snapshot(
            self, day, [(i, frozenset(self.path(i.unit)), sums(i, day)) for i in counted]
        )


class Snapshot(NamedTuple):
    """Counted initiatives with the units that they count in and their sums on a day."""

    world: World
    day: date
    counted: list[tuple[Initiative, frozenset[str], Sums]]

    def rollup(self, unit: str, area: str | None = None, year: int | None = None) -> dict[str, Any]:
        """Every number of a roll-up, as the API spells it."""
        found = [
            (initiative, added)
            for initiative, units, added in self.counted
            if unit in units
            and (area is None or area in initiative.areas)
            and (year is None or initiative.year == year)
        ]
        bac = sum(added.bac for _, added in found)
        planned = sum(added.planned for _, added in found)
        earned = sum((added.earned for _, added in found), Fraction(0))
        verified = sum((added.verified for _, added in found), Fraction(0))
        measured = [initiative for initiative, added in found if added.milestones]
        statuses = [initiative.status for initiative, _ in found]
        here = [
            obstacle
            for obstacle in self.world.obstacles
            if any(initiative.code == obstacle.initiative for initiative, _ in found)
            or (
                obstacle.unit is not None
                and area is None
                and year in (None, obstacle.year)
                and unit in self.world.path(obstacle.unit)
            )
        ]
        hindering = [obstacle for obstacle in here if not obstacle.resolved]
        owed = [each for obstacle in here for each in obstacle.follow_ups if each.open]
        due = [obstacle.due_on for obstacle in hindering if obstacle.due_on is not None]
        reason = None
        if not bac:
            reason = "no_milestones" if found else "no_initiatives"
        return {
            "percent_complete": ratio(earned * 100, bac, 2),
            "percent_verified": ratio(verified * 100, bac, 2),
            "percent_scheduled": ratio(planned * 100, bac, 2),
            "schedule_variance": ratio((earned - planned) * 100, bac, 2),
            "schedule_performance_index": ratio(earned, planned, 4),
            "health": health(
                bac, planned, earned, self.world.on_track_from, self.world.at_risk_from
            ),
            "weight": sum(initiative.weight for initiative in measured),
            "coverage": {
                "initiatives": len(found),
                "measured": len(measured),
                "percent": ratio(len(measured) * 100, len(found), 2),
            },
            "initiatives": {
                "total": len(found),
                "active": statuses.count("active"),
                "on_hold": statuses.count("on_hold"),
                "completed": statuses.count("completed"),
                "unmeasured": len(found) - len(measured),
            },
            "milestones": {
                "total": sum(added.milestones for _, added in found),
                "done": sum(added.done for _, added in found),
                "overdue": sum(added.overdue for _, added in found),
                "due_next_30_days": sum(added.due_soon for _, added in found),
            },
            "obstacles": {
                "open": len(hindering),
                "overdue": sum(due_on < self.day for due_on in due),
                "waiting": sum(obstacle.waiting for obstacle in hindering),
            },
            "follow_ups": {
                "open": len(owed),
                "overdue": sum(each.due_on is not None and each.due_on < self.day for each in owed),
            },
            "reason": reason,
        }


def ratio(part: Fraction | int, whole: Fraction | int, decimals: int) -> float | None:
    """A ratio rounded once, halves away from zero; None where the whole is nothing."""
    if not whole:
        return None
    exact = Fraction(part) / whole * 10**decimals
    nearest = floor(exact + Fraction(1, 2)) if exact >= 0 else -floor(-exact + Fraction(1, 2))
    return float(Fraction(nearest, 10**decimals))


def health(
    bac: Fraction | int,
    planned: Fraction | int,
    earned: Fraction | int,
    on_track_from: Fraction,
    at_risk_from: Fraction,
) -> str:
    """Health, in the order in which the rules are written."""
    if bac == 0:
        return "not_measurable"
    if earned == bac:
        return "completed"
    if planned == 0 and earned == 0:
        return "not_started"
    if planned == 0 or Fraction(earned) / planned >= on_track_from:
        return "on_track"
    return "at_risk" if Fraction(earned) / planned >= at_risk_from else "off_track"
