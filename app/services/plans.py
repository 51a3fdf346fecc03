"""An initiative's whole plan: the numbers of its milestones, and one plan in place of another."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import Initiative, Milestone
from app.rollup import ledger
from app.schemas.milestones import HIGHEST_NUMBER, MilestoneChanges, NewMilestone
from app.services import access, baselines, milestones
from app.services.access import Scope
from app.services.actors import Actor


class _Numbered(Protocol):
    @property
    def number(self) -> int | None: ...


def numbers(plan: Sequence[_Numbered], pointer: str = "") -> list[int]:
    """Numbers of a whole plan's milestones; one that is left out is one more than all before it."""
    found: list[int] = []
    for i, new in enumerate(plan):
        number = new.number or max(found, default=0) + 1
        if number > HIGHEST_NUMBER:
            detail = "The highest number is in use; give one that is free."
            raise Invalid.field(f"{pointer}/milestones/{i}/number", "number_owed", detail)
        if number in found:
            at = f"{pointer}/milestones/{i}/number"
            raise Invalid.field(at, "number_taken", "This number is in use.")
        found.append(number)
    return found


def replace(
    session: Session,
    actor: Actor,
    scope: Scope,
    row: Initiative,
    plan: Sequence[NewMilestone],
    reason: str | None,
) -> None:
    """Make an initiative's milestones the given ones, by number; raises `Invalid`.

    Those with a known number are changed, new ones added, and the others removed, but none that has
    reports. Where the plan has a baseline, what is left out of it stays in it, and what changes owes
    a reason.
    """
    present = {
        milestone.number: milestone
        for milestone in session.scalars(
            access.visible(scope, Milestone).where(Milestone.initiative_id == row.id)
        )
    }
    numbered = numbers(plan)
    gone = present.keys() - set(numbered)
    if any(present[number].reports for number in gone):
        detail = "A milestone that has reports is missing; drop it with a reason first."
        raise Invalid.field("/milestones", "reported_milestone_missing", detail)
    if gone:
        baselines.check_reason(row, reason)
    with (
        baselines.followed(session, scope, row, reason),
        ledger.recorded(session, scope.id, row.id),
    ):
        for number in gone:
            milestones.take_away(session, actor, scope, row, present[number], reason)
        session.flush()
        for i, (number, new) in enumerate(zip(numbered, plan, strict=True)):
            if number not in present:
                baselines.check_reason(row, new.reason or reason)
                given = new.model_copy(update={"number": number})
                milestones.add(session, scope, row.id, given, f"/milestones/{i}")
        for number, new in zip(numbered, plan, strict=True):
            if number in present:
                changes = _changes(row, new, reason)
                milestones.apply(session, scope, row, present[number], changes)


def _changes(row: Initiative, new: NewMilestone, reason: str | None) -> MilestoneChanges:
    """What makes a milestone that is there the given one."""
    fields = new.model_dump(exclude={"number", "reason"})
    if row.baseline is not None and "baseline_due_on" not in new.model_fields_set:
        del fields["baseline_due_on"]
    if why := new.reason or reason:
        fields["reason"] = why
    return MilestoneChanges.model_construct(_fields_set=set(fields), **fields)
