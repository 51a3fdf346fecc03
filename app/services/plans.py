"""An initiative's whole plan: the numbers of its milestones, and one plan in place of another."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

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


Present = Mapping[int, Milestone]
"""An initiative's milestones by their numbers; dropped ones too."""


def present(
    session: Session, scope: Scope, initiative_ids: Collection[UUID]
) -> dict[UUID, Present]:
    """The plans of some initiatives, as they are."""
    found: defaultdict[UUID, dict[int, Milestone]] = defaultdict(dict)
    for milestone in session.scalars(
        access.visible(scope, Milestone).where(Milestone.initiative_id.in_(initiative_ids))
    ):
        found[milestone.initiative_id][milestone.number] = milestone
    return {key: found[key] for key in initiative_ids}


class Replacement(NamedTuple):
    """A plan in place of the present one."""

    present: Present
    plan: Sequence[NewMilestone]


def replace(
    session: Session,
    actor: Actor,
    scope: Scope,
    row: Initiative,
    given: Replacement,
    reason: str | None,
) -> None:
    """Make an initiative's milestones the given ones, by number; raises `Invalid`.

    Those with a known number are changed, new ones added, and the others removed, but none that has
    reports. Where the plan has a baseline, what is left out of it stays in it, and what changes owes
    a reason.
    """
    present, plan = given
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
        if gone:
            session.flush()
        for i, (number, new) in enumerate(zip(numbered, plan, strict=True)):
            if number not in present:
                baselines.check_reason(row, new.reason or reason)
                as_numbered = new.model_copy(update={"number": number})
                milestones.add(session, scope, row.id, as_numbered, f"/milestones/{i}")
        live = {n: each.weight for n, each in present.items() if each.dropped_at is None}
        shares_change = live != {n: new.weight for n, new in zip(numbered, plan, strict=True)}
        for number, new in zip(numbered, plan, strict=True):
            if number in present:
                fields = _fields(row, new)
                differs = any(getattr(present[number], name) != fields[name] for name in fields)
                if not (differs or shares_change):
                    continue
                if why := new.reason or reason:
                    fields["reason"] = why
                changes = MilestoneChanges.model_construct(_fields_set=set(fields), **fields)
                milestones.apply(session, scope, row, present[number], changes)


def _fields(row: Initiative, new: NewMilestone) -> dict[str, Any]:
    """What makes a milestone that is there the given one."""
    fields = new.model_dump(exclude={"number", "reason"})
    if row.baseline is not None and "baseline_due_on" not in new.model_fields_set:
        del fields["baseline_due_on"]
    return fields
