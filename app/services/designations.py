"""Designations: many initiatives made active by one decree, each by the rules of a single change.

What is there is read at once for all; each item is then judged in memory, and what they change is
written at once. So the statements do not grow with the items, but for one for each that comes back
from being closed, whose verdict lapses.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import or_
from sqlalchemy.orm import Session

from app.errors import Forbidden, Invalid, NotFound, QuickwinError
from app.models import Decree, Initiative
from app.rollup import ledger
from app.rollup.contribution import COUNTED
from app.schemas import designations as wire
from app.schemas.batches import Refused
from app.schemas.designations import DesignationItem
from app.schemas.fields import InitiativeStatus, OwnerRole
from app.schemas.initiatives import InitiativeChanges
from app.schemas.permissions import Permission
from app.schemas.problems import Problem, Say
from app.services import (
    access,
    baselines,
    belongings,
    designation,
    events,
    initiatives,
    judgements,
    lifecycle,
    naming,
    plans,
    progress,
    rights,
    versions,
)
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.designation import Settled

_ACTIVE = InitiativeStatus.ACTIVE


def designate(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    new: wire.NewDesignations,
    say: Say = str,
) -> wire.Designations:
    """Make initiatives active by a decree, in one transaction; answers what became of each.

    An item is refused for what `initiatives.change` raises, or for its form, and the others are
    taken. What is active by this decree already stays as it is. Raises `Invalid` with the places of
    all that are refused, when all or none is asked for. `say` is as in `progress.report_batch`.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    decree = access.find(session, scope, Decree, key)
    settled = designation.by(scope, decree, new.designated_on)
    desk = _Desk(session, scope, settled, new)
    outcomes = [desk.serve(index, item) for index, item in enumerate(new.items)]
    if new.atomic:
        progress.insist_on_all(outcomes)
    _write(session, scope, settled, [o for o in outcomes if isinstance(o, _Step) and o.changed])
    return _answer(outcomes, settled, session.info.get(events.REQUEST_ID), say)


class _Step(NamedTuple):
    """An initiative that is to be active by the decree."""

    row: Initiative
    was: InitiativeStatus
    before: Settled | None
    owners: Sequence[tuple[UUID, OwnerRole]] | None
    """Null: those that it has."""
    changes: InitiativeChanges
    """The single change that it amounts to."""
    changed: bool


_Outcome = _Step | QuickwinError


class _Desk:
    """Where the items are taken or refused, one after the other."""

    def __init__(
        self, session: Session, scope: Scope, settled: Settled, new: wire.NewDesignations
    ) -> None:
        self._session, self._scope, self._settled, self._new = session, scope, settled, new
        items = [item for item in new.items if isinstance(item, DesignationItem)]
        self._rows = _locked(session, scope, items)
        rows = {row.id: row for row in self._rows.values()}
        units = frozenset(row.unit_id for row in rows.values())
        permission = Permission.INITIATIVES_CHANGE
        _, self._held = rights.sort_out(session, scope.actor, scope.id, permission, units)
        self._standing = designation.standing(session, scope, list(rows))
        self._owners = belongings.present(session, scope, list(rows))
        given = [owner for item in items if item.owners is not MISSING for owner in item.owners]
        self._people = belongings.people(session, scope, [owner.person for owner in given])
        self._taken: set[UUID] = set()

    def serve(self, index: int, item: DesignationItem | Invalid) -> _Outcome:
        """What becomes of an item; what is wrong has its place among them."""
        try:
            if isinstance(item, Invalid):
                raise item
            return self._step(item)
        except QuickwinError as error:
            return error.below(f"/items/{index}")

    def _step(self, item: DesignationItem) -> _Step:
        row = self._rows.get(naming.key_of(item.initiative))
        if row is None:
            raise NotFound
        if row.unit_id not in self._held:
            raise Forbidden
        if row.id in self._taken:
            detail = "An item before this one names the same initiative."
            raise Invalid.field("/initiative", "repeated_initiative", detail)
        self._taken.add(row.id)
        changes = self._changes(item)
        if row.status is not _ACTIVE:
            has_reason = changes.reason is not MISSING
            lifecycle.check_transition(row.status, _ACTIVE, (), has_reason=has_reason)
        owners = self._new_owners(row, item)
        before = self._standing.get(row.id)
        changed = row.status is not _ACTIVE or before != self._settled or owners is not None
        return _Step(row, row.status, before, owners, changes, changed)

    def _new_owners(
        self, row: Initiative, item: DesignationItem
    ) -> list[tuple[UUID, OwnerRole]] | None:
        """The owners that it gets; None where it keeps those that it has."""
        present = self._owners[row.id]
        if item.owners is MISSING:
            if row.status is not _ACTIVE:
                lifecycle.check_has_accountable(_ACTIVE, [role for _, role in present])
            return None
        lifecycle.check_owners(_ACTIVE, item.owners)
        owners = belongings.may_own(self._session, self._scope, item.owners, present, self._people)
        there = {(person_id, role) for (_, role), person_id in present.items()}
        return None if set(owners) == there else owners

    def _changes(self, item: DesignationItem) -> InitiativeChanges:
        changes: dict[str, Any] = {"status": _ACTIVE, "decree": self._settled.decree}
        given = {
            "designated_on": self._new.designated_on,
            "owners": None if item.owners is MISSING else item.owners,
            "reason": self._new.reason if item.reason is MISSING else item.reason,
        }
        changes |= {name: value for name, value in given.items() if value is not None}
        return InitiativeChanges.model_construct(_fields_set=set(changes), **changes)


