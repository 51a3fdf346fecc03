"""Timelines: one initiative's milestones from the agreed day to the present one, and the stages behind."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from app.charts import marks
from app.charts.letters import measure
from app.charts.palette import Ink
from app.charts.paper import MARGIN, PLAIN, ROW, SMALL, Look, Paper, Point, heading
from app.charts.scales import Days, Span, flow
from app.languages import Words
from app.schemas.fields import MilestoneStatus
from app.schemas.milestones import Milestone
from app.schemas.stages import Stage
from app.terms import term

_WIDE_ROW, _NARROW_ROW, _LANE, _AXIS = 32.0, 48.0, 20.0, 30.0
_LONGEST_NAME = 0.34
"""Of the width."""
_AROUND = timedelta(days=12)
_BROKEN = "3 2"
"""How the stroke of a day is drawn that is agreed on no more."""


class State(StrEnum):
    """What a milestone is, seen from today."""

    DONE = "done"
    OVERDUE = "overdue"
    IN_PROGRESS = "in_progress"
    PENDING = "pending"


class _Lane(NamedTuple):
    """A stage, and in which row above the plan its name stands."""

    stage: Stage
    row: int


def timeline(
    name: str,
    plan: Sequence[Milestone],
    stages: Sequence[Stage],
    today: date,
    words: Words,
    look: Look,
) -> str:
    """An initiative's milestones as SVG, dropped ones aside, with `stages` as bands behind them.

    Each has a line from its agreed day (an upright stroke) to its present one (a mark, by its state);
    what was agreed on anew has a broken stroke where it was first.
    """
    plan = [each for each in plan if each.status is not MilestoneStatus.DROPPED]
    first, last = _range(plan, today)
    row = _NARROW_ROW if look.is_narrow else _WIDE_ROW
    names = max((measure(_name(each), PLAIN) for each in plan), default=0)
    left = 14 if look.is_narrow else MARGIN + min(names, look.width * _LONGEST_NAME) + 22
    days = Days(first, last, Span(left, look.width - 16))
    lanes = _lanes(stages, days, words)
    told = describe(plan, today, words)
    above = heading(name, told, look)
    entries = _entries(plan, today, words)
    legend = flow([measure(each.name, SMALL) + 36 for each in entries], look.width - MARGIN)
    lanes_top = above.height + ROW * (1 + legend[-1][0]) + 8
    top = lanes_top + _LANE * (1 + max((lane.row for lane in lanes), default=-1)) + 6
    bottom = top + max(len(plan), 1) * row
    title = words.gettext("Timeline: %(name)s") % {"name": name}
    paper = Paper(look, round(bottom + _AXIS), title, told, "timeline")
    paper.heading(above)
    for entry, (place, x) in zip(entries, legend, strict=True):
        at = (MARGIN + x + 8, above.height + ROW * (place + 0.5))
        entry.draw(paper, at)
        paper.text((at[0] + 12, at[1] + 4), entry.name)
    _bands(paper, lanes, days, lanes_top, bottom, words)
    _frame(paper, days, Span(top, bottom), today, words)
    for place, milestone in enumerate(plan):
        _milestone(paper, days, top + place * row, milestone, today)
    if not plan:
        text = words.gettext("There is no plan yet.")
        paper.text((left, top + 20), text, ink=Ink.QUIET, size=PLAIN, over=True)
    return paper.svg()


def state(milestone: Milestone, today: date) -> State:
    """What a milestone is on a day."""
    if milestone.status is MilestoneStatus.DONE:
        return State.DONE
    if milestone.due_on < today:
        return State.OVERDUE
    if milestone.status is MilestoneStatus.IN_PROGRESS:
        return State.IN_PROGRESS
    return State.PENDING


def agreed_before(milestone: Milestone) -> date | None:
    """A milestone's day in its first baseline, where the newest has another."""
    first = milestone.first_baseline_due_on
    return None if first == milestone.baseline_due_on else first


def describe(plan: Sequence[Milestone], today: date, words: Words) -> str:
    """How many milestones there are, and what they are on a day."""
    counted = words.ngettext("%(count)s milestone", "%(count)s milestones", len(plan))
    parts = [counted % {"count": words.number(len(plan))}]
    states = [state(each, today) for each in plan]
    parts += [
        f"{term(words, each)}: {words.number(states.count(each))}"
        for each in State
        if each in states
    ]
    return f"{words.day(today)}: {', '.join(parts)}"


def _name(milestone: Milestone) -> str:
    return f"{milestone.number}. {milestone.title}"


def _range(plan: Sequence[Milestone], today: date) -> tuple[date, date]:
    found = [
        day
        for each in plan
        for day in (each.due_on, each.baseline_due_on, agreed_before(each), each.done_on)
        if day
    ]
    return min([today, *found]) - _AROUND, max([today, *found]) + _AROUND


# Stages


def _lanes(stages: Sequence[Stage], days: Days, words: Words) -> list[_Lane]:
    """Stages that are seen, each in the first row where its name has room."""
    found: list[_Lane] = []
    ends: list[float] = []
    for stage in sorted(stages, key=lambda each: (each.starts_on, each.code)):
        if stage.ends_on < days.first or stage.starts_on > days.last:
            continue
        start = _left_of_name(stage, days, words)
        end = start + measure(words.name(stage.name), SMALL) + 10
        row = next((row for row, taken in enumerate(ends) if taken <= start), len(ends))
        ends[row : row + 1] = [end]
        found.append(_Lane(stage, row))
    return found


