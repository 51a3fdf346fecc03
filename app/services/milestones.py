"""Milestones: an initiative's plan. Every change keeps the roll-up in the same transaction."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.keyset import Key, paginate
from app.messages import said
from app.models import Initiative, Milestone
from app.models.base import new_id, now, refers
from app.rollup import ledger
from app.rollup.points import FULL, POINTS_PER_WEIGHT, percent
from app.schemas import milestones as wire
from app.schemas.fields import MilestoneStatus
from app.schemas.pages import ChangesPaging, Page
from app.schemas.permissions import Permission
from app.services import access, baselines, deletions, events, naming, slippage, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.deletions import Doomed
from app.services.versions import Expected

_PLANNED = {"weight", "technique", "due_on", "baseline_due_on", "status"}
"""Fields that move the roll-up."""
_BASELINED = {"weight", "due_on", "baseline_due_on", "status"}
"""Fields that owe a reason once there is a baseline."""


def create(
    session: Session, actor: Actor, institution: str, initiative: str, new: wire.NewMilestone
) -> wire.Milestone:
    """Add a milestone to an initiative; its siblings' shares shrink."""
    scope, parent = changing(session, actor, institution, initiative)
    baselines.check_reason(parent, new.reason)
    with (
        baselines.followed(session, scope, parent, new.reason),
        ledger.recorded(session, scope.id, parent.id),
    ):
        row = add(session, scope, parent.id, new)
        versions.touch(parent)
    touch_siblings(session, scope, row)
    events.record(session, actor, scope.id, "milestone.created", subject(parent, row), new)
    session.refresh(row)
    return shape(row, parent.weight, scope.today())


def add(
    session: Session, scope: Scope, initiative_id: UUID, new: wire.NewMilestone, pointer: str = ""
) -> Milestone:
    """Add a milestone within `ledger.recorded`; raises `Invalid` below `pointer`."""
    highest = check_room(session, scope, initiative_id)
    if new.number is not None and is_taken(session, scope, initiative_id, new.number):
        raise Invalid.field(f"{pointer}/number", "number_taken", "This number is in use.")
    number = new.number or highest + 1
    if number > wire.HIGHEST_NUMBER:
        detail = "The highest number is in use; give one that is free."
        raise Invalid.field(f"{pointer}/number", "number_owed", detail)
    row = Milestone(**columns(scope, initiative_id, number, new))
    session.add(row)
    session.flush()
    return row


def check_room(session: Session, scope: Scope, initiative_id: UUID) -> int:
    """Raise `Conflict` where an initiative takes no further milestone; answers its highest number."""
    highest, count = session.execute(
        select(func.max(Milestone.number), func.count()).where(
            access.within(scope, Milestone), Milestone.initiative_id == initiative_id
        )
    ).one()
    if count >= wire.MOST_MILESTONES:
        detail = said("An initiative has at most {most} milestones.", most=wire.MOST_MILESTONES)
        raise Conflict(detail)
    return highest or 0


def columns(
    scope: Scope, initiative_id: UUID, number: int, new: wire.NewMilestone
) -> dict[str, Any]:
    """A new milestone's row, without share and reports."""
    at = now()
    return {
        "institution_id": scope.id,
        "id": new_id(),
        "initiative_id": initiative_id,
        "number": number,
        "title": new.title,
        "description": new.description,
        "weight": new.weight,
        "technique": new.technique,
        "due_on": new.due_on,
        "baseline_due_on": new.baseline_due_on,
        "dropped_at": None,
        "share": 0,
        "percent": 0,
        "verified": 0,
        "done_on": None,
        "reports": 0,
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }


def change(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    number: int,
    changes: wire.MilestoneChanges,
    expected: Expected,
) -> wire.Milestone:
    """Change, drop or bring back a milestone."""
    scope, parent = changing(session, actor, institution, initiative)
    row = find(session, scope, parent.id, number)
    versions.check(row, expected)
    weighed = (row.weight, row.dropped_at is None)
    with baselines.followed(session, scope, parent, changes.reason):
        apply(session, scope, parent, row, changes)
    if (row.weight, row.dropped_at is None) != weighed:
        touch_siblings(session, scope, row)
    versions.touch(parent)
    events.record(session, actor, scope.id, "milestone.changed", subject(parent, row), changes)
    session.flush()
    session.refresh(row)
    return shape(row, parent.weight, scope.today())


def apply(
    session: Session,
    scope: Scope,
    parent: Initiative,
    row: Milestone,
    changes: wire.MilestoneChanges,
) -> None:
    """Apply checked changes to a milestone of a locked initiative, with its roll-up."""
    given = {name: getattr(changes, name) for name in changes.model_fields_set - {"reason"}}
    status = given.pop("status", None)
    drops = status is MilestoneStatus.DROPPED and row.dropped_at is None
    revives = status is MilestoneStatus.PENDING and row.dropped_at is not None
    if status is not None and not (drops or revives) and status is not status_of(row):
        detail = "The status follows the reports; only dropped and pending can be set."
        raise Invalid.field("/status", "status_is_computed", detail)
    changed = {name for name, value in given.items() if getattr(row, name) != value}
    if drops or revives:
        changed.add("status")
    is_held = row.baseline_due_on is not None or parent.baseline is not None
    if changes.reason is MISSING and (drops or (is_held and changed & _BASELINED)):
        raise Invalid.field("/reason", "reason_owed", "This change owes a reason.")

    def assign() -> None:
        for name, value in given.items():
            setattr(row, name, value)
        if drops:
            row.dropped_at, row.share = now(), 0
        elif revives:
            row.dropped_at = None
        versions.touch(row)

    if changed & _PLANNED:
        with ledger.recorded(session, scope.id, parent.id):
            assign()
    else:
        assign()


