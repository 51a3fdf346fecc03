"""What one initiative adds to a roll-up. Pure: facts in, numbers out; it defines every number.

A contribution has two parts. *Totals* do not depend on the date. *Changes* say by how much each
dated number steps on a day, so that its value on a date is the sum of the changes up to that date.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from app.rollup import hindrances
from app.rollup.hindrances import Hindrance
from app.rollup.points import BAC_PER_WEIGHT, FULL, POINTS_PER_WEIGHT, apportion
from app.schemas.fields import FIRST_DAY, LAST_DAY, InitiativeStatus, Technique

DUE_SOON_DAYS = 30
"""A milestone is due soon from this many days before its due date up to that date."""
NEVER = LAST_DAY + timedelta(days=1)
"""The day up to which holds what holds for good."""
COUNTED = (InitiativeStatus.ACTIVE, InitiativeStatus.ON_HOLD, InitiativeStatus.COMPLETED)
"""Statuses of initiatives that count; the others are in neither numerator nor denominator."""


class Totals(NamedTuple):
    """The parts that do not depend on the date. `bac` is a value (points × basis points)."""

    bac: int = 0
    active: int = 0
    on_hold: int = 0
    completed: int = 0
    unmeasured: int = 0
    milestones: int = 0
    obstacles: int = 0
    """Not resolved now, as `waiting` ones for a decision: the past of either is not kept."""
    waiting: int = 0
    follow_ups: int = 0
    """Open now, whatever became of the obstacle."""


class Change(NamedTuple):
    """Steps on one day. `planned`, `earned`, `verified` are values, the others count milestones.

    `obstructed` counts obstacles that are not resolved now, from the day after their due date, and
    `neglected` follow-ups that are open now.
    """

    planned: int = 0
    earned: int = 0
    verified: int = 0
    due: int = 0
    met: int = 0
    done: int = 0
    overdue: int = 0
    due_soon: int = 0
    obstructed: int = 0
    neglected: int = 0


class Report(NamedTuple):
    """One progress report; of several on a day the one with the highest `sequence` holds."""

    effective_on: date
    sequence: int
    basis_points: int
    verified: bool


class Milestone(NamedTuple):
    """A live milestone with its reports, in any order."""

    weight: int
    technique: str
    due_on: date
    planned_on: date
    reports: Sequence[Report]


class Initiative(NamedTuple):
    """An initiative with its live milestones in the order of their numbers, and what hinders it."""

    status: str
    weight: int
    milestones: Sequence[Milestone]
    hindrances: Sequence[Hindrance] = ()
    reported_months: int = 0
    """Those for which it has reports, also on milestones that are not live: `months.bits`."""


class Contribution(NamedTuple):
    """What an initiative adds to its unit, and in full to each area that it serves."""

    totals: Totals
    changes: dict[date, Change]


class State(NamedTuple):
    """What is kept of one live milestone after all its reports."""

    share: int
    percent: int
    """Basis points of the latest report."""
    verified: int
    """Basis points of the latest verified report."""
    done_on: date | None


class Standing(NamedTuple):
    """Where an initiative stands after all its reports, whether or not its status counts."""

    milestones: int = 0
    """Live ones."""
    done: int = 0
    earned: int = 0
    verified: int = 0
    """Values, as in `Change`."""
    next_due_on: date | None = None
    """When the first of what is not at 100 % is due."""
    planned: int = 0
    """Value on each day from `planned_from` up to the day before `planned_until`."""
    planned_from: date = FIRST_DAY
    planned_until: date = NEVER
    last_done_on: date | None = None
    """Since when the last of what is at 100 % is."""
    reported_months: int | None = 0
    """See `Initiative`; null where it is not kept yet."""


NOTHING = Contribution(Totals(), {})


def shares(initiative: Initiative) -> list[int]:
    """Points of each live milestone, in their order; they add up to weight × 1,000,000."""
    return apportion(
        initiative.weight * POINTS_PER_WEIGHT, [m.weight for m in initiative.milestones]
    )


def states(initiative: Initiative) -> list[State]:
    """The state of each live milestone, in their order."""
    found = []
    for milestone, share in zip(initiative.milestones, shares(initiative), strict=True):
        reported, done_on = latest(milestone.reports)
        verified, _ = latest(report for report in milestone.reports if report.verified)
        found.append(State(share, reported, verified, done_on))
    return found


def standing(initiative: Initiative, known: Sequence[State], day: date) -> Standing:
    """Sums over the states of an initiative's live milestones; what is planned, on a day."""
    done = earned_value = verified_value = planned_value = 0
    planned_from, planned_until = FIRST_DAY, NEVER
    dues = []
    for milestone, state in zip(initiative.milestones, known, strict=True):
        done += state.percent == FULL
        earned_value += state.share * earned(milestone.technique, state.percent)
        verified_value += state.share * earned(milestone.technique, state.verified)
        if state.percent < FULL:
            dues.append(milestone.due_on)
        if milestone.planned_on <= day:
            planned_value += state.share * FULL
            planned_from = max(planned_from, milestone.planned_on)
        else:
            planned_until = min(planned_until, milestone.planned_on)
    return Standing(
        len(known), done, earned_value, verified_value, min(dues, default=None),
        planned_value, planned_from, planned_until,
        max((state.done_on for state in known if state.done_on), default=None), initiative.reported_months,
    )  # fmt: skip


