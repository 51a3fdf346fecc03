"""How synthetic quick wins go: on time, late, held up …, in days of their year."""

# ruff: noqa: PLR2004  the numbers are chances and ratios of an invented world

from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from random import Random
from typing import NamedTuple

from app.schemas.fields import InitiativeStatus

YEARS = (2022, 2023, 2024)
LAST_DAY = 364
"""Day of the year after which nothing happens, counted from 0; 31 December but for leap years."""
FULL = 10_000
"""100 % in basis points."""


class Course(StrEnum):
    """What becomes of an initiative."""

    PROPOSED = "proposed"
    SHORTLISTED = "shortlisted"
    ON_TIME = "on_time"
    LATE = "late"
    UNMEASURED = "unmeasured"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


STATUS = {
    Course.PROPOSED: InitiativeStatus.PROPOSED,
    Course.SHORTLISTED: InitiativeStatus.SHORTLISTED,
    Course.ON_TIME: InitiativeStatus.ACTIVE,
    Course.LATE: InitiativeStatus.ACTIVE,
    Course.UNMEASURED: InitiativeStatus.ACTIVE,
    Course.ON_HOLD: InitiativeStatus.ON_HOLD,
    Course.COMPLETED: InitiativeStatus.COMPLETED,
    Course.CANCELLED: InitiativeStatus.CANCELLED,
}
"""The status that each course ends in."""
_EACH = tuple(Course)
_OF_41 = {
    2022: (1, 1, 4, 8, 1, 2, 22, 2),
    2023: (1, 2, 7, 10, 1, 3, 15, 2),
    2024: (3, 3, 11, 11, 2, 3, 6, 2),
}
"""Of 41 initiatives of a year, how many take each course."""
_CYCLES = {
    year: tuple(course for course, n in zip(_EACH, counts, strict=True) for _ in range(n))
    for year, counts in _OF_41.items()
}


class Stage(NamedTuple):
    """When a milestone is worked on, in days of the year."""

    begins: int
    planned: int
    """Due by the first plan."""
    due: int
    """Due now: the planned day or a later one."""


def course_of(index: int) -> Course:
    """Return the course of the initiative with this index, from 0; years take turns."""
    cycle = _CYCLES[YEARS[index % 3]]
    # 17 and the prime 41 spread the courses over neighbours, and so over every unit.
    return cycle[index // 3 * 17 % len(cycle)]


@cache
def days(year: int) -> tuple[date, ...]:
    """Return the days of a year, up to `LAST_DAY`."""
    return tuple(date(year, 1, 1) + timedelta(days=n) for n in range(LAST_DAY + 1))


def stages(random: Random, count: int, *, slips: bool) -> list[Stage]:
    """Spread milestones evenly over a part of the year; with `slips` some are due later now."""
    draw = random.random
    start = 3 + int(draw() * 90)
    span = 150 + int(draw() * (LAST_DAY - start - 150))
    found = []
    begins = start
    for n in range(1, count + 1):
        planned = start + span * n // count
        late = slips and draw() < 0.25
        due = min(planned + 14 + int(draw() * 31), LAST_DAY) if late else planned
        found.append(Stage(begins, planned, due))
        begins = planned
    return found


def reached(random: Random, course: Course, plan: list[Stage]) -> list[tuple[int, int] | None]:
    """Return for each milestone the day and the level (basis points) of its last step, if any."""
    if course is Course.COMPLETED:
        return [_finished(random, stage) for stage in plan]
    if course is Course.ON_TIME:
        return _kept(random, plan)
    if course is Course.LATE:
        return [_slow(random, stage) for stage in plan]
    if course is Course.ON_HOLD:
        first, last = plan[0].begins, plan[-1].due
        halt = first + int((last - first) * (0.35 + 0.35 * random.random()))
        return [_halted(random, stage, halt) for stage in plan]
    return [None] * len(plan)


def _early(random: Random, stage: Stage) -> int:
    return max(stage.begins, stage.due - int(random.random() * 12))


def _finished(random: Random, stage: Stage) -> tuple[int, int]:
    if random.random() < 0.75:
        return _early(random, stage), FULL
    return min(stage.due + 3 + int(random.random() * 25), LAST_DAY), FULL


def _kept(random: Random, plan: list[Stage]) -> list[tuple[int, int] | None]:
    """Bring all to 100 % by the due date; in half the plans the last one lacks a few percent."""
    found: list[tuple[int, int] | None] = [(_early(random, stage), FULL) for stage in plan]
    if random.random() < 0.5:
        found[-1] = (_early(random, plan[-1]), 8500 + 100 * int(random.random() * 13))
    return found


def _slow(random: Random, stage: Stage) -> tuple[int, int] | None:
    day = stage.due + 5 + int(random.random() * 120)
    if day <= LAST_DAY:
        return day, FULL
    asked = LAST_DAY - int(random.random() * 20)
    return _partial(stage.begins, asked, day)


def _halted(random: Random, stage: Stage, halt: int) -> tuple[int, int] | None:
    if stage.due <= halt:
        return _early(random, stage), FULL
    return _partial(stage.begins, halt, stage.due + 20)


def _partial(begins: int, asked: int, day: int) -> tuple[int, int] | None:
    """Return the level on the day asked for, in steps of 5 %; 100 % comes on a later day."""
    if asked <= begins:
        return None
    level = (asked - begins) * 20 // (day - begins) * 500
    return (asked, level) if level else None
