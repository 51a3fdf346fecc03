"""A state machine that reports: an institution in the database, and the same one as plain facts.

The steps that change plans and the tree are in `test_state_machine.py`.
"""

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import Invalid, NotReportable, QuickwinError
from app.schemas.batches import NewBatch
from app.schemas.fields import Verdict
from app.schemas.initiatives import NewInitiative
from app.schemas.institutions import NewInstitution
from app.schemas.milestones import NewMilestone
from app.schemas.people import NewPerson
from app.schemas.templates import NewTemplate
from app.schemas.units import NewUnit
from app.schemas.updates import NewUpdate, NewVerification
from app.services import (
    initiatives,
    institutions,
    milestones,
    people,
    progress,
    rollups,
    templates,
    units,
    verification,
)
from app.services.actors import Actor
from tests.rollup.brute_force import Initiative, Milestone, Report, World
from tests.rollup.told import compare_derived, compare_rollups
from tests.rollup.told_apart import Place, compare

UNITS = {"n": None, "n1": "n", "n11": "n1", "n2": "n", "s": None, "s1": "s"}
AREAS = ("accountability", "oversight", "public-service")
YEARS = (2022, 2023)
ONE_DAY = timedelta(days=1)
OFFSETS = (0, 1, 15, 29, 30, 31, 32, 58, 59, 60, 61, 75, 89, 90, 91, 120)
"""Days after New Year: the ends of months, and pairs that are 29, 30 and 31 days apart."""
DAYS = [date(2022, 1, 1) + n * ONE_DAY for n in OFFSETS]
LOOKED_AT = [date(2021, 12, 1), *DAYS[1::2], date(2022, 5, 2), date(2023, 1, 1)]
_numbers = itertools.count(1)

picks = st.integers(0, 59)
days = st.sampled_from(DAYS)
percents = st.sampled_from(["0", "25", "33.33", "50", "99.99", "100", "100", "100"]).map(Decimal)
weights = st.sampled_from([1, 1, 2, 3, 7, 1000])
techniques = st.sampled_from(["percent", "percent", "binary"])
places = st.sampled_from(sorted(UNITS))
areas = st.frozensets(st.sampled_from(AREAS))
years = st.sampled_from(YEARS)
plans = st.fixed_dictionaries(
    {
        "weight": weights,
        "due_on": days,
        "technique": techniques,
        "baseline_due_on": st.none() | days,
    }
)
verdicts = st.sampled_from([Verdict.VERIFIED, Verdict.VERIFIED, Verdict.RETURNED])


def somebody(name: str) -> Actor:
    identity = uuid4()
    return Actor(identity, name, True, None, identity, name)  # noqa: FBT003  an operator


TEMPLATE = NewTemplate.model_validate(
    {
        "code": "standard", "title": "Standard", "weight": 2, "areas": AREAS[:1],
        "milestones": [
            {"title": "First", "due_after_days": 31},
            {"title": "Last", "due_month_day": "03-31", "weight": 2, "technique": "binary"},
        ],
    }
)  # fmt: skip
REPORTER, VERIFIER = somebody("reporter"), somebody("verifier")


def whole(initiative: Initiative, plan: list[dict[str, Any]] | None, status: Any) -> NewInitiative:
    """An initiative as it is created or replaced."""
    return NewInitiative.model_validate(
        {
            "code": initiative.code,
            "title": initiative.code,
            "unit": initiative.unit,
            "year": initiative.year,
            "areas": sorted(initiative.areas),
            "status": status,
            "weight": initiative.weight,
            "owners": [{"person": "owner", "role": "accountable"}],
            "milestones": None
            if plan is None
            else [{"title": "Step", "reason": "tests", **m} for m in plan],
            "reason": "tests",
        }
    )


