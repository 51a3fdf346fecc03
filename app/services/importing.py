"""A spreadsheet's plan, checked and applied: read → check → plan → apply by the verbs' own rules.

All of it is one transaction. Rows are created in bulk, as loaders do, and changed one by one; every
initiative has its event, and the ledger is written once, at the end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.errors import QuickwinError, StaleVersion
from app.given import portions
from app.models import Initiative, Unit
from app.models.base import code_key
from app.rollup import ledger
from app.schemas.imports import (
    MOST_FAULTS,
    Fate,
    FateCounts,
    ImportMode,
    NotedFault,
    Outcome,
)
from app.schemas.permissions import Permission
from app.schemas.plans import Plan
from app.services import (
    access,
    announcing,
    directory,
    events,
    importing_checks,
    importing_facts,
    initiatives,
    insertion,
    plans,
    tables,
    versions,
)
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.directory import Directory, Party
from app.services.importing_checks import Change, Creation, Verdict
from app.services.importing_facts import Facts, Names
from app.services.plans import Present, Replacement
from app.services.tables import Table
from app.spreadsheets import process

_AT_ONCE = 200
"""Rows that share statements."""
Progress = Callable[[int], None]
"""Is told how many rows are done; may raise, and nothing is written then."""


class RowRefused(Exception):
    """A verb refused a row that had been found good: nothing is to be written."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__()


def carry_out(
    session: Session,
    actor: Actor,
    institution: str,
    mode: ImportMode,
    content: bytes,
    progress: Progress,
) -> Outcome:
    """Check what was read of a spreadsheet and, on request, apply it if no row is wrong.

    Raises `RowRefused` where something came between the check and the writing.
    """
    is_applied = mode is ImportMode.APPLY
    lock = Lock.SHARED if is_applied else Lock.NONE
    scope = access.institution(session, actor, institution, lock)
    table = tables.understood(process.opened(content))
    facts = importing_facts.read(session, scope, [row.code for row in table.rows if row.code])
    verdict = importing_checks.judge(table, facts)
    if is_applied and not verdict.faults:
        _apply(session, actor, scope, table, facts, verdict, progress)
    return _outcome(table, verdict, [])


def _outcome(table: Table, verdict: Verdict, more: Iterable[NotedFault]) -> Outcome:
    faults = sorted([*verdict.faults, *more], key=lambda at: (at.row or 0, at.column or ""))
    wrong = {fault.row for fault in faults}
    fates = [
        fate.model_copy(update={"fate": Fate.ERROR}) if fate.row in wrong else fate
        for fate in verdict.fates
    ]
    counts = dict.fromkeys(Fate, 0)
    for fate in fates:
        counts[fate.fate] += 1
    return Outcome(
        counts=FateCounts(**{fate.value: number for fate, number in counts.items()}),
        total_faults=len(faults),
        formulas=table.formulas,
        rows=fates,
        faults=faults[:MOST_FAULTS],
    )


def _apply(
    session: Session,
    actor: Actor,
    scope: Scope,
    table: Table,
    facts: Facts,
    verdict: Verdict,
    progress: Progress,
) -> None:
    def refuse(row: int, error: QuickwinError) -> RowRefused:
        told = importing_checks.refused(error).told
        return RowRefused(_outcome(table, verdict, [table.fault(row, *each) for each in told]))

    done = 0
    with ledger.gathered(session, scope.id):
        known = _directory(scope, facts)
        for some in portions(verdict.creations, _AT_ONCE):
            try:
                _create(session, actor, scope, known, some)
            except QuickwinError as error:
                place = error.errors[0].pointer.split("/")[1] if error.errors else "0"
                error.errors = tuple(
                    at._replace(pointer=at.pointer.removeprefix(f"/{place}"))
                    for at in error.errors[:1]
                )
                raise refuse(some[int(place or 0)].row, error) from error
            done += len(some)
            progress(done)
        for changes in portions(verdict.changes, _AT_ONCE):
            rows = _locked(session, scope, changes)
            present = plans.present(session, scope, list(rows))
            with ledger.recorded(session, scope.id, *rows):
                for change in changes:
                    row = rows.get(change.standing.id)
                    try:
                        _change(session, actor, scope, change, row, present)
                    except QuickwinError as error:
                        raise refuse(change.row, error) from error
            done += len(changes)
            progress(done)


def _directory(scope: Scope, facts: Facts) -> Directory:
    """What new initiatives may refer to: what the actor sees."""

    def parties(names: Names) -> dict[str, Party]:
        return {key: Party(each.id, each.code, each.is_open) for key, each in names.by_code.items()}

    areas = {key: area.id for key, area in facts.areas.by_code.items()}
    return Directory(parties(facts.units), parties(facts.people), areas, scope.today(), {})


def _create(
    session: Session, actor: Actor, scope: Scope, known: Directory, some: Sequence[Creation]
) -> None:
    """Make some initiatives, as `initiatives.create` would make each of them."""
    unit_ids = {known.units[code_key(creation.new.unit)].id for creation in some}
    for unit_id in sorted(unit_ids):
        initiatives.may_change(session, scope, unit_id)
    planned = {
        known.units[code_key(creation.new.unit)].id for creation in some if creation.new.milestones
    }
    for unit_id in sorted(planned):
        access.require(session, scope, Permission.MILESTONES_CHANGE, unit_id)
    directory.check_codes(session, scope, Initiative, [creation.new.code for creation in some])
    # Kept by us while they are told of: the session alone would forget and read them again.
    units = list(session.scalars(access.visible(scope, Unit).where(Unit.id.in_(unit_ids))))

    def told(plan: Plan, row: dict[str, Any]) -> None:
        announcing.created(session, actor, scope, plan.initiative, row)

    batch = [Plan(creation.new, [], {}) for creation in some]
    insertion.insert_plans(session, scope, known, batch, told)
    units.clear()


def _locked(session: Session, scope: Scope, changes: Sequence[Change]) -> dict[UUID, Initiative]:
    """The initiatives of some changes, locked by id, as batches are."""
    ids = [change.standing.id for change in changes]
    found = session.scalars(
        access.visible(scope, Initiative)
        .where(Initiative.id.in_(ids))
        .order_by(Initiative.id)
        .with_for_update()
    )
    return {row.id: row for row in found}


def _change(
    session: Session,
    actor: Actor,
    scope: Scope,
    change: Change,
    row: Initiative | None,
    present: Mapping[UUID, Present],
) -> None:
    """Change one initiative, as `initiatives.change` and `replace` would."""
    if row is None:
        raise StaleVersion
    initiatives.may_change(session, scope, row.unit_id)
    versions.check(row, frozenset({change.standing.version}))
    told = change.changes.model_dump(mode="json", exclude_unset=True)
    replacement = None
    if change.plan is not None:
        access.require(session, scope, Permission.MILESTONES_CHANGE, row.unit_id)
        replacement = Replacement(present[row.id], change.plan)
    initiatives.apply(session, scope, row, change.changes, replacement)
    if change.plan is not None:
        told["milestones"] = [
            milestone.model_dump(mode="json", exclude_unset=True) for milestone in change.plan
        ]
    events.record(session, actor, scope.id, "initiative.changed", initiatives.subject(row), told)
