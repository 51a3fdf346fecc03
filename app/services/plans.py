"""An initiative's whole plan: the numbers of its milestones, and one plan in place of another."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import Initiative, Milestone
from app.rollup import ledger
from app.schemas.milestones import MilestoneChanges, NewMilestone
from app.services import access, milestones
from app.services.access import Scope
from app.services.actors import Actor


def numbers(plan: Sequence[NewMilestone], pointer: str = "") -> list[int]:
    """Numbers of a whole plan's milestones; one that is left out is one more than all before it."""
    found: list[int] = []
    for i, new in enumerate(plan):
        number = new.number or max(found, default=0) + 1
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


def replace(
    session: Session,
    actor: Actor,
    scope: Scope,
    row: Initiative,
    present: Present,
    plan: Sequence[NewMilestone],
    reason: str | None,
) -> None:
    """Make an initiative's milestones the given ones, by number; raises `Invalid`.

    Those with a known number are changed, new ones added, and the others removed, but none that has
    reports.
    """
    numbered = numbers(plan)
    gone = present.keys() - set(numbered)
    if any(present[number].reports for number in gone):
        detail = "A milestone that has reports is missing; drop it with a reason first."
        raise Invalid.field("/milestones", "reported_milestone_missing", detail)
    with ledger.recorded(session, scope.id, row.id):
        for number in gone:
            milestones.take_away(session, actor, scope, row, present[number], reason)
        if gone:
            session.flush()
        for i, (number, new) in enumerate(zip(numbered, plan, strict=True)):
            if number not in present:
                given = new.model_copy(update={"number": number})
                milestones.add(session, scope, row.id, given, f"/milestones/{i}")
    live = {n: each.weight for n, each in present.items() if each.dropped_at is None}
    shares_change = live != {n: new.weight for n, new in zip(numbered, plan, strict=True)}
    for number, new in zip(numbered, plan, strict=True):
        if number in present:
            fields = new.model_dump(exclude={"number", "reason"})
            differs = any(getattr(present[number], name) != fields[name] for name in fields)
            if not (differs or shares_change):
                continue
            if new.reason is not None:
                fields["reason"] = new.reason
            changes = MilestoneChanges.model_construct(_fields_set=set(fields), **fields)
            milestones.apply(session, scope, row, present[number], changes)
