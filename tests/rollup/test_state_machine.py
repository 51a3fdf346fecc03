"""Random histories through the real verbs and databases, held against the model after every step.

QUICKWIN_STATE_MACHINE_EXAMPLES=500 makes a longer run, with histories that differ from run to run;
without it a fixed set of histories runs.
"""

import itertools
import os
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from app.conflicts import NothingPlanned
from app.db import Database
from app.errors import (
    AlreadyRestored,
    InUse,
    Invalid,
    RootUnit,
    StatusConflict,
    UnitCycle,
    UnitMerged,
)
from app.keyset import CURSOR_KEY
from app.schemas.baselines import NewBaseline
from app.schemas.deletions import DeletionQuery
from app.schemas.fields import InitiativeStatus, OwnerRole
from app.schemas.initiatives import InitiativeChanges, Owner
from app.schemas.milestones import MilestoneChanges
from app.schemas.templates import NewCopies
from app.schemas.units import NewUnit, UnitMerge, UnitMove
from app.services import (
    baselines,
    copying,
    deletions,
    initiatives,
    lifecycle,
    milestones,
    removing,
    reorganising,
    restoring,
    units,
)
from app.settings import Settings
from tests.rollup.brute_force import COUNTED, HUNDRED, Initiative, Milestone
from tests.rollup.hindering import Hindering
from tests.rollup.machine import (
    AREAS,
    ONE_DAY,
    REPORTER,
    TEMPLATE,
    Reporting,
    areas,
    days,
    picks,
    places,
    plans,
    techniques,
    weights,
    whole,
    years,
)

GIVEN = os.environ.get("QUICKWIN_STATE_MACHINE_EXAMPLES")
EXAMPLES, STEPS = int(GIVEN or 3), 25
MOST_MERGERS = 3
"""Half of the units, so that there are some left to move."""
MOST_KINDS = 14
"""Of the 30 kinds of steps, those that a run must have made; each begins with the five of reports."""

_numbers = itertools.count(1)
statuses = st.sampled_from([status.value for status in InitiativeStatus])


def may_become(initiative: Initiative, status: str) -> bool:
    """Whether the life cycle lets an initiative be in a status next; a reason is given."""
    if status == initiative.status:
        return True
    if status not in lifecycle.NEXT[InitiativeStatus(initiative.status)]:
        return False
    live = initiative.live()
    is_done = bool(live) and all(m.at(date.max) == HUNDRED for m in live)
    return status != "completed" or is_done