class Reporting(RuleBasedStateMachine):
    """Reports and verdicts, and the comparison after each step."""

    database: ClassVar[Database]
    portal: ClassVar[BlockingPortal]
    steps: ClassVar[Counter[str]]

    @initialize()
    def found(self) -> None:
        self.code = f"rm{os.getpid()}-{next(_numbers)}"
        self.world = World({self.code: None})
        self.updates: dict[tuple[str, int, int], UUID] = {}
        self.deleted: list[Initiative] = []

        def founded(session: Session) -> None:
            new = NewInstitution(code=self.code, name="Machine")
            institutions.create(session, REPORTER, new)
            people.create(session, REPORTER, self.code, NewPerson(code="owner", name="Owner"))
            templates.create(session, REPORTER, self.code, TEMPLATE)
            for unit, parent in UNITS.items():
                new_unit = NewUnit(code=unit, name=unit, parent=parent)
                units.create(session, REPORTER, self.code, new_unit)

        self.portal.call(self.database.write, founded)
        self.world.parents |= {unit: parent or self.code for unit, parent in UNITS.items()}
        plan = [
            {"weight": 1, "due_on": day, "technique": "percent", "baseline_due_on": None}
            for day in (DAYS[4], DAYS[9], DAYS[12])
        ]
        self.put_initiative("n11", 2022, frozenset(AREAS[:2]), 3, "active", plan)
        self.put_initiative("s", 2023, frozenset(AREAS[1:]), 1, "active", plan[1:])
        for pick, verdict in enumerate((Verdict.VERIFIED, Verdict.RETURNED)):
            self.report(pick, Decimal(100), DAYS[6], again=False)
            self.back_date(pick, 0, Decimal(25), 14)
            self.correct(pick, 0, Decimal(50))
            self.verify(pick, 0, verdict)

    def write(self, verb: Callable[..., Any], *arguments: Any, actor: Actor = REPORTER) -> Any:
        return self.portal.call(self.database.write, verb, actor, self.code, *arguments)

    def refused(self, error: type[QuickwinError], verb: Callable[..., Any], *given: Any) -> None:
        with pytest.raises(error):
            self.write(verb, *given)

    def check(self, step: str, *touched: date) -> None:
        """Compare on the days that the step was about, on the eve, and on one day of the list."""
        self.steps[step] += 1
        turn = self.steps.total()
        looked_at = {LOOKED_AT[turn % len(LOOKED_AT)]}
        for day in touched[:1]:
            looked_at |= {day - ONE_DAY * (turn % 2), day + 31 * ONE_DAY * (turn % 3 == 0)}
        self.compare(sorted(looked_at), [(None, *YEARS)[turn % 3]])
        if turn % 4 == 0:
            self.compare_apart(turn // 4, DAYS[turn % 5], DAYS[5 + turn % 11])

    def compare(self, looked_at: list[date], asked_years: Sequence[int | None]) -> None:
        self.portal.call(
            self.database.read, compare_rollups, REPORTER, self.world, self.code, AREAS,
            asked_years, looked_at,
        )  # fmt: skip

    def compare_apart(self, turn: int, first: date, last: date) -> None:
        units = sorted(self.world.parents)
        unit, area = units[turn % len(units)], (None, None, *AREAS)[turn % 5]
        year = (None, *YEARS)[turn % 3]

        def told(session: Session) -> None:
            place = Place(session, REPORTER, self.code, self.world, unit, area, year)
            compare(place, first, last)

        self.portal.call(self.database.read, told)

    def teardown(self) -> None:
        self.compare(LOOKED_AT, (None, *YEARS, 1999))
        self.portal.call(self.database.read, compare_derived, REPORTER, self.world, self.code)
        found = self.portal.call(
            self.database.read, rollups.audit, REPORTER, self.code, lambda _done, _all: None
        )
        assert (found.differences, found.derived) == ([], [])

    def initiative(self, pick: int) -> Initiative:
        known = sorted(self.world.initiatives)
        return self.world.initiatives[known[pick % len(known)]]

    def matching(
        self, wanted: Callable[[Milestone], Any]
    ) -> Iterator[tuple[Initiative, Milestone]]:
        for _, initiative in sorted(self.world.initiatives.items()):
            for _, milestone in sorted(initiative.milestones.items()):
                if wanted(milestone):
                    yield initiative, milestone

    def milestone(
        self, pick: int, wanted: Callable[[Milestone], Any] = lambda _: True
    ) -> tuple[Initiative, Milestone]:
        found = list(self.matching(wanted))
        return found[pick % len(found)]

    def has_initiative(self) -> bool:
        return bool(self.world.initiatives)

    def has_milestone(self) -> bool:
        return any(self.matching(lambda _: True))

    def has_free_milestone(self) -> bool:
        return any(self.matching(lambda m: not m.reports))

    def has_report(self) -> bool:
        return any(self.matching(lambda m: m.reports))

    @rule(unit=places, year=years, served=areas, weight=weights, plan=st.lists(plans, max_size=4),
          status=st.sampled_from(["proposed", "active", "active", "on_hold", "completed"]))  # fmt: skip
    def create(
        self, unit: str, year: int, served: frozenset[str], weight: int, status: str,
        plan: list[dict[str, Any]],
    ) -> None:  # fmt: skip
        self.put_initiative(self.world.heir(unit), year, served, weight, status, plan)
        self.check("create")

    def put_initiative(
        self, unit: str, year: int, served: frozenset[str], weight: int, status: str,
        plan: list[dict[str, Any]],
    ) -> None:  # fmt: skip
        made = Initiative(f"QW-{next(_numbers):09}", unit, year, status, weight, served)
        self.write(initiatives.create, whole(made, plan, status))
        made.milestones = {n: Milestone(n, **planned) for n, planned in enumerate(plan, 1)}
        self.world.initiatives[made.code] = made

    @precondition(has_initiative)
    @rule(pick=picks, plan=plans)
    def add_milestone(self, pick: int, plan: dict[str, Any]) -> None:
        initiative = self.initiative(pick)
        new = NewMilestone.model_validate({"title": "Step", "reason": "tests", **plan})
        number = self.write(milestones.create, initiative.code, new).number
        assert number == max(initiative.milestones, default=0) + 1
        initiative.milestones[number] = Milestone(number, **plan)
        if initiative.baselined and plan["baseline_due_on"]:
            initiative.baseline()
        self.check("add_milestone", plan["due_on"])

    @precondition(has_milestone)
    @rule(pick=picks, percent=percents, day=days, again=st.booleans())
    def report(self, pick: int, percent: Decimal, day: date, *, again: bool) -> None:
        self.put_report(*self.milestone(pick), percent, day, again=again)
        self.check("report", day)

    @precondition(has_report)
    @rule(pick=picks, which=picks, percent=percents, back=st.sampled_from([1, 1, 2, 14, 30]))
    def back_date(self, pick: int, which: int, percent: Decimal, back: int) -> None:
        initiative, milestone = self.milestone(pick, lambda m: m.reports)
        other = milestone.reports[which % len(milestone.reports)]
        self.put_report(initiative, milestone, percent, other.effective_on - back * ONE_DAY)
        self.check("back_date", other.effective_on - back * ONE_DAY)

    @precondition(has_report)
    @rule(pick=picks, which=picks, percent=percents)
    def correct(self, pick: int, which: int, percent: Decimal) -> None:
        """Report once more for a day that has a report, lower or higher."""
        initiative, milestone = self.milestone(pick, lambda m: m.reports)
        other = milestone.reports[which % len(milestone.reports)]
        self.put_report(initiative, milestone, percent, other.effective_on)
        self.check("correct", other.effective_on)

    def put_report(
        self, initiative: Initiative, milestone: Milestone, percent: Decimal, day: date,
        *, again: bool = False,
    ) -> None:  # fmt: skip
        address = (initiative.code, milestone.number)
        identity = {"source": "tests", "external_id": str(uuid4())} if again else {}
        new = NewUpdate.model_validate(
            {"percent_complete": percent, "effective_on": day, **identity}
        )
        if milestone.dropped or initiative.status == "cancelled":
            self.refused(NotReportable, progress.report, *address, new)
            return
        made, is_new = self.write(progress.report, *address, new)
        assert (is_new, made.previous_percent) == (True, float(milestone.at(day)))
        if again:
            same, is_new = self.write(progress.report, *address, new)
            assert (same.id, is_new) == (made.id, False)
        self.remember(initiative, milestone, percent, day, made.id)

    def remember(
        self, initiative: Initiative, milestone: Milestone, percent: Decimal, day: date, made: UUID
    ) -> None:
        sequence = len(milestone.reports) + 1
        milestone.reports.append(Report(day, sequence, Fraction(percent)))
        self.updates[initiative.code, milestone.number, sequence] = made

    @precondition(has_milestone)
    @rule(
        news=st.lists(st.tuples(picks, percents, days), min_size=2, max_size=6),
        atomic=st.booleans(),
    )
    def batch(self, news: list[tuple[int, Decimal, date]], *, atomic: bool) -> None:
        """Reports in one call, some on the same milestone: as if they came one by one."""
        asked = [(*self.milestone(pick), percent, day) for pick, percent, day in news]
        closed = [m.dropped or i.status == "cancelled" for i, m, _, _ in asked]
        items = [
            {
                "initiative": i.code,
                "milestone": m.number,
                "percent_complete": p,
                "effective_on": day,
            }
            for i, m, p, day in asked
        ]
        new = NewBatch.model_validate({"items": items, "atomic": atomic})
        if atomic and any(closed):
            self.refused(Invalid, progress.report_batch, new)
            self.check("refused_batch")
            return
        results = self.write(progress.report_batch, new).results
        for (initiative, milestone, percent, day), refused, result in zip(
            asked, closed, results, strict=True
        ):
            assert result.status == (409 if refused else 201)
            if not refused:
                assert result.update.previous_percent == float(milestone.at(day))
                self.remember(initiative, milestone, percent, day, result.update.id)
        self.check("batch", *(day for _, _, day in news))

    @precondition(has_report)
    @rule(pick=picks, which=picks, verdict=verdicts)
    def verify(self, pick: int, which: int, verdict: Verdict) -> None:
        initiative, milestone = self.milestone(pick, lambda m: m.reports)
        report = milestone.reports[which % len(milestone.reports)]
        update_id = self.updates[initiative.code, milestone.number, report.sequence]
        new = NewVerification(verdict=verdict, note="seen")
        address = (initiative.code, milestone.number, update_id)
        self.write(verification.verify, *address, new, actor=VERIFIER)
        report.verified = verdict is Verdict.VERIFIED
        self.check(verdict, report.effective_on)
