"""Random histories through the verbs, each step compared with brute force.

Every unit, in total and by area, for one year and all, on several days. Set
QUICKWIN_STATE_MACHINE_EXAMPLES for a longer run than the default of 30 histories of 30 steps. Every
history begins with a few plans, and at the end each kind of step must have happened often.
"""

import itertools
import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import anyio.from_thread
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import QuickwinError
from app.keyset import CURSOR_KEY
from app.schemas.fields import Verdict
from app.schemas.initiatives import InitiativeChanges, NewInitiative
from app.schemas.institutions import NewInstitution
from app.schemas.milestones import MilestoneChanges, NewMilestone
from app.schemas.people import NewPerson
from app.schemas.rollups import RollupQuery
from app.schemas.units import NewUnit, UnitMove
from app.schemas.updates import NewUpdate, NewVerification
from app.services import (
    initiatives,
    institutions,
    milestones,
    people,
    portfolio,
    progress,
    rollups,
    units,
    verification,
)
from app.services.access import Actor
from app.settings import Settings
from tests.properties.brute_force import Initiative, Milestone, World, rounded

AREAS = ("accountability", "oversight", "public-service")
UNITS = {"a": None, "a1": "a", "a2": "a", "b": None, "b1": "b"}
START = date(2022, 1, 1)
CHECKED = (date(2022, 2, 14), date(2022, 3, 31), date(2022, 5, 2))
EXAMPLES = int(os.environ.get("QUICKWIN_STATE_MACHINE_EXAMPLES", "30"))
STEPS = 11
"""Kinds of steps, each of which must have happened."""
_numbers = itertools.count(1)

days = st.integers(0, 120).map(lambda n: START + timedelta(days=n))
percents = st.sampled_from(["0", "25", "33.33", "50", "99.99", "100", "100"]).map(Decimal)
weights = st.sampled_from([1, 1, 2, 3, 7, 1000])
picks = st.integers(0, 10_000)


def person(name: str) -> Actor:
    """An operator by that name."""
    identity = uuid4()
    return Actor(
        identity, name, operator=True, institution_id=None, token_id=identity, token_name=name
    )


REPORTER, VERIFIER = person("reporter"), person("verifier")