def _left_of_name(stage: Stage, days: Days, words: Words) -> float:
    """Where its name begins: with the stage, or earlier where it would not fit on the paper."""
    start = days.at(max(stage.starts_on, days.first)) + 4
    return max(min(start, days.across.end - measure(words.name(stage.name), SMALL)), 4)


def _bands(
    paper: Paper, lanes: Sequence[_Lane], days: Days, top: float, bottom: float, words: Words
) -> None:
    for lane in lanes:
        start = days.at(max(lane.stage.starts_on, days.first))
        end = days.at(min(lane.stage.ends_on, days.last))
        upper = top + lane.row * _LANE
        paper.rectangle(start, upper, max(end - start, 1), bottom - upper, Ink.STAGE)
    for lane in lanes:
        upper = top + lane.row * _LANE
        for day in (lane.stage.starts_on, lane.stage.ends_on):
            if days.holds(day):
                x = days.at(day)
                paper.line((x, upper), (x, bottom), Ink.EDGE, 1, "1 3")
        at = (_left_of_name(lane.stage, days, words), upper + 14)
        paper.text(at, words.name(lane.stage.name), over=True, ink=Ink.QUIET)


# The plan


class _Entry(NamedTuple):
    """What the legend explains: a state, or one of the other marks."""

    draw: Callable[[Paper, Point], None]
    name: str


def _entries(plan: Sequence[Milestone], today: date, words: Words) -> list[_Entry]:
    states = {state(each, today) for each in plan}
    found = [
        _Entry(partial(_mark, state=each), term(words, each)) for each in State if each in states
    ]
    is_anew = any(map(agreed_before, plan))
    if any(each.baseline_due_on for each in plan):
        name = words.gettext("Newest agreed day") if is_anew else words.gettext("Agreed day")
        found.append(_Entry(partial(_upright, ink=Ink.PLANNED, width=2), name))
    if is_anew:
        stroke = partial(_upright, ink=Ink.PLANNED, width=2, dashes=_BROKEN)
        found.append(_Entry(stroke, words.gettext("First agreed day")))
    if State.DONE in states:
        found.append(_Entry(partial(marks.disc, ink=Ink.PLANNED, size=3), words.gettext("Due day")))
    found.append(_Entry(partial(_upright, ink=Ink.TODAY, width=1.25), words.day(today)))
    return found


def _upright(paper: Paper, at: Point, ink: Ink, width: float, dashes: str = "") -> None:
    x, y = at
    paper.line((x, y - 7), (x, y + 7), ink, width, dashes)


def _frame(paper: Paper, days: Days, down: Span, today: date, words: Words) -> None:
    paper.line((days.across.start, down.end), (days.across.end, down.end), Ink.EDGE)
    for day, label in days.ticks(words, lambda label: measure(label, SMALL) + 14):
        x = days.at(day)
        paper.line((x, down.start), (x, down.end + 5), Ink.GRID)
        half = measure(label, SMALL) / 2
        if x - half >= 0 and x + half <= paper.look.width:
            paper.text((x, down.end + 19), label, ink=Ink.QUIET, anchor="middle")
    x = days.at(today)
    paper.line((x, down.start - 4), (x, down.end), Ink.TODAY, 1.25)


def _milestone(paper: Paper, days: Days, y: float, milestone: Milestone, today: date) -> None:
    name = _name(milestone)
    if paper.look.is_narrow:
        middle = y + 34
        paper.text((MARGIN, y + 18), name, size=PLAIN, room=paper.look.width - 8, over=True)
    else:
        middle = y + _WIDE_ROW / 2
        room = days.across.start - 26
        paper.text((MARGIN, middle + 4.5), name, size=PLAIN, room=room)
    due, agreed, done = milestone.due_on, milestone.baseline_due_on, milestone.done_on
    first = agreed_before(milestone)
    x = days.at(due)
    if first is not None:
        paper.line((days.at(first), middle), (days.at(agreed or due), middle), Ink.EDGE, 1.5, "2 2")
        _upright(paper, (days.at(first), middle), Ink.PLANNED, 2, _BROKEN)
    if agreed is not None:
        start = days.at(agreed)
        paper.line((start, middle), (x, middle), Ink.LATE if agreed < due else Ink.EDGE, 3)
        _upright(paper, (start, middle), Ink.PLANNED, 2)
    told = state(milestone, today)
    if told is State.DONE and done is not None:
        paper.line((x, middle), (days.at(done), middle), Ink.COMPLETED, 1.5, "2 2")
        paper.disc((x, middle), 3, Ink.PLANNED)
        x = days.at(done)
    _mark(paper, (x, middle), told)


def _mark(paper: Paper, at: Point, state: State) -> None:
    """Each state has its own shape."""
    if state is State.DONE:
        paper.disc(at, 7, Ink.COMPLETED)
        marks.check(paper, at, Ink.GROUND, 3.5)
    elif state is State.OVERDUE:
        marks.diamond(paper, at, Ink.GROUND, 7)
        marks.diamond(paper, at, Ink.LATE, 5.5)
    elif state is State.IN_PROGRESS:
        paper.ring(at, 6, Ink.EARNED)
        paper.disc(at, 2.5, Ink.EARNED)
    else:
        paper.ring(at, 6, Ink.PLANNED)