def of_initiative(initiative: Initiative) -> Contribution:
    """The whole contribution of one initiative; nothing unless its status counts."""
    if initiative.status not in COUNTED:
        return NOTHING
    live = len(initiative.milestones)
    totals = Totals(
        bac=initiative.weight * BAC_PER_WEIGHT if live else 0,
        active=int(initiative.status == InitiativeStatus.ACTIVE),
        on_hold=int(initiative.status == InitiativeStatus.ON_HOLD),
        completed=int(initiative.status == InitiativeStatus.COMPLETED),
        unmeasured=int(not live),
        milestones=live,
        **hindrances.counts(initiative.hindrances),
    )
    steps = _no_steps()
    for milestone, share in zip(initiative.milestones, shares(initiative), strict=True):
        _add_milestone(steps, milestone, share)
    for hindrance in initiative.hindrances:
        _add_hindrance(steps, hindrance)
    return Contribution(totals, _changes(steps))


def of_milestone(milestone: Milestone, share: int) -> dict[date, Change]:
    """The dated part of one live milestone that carries `share` points."""
    steps = _no_steps()
    _add_milestone(steps, milestone, share)
    return _changes(steps)


def of_reports(milestone: Milestone, share: int, reports: Iterable[Report]) -> dict[date, Change]:
    """By how much `of_milestone` changes when it has these reports, of the same verified ones.

    Reports act only from their date to the next report's, so the difference that one report makes
    can be computed from its two neighbours alone: the everyday path needs no sibling and no history.
    """
    steps = _no_steps()
    before, after = curve(milestone.reports), curve(reports)
    _add_value(steps, EARNED, milestone.technique, -share, before)
    _add_value(steps, EARNED, milestone.technique, share, after)
    gone, come = _toggles(before), _toggles(after)
    if gone != come:
        _add_done(steps, milestone.due_on, gone, -1)
        _add_done(steps, milestone.due_on, come, 1)
    return _changes(steps)


def of_hindrance(hindrance: Hindrance) -> Contribution:
    """What an obstacle or a follow-up adds, to a unit or to an initiative whose status counts."""
    steps = _no_steps()
    _add_hindrance(steps, hindrance)
    totals = Totals(**hindrances.counts([hindrance]))
    return Contribution(totals, _changes(steps))


def earned(technique: str, basis_points: int) -> int:
    """Basis points that count: a binary milestone earns only at 100 %."""
    return basis_points if technique != Technique.BINARY or basis_points == FULL else 0


def curve(reports: Iterable[Report]) -> list[tuple[date, int]]:
    """(day, basis points from that day on), by day; of several reports on a day the latest holds."""
    by_day = {report.effective_on: report.basis_points for report in sorted(reports)}
    return list(by_day.items())


def latest(reports: Iterable[Report]) -> tuple[int, date | None]:
    """Basis points after the last report, and since when it is at 100 % without a break."""
    basis_points, since = 0, None
    for day, basis_points in curve(reports):
        since = (since or day) if basis_points == FULL else None
    return basis_points, since


PLANNED, EARNED, VERIFIED, DUE, MET, DONE, OVERDUE, DUE_SOON, OBSTRUCTED, NEGLECTED = range(
    len(Change._fields)
)
_Steps = defaultdict[date, list[int]]


def _no_steps() -> _Steps:
    return defaultdict(lambda: [0] * len(Change._fields))


def _changes(steps: _Steps) -> dict[date, Change]:
    return {day: Change(*step) for day, step in steps.items() if any(step)}


def _add_hindrance(steps: _Steps, hindrance: Hindrance) -> None:
    if hindrance.due_on is not None:
        late_from = hindrance.due_on + timedelta(days=1)
        steps[late_from][NEGLECTED if hindrance.is_follow_up else OBSTRUCTED] += 1


def _add_milestone(steps: _Steps, milestone: Milestone, share: int) -> None:
    reported = curve(milestone.reports)
    verified = curve(report for report in milestone.reports if report.verified)
    steps[milestone.planned_on][PLANNED] += share * FULL
    steps[milestone.due_on][DUE] += 1
    _add_value(steps, EARNED, milestone.technique, share, reported)
    _add_value(steps, VERIFIED, milestone.technique, share, verified)
    _add_done(steps, milestone.due_on, _toggles(reported), 1)


def _toggles(reported: list[tuple[date, int]]) -> list[tuple[date, bool]]:
    """Days from which a milestone is done, or no more."""
    toggles: list[tuple[date, bool]] = []
    done = False
    for day, basis_points in reported:
        if (basis_points == FULL) != done:
            done = not done
            toggles.append((day, done))
    return toggles


def _add_done(steps: _Steps, due_on: date, toggles: list[tuple[date, bool]], sign: int) -> None:
    """What being done or not means for the counts, added or taken away."""
    window_opens = due_on - timedelta(days=DUE_SOON_DAYS)
    late_from = due_on + timedelta(days=1)
    steps[due_on][MET] += sign * (not _open_on(toggles, due_on))
    steps[window_opens][DUE_SOON] += sign * _open_on(toggles, window_opens)
    steps[late_from][DUE_SOON] -= sign * _open_on(toggles, due_on)
    steps[late_from][OVERDUE] += sign * _open_on(toggles, late_from)
    for day, now_done in toggles:
        turn = sign if now_done else -sign
        steps[day][DONE] += turn
        if window_opens < day <= due_on:
            steps[day][DUE_SOON] -= turn
        elif day > late_from:
            steps[day][OVERDUE] -= turn


def _add_value(
    steps: _Steps, column: int, technique: str, share: int, reported: list[tuple[date, int]]
) -> None:
    before = 0
    for day, basis_points in reported:
        now = earned(technique, basis_points)
        steps[day][column] += share * (now - before)
        before = now


def _open_on(toggles: list[tuple[date, bool]], day: date) -> bool:
    for toggled_on, done in reversed(toggles):
        if toggled_on <= day:
            return not done
    return True
