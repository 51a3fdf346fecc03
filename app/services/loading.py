"""The bulk form of the verbs, for loaders: the same rules and the same arithmetic, many at once.

A batch is one transaction. What it refers to is resolved in a few statements, its rows go in by
table, its contributions are added up in memory, and each bucket of the ledger is written once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import bulk_insert
from app.errors import Invalid
from app.models import (
    Initiative,
    InitiativeArea,
    InitiativeOwner,
    InitiativeTag,
    Milestone,
    Person,
    ProgressUpdate,
    ReformArea,
    Unit,
)
from app.models.base import Base, code_key
from app.models.base import table as table_of
from app.rollup import contribution, facts, ledger
from app.rollup.contribution import Report
from app.schemas.fields import Verdict, Verification
from app.schemas.people import NewPerson
from app.schemas.plans import Plan, PlannedReport
from app.schemas.units import NewUnit
from app.services import access, events, initiatives, lifecycle, milestones, people, updates
from app.services import units as tree
from app.services.access import Actor, Lock, Scope

_CODES_AT_ONCE = 500


class Loaded(NamedTuple):
    """How much was loaded."""

    initiatives: int = 0
    milestones: int = 0
    updates: int = 0

    def plus(self, other: "Loaded") -> "Loaded":
        """Both together."""
        return Loaded(*(mine + more for mine, more in zip(self, other, strict=True)))


class _Party(NamedTuple):
    """A unit or person that plans refer to."""

    id: UUID
    name: str
    """Its code."""
    is_open: bool
    """Whether it takes new records: not archived, or active."""


class _Target(NamedTuple):
    initiative_id: UUID
    milestone_id: UUID
    reports: int


class _Known(NamedTuple):
    """What plans may refer to, by code."""

    units: dict[str, _Party]
    people: dict[str, _Party]
    areas: dict[str, UUID]
    today: date


def add_units(session: Session, actor: Actor, institution: str, new: Sequence[NewUnit]) -> None:
    """Add many units, parents first."""
    scope = access.institution(session, actor, institution, Lock.ALONE)
    for unit in new:
        tree.add(session, actor, scope, unit)


def add_people(session: Session, actor: Actor, institution: str, new: Sequence[NewPerson]) -> None:
    """Add many people."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    _check_codes(session, scope, Person, [person.code for person in new])
    known = _know(session, scope).units
    rows = [
        people.columns(
            scope,
            person,
            _open(known, person.unit, f"/{i}/unit", "unit").id if person.unit else None,
        )
        for i, person in enumerate(new)
    ]
    bulk_insert(session, table_of(Person), rows)
    for person, row in zip(new, rows, strict=True):
        subject = events.Subject(row["id"], person.code)
        events.record(session, actor, scope.id, "person.created", subject, person)


