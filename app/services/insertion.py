"""Plans inserted in bulk, by the rules of the single verbs: for loaders, imports and copies.

Rows go in by table, and what initiatives contribute is added up in memory.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.bulk import bulk_insert
from app.errors import Invalid
from app.models import (
    Designation,
    Initiative,
    InitiativeArea,
    InitiativeOwner,
    InitiativeStage,
    InitiativeTag,
    Milestone,
    ProgressUpdate,
)
from app.models.base import Base
from app.models.base import table as table_of
from app.rollup import contribution, facts, ledger, months
from app.rollup.contribution import Report
from app.schemas.fields import OwnerRole, Verdict, Verification
from app.schemas.plans import Plan, PlannedReport
from app.schemas.updates import FINDINGS, NewVerification
from app.services import (
    belongings,
    designation,
    directory,
    initiatives,
    lifecycle,
    links,
    milestones,
    plans,
    stage_links,
    updates,
    verification,
)
from app.services.access import Scope
from app.services.directory import Directory, Party


class Loaded(NamedTuple):
    """How much was loaded."""

    initiatives: int = 0
    milestones: int = 0
    updates: int = 0

    def plus(self, other: "Loaded") -> "Loaded":
        """Both together."""
        return Loaded(*(mine + more for mine, more in zip(self, other, strict=True)))


class _Target(NamedTuple):
    initiative_id: UUID
    milestone_id: UUID
    reports: int


def insert_plans(
    session: Session,
    scope: Scope,
    known: Directory,
    batch: Sequence[Plan],
    told: Callable[[Plan, dict[str, Any]], None],
) -> Loaded:
    """Insert checked plans within `ledger.gathered`; `told` records the event of each row.

    Raises what the single verbs raise, with pointers that begin with the place in the batch.
    """
    rows: defaultdict[type[Base], list[dict[str, Any]]] = defaultdict(list)
    linkable = links.Known(session, scope)
    for i, plan in enumerate(batch):
        initiative = _initiative_rows(rows, scope, known, plan, f"/{i}")
        links.gather(rows, linkable, initiative, plan.initiative, f"/{i}")
        ledger.gather(session, _plan_rows(rows, scope, known, plan, initiative, f"/{i}"))
        told(plan, initiative)
    inserted: tuple[type[Base], ...] = (
        Initiative, InitiativeArea, InitiativeOwner, InitiativeTag, InitiativeStage, Designation, *links.MODELS, Milestone,
        ProgressUpdate,
    )  # fmt: skip
    for model in inserted:
        bulk_insert(session, table_of(model), rows[model])
    return Loaded(len(batch), len(rows[Milestone]), len(rows[ProgressUpdate]))


def _initiative_rows(
    rows: dict[type[Base], list[dict[str, Any]]],
    scope: Scope,
    known: Directory,
    plan: Plan,
    pointer: str,
) -> dict[str, Any]:
    new = plan.initiative
    lifecycle.check_dates(new.start_on, new.due_on)
    unit = directory.open_party(known.units, new.unit, f"{pointer}/unit", "unit")
    row = initiatives.columns(scope, new, unit.id) | {"template_id": plan.template_id}
    lifecycle.check_owners(row["status"], new.owners)
    rows[Initiative].append(row)
    shared = {"institution_id": scope.id, "initiative_id": row["id"]}
    decree = directory.decree(known, new.decree, f"{pointer}/decree")
    if decreed := designation.of_new(scope, new, row["status"], decree):
        rows[Designation].append(designation.columns(scope, row["id"], decreed))
    for area_id in directory.area_ids(known, new.areas, pointer):
        rows[InitiativeArea].append({**shared, "area_id": area_id})
    held: dict[UUID, OwnerRole] = {}
    for place, owner in enumerate(new.owners):
        at = f"{pointer}/owners/{place}/person"
        person = directory.open_party(known.people, owner.person, at, "person")
        if person.id in held:
            raise belongings.repeated_owner(at)
        held[person.id] = owner.role
    rows[InitiativeOwner] += [
        {**shared, "person_id": person_id, "role": role} for person_id, role in held.items()
    ]
    for tag in dict.fromkeys(new.tags):
        rows[InitiativeTag].append({**shared, "tag": tag})
    rows[InitiativeStage] += stage_links.given(scope, row["id"], new.stages, known.stages, pointer)
    return row


def _plan_rows(
    rows: dict[type[Base], list[dict[str, Any]]],
    scope: Scope,
    known: Directory,
    plan: Plan,
    initiative: dict[str, Any],
    pointer: str,
) -> facts.Fact:
    """Rows of milestones and reports with all that is derived, and the fact for the ledger."""
    reports: defaultdict[int, list[PlannedReport]] = defaultdict(list)
    for report in plan.reports:
        reports[report.milestone].append(report)
    live: list[tuple[dict[str, Any], contribution.Milestone]] = []
    days: set[date] = set()
    planned = plan.initiative.milestones or ()
    numbers = plans.numbers(planned, pointer)
    for place, (number, new) in enumerate(zip(numbers, planned, strict=True)):
        row = milestones.columns(scope, initiative["id"], number, new)
        rows[Milestone].append(row)
        history: list[Report] = []
        for report in reports.pop(number, ()):
            at = f"{pointer}/milestones/{place}"
            update = _report_row(scope, known, row, report, history, at)
            rows[ProgressUpdate].append(update)
            days.add(update["effective_on"])
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
    for name, unknown in (("reports", reports), ("drops", plan.drops.keys() - set(numbers))):
        if unknown:
            detail = "There is no such milestone."
            raise Invalid.field(f"{pointer}/{name}", "unknown_milestone", detail)
    pure = contribution.Initiative(
        initiative["status"],
        initiative["weight"],
        [milestone for _, milestone in live],
        reported_months=months.bits(initiative["year"], days),
    )
    states = contribution.states(pure)
    standing = contribution.standing(pure, states, known.today)
    initiative |= standing._asdict()
    for (row, _), state in zip(live, states, strict=True):
        row["share"] = state.share
    return facts.Fact(
        initiative["id"],
        initiative["code"],
        initiative["unit_id"],
        list(directory.area_ids(known, plan.initiative.areas, pointer)),
        initiative["year"],
        pure,
        standing,
        [],
    )


def _report_row(
    scope: Scope,
    known: Directory,
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
    reporter = directory.open_party(known.people, report.reporter, f"{pointer}/reporter", "person")
    target = _Target(milestone["initiative_id"], milestone["id"], len(history))
    previous = max(before).basis_points if before else 0
    row = updates.columns(scope, target, report.update, effective_on, previous, reporter)
    if report.verdict is not None:
        row |= _verdict(known, report, report.verdict, reporter, row["reported_at"], pointer)
    is_verified = row["verification"] is Verification.VERIFIED
    history.append(Report(effective_on, row["sequence"], row["percent"], is_verified))
    return row


def _verdict(
    known: Directory,
    report: PlannedReport,
    verdict: Verdict,
    reporter: Party,
    at: datetime,
    pointer: str,
) -> dict[str, Any]:
    verifier = directory.open_party(
        known.people, report.verifier or "", f"{pointer}/verifier", "person"
    )
    if verifier.id == reporter.id:
        detail = "A report is verified by somebody else than its reporter."
        raise Invalid.field(f"{pointer}/verifier", "own_report", detail)
    findings = dict(zip(FINDINGS, report.findings, strict=False))
    found = NewVerification(verdict=verdict, note=report.verdict_note, **findings)
    verification.check_note(found.verdict, found.note, f"{pointer}/note")
    return {
        "verification": Verification(found.verdict.value),
        "verified_by": verifier.name,
        "verified_at": at,
        "verification_note": found.note,
        "verifications": [updates.given(found, verifier.name, at)],
    }