class History(RuleBasedStateMachine):
    """One institution and the same institution by brute force."""

    database: Database
    call: Callable[..., Any]
    steps: Counter[str]

    def write(self, verb: Callable[..., Any], *arguments: Any, actor: Actor = REPORTER) -> Any:
        return self.call(self.database.write, verb, actor, self.code, *arguments)

    @initialize()
    def found(self) -> None:
        self.code = f"m{os.getpid()}-{next(_numbers)}"
        new = NewInstitution(code=self.code, name="Machine")
        self.call(self.database.write, institutions.create, REPORTER, new)
        self.write(people.create, NewPerson(code="owner", name="Owner"))
        for unit, parent in UNITS.items():
            self.write(units.create, NewUnit(code=unit, name=unit, parent=parent))
        self.world = World({self.code: None, **{u: p or self.code for u, p in UNITS.items()}})
        self.update_ids: dict[tuple[str, int, int], UUID] = {}
        for unit, area in zip(("a1", "b1", "a"), AREAS, strict=True):
            plan = [(START + timedelta(days=45 * n), 1 + n) for n in range(3)]
            self.add_plan(unit, 2, 2022, {area}, "active", plan)
        self.is_beginning = True
        for pick in range(9):
            self.report(pick, Decimal(25), START + timedelta(days=10 * pick))
            self.verify(pick, 0, Verdict.VERIFIED)
        self.is_beginning = False

    def initiative(self, pick: int) -> tuple[str, Initiative] | None:
        known = sorted(self.world.initiatives.items())
        return known[pick % len(known)] if known else None

    def milestone(self, pick: int) -> tuple[str, Initiative, Milestone] | None:
        known = [
            (code, initiative, milestone)
            for code, initiative in sorted(self.world.initiatives.items())
            for _, milestone in sorted(initiative.milestones.items())
        ]
        return known[pick % len(known)] if known else None

    @rule(unit=st.sampled_from(sorted(UNITS)), weight=weights, year=st.sampled_from([2022, 2023]),
          areas=st.sets(st.sampled_from(AREAS)), status=st.sampled_from(["active", "active", "proposed"]),
          plan=st.lists(st.tuples(days, weights), max_size=3))  # fmt: skip
    def create(
        self, unit: str, weight: int, year: int, areas: set[str], status: str,
        plan: list[tuple[date, int]],
    ) -> None:  # fmt: skip
        self.add_plan(unit, weight, year, areas, status, plan)
        self.check("create")

    def add_plan(
        self,
        unit: str,
        weight: int,
        year: int,
        areas: set[str],
        status: str,
        plan: list[tuple[date, int]],
    ) -> None:
        """One initiative in both worlds."""
        code = f"QW-{next(_numbers)}"
        new = NewInitiative.model_validate(
            {
                "code": code, "title": code, "unit": unit, "year": year, "weight": weight,
                "status": status, "areas": sorted(areas),
                "owners": [{"person": "owner", "role": "accountable"}],
                "milestones": [
                    {"title": "Step", "due_on": due, "weight": weight} for due, weight in plan
                ],
            }
        )  # fmt: skip
        self.write(initiatives.create, new)
        self.world.initiatives[code] = Initiative(
            unit, status, weight, year, areas,
            {n: Milestone(n, w, "percent", due) for n, (due, w) in enumerate(plan, start=1)},
        )  # fmt: skip

    @rule(pick=picks, due=days, weight=weights, technique=st.sampled_from(["percent", "binary"]),
          baseline=st.none() | days)  # fmt: skip
    def add_milestone(
        self, pick: int, due: date, weight: int, technique: str, baseline: date | None
    ) -> None:
        if found := self.initiative(pick):
            new = {"title": "Step", "due_on": due, "weight": weight, "technique": technique,
                   "baseline_due_on": baseline}  # fmt: skip
            made = self.write(milestones.create, found[0], NewMilestone.model_validate(new))
            added = Milestone(made.number, weight, technique, due, baseline)
            found[1].milestones[made.number] = added
            self.check("add_milestone")

    @rule(pick=picks, percent=percents, day=days)
    def back_date_or_correct(self, pick: int, percent: Decimal, day: date) -> None:
        """Report twice: most second reports lie back, or correct the first."""
        self.report(pick, percent, day)
        self.report(pick, Decimal(50), day - timedelta(days=pick % 2))

    @rule(pick=picks, percent=percents, day=days)
    def report(self, pick: int, percent: Decimal, day: date) -> None:
        """Report, back-date or correct: the day is any, the percent too."""
        found = self.milestone(pick)
        if found is None or found[2].dropped or found[1].status == "cancelled":
            return
        code, _, milestone = found
        new = NewUpdate(percent_complete=percent, effective_on=day)
        made, _ = self.write(progress.report, code, milestone.number, new)
        assert made.previous_percent == float(milestone.value(day))
        sequence = len(milestone.reports) + 1
        milestone.reports.append((day, sequence, Fraction(percent), False))
        self.update_ids[code, milestone.number, sequence] = made.id
        self.check("report")

    @rule(
        pick=picks,
        which=picks,
        verdict=st.sampled_from([Verdict.VERIFIED, Verdict.VERIFIED, Verdict.RETURNED]),
    )
    def verify(self, pick: int, which: int, verdict: Verdict) -> None:
        found = self.milestone(pick)
        if found is None or not found[2].reports:
            return
        code, _, milestone = found
        place = which % len(milestone.reports)
        day, sequence, percent, _ = milestone.reports[place]
        update_id = self.update_ids[code, milestone.number, sequence]
        new = NewVerification(verdict=verdict, note="seen")
        self.write(verification.verify, code, milestone.number, update_id, new, actor=VERIFIER)
        milestone.reports[place] = (day, sequence, percent, verdict is Verdict.VERIFIED)
        self.check("verify")

    @rule(pick=picks)
    def drop_or_bring_back(self, pick: int) -> None:
        if found := self.milestone(pick):
            code, _, milestone = found
            status = "pending" if milestone.dropped else "dropped"
            self.patch_milestone(code, milestone, status=status)
            milestone.dropped = not milestone.dropped
            self.check("drop_or_bring_back")

    @rule(pick=picks, weight=weights, due=days, baseline=st.none() | days)
    def replan(self, pick: int, weight: int, due: date, baseline: date | None) -> None:
        if found := self.milestone(pick):
            code, _, milestone = found
            self.patch_milestone(
                code, milestone, weight=weight, due_on=due, baseline_due_on=baseline
            )
            milestone.weight, milestone.due_on, milestone.baseline = weight, due, baseline
            self.check("replan")

    def patch_milestone(self, code: str, milestone: Milestone, **fields: Any) -> None:
        changes = MilestoneChanges.model_validate({**fields, "reason": "replanned"})
        self.write(milestones.change, code, milestone.number, changes, None)

    @rule(pick=picks, weight=weights, year=st.sampled_from([2022, 2023]),
          areas=st.sets(st.sampled_from(AREAS)), unit=st.sampled_from(sorted(UNITS)))  # fmt: skip
    def rearrange(self, pick: int, weight: int, year: int, areas: set[str], unit: str) -> None:
        if found := self.initiative(pick):
            fields = {"weight": weight, "year": year, "areas": sorted(areas), "unit": unit}
            changes = InitiativeChanges.model_validate(fields)
            self.write(initiatives.change, found[0], changes, None)
            initiative = found[1]
            initiative.weight, initiative.year, initiative.areas = weight, year, areas
            initiative.unit = unit
            self.check("rearrange")

    @rule(
        pick=picks,
        status=st.sampled_from(["active", "on_hold", "completed", "cancelled", "shortlisted"]),
    )
    def change_status(self, pick: int, status: str) -> None:
        """Ask for any status; the life cycle decides."""
        if found := self.initiative(pick):
            changes = InitiativeChanges.model_validate({"status": status, "reason": "decided"})
            with suppress(QuickwinError):
                self.write(initiatives.change, found[0], changes, None)
                found[1].status = status
            self.check("change_status")

    @rule(unit=st.sampled_from(sorted(UNITS)), parent=st.sampled_from(sorted(UNITS)))
    def move_unit(self, unit: str, parent: str) -> None:
        target = UnitMove(parent=parent)
        if parent in self.world.below(unit):
            with pytest.raises(QuickwinError):
                self.write(units.move, unit, target, None)
        else:
            self.write(units.move, unit, target, None)
            self.world.parents[unit] = parent
        self.check("move_unit")

    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        if found := self.initiative(pick):
            self.write(initiatives.remove, found[0], None)
            del self.world.initiatives[found[0]]
            self.check("delete")

    @rule(pick=picks)
    def delete_milestone(self, pick: int) -> None:
        found = self.milestone(pick)
        if found and not found[2].reports:
            self.write(milestones.delete, found[0], found[2].number, None, "not needed")
            del found[1].milestones[found[2].number]
            self.check("delete_milestone")

    def check(self, step: str) -> None:
        """Count the step; behind the beginning, compare every unit on several days, on one snapshot."""
        self.steps[step] += 1
        if self.is_beginning:
            return
        self.call(self.database.read, self.compare)

    def compare(self, session: Session) -> None:
        everywhere = [(unit, None, None) for unit in self.world.parents]
        by_area = [(unit, area, 2022) for unit in (self.code, "a", "b1") for area in (None, *AREAS)]
        for (unit, area, year), day in itertools.product([*everywhere, *by_area], CHECKED):
            query = RollupQuery(area=area, year=year, as_of=day)
            told = rollups.get(session, REPORTER, self.code, unit, query).model_dump(mode="json")
            expected = self.world.rollup(unit, area, year, day)
            assert {name: told[name] for name in expected} == expected, (unit, area, year, day)
        for code, initiative in self.world.initiatives.items():
            plan = portfolio.get(session, REPORTER, self.code, code)[0].plan
            shares = initiative.shares()
            for row in plan:
                milestone = initiative.milestones[row.number]
                assert row.percent_complete == float(milestone.value(date.max))
                assert row.percent_verified == float(milestone.value(date.max, verified=True))
                points = Fraction(shares.get(row.number, 0) * 100)
                assert row.share == rounded(points, Fraction(initiative.weight * 1_000_000), 2)

    def teardown(self) -> None:
        findings = self.call(
            self.database.read, rollups.audit, REPORTER, self.code, lambda _done, _total: None
        )
        assert not findings.differences
        assert not findings.derived


def test_random_histories(configuration: Settings) -> None:
    with anyio.from_thread.start_blocking_portal() as portal:
        database = portal.call(Database, configuration)
        database.session_info[CURSOR_KEY] = "a key of the tests"

        class Machine(History):
            pass

        Machine.database, Machine.call = database, staticmethod(portal.call)
        Machine.steps = Counter()
        try:
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=30,
                    deadline=None,
                    derandomize=True,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
            assert len(Machine.steps) == STEPS
            assert min(Machine.steps.values()) >= 2, Machine.steps
            begun = 9 * EXAMPLES  # what every history begins with
            assert Machine.steps["report"] > begun
        finally:
            portal.call(database.close)