class Planning(Hindering):
    """Plans, places and the tree."""

    def change_milestone(
        self, initiative: Initiative, milestone: Milestone, **fields: Any
    ) -> Milestone:
        changes = MilestoneChanges.model_validate({**fields, "reason": "tests"})
        self.write(milestones.change, initiative.code, milestone.number, changes, None)
        return milestone

    @precondition(Reporting.has_milestone)
    @rule(pick=picks)
    def drop(self, pick: int) -> None:
        initiative, milestone = self.milestone(pick)
        self.change_milestone(initiative, milestone, status="dropped").dropped = True
        self.check("drop", milestone.due_on)

    @precondition(lambda self: any(self.matching(lambda m: m.dropped)))
    @rule(pick=picks)
    def bring_back(self, pick: int) -> None:
        initiative, milestone = self.milestone(pick, lambda m: m.dropped)
        self.change_milestone(initiative, milestone, status="pending").dropped = False
        self.check("bring_back", milestone.due_on)

    @precondition(Reporting.has_milestone)
    @rule(pick=picks, weight=weights)
    def reweigh_milestone(self, pick: int, weight: int) -> None:
        self.change_milestone(*self.milestone(pick), weight=weight).weight = weight
        self.check("reweigh_milestone")

    @precondition(Reporting.has_milestone)
    @rule(pick=picks, due_on=days)
    def postpone(self, pick: int, due_on: date) -> None:
        self.change_milestone(*self.milestone(pick), due_on=due_on).due_on = due_on
        self.check("postpone", due_on)

    @precondition(Reporting.has_milestone)
    @rule(pick=picks, day=st.none() | days)
    def baseline(self, pick: int, day: date | None) -> None:
        initiative, milestone = self.milestone(pick)
        before = milestone.baseline_due_on
        self.change_milestone(initiative, milestone, baseline_due_on=day).baseline_due_on = day
        if initiative.baselined and day != before:
            initiative.baseline()
        self.check("baseline", *[day] if day else [])

    @precondition(Reporting.has_initiative)
    @rule(pick=picks)
    def take_baseline(self, pick: int) -> None:
        """Agree on the plan as it is now, of what is under way and has one."""
        initiative = self.initiative(pick)
        arguments = (initiative.code, NewBaseline(reason="tests"))
        if initiative.status not in COUNTED:
            self.refused(StatusConflict, baselines.take, *arguments)
        elif not initiative.live():
            self.refused(NothingPlanned, baselines.take, *arguments)
        else:
            self.write(baselines.take, *arguments)
            for milestone in initiative.live():
                milestone.baseline_due_on = milestone.due_on
            initiative.baseline()
        self.check("take_baseline", *(m.due_on for m in initiative.live()))

    @precondition(Reporting.has_milestone)
    @rule(pick=picks, technique=techniques)
    def measure_otherwise(self, pick: int, technique: str) -> None:
        self.change_milestone(*self.milestone(pick), technique=technique).technique = technique
        self.check("measure_otherwise")

    @precondition(Reporting.has_milestone)
    @rule(pick=picks)
    def delete_milestone(self, pick: int) -> None:
        """One without reports, if there is any; one with reports is kept."""
        free = any(self.matching(lambda m: not m.reports))
        initiative, milestone = self.milestone(pick, lambda m: not (free and m.reports))
        address = (initiative.code, milestone.number)
        if milestone.reports:
            self.refused(InUse, removing.milestone, *address, None, "tests")
        else:
            self.write(removing.milestone, *address, None, "tests")
            del initiative.milestones[milestone.number]
        self.check("delete_milestone", milestone.due_on)

    def change_initiative(self, pick: int, **fields: Any) -> Initiative:
        initiative = self.initiative(pick)
        changes = InitiativeChanges.model_validate({**fields, "reason": "tests"})
        self.write(initiatives.change, initiative.code, changes, None)
        return initiative

    @precondition(Reporting.has_initiative)
    @rule(pick=picks, weight=weights)
    def reweigh(self, pick: int, weight: int) -> None:
        self.change_initiative(pick, weight=weight).weight = weight
        self.check("reweigh")

    @precondition(Reporting.has_initiative)
    @rule(pick=picks, served=areas)
    def serve(self, pick: int, served: frozenset[str]) -> None:
        self.change_initiative(pick, areas=sorted(served)).areas = served
        self.check("serve")

    @precondition(Reporting.has_initiative)
    @rule(pick=picks, year=years)
    def move_to_year(self, pick: int, year: int) -> None:
        self.change_initiative(pick, year=year).year = year
        self.check("move_to_year")

    @precondition(Reporting.has_initiative)
    @rule(pick=picks, unit=places)
    def move_to_unit(self, pick: int, unit: str) -> None:
        unit = self.world.heir(unit)
        self.change_initiative(pick, unit=unit).unit = unit
        self.check("move_to_unit")

    @precondition(Reporting.has_initiative)
    @rule(pick=picks, status=statuses)
    def change_status(self, pick: int, status: str) -> None:
        initiative = self.initiative(pick)
        if may_become(initiative, status):
            self.change_initiative(pick, status=status).become(status)
        else:
            changes = InitiativeChanges.model_validate({"status": status, "reason": "tests"})
            self.refused(StatusConflict, initiatives.change, initiative.code, changes, None)
        self.check("change_status")

    @precondition(Reporting.has_initiative)
    @rule(pick=picks, day=days)
    def complete(self, pick: int, day: date) -> None:
        """Everything that is not done is reported as done, and then the initiative is completed."""
        initiative = self.initiative(pick)
        for milestone in initiative.live():
            if milestone.at(date.max) != HUNDRED and initiative.status != "cancelled":
                late = max(day, milestone.last_day())
                self.put_report(initiative, milestone, Decimal(100), late)
        if may_become(initiative, "completed"):
            self.change_initiative(pick, status="completed").become("completed")
        self.check("complete", day)

    @precondition(Reporting.has_initiative)
    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        initiative = self.initiative(pick)
        self.write(removing.initiative, initiative.code, None)
        self.deleted.append(self.world.initiatives.pop(initiative.code))
        self.check("delete")

    @precondition(lambda self: self.deleted)
    @rule(pick=picks)
    def restore(self, pick: int) -> None:
        """What was deleted once comes back to its unit, or to the one that this was merged into."""
        initiative = self.deleted.pop(pick % len(self.deleted))
        deletion_id = self.deletion_of(initiative.code)
        self.write(restoring.restore, deletion_id)
        self.refused(AlreadyRestored, restoring.restore, deletion_id)
        initiative.unit = self.world.heir(initiative.unit)
        self.world.initiatives[initiative.code] = initiative
        self.check("restore", *(m.due_on for m in initiative.milestones.values()))

    @precondition(Reporting.has_free_milestone)
    @rule(pick=picks, day=days)
    def delete_and_restore_milestone(self, pick: int, day: date) -> None:
        """The others share its points meanwhile, and may be reported on."""
        initiative, milestone = self.milestone(pick, lambda m: not m.reports)
        self.write(removing.milestone, initiative.code, milestone.number, None, "tests")
        del initiative.milestones[milestone.number]
        self.check("delete_and_restore_milestone", milestone.due_on)
        if others := [m for m in initiative.milestones.values() if m.reports]:
            self.put_report(initiative, others[pick % len(others)], Decimal(50), day)
        address = f"{initiative.code}/milestones/{milestone.number}"
        self.write(restoring.restore, self.deletion_of(address))
        initiative.milestones[milestone.number] = milestone
        self.check("delete_and_restore_milestone", milestone.due_on)

    @rule(within=st.lists(places, min_size=1, max_size=3), year=years, start=days)
    def copy_template(self, within: list[str], year: int, start: date) -> None:
        """A proposed initiative in each unit; a second call finds all of them."""
        last = date(year, 3, 31)
        at, start = {self.world.heir(unit) for unit in within}, min(start.replace(year=year), last)
        prefix = f"C{next(_numbers)}-"
        owner = Owner(person="owner", role=OwnerRole.ACCOUNTABLE)
        code = prefix + "{unit}"
        asked = NewCopies(units=within, year=year, start_on=start, code=code, owners=[owner])
        if self.world.merged.keys() & set(within):
            self.refused(Invalid, copying.copy, TEMPLATE.code, asked)
            asked = asked.model_copy(update={"units": sorted(at)})
        assert self.write(copying.copy, TEMPLATE.code, asked).created == len(at)
        again = self.write(copying.copy, TEMPLATE.code, asked)
        assert (again.created, again.present) == (0, len(at))
        for unit in at:
            copy = Initiative(f"{prefix}{unit}", unit, year, "proposed", 2, frozenset(AREAS[:1]))
            copy.milestones = {
                1: Milestone(1, 1, "percent", start + 31 * ONE_DAY),
                2: Milestone(2, 2, "binary", last),
            }
            self.world.initiatives[copy.code] = copy
        self.check("copy_template", start)

    def deletion_of(self, subject: str) -> UUID:
        asked = DeletionQuery(subject=[subject], restored=False)
        page = self.portal.call(self.database.read, deletions.page, REPORTER, self.code, asked)
        found: UUID = page.items[0].id
        return found

    @precondition(Reporting.has_initiative)
    @rule(pick=picks, unit=places, year=years, served=areas, weight=weights,
          status=st.none() | statuses, kept=st.lists(plans, min_size=8, max_size=8),
          added=st.none() | st.lists(plans, max_size=2))  # fmt: skip
    def replace(
        self, pick: int, unit: str, year: int, served: frozenset[str], weight: int,
        status: str | None, kept: list[dict[str, Any]], added: list[dict[str, Any]] | None,
    ) -> None:  # fmt: skip
        """PUT: reported milestones stay with a new plan, of the others every second one goes."""
        initiative = self.initiative(pick)
        plan: dict[int, dict[str, Any]] = {}
        for number, milestone in sorted(initiative.milestones.items()):
            if milestone.reports or number % 2:
                plan[number] = kept[number % 8]
        given = [{"number": number, **planned} for number, planned in plan.items()]
        for planned in added or ():
            plan[max(plan, default=0) + 1] = planned
            given.append(planned)
        status_after, unit = status or initiative.status, self.world.heir(unit)
        after = Initiative(initiative.code, unit, year, initiative.status, weight, served)
        new = whole(after, None if added is None else given, status)
        arguments = (initiative.code, new, None)
        if not may_become(initiative, status_after):
            self.refused(StatusConflict, initiatives.replace, *arguments)
        else:
            _, is_new = self.write(initiatives.replace, *arguments)
            assert not is_new
            before = {n: m.baseline_due_on for n, m in initiative.milestones.items()}
            after.milestones, after.baselined = initiative.milestones, initiative.baselined
            if added is not None:
                after.milestones = {
                    number: self.replanned(initiative.milestones.get(number), number, planned)
                    for number, planned in plan.items()
                }
            moved = any(m.baseline_due_on != before.get(n) for n, m in after.milestones.items())
            if after.baselined and moved:
                after.baseline()
            after.become(status_after)
            self.world.initiatives[after.code] = after
        self.check("replace", *(planned["due_on"] for planned in plan.values()))

    @staticmethod
    def replanned(before: Milestone | None, number: int, planned: dict[str, Any]) -> Milestone:
        """A milestone with a new plan; its reports stay, and dropped it stays too."""
        if before is None:
            return Milestone(number, **planned)
        return Milestone(number, **planned, dropped=before.dropped, reports=before.reports)

    @rule(unit=places, parent=st.none() | places)
    def move_unit(self, unit: str, parent: str | None) -> None:
        target = self.world.heir(parent or self.code)
        arguments = (unit, UnitMove(parent=target), None)
        if unit in self.world.path(target):
            self.refused(UnitCycle, reorganising.move, *arguments)
        else:
            self.write(reorganising.move, *arguments)
            self.world.parents[unit] = target
        self.refused(RootUnit, reorganising.move, self.code, UnitMove(parent=unit), None)
        self.check("move_unit")

    @precondition(lambda self: len(self.world.merged) < MOST_MERGERS)
    @rule(unit=places, into=st.none() | places)
    def merge_unit(self, unit: str, into: str | None) -> None:
        target = self.world.heir(into or self.code)
        arguments = (unit, UnitMerge(into=target), None)
        if unit in self.world.merged:
            self.refused(UnitMerged, reorganising.merge, *arguments)
        elif unit in self.world.path(target):
            self.refused(UnitCycle, reorganising.merge, *arguments)
        else:
            self.write(reorganising.merge, *arguments)
            self.world.merge(unit, target)
            self.refused(Invalid, units.create, NewUnit(code="late", name="Late", parent=unit))
        self.check("merge_unit")


def test_every_history_gives_the_numbers_of_the_rules(configuration: Settings) -> None:
    with start_blocking_portal() as portal:
        database = portal.call(Database, configuration)
        database.session_info[CURSOR_KEY] = "a key of the tests"

        class Machine(Planning):
            pass

        Machine.database, Machine.portal, Machine.steps = database, portal, Counter()
        try:
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    derandomize=not GIVEN,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            portal.call(database.close)
        assert len(Machine.steps) >= MOST_KINDS, Machine.steps