def _locked(
    session: Session, scope: Scope, items: Sequence[DesignationItem]
) -> dict[UUID | str, Initiative]:
    """The initiatives that the actor sees, by id and by code; locked by id, as batches are."""
    keys = {naming.key_of(item.initiative) for item in items}
    ids = [key for key in keys if isinstance(key, UUID)]
    codes = [key for key in keys if isinstance(key, str)]
    found = session.scalars(
        access.visible(scope, Initiative)
        .where(or_(Initiative.id.in_(ids), Initiative.code_key.in_(codes)))
        .order_by(Initiative.id)
        .with_for_update()
    )
    return {key: row for row in found for key in (row.id, row.code_key)}


def _write(session: Session, scope: Scope, settled: Settled, steps: Sequence[_Step]) -> None:
    ids = [step.row.id for step in steps]
    present = plans.present(session, scope, ids)
    with ledger.recorded(session, scope.id, *ids):
        designation.put_all(session, scope, {s.row.id: s.before for s in steps}, settled)
        given = {s.row.id: s.owners for s in steps if s.owners is not None}
        belongings.hand_over(session, scope, given)
        for row in (step.row for step in steps):
            judgements.lapse(session, scope, row, _ACTIVE)
            row.status, row.cancelled_on = _ACTIVE, None
            versions.touch(row)
    for step in steps:
        if step.was not in COUNTED:
            plan = [milestone for _, milestone in sorted(present[step.row.id].items())]
            baselines.take_first(session, scope, step.row, plan)
        subject = initiatives.subject(step.row)
        events.record(session, scope.actor, scope.id, "initiative.changed", subject, step.changes)
    session.flush()


def _answer(
    outcomes: Sequence[_Outcome], settled: Settled, request_id: str | None, say: Say
) -> wire.Designations:
    results: list[wire.Designated | Refused] = []
    summary = dict.fromkeys(wire.DesignationSummary.model_fields, 0)
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, QuickwinError):
            problem = Problem.of(outcome, request_id).told(outcome, say)
            results.append(Refused(index=index, status=problem.status, problem=problem))
            summary["failed"] += 1
            continue
        results.append(
            wire.Designated(
                index=index,
                status=200,
                initiative=outcome.row.code,
                designated_on=settled.designated_on,
                baseline=outcome.row.baseline,
                version=outcome.row.version,
                changed=outcome.changed,
            )
        )
        summary["designated" if outcome.changed else "unchanged"] += 1
    return wire.Designations(results=results, summary=wire.DesignationSummary(**summary))
