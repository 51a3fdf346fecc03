"""Reporting: what new reports change, by the same rules for a single report and for a batch.

What is there is read at once for all milestones; each report is then taken in memory, in order, as
if those before it were written; and what they have changed together is written at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.bulk import bulk_insert
from app.errors import Invalid, NotReportable
from app.given import Statement
from app.rollup import contribution, ledger, months
from app.rollup.contribution import COUNTED, Report
from app.rollup.course import Course, Kept, Moved
from app.schemas import updates as wire
from app.schemas.fields import InitiativeStatus
from app.services import events, proofs, updates, windows
from app.services import reporting_rows as rows
from app.services.access import Scope

_TOLD = set(wire.NewUpdate.model_fields)
"""What the event of a report tells, if it was given."""


class Target(NamedTuple):
    """A milestone that is reported on, and its initiative; the rows of both are locked."""

    initiative_id: UUID
    code: str
    unit_id: UUID
    year: int
    status: InitiativeStatus
    milestone_id: UUID
    number: int
    technique: str
    due_on: date
    baseline_due_on: date | None
    dropped_at: datetime | None
    share: int
    percent: int
    done_on: date | None
    reports: int


class Reporting:
    """Reports on milestones that are locked: `take` each in order, then `write`."""

    def __init__(
        self,
        session: Session,
        scope: Scope,
        asked: Sequence[tuple[Target, wire.NewUpdate]],
    ) -> None:
        """Read what taking these reports needs to know."""
        self._session, self._scope = session, scope
        windows.rely_on(session, scope)
        self._today = scope.today()
        self._rows: list[dict[str, Any]] = []
        self._known = self._read_known(asked)
        self._proofs = proofs.Proofs(session, scope, asked)
        self._moved = {target.milestone_id: (target, _course(target)) for target, _ in asked}
        self._read_reports(rows.LATEST, self._moved)
        self._read_reports(rows.ALL, self._deep(asked))
        self._entries: defaultdict[UUID, ledger.Entry] = defaultdict(ledger.Entry)

    def take(self, target: Target, new: wire.NewUpdate) -> tuple[wire.Update, bool]:
        """One report, and whether it is new; it counts for those that are taken after it.

        Raises `NotReportable` for a dropped milestone or a cancelled initiative, or a locked day,
        and `Invalid` for an effective date in the future.
        """
        identity = (target.milestone_id, new.source, new.external_id)
        if new.source is not None and identity in self._known:
            return updates.shape(self._known[identity], target.code, target.number), False
        day = self._day(new)
        self._check(target, day)
        _, course = self._moved[target.milestone_id]
        so_far = target._replace(reports=course.sequence)
        row = updates.columns(self._scope, so_far, new, day, course.held(day), self._scope.actor)
        self._proofs.take(target, new, row)
        steps = course.take(day, row["percent"])
        if target.status in COUNTED:
            self._entries[target.initiative_id].add_changes(steps)
        self._rows.append(row)

        address = f"{target.code}/milestones/{target.number}/updates/{row['id']}"
        told = new.model_dump(mode="json", include=_TOLD, exclude_unset=True)
        taken = SimpleNamespace(**row)
        made = updates.shape(taken, target.code, target.number)
        moved = {"before": made.previous_percent, "after": made.percent_complete}
        events.record(
            self._session,
            self._scope.actor,
            self._scope.id,
            "update.reported",
            events.Subject(row["id"], address),
            {**told, "effective_on": str(day)},
            unit_id=target.unit_id,
            changes={"percent_complete": moved},
        )
        if new.source is not None:
            self._known[identity] = taken
        return made, True

    def write(self) -> None:
        """Write the reports, the latest state of what they are on, and the ledger's differences."""
        if not self._rows:
            return
        session, scope_id = self._session, self._scope.id
        bulk_insert(session, rows.UPDATE, self._rows)
        self._proofs.write(session)
        moved = [(target, course.moved()) for target, course in self._moved.values() if course.new]
        states = [{"id": target.milestone_id, **now._asdict()} for target, now in moved]
        stamp = {"institution": scope_id, "at": self._rows[-1]["reported_at"]}
        rows.SET_MILESTONES.run(session, states, **stamp)
        rows.SET_INITIATIVES.run(session, self._standings(moved), **stamp)
        if self._entries:
            ledger.post(session, scope_id, self._differences())

    def _day(self, new: wire.NewUpdate) -> date:
        return new.effective_on or self._today

    def _check(self, target: Target, day: date) -> None:
        if target.dropped_at is not None:
            detail = "This milestone is dropped; bring it back before you report on it."
            raise NotReportable(detail)
        if target.status is InitiativeStatus.CANCELLED:
            raise NotReportable("This initiative is cancelled.")
        if day > self._today:
            detail = "Progress cannot be reported for a day that has not come."
            raise Invalid.field("/effective_on", "in_future", detail)

    def _read_known(
        self, asked: Sequence[tuple[Target, wire.NewUpdate]]
    ) -> dict[tuple[Any, ...], Any]:
        """Reports that are there already, by milestone, source and external id."""
        named = [
            {"milestone": target.milestone_id, "source": new.source, "name": new.external_id}
            for target, new in asked
            if new.source is not None
        ]
        if not named:
            return {}
        found = rows.KNOWN.run(self._session, named, institution=self._scope.id)
        return {(row.milestone_id, row.source, row.external_id): row for row in found}

    def _read_reports(self, statement: Statement, milestone_ids: Iterable[UUID]) -> None:
        asked = [{"milestone": key} for key in milestone_ids]
        if not asked:
            return
        found = statement.run(self._session, asked, institution=self._scope.id)
        for milestone_id, day, sequence, basis_points in found:
            _, course = self._moved[milestone_id]
            course.reports.add(Report(day, sequence, basis_points, verified=False))

    def _deep(self, asked: Sequence[tuple[Target, wire.NewUpdate]]) -> set[UUID]:
        """Milestones of which these reports need the whole history."""
        return {
            target.milestone_id
            for target, new in asked
            if self._moved[target.milestone_id][1].is_deep(
                self._day(new), updates.basis_points(new)
            )
        }

    def _standings(self, moved: Iterable[tuple[Target, Moved]]) -> list[dict[str, Any]]:
        """By how much what is kept of initiatives changes."""
        days: defaultdict[UUID, set[date]] = defaultdict(set)
        for row in self._rows:
            days[row["initiative_id"]].add(row["effective_on"])
        sums: dict[UUID, dict[str, Any]] = {}
        for target, now in moved:
            key = target.initiative_id
            reported = months.bits(target.year, days[key])
            nothing = {"earned": 0, "done": 0, "turned": 0, "months": reported, "new": 0}
            mine = sums.setdefault(key, {"id": key, **nothing})
            mine["earned"] += now.earned
            mine["done"] += now.done
            mine["turned"] += now.done_on != target.done_on
            mine["new"] += now.new
        return list(sums.values())

    def _differences(self) -> Iterator[tuple[ledger.Bucket, ledger.Entry]]:
        """What the own units of the initiatives that count get."""
        targets = {target.initiative_id: target for target, _ in self._moved.values()}
        asked = [{"initiative": key} for key in self._entries]
        areas: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for key, area_id in rows.AREAS.run(self._session, asked, institution=self._scope.id):
            areas[key].append(area_id)
        for key, entry in self._entries.items():
            target = targets[key]
            for bucket in ledger.buckets(target.unit_id, areas[key], target.year):
                yield bucket, entry


def _course(target: Target) -> Course:
    planned_on = target.baseline_due_on or target.due_on
    plan = contribution.Milestone(1, target.technique, target.due_on, planned_on, ())
    return Course(plan, Kept(target.share, target.percent, target.done_on, target.reports))