def take_away(
    session: Session,
    actor: Actor,
    scope: Scope,
    parent: Initiative,
    row: Milestone,
    reason: str | None,
) -> None:
    """Delete a milestone within `ledger.recorded`; it can be restored."""
    doomed = Doomed(row, subject(parent, row), row.title, parent.unit_id)
    deletions.keep(session, actor, scope, doomed, reason)
    session.delete(row)


def touch_siblings(session: Session, scope: Scope, row: Milestone) -> None:
    """Count a change of the live milestones whose shares shrink or grow with this one."""
    versions.touch_all(
        session,
        Milestone,
        access.within(scope, Milestone),
        Milestone.initiative_id == row.initiative_id,
        Milestone.id != row.id,
        Milestone.dropped_at.is_(None),
    )


def get(
    session: Session, actor: Actor, institution: str, initiative: str, number: int
) -> tuple[wire.Milestone, bool]:
    """One milestone, and whether it changed today: older numbers may differ by the date alone."""
    scope = access.institution(session, actor, institution)
    row = session.execute(_of(scope, initiative).where(Milestone.number == number)).one_or_none()
    if row is None:
        raise NotFound
    today = scope.today()
    return shape(*row, today), scope.day_of(row[0].updated_at) == today


def page(
    session: Session, actor: Actor, institution: str, initiative: str, paging: ChangesPaging
) -> Page[wire.Milestone]:
    """The milestones of an initiative, by number; dropped ones too."""
    scope = access.institution(session, actor, institution)
    access.find(session, scope, Initiative, initiative)
    keys = [Key(Milestone.number, descending=False)]
    statement = _of(scope, initiative)
    if paging.updated_since is not None:
        statement = statement.where(Milestone.updated_at >= paging.updated_since)
    found = paginate(session, statement, keys, paging)
    return found.page([shape(row[0], row[1], scope.today()) for row in found.rows])


def plan(session: Session, scope: Scope, initiative: Initiative) -> list[wire.Milestone]:
    """All milestones of an initiative, by number."""
    rows = session.scalars(
        access.visible(scope, Milestone)
        .where(Milestone.initiative_id == initiative.id)
        .order_by(Milestone.number)
    )
    today = scope.today()
    return [shape(row, initiative.weight, today) for row in rows]


def status_of(row: Milestone) -> MilestoneStatus:
    """A milestone's status, as its reports say."""
    if row.dropped_at is not None:
        return MilestoneStatus.DROPPED
    if row.percent == FULL:
        return MilestoneStatus.DONE
    return MilestoneStatus.IN_PROGRESS if row.percent else MilestoneStatus.PENDING


def shape(row: Milestone, initiative_weight: int, today: date) -> wire.Milestone:
    """A milestone as it is answered."""
    is_late = row.dropped_at is None and row.percent < FULL and row.due_on < today
    return wire.Milestone(
        id=row.id,
        number=row.number,
        title=row.title,
        description=row.description,
        weight=row.weight,
        technique=row.technique,
        due_on=row.due_on,
        percent_complete=row.percent / 100,
        percent_verified=row.verified / 100,
        status=status_of(row),
        done_on=row.done_on,
        share=percent(row.share, initiative_weight * POINTS_PER_WEIGHT),
        overdue_days=(today - row.due_on).days if is_late else 0,
        reports=row.reports,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        **slippage.of_milestone(row),
    )


def _of(scope: Scope, initiative: str) -> Select[Milestone, int]:
    return (
        access.visible(scope, Milestone)
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .where(naming.named(Initiative, initiative))
        .add_columns(Initiative.weight)
    )


def changing(
    session: Session, actor: Actor, institution: str, initiative: str
) -> tuple[Scope, Initiative]:
    """The initiative whose plan the actor may change, locked."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    parent = access.find(session, scope, Initiative, initiative, lock=True)
    access.require(session, scope, Permission.MILESTONES_CHANGE, parent.unit_id)
    return scope, parent


def find(session: Session, scope: Scope, initiative_id: UUID, number: int) -> Milestone:
    """A milestone of a locked initiative, locked too; raises `NotFound`."""
    row = session.scalars(
        access.visible(scope, Milestone)
        .where(Milestone.initiative_id == initiative_id, Milestone.number == number)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def is_taken(session: Session, scope: Scope, initiative_id: UUID, number: int) -> bool:
    """Whether an initiative has a milestone of this number."""
    taken = select(Milestone.id).where(
        access.within(scope, Milestone),
        Milestone.initiative_id == initiative_id,
        Milestone.number == number,
    )
    return session.execute(taken).first() is not None


def subject(parent: Initiative, row: Milestone) -> events.Subject:
    """What an event about a milestone names."""
    return events.Subject(row.id, f"{parent.code}/milestones/{row.number}")
