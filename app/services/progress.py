"""Progress: reports on milestones, the verb that is called most."""

from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, literal, select, union_all, update
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound, NotReportable
from app.models import Initiative, InitiativeArea, Milestone, ProgressUpdate
from app.models.base import table as table_of
from app.models.milestones import parent_of_milestone
from app.rollup import contribution, ledger
from app.rollup.contribution import COUNTED, Contribution, Report, Totals
from app.rollup.points import FULL
from app.schemas import updates as wire
from app.schemas.fields import InitiativeStatus
from app.schemas.permissions import Permission
from app.services import access, events, updates
from app.services.access import Lock, Scope
from app.services.actors import Actor


def report(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    number: int,
    new: wire.NewUpdate,
) -> tuple[wire.Update, bool]:
    """Report progress on a milestone; answers the report, and whether it is new.

    A report with a known `source` and `external_id` is not new: it answers the one that is there.
    Raises `NotReportable` for a dropped milestone or a cancelled initiative, and `Invalid` for an
    effective date in the future.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    run = session.connection().execute  # below the ORM: this is the verb that is called most
    key = access.key_of(initiative)
    target = run(
        _TARGETS[isinstance(key, UUID)],
        {"institution": scope.id, "key": key, "number": number},
    ).one_or_none()
    if target is None or not access.sees(session, scope, target.unit_id):
        raise NotFound
    access.require(session, scope, Permission.UPDATES_REPORT, target.unit_id)
    known = _known(session, scope, target.milestone_id, new)
    if known is not None:
        return updates.shape(known, target.code, number), False
    effective_on = _effective_on(scope, target, new)

    before, after = _neighbours(session, scope, target.milestone_id, effective_on)
    row = updates.columns(
        scope, target, new, effective_on, before.basis_points if before else 0, actor
    )
    run(_INSERT, row)
    _keep_current(session, scope, target, row, before, after)
    if target.status in COUNTED:
        mine = Report(effective_on, row["sequence"], row["percent"], verified=False)
        around = [neighbour for neighbour in (before, after) if neighbour]
        _post(session, scope, target, around, [*around, mine])

    subject = events.Subject(row["id"], f"{target.code}/milestones/{number}/updates/{row['id']}")
    data = {**new.model_dump(mode="json", exclude_unset=True), "effective_on": str(effective_on)}
    reported = updates.shape(SimpleNamespace(**row), target.code, number)
    moved = {"before": reported.previous_percent, "after": reported.percent_complete}
    events.record(
        session,
        actor,
        scope.id,
        "update.reported",
        subject,
        data,
        unit_id=target.unit_id,
        changes={"percent_complete": moved},
    )
    return reported, True


_TARGET = (
    select(
        Initiative.id.label("initiative_id"),
        Initiative.code,
        Initiative.unit_id,
        Initiative.year,
        Initiative.status,
        Milestone.id.label("milestone_id"),
        Milestone.technique,
        Milestone.due_on,
        Milestone.baseline_due_on,
        Milestone.dropped_at,
        Milestone.share,
        Milestone.percent,
        Milestone.done_on,
        Milestone.reports,
    )
    .join(Initiative, parent_of_milestone())
    .where(
        Milestone.institution_id == bindparam("institution"),
        Initiative.institution_id == bindparam("institution"),
        Milestone.number == bindparam("number"),
    )
    .with_for_update()
)
_TARGETS = {
    True: _TARGET.where(Initiative.id == bindparam("key")),
    False: _TARGET.where(Initiative.code_key == bindparam("key")),
}
_INSERT = insert(table_of(ProgressUpdate))
_SET_MILESTONE = (
    update(table_of(Milestone))
    .where(
        Milestone.institution_id == bindparam("institution"), Milestone.id == bindparam("milestone")
    )
    .values(
        percent=bindparam("current"),
        done_on=bindparam("since"),
        reports=Milestone.reports + 1,
        version=Milestone.version + 1,
        updated_at=bindparam("at"),
    )
)
_SET_INITIATIVE = (
    update(table_of(Initiative))
    .where(
        Initiative.institution_id == bindparam("institution"),
        Initiative.id == bindparam("initiative"),
    )
    .values(
        last_reported_at=bindparam("at"),
        earned=Initiative.earned + bindparam("more_earned"),
        done=Initiative.done + bindparam("more_done"),
        version=Initiative.version + 1,
        updated_at=bindparam("at"),
    )
)
_AREAS = (
    select(InitiativeArea.area_id)
    .where(
        InitiativeArea.institution_id == bindparam("institution"),
        InitiativeArea.initiative_id == bindparam("initiative"),
    )
    .order_by(InitiativeArea.area_id)
)


def _known(
    session: Session, scope: Scope, milestone_id: UUID, new: wire.NewUpdate
) -> ProgressUpdate | None:
    if new.source is None:
        return None
    return session.scalars(
        select(ProgressUpdate).where(
            access.within(scope, ProgressUpdate),
            ProgressUpdate.milestone_id == milestone_id,
            ProgressUpdate.source == new.source,
            ProgressUpdate.external_id == new.external_id,
        )
    ).one_or_none()


def _effective_on(scope: Scope, target: Row[*tuple[Any, ...]], new: wire.NewUpdate) -> date:
    if target.dropped_at is not None:
        detail = "This milestone is dropped; bring it back before you report on it."
        raise NotReportable(detail)
    if target.status is InitiativeStatus.CANCELLED:
        detail = "This initiative is cancelled."
        raise NotReportable(detail)
    today = scope.today()
    if new.effective_on is not None and new.effective_on > today:
        detail = "Progress cannot be reported for a day that has not come."
        raise Invalid.field("/effective_on", "in_future", detail)
    return new.effective_on or today


_OF_MILESTONE = (
    ProgressUpdate.institution_id == bindparam("institution"),
    ProgressUpdate.milestone_id == bindparam("milestone"),
)
_REPORT = (ProgressUpdate.effective_on, ProgressUpdate.sequence, ProgressUpdate.percent)
_BEFORE = (
    select(literal(0).label("side"), *_REPORT)
    .where(*_OF_MILESTONE, ProgressUpdate.effective_on <= bindparam("day"))
    .order_by(ProgressUpdate.effective_on.desc(), ProgressUpdate.sequence.desc())
    .limit(1)
    .subquery("before")
)
_AFTER = (
    select(literal(1).label("side"), *_REPORT)
    .where(*_OF_MILESTONE, ProgressUpdate.effective_on > bindparam("day"))
    .order_by(ProgressUpdate.effective_on, ProgressUpdate.sequence.desc())
    .limit(1)
    .subquery("after")
)
_NEIGHBOURS = union_all(select(_BEFORE), select(_AFTER))


def _neighbours(
    session: Session, scope: Scope, milestone_id: UUID, day: date
) -> tuple[Report | None, Report | None]:
    """The report that holds on a day, and the one that takes over after it."""
    sides: list[Report | None] = [None, None]
    asked = {"institution": scope.id, "milestone": milestone_id, "day": day}
    for side, *numbers in session.connection().execute(_NEIGHBOURS, asked):
        sides[side] = _report(numbers)
    return sides[0], sides[1]


def _report(numbers: Sequence[Any]) -> Report:
    effective_on, sequence, basis_points = numbers
    return Report(effective_on, sequence, basis_points, verified=False)


def _keep_current(
    session: Session,
    scope: Scope,
    target: Row[*tuple[Any, ...]],
    row: dict[str, Any],
    before: Report | None,
    after: Report | None,
) -> None:
    """Keep what is stored of the milestone's latest state, and note the report on its initiative."""
    day, current = row["effective_on"], row["percent"]
    was_done = before is not None and before.basis_points == FULL
    # A day that is corrected to 100 % may close a gap: only the history says since when it is done.
    closes = current == FULL and not was_done and before is not None and before.effective_on == day
    if after is None and not closes:
        since = (target.done_on if was_done else day) if current == FULL else None
    else:
        # What held before a corrected report, or behind a back-dated one, only the history says.
        history = session.execute(
            select(*_REPORT).where(*_OF_MILESTONE),
            {"institution": scope.id, "milestone": target.milestone_id},
        )
        current, since = contribution.latest(_report(row) for row in history)
    connection = session.connection()
    stamp = {"institution": scope.id, "at": row["reported_at"]}
    connection.execute(
        _SET_MILESTONE,
        {**stamp, "milestone": target.milestone_id, "current": current, "since": since},
    )
    counts = [contribution.earned(target.technique, bp) for bp in (target.percent, current)]
    moved = {
        "initiative": target.initiative_id,
        "more_earned": target.share * (counts[1] - counts[0]),
        "more_done": int(current == FULL) - int(target.percent == FULL),
    }
    connection.execute(_SET_INITIATIVE, {**stamp, **moved})


def _post(
    session: Session,
    scope: Scope,
    target: Row[*tuple[Any, ...]],
    before: list[Report],
    after: list[Report],
) -> None:
    """Write what the report changes: the milestone's curve around it, after less before."""
    found = session.connection().execute(
        _AREAS, {"institution": scope.id, "initiative": target.initiative_id}
    )
    area_ids = [row[0] for row in found]
    planned_on = target.baseline_due_on or target.due_on

    def part(reports: list[Report]) -> Contribution:
        plan = contribution.Milestone(1, target.technique, target.due_on, planned_on, reports)
        return Contribution(Totals(), contribution.of_milestone(plan, target.share))

    entry = ledger.Entry()
    entry.add(part(before), -1)
    entry.add(part(after))
    ledger.post(
        session,
        scope.id,
        dict.fromkeys(ledger.buckets(target.unit_id, area_ids, target.year), entry),
    )
