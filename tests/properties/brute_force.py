"""The roll-up by brute force: day by day, in exact fractions, sharing no code with the service."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

COUNTED = {"active", "on_hold", "completed"}


@dataclass
class Milestone:
    """A milestone with its reports: (effective day, arrival, percent, verified)."""

    number: int
    weight: int
    technique: str
    due_on: date
    baseline: date | None = None
    dropped: bool = False
    reports: list[tuple[date, int, Fraction, bool]] = field(default_factory=list)

    def value(self, day: date, *, verified: bool = False) -> Fraction:
        """Percent that holds on a day, as reported or as verified."""
        known = [r for r in self.reports if r[0] <= day and (r[3] or not verified)]
        return max(known)[2] if known else Fraction(0)

    def earned(self, day: date, *, verified: bool = False) -> Fraction:
        """Percent that counts on a day."""
        percent = self.value(day, verified=verified)
        return percent if self.technique == "percent" or percent == 100 else Fraction(0)


@dataclass
class Initiative:
    """An initiative and where it counts."""

    unit: str
    status: str
    weight: int
    year: int
    areas: set[str]
    milestones: dict[int, Milestone] = field(default_factory=dict)

    def live(self) -> list[Milestone]:
        """Milestones that were not dropped, by number."""
        return [m for _, m in sorted(self.milestones.items()) if not m.dropped]

    def shares(self) -> dict[int, int]:
        """Points of each live milestone: whole ones first, then one each by largest remainder."""
        live = self.live()
        total = sum(m.weight for m in live)
        exact = {m.number: Fraction(self.weight * 1_000_000 * m.weight, total) for m in live}
        points = {number: int(share) for number, share in exact.items()}
        left = self.weight * 1_000_000 - sum(points.values()) if live else 0
        for number in sorted(exact, key=lambda n: (points[n] - exact[n], n))[:left]:
            points[number] += 1
        return points


@dataclass
class World:
    """One institution: parents of its units, and its initiatives."""

    parents: dict[str, str | None]
    initiatives: dict[str, Initiative] = field(default_factory=dict)

    def below(self, unit: str) -> set[str]:
        """The unit and all below it."""
        found = {unit}
        while True:
            more = {u for u, parent in self.parents.items() if parent in found} - found
            if not more:
                return found
            found |= more

    def rollup(self, unit: str, area: str | None, year: int | None, day: date) -> dict[str, Any]:
        """Every number of a roll-up."""
        units = self.below(unit)
        counted = [
            i
            for i in self.initiatives.values()
            if i.unit in units
            and i.status in COUNTED
            and (area is None or area in i.areas)
            and (year is None or i.year == year)
        ]
        bac = planned = earned = verified = Fraction(0)
        total = done = overdue = soon = 0
        for initiative in counted:
            shares = initiative.shares()
            for milestone in initiative.live():
                share = shares[milestone.number]
                bac += share
                planned += share if (milestone.baseline or milestone.due_on) <= day else 0
                earned += share * milestone.earned(day) / 100
                verified += share * milestone.earned(day, verified=True) / 100
                is_open = milestone.value(day) < 100
                total += 1
                done += not is_open
                overdue += is_open and milestone.due_on < day
                soon += is_open and day <= milestone.due_on <= day + timedelta(days=30)
        measured = [i for i in counted if i.live()]
        return {
            "percent_complete": rounded(earned * 100, bac, 2),
            "percent_verified": rounded(verified * 100, bac, 2),
            "percent_scheduled": rounded(planned * 100, bac, 2),
            "schedule_variance": rounded((earned - planned) * 100, bac, 2),
            "schedule_performance_index": rounded(earned, planned, 4),
            "health": health(bac, planned, earned),
            "weight": sum(i.weight for i in measured),
            "coverage": {
                "initiatives": len(counted),
                "measured": len(measured),
                "percent": rounded(Fraction(len(measured) * 100), Fraction(len(counted)), 2),
            },
            "initiatives": {
                "total": len(counted),
                **{s: sum(i.status == s for i in counted) for s in sorted(COUNTED)},
                "unmeasured": len(counted) - len(measured),
            },
            "milestones": {
                "total": total,
                "done": done,
                "overdue": overdue,
                "due_next_30_days": soon,
            },
            "reason": None if bac else "no_milestones" if counted else "no_initiatives",
        }


def rounded(part: Fraction, whole: Fraction, decimals: int) -> float | None:
    """The ratio rounded once, halves away from zero; None without a whole."""
    if not whole:
        return None
    scaled = part / whole * 10**decimals
    magnitude = int(abs(scaled) + Fraction(1, 2))
    return float(Fraction(magnitude if scaled >= 0 else -magnitude, 10**decimals))


def health(bac: Fraction, planned: Fraction, earned: Fraction) -> str:
    """Health by the default thresholds."""
    if not bac:
        return "not_measurable"
    if earned == bac:
        return "completed"
    if not planned:
        return "on_track" if earned else "not_started"
    index = earned / planned
    if index >= Fraction(95, 100):
        return "on_track"
    return "at_risk" if index >= Fraction(80, 100) else "off_track"
