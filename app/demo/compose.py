"""The demo as a loader takes it: institution, units, people, and any number of synthetic plans."""

# ruff: noqa: PLR2004  the numbers are chances and ratios of an invented world

from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import count
from random import Random
from typing import Any

from app.demo.choice import decree_code
from app.demo.courses import (
    LAST_DAY,
    STATUS,
    YEARS,
    Course,
    Stage,
    course_of,
    days,
    reached,
    stages,
)
from app.demo.kpu import Place, grants, institution, people, places, units
from app.demo.quick_wins import TEMPLATES, Template
from app.demo.reports import Desk, desk, reports
from app.demo.stages import links
from app.schemas.fields import InitiativeKind, InitiativeStatus, Origin, OwnerRole, Technique
from app.schemas.initiatives import NewInitiative, Owner
from app.schemas.milestones import MOST_MILESTONES, NewMilestone
from app.schemas.plans import Plan
from app.schemas.stages import StageLink

__all__ = ["GUIDED_CODE", "MARK", "grants", "institution", "people", "plans", "units"]

MARK = "synthetic"
"""Tag of every initiative of the demo: none of them is a real one."""

_SEED = 77
GUIDED_CODE = "QW-2022-014"
"""Code of the quick win that tours report on."""
_GUIDED_UNIT = "32"
_GUIDED_MILESTONE = 3
_GUIDED_LEVEL = 4000
_LEAST_MILESTONES = 3
_FEW_REPORTS_FROM = 10_000
_OWNED = {InitiativeStatus.ACTIVE, InitiativeStatus.ON_HOLD, InitiativeStatus.COMPLETED}
_PUBLIC = {Course.ON_TIME, Course.LATE, Course.COMPLETED}
_WEIGHTS = (1, 1, 1, 2, 2, 3, 3, 5, 5, 10)
_MILESTONE_WEIGHTS = (1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10)
_KINDS = (InitiativeKind.ACTION_PLAN, InitiativeKind.INNOVATION) + 6 * (InitiativeKind.QUICK_WIN,)
_REASONS = {
    Course.CANCELLED: (
        "Anggaran dialihkan untuk tahapan pemilu",
        "Digabung dengan inisiatif serupa di tingkat provinsi",
        "Sudah tercakup dalam aplikasi nasional",
    ),
    Course.ON_HOLD: ("Menunggu petunjuk teknis", "Ditunda selama masa kampanye"),
}
# No source says which area leads to which outcome: these are the demo's own, as all of its plans.
_OUTCOMES = {
    "change-management": "capable",
    "deregulation": "capable",
    "organisation": "capable",
    "business-process": "capable",
    "human-resources": "capable",
    "accountability": "clean-accountable",
    "oversight": "clean-accountable",
    "public-service": "excellent-service",
}
_DROPPED = ("Tidak diperlukan lagi setelah peraturan berubah", "Dilaksanakan oleh KPU provinsi")
_MOVED = ("Jadwal ulang karena beririsan dengan tahapan", "Pengadaan terlambat")


def plans(initiatives: int = 1700, milestones: int | None = None) -> Iterator[Plan]:
    """Compose plans, unit by unit, over three years and eight areas; the same ones every time.

    With `milestones` their total, dropped ones included, is exactly that; otherwise each plan has
    4-8. QW-2022-014 is active, and its milestone 3 stands at 40 %. Above 10,000 initiatives there
    are about 1.3 reports per milestone instead of 2-3. Raises `ValueError` for a total that leaves
    an initiative below 3 milestones or above 200. Memory does not grow with the numbers.
    """
    counts = None if milestones is None else _spread(initiatives, milestones)
    return _plans(initiatives, counts)