def add_plans(session: Session, actor: Actor, institution: str, batch: Sequence[Plan]) -> Loaded:
    """Add initiatives as they stand, with their milestones and reports.

    Raises what the single verbs raise, with pointers that begin with the place in the batch.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    _check_codes(session, scope, Initiative, [plan.initiative.code for plan in batch])
    known = _know(session, scope)
    rows: defaultdict[type[Base], list[dict[str, Any]]] = defaultdict(list)
    entries: ledger.Entries = {}
    for i, plan in enumerate(batch):
        initiative = _initiative_rows(rows, scope, known, plan, f"/{i}")
        fact, reports = _plan_rows(rows, scope, known, plan, initiative, f"/{i}")
        ledger.collect(entries, fact)
        subject = events.Subject(initiative["id"], initiative["code"])
        counts = {"milestones": len(plan.initiative.milestones or ()), "updates": reports}
        events.record(session, actor, scope.id, "initiative.loaded", subject, counts)
    for model in (
        Initiative, InitiativeArea, InitiativeOwner, InitiativeTag, Milestone, ProgressUpdate,
    ):  # fmt: skip
        bulk_insert(session, table_of(model), rows[model])
    ledger.post(session, scope.id, entries)
    return Loaded(len(batch), len(rows[Milestone]), len(rows[ProgressUpdate]))


def _initiative_rows(
    rows: dict[type[Base], list[dict[str, Any]]],
    scope: Scope,
    known: _Known,
    plan: Plan,
    pointer: str,
) -> dict[str, Any]:
    new = plan.initiative
    lifecycle.check_dates(new.start_on, new.due_on)
    unit = _open(known.units, new.unit, f"{pointer}/unit", "unit")
    row = initiatives.columns(scope, new, unit.id)
    lifecycle.check_owners(row["status"], new.owners)
    rows[Initiative].append(row)
    shared = {"institution_id": scope.id, "initiative_id": row["id"]}
    for area_id in _area_ids(known, new.areas, pointer):
        rows[InitiativeArea].append({**shared, "area_id": area_id})
    for place, owner in enumerate(new.owners):
        person = _open(known.people, owner.person, f"{pointer}/owners/{place}/person", "person")
        rows[InitiativeOwner].append({**shared, "person_id": person.id, "role": owner.role})
    for tag in dict.fromkeys(new.tags):
        rows[InitiativeTag].append({**shared, "tag": tag})
    return row


def _plan_rows(
    rows: dict[type[Base], list[dict[str, Any]]],
    scope: Scope,
    known: _Known,
    plan: Plan,
    initiative: dict[str, Any],
    pointer: str,
) -> tuple[facts.Fact, int]:
    """Rows of milestones and reports with all that is derived, and the fact for the ledger."""
    reports: defaultdict[int, list[PlannedReport]] = defaultdict(list)
    for report in plan.reports:
        reports[report.milestone].append(report)
    live: list[tuple[dict[str, Any], contribution.Milestone]] = []
    for number, new in enumerate(plan.initiative.milestones or (), start=1):
        row = milestones.columns(scope, initiative["id"], number, new)
        rows[Milestone].append(row)
        history: list[Report] = []
        for report in reports.pop(number, ()):
            at = f"{pointer}/milestones/{number - 1}"
            update = _report_row(scope, known, row, report, history, at)
            rows[ProgressUpdate].append(update)
            initiative["last_reported_at"] = update["reported_at"]
        row["reports"] = len(history)
        row["percent"], row["done_on"] = contribution.latest(history)
        row["verified"], _ = contribution.latest(r for r in history if r.verified)
        if number in plan.drops:
            row["dropped_at"] = row["updated_at"]
        else:
            planned_on = new.baseline_due_on or new.due_on
            live.append(
                (
                    row,
                    contribution.Milestone(
                        new.weight, new.technique, new.due_on, planned_on, history
                    ),
                )
            )
    if reports:
        raise Invalid.field(
            f"{pointer}/reports", "unknown_milestone", "There is no such milestone."
        )
    pure = contribution.Initiative(initiative["status"], initiative["weight"], [m for _, m in live])
    for (row, _), share in zip(live, contribution.shares(pure), strict=True):
        row["share"] = share
    fact = facts.Fact(
        initiative["id"],
        initiative["code"],
        initiative["unit_id"],
        list(_area_ids(known, plan.initiative.areas, pointer)),
        initiative["year"],
        pure,
        [],
    )
    return fact, len(plan.reports)


def _report_row(
    scope: Scope,
    known: _Known,
    milestone: dict[str, Any],
    report: PlannedReport,
    history: list[Report],
    pointer: str,
) -> dict[str, Any]:
    """A report's row; the report joins its milestone's history."""
    effective_on = report.update.effective_on or known.today
    if effective_on > known.today:
        detail = "Progress cannot be reported for a day that has not come."
        raise Invalid.field(f"{pointer}/effective_on", "in_future", detail)
    before = [earlier for earlier in history if earlier.effective_on <= effective_on]
    reporter = _open(known.people, report.reporter, f"{pointer}/reporter", "person")
    target = _Target(milestone["initiative_id"], milestone["id"], len(history))
    previous = max(before).basis_points if before else 0
    row = updates.columns(scope, target, report.update, effective_on, previous, reporter)
    if report.verdict is not None:
        row |= _verdict(known, report, row["reported_at"], pointer)
    is_verified = row["verification"] is Verification.VERIFIED
    history.append(Report(effective_on, row["sequence"], row["percent"], is_verified))
    return row


def _verdict(known: _Known, report: PlannedReport, at: datetime, pointer: str) -> dict[str, Any]:
    verifier = _open(known.people, report.verifier or "", f"{pointer}/verifier", "person")
    if verifier.name == report.reporter:
        detail = "A report is verified by somebody else than its reporter."
        raise Invalid.field(f"{pointer}/verifier", "own_report", detail)
    if report.verdict is Verdict.RETURNED and not report.verdict_note:
        detail = "A returned report owes a note that says why."
        raise Invalid.field(f"{pointer}/note", "note_owed", detail)
    return {
        "verification": Verification(report.verdict or Verification.REPORTED),
        "verified_by": verifier.name,
        "verified_at": at,
        "verification_note": report.verdict_note,
    }


def _know(session: Session, scope: Scope) -> _Known:
    units = session.execute(
        select(Unit.code_key, Unit.id, Unit.code, Unit.archived_at).where(
            access.within(scope, Unit)
        )
    )
    persons = session.execute(
        select(Person.code_key, Person.id, Person.code, Person.active).where(
            access.within(scope, Person)
        )
    )
    areas = session.execute(select(ReformArea.code_key, ReformArea.id))
    return _Known(
        {key: _Party(id_, code, archived_at is None) for key, id_, code, archived_at in units},
        {key: _Party(id_, code, active) for key, id_, code, active in persons},
        {key: area_id for key, area_id in areas},  # noqa: C416  dict() does not take rows' types
        scope.today(),
    )


def _open(known: dict[str, _Party], code: str, pointer: str, noun: str) -> _Party:
    found = known.get(code_key(code))
    if found is None:
        raise Invalid.field(pointer, f"unknown_{noun}", f"There is no such {noun}.")
    if not found.is_open:
        raise Invalid.field(pointer, f"closed_{noun}", f"This {noun} takes nothing new.")
    return found


def _area_ids(known: _Known, codes: Sequence[str], pointer: str) -> Iterator[UUID]:
    for place, code in enumerate(dict.fromkeys(map(code_key, codes))):
        if code not in known.areas:
            at = f"{pointer}/areas/{place}"
            raise Invalid.field(at, "unknown_area", "There is no such reform area.")
        yield known.areas[code]


def _check_codes(
    session: Session, scope: Scope, model: type[Initiative | Person], codes: Sequence[str]
) -> None:
    """Raise `Invalid` where a code comes twice or is taken."""
    places = {code_key(code): i for i, code in enumerate(codes)}
    taken: list[str] = []
    keys = list(places)
    for start in range(0, len(keys), _CODES_AT_ONCE):
        taken += session.scalars(
            select(model.code_key).where(
                access.within(scope, model),
                model.code_key.in_(keys[start : start + _CODES_AT_ONCE]),
            )
        )
    if taken or len(places) < len(codes):
        at = f"/{places[taken[0]]}/code" if taken else ""
        raise Invalid.field(at, "code_taken", "A code is in use already, or given twice.")