def _plans(initiatives: int, counts: Iterator[int] | None) -> Iterator[Plan]:
    random = Random(_SEED)  # noqa: S311  a demo that is the same every time
    all_places = places()
    guided = _guided(initiatives)
    numbers = {year: count(1) for year in YEARS}
    place, at = all_places[0], desk(all_places[0].code)
    for index in range(initiatives):
        here = all_places[index * len(all_places) // initiatives]
        if here is not place:
            place, at = here, desk(here.code)
        year = YEARS[index % 3]
        course = Course.LATE if index == guided else course_of(index)
        template = TEMPLATES[(index * 13 + index // len(TEMPLATES)) % len(TEMPLATES)]
        if course is Course.UNMEASURED:
            size = 0
        else:
            size = len(template.steps) if counts is None else next(counts)
        code = GUIDED_CODE if index == guided else _code(year, numbers[year])
        few = initiatives > _FEW_REPORTS_FROM
        related = links(index, year)
        yield _plan(random, code, place, at, year, course, template, size, related, few=few)


def _guided(initiatives: int) -> int:
    """Index of the initiative that tours report on: the first of 2022 from West Java on."""
    all_places = places()
    wanted = next(n for n, place in enumerate(all_places) if place.code == _GUIDED_UNIT)
    first = -(-wanted * initiatives // len(all_places))
    index = first + -first % 3
    return index if index < initiatives else 0


def _spread(initiatives: int, milestones: int) -> Iterator[int]:
    """Numbers of milestones for the measured initiatives, as even as integers can be."""
    guided = _guided(initiatives)
    measured = sum(
        index == guided or course_of(index) is not Course.UNMEASURED for index in range(initiatives)
    )
    if not measured * _LEAST_MILESTONES <= milestones <= measured * MOST_MILESTONES:
        message = (
            f"{initiatives} initiatives take {measured * _LEAST_MILESTONES} to "
            f"{measured * MOST_MILESTONES} milestones, not {milestones}"
        )
        raise ValueError(message)
    return ((n + 1) * milestones // measured - n * milestones // measured for n in range(measured))


def _code(year: int, numbers: Iterator[int]) -> str:
    code = f"QW-{year}-{next(numbers):03}"
    return code if code != GUIDED_CODE else _code(year, numbers)


def _plan(
    random: Random,
    code: str,
    place: Place,
    at: Desk,
    year: int,
    course: Course,
    template: Template,
    size: int,
    related: list[StageLink],
    *,
    few: bool,
) -> Plan:
    draw = random.random
    guided = code == GUIDED_CODE
    baselined = STATUS[course] in _OWNED and draw() < 0.6
    timetable = stages(random, size, slips=baselined)
    calendar = days(year)
    levels = reached(random, course, timetable)
    if guided:
        levels[_GUIDED_MILESTONE - 1] = (timetable[_GUIDED_MILESTONE - 1].due, _GUIDED_LEVEL)
    drops = {}
    if not guided and size > _LEAST_MILESTONES and STATUS[course] in _OWNED and draw() < 0.1:
        drops[1 + int(draw() * size)] = _DROPPED[int(draw() * len(_DROPPED))]
    kind = InitiativeKind.QUICK_WIN if guided else _KINDS[int(draw() * len(_KINDS))]
    is_decreed = kind is InitiativeKind.QUICK_WIN and STATUS[course] in _OWNED
    initiative = NewInitiative(
        code=code,
        title=template.title,
        unit=place.code,
        year=year,
        areas=list(template.areas),
        outcomes=[_OUTCOMES[template.areas[0]]],
        level="micro",
        description=f"{template.title} di lingkungan {place.name}, {year} (data sintetis).",
        kind=kind,
        origin=Origin.MANDATED if draw() < 0.2 else Origin.SELF_SELECTED,
        status=STATUS[course],
        weight=_WEIGHTS[int(draw() * len(_WEIGHTS))],
        owners=_owners(course, at),
        start_on=calendar[timetable[0].begins if timetable else 10],
        due_on=calendar[max(stage.due for stage in timetable) if timetable else -1],
        expected_result=template.result,
        tags=[MARK, *template.tags],
        decree=decree_code(year) if is_decreed else None,
        stages=related,
        public=course in _PUBLIC,
        cancelled_on=calendar[LAST_DAY // 2] if course is Course.CANCELLED else None,
        milestones=_milestones(
            random, calendar, template, timetable, baselined=baselined, guided=guided
        ),
        reason=_reason(random, course),
    )
    history = reports(random, at, calendar, timetable, levels, few=few)
    return Plan(initiative, history, drops)


def _owners(course: Course, at: Desk) -> list[Owner]:
    if course is Course.PROPOSED:
        return []
    accountable = Owner(person=at.secretary, role=OwnerRole.ACCOUNTABLE)
    return [accountable, Owner(person=at.operator, role=OwnerRole.RESPONSIBLE)]


def _reason(random: Random, course: Course) -> str | None:
    reasons = _REASONS.get(course)
    return reasons[int(random.random() * len(reasons))] if reasons else None


def _milestones(
    random: Random,
    calendar: tuple[date, ...],
    template: Template,
    timetable: list[Stage],
    *,
    baselined: bool,
    guided: bool,
) -> list[NewMilestone]:
    draw = random.random
    found = []
    for title, stage in zip(_titles(template.steps, len(timetable)), timetable, strict=True):
        given: dict[str, Any] = {
            "title": title,
            "due_on": calendar[stage.due],
            "weight": _MILESTONE_WEIGHTS[int(draw() * len(_MILESTONE_WEIGHTS))],
        }
        if draw() < 0.12 and not guided:
            given["technique"] = Technique.BINARY
        if baselined:
            given["baseline_due_on"] = calendar[stage.planned]
            if stage.due != stage.planned:
                given["reason"] = _MOVED[int(draw() * len(_MOVED))]
        found.append(NewMilestone(**given))
    return found


@cache
def _titles(steps: tuple[str, ...], size: int) -> tuple[str, ...]:
    """Spread the steps over as many milestones; a step that takes several is numbered."""
    chosen = [n * len(steps) // size for n in range(size)]
    return tuple(
        f"{steps[step]} ({n - chosen.index(step) + 1})" if chosen.count(step) > 1 else steps[step]
        for n, step in enumerate(chosen)
    )
