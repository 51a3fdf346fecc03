"""Baselines: the plan as it was agreed on, in versions. The newest decides what is scheduled.

What a version holds, the milestones show too: `baseline_due_on` is their date in the newest one,
`first_baseline_due_on` that in the first which has them. So the roll-up reads milestones alone, and
a list shows how far they have slipped without a look at the versions.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, undefer

from app.conflicts import NothingPlanned
from app.errors import Conflict, Invalid, NotFound, StatusConflict
from app.keyset import Key, paginate
from app.messages import said
from app.models import Baseline, Initiative, Milestone
from app.models.base import new_id, now, refers
from app.rollup import ledger
from app.rollup.contribution import COUNTED
from app.schemas import baselines as wire
from app.schemas.baselines import MOST_BASELINES, BaselineMilestone
from app.schemas.pages import Page, Paging
from app.schemas.permissions import Permission
from app.services import access, events, slippage, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.slippage import Agreed

AGREED = ("weight", "due_on")
"""Fields of the initiative itself that a version keeps."""


class Planned(Protocol):
    """An initiative, or what is known of it, with the number of its newest version."""

    @property
    def baseline(self) -> int | None:
        """Null while there is none."""


class Finishes(NamedTuple):
    """When an initiative was to be finished, as agreed on first and last."""

    first: date | None = None
    current: date | None = None


def take(
    session: Session, actor: Actor, institution: str, key: str, new: wire.NewBaseline
) -> wire.BaselineWithPlan:
    """Make the present plan the newest version.

    Raises `StatusConflict` for what is not under way, and `NothingPlanned` without milestones.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Initiative, key, lock=True)
    access.require(session, scope, Permission.MILESTONES_CHANGE, row.unit_id)
    if row.status not in COUNTED:
        detail = "Only what is active, on hold or completed has a baseline."
        raise StatusConflict(detail)
    take_first(session, scope, row, unless_as_planned=True)
    present = _milestones(session, scope, row)
    live = [milestone for milestone in present if milestone.dropped_at is None]
    if not live:
        raise NothingPlanned
    with ledger.recorded(session, scope.id, row.id):
        for milestone in live:
            _set(milestone, milestone.due_on)
    made = _keep(session, scope, row, present, new.reason)
    versions.touch(row)
    subject = events.Subject(row.id, row.code)
    data = {"number": made.number, "reason": new.reason}
    events.record(session, actor, scope.id, "initiative.baselined", subject, data)
    session.flush()
    return _whole(made, row)


def take_first(
    session: Session,
    scope: Scope,
    row: Initiative,
    present: Sequence[Milestone] | None = None,
    *,
    unless_as_planned: bool = False,
) -> None:
    """The first version of a locked initiative that has none: the plan with the dates set by hand.

    Without milestones there is none. `unless_as_planned`: nor where no date was set by hand to
    another day than the due date. What is scheduled stays as it is. `present`: all its milestones,
    by number, where they were read before.
    """
    if row.baseline is not None:
        return
    if present is None:
        present = _milestones(session, scope, row)
    live = [milestone for milestone in present if milestone.dropped_at is None]
    by_hand = any(m.baseline_due_on not in (None, m.due_on) for m in live)
    if not live or (unless_as_planned and not by_hand):
        return
    for milestone in live:
        _set(milestone, milestone.baseline_due_on or milestone.due_on)
    _keep(session, scope, row, present, None)


@contextmanager
def followed(
    session: Session,
    scope: Scope,
    row: Initiative,
    reason: Any,  # noqa: ANN401  text, or what stands for none
) -> Iterator[None]:
    """Around changes of a locked initiative's plan: dates of a baseline that are set make a version.

    Only those of an initiative that has one; before, they are set by hand and kept nowhere.
    """
    if row.baseline is None:
        yield
        return
    before = {m.id: m.baseline_due_on for m in _milestones(session, scope, row)}
    yield
    session.flush()
    present = _milestones(session, scope, row)
    if any(m.baseline_due_on != before.get(m.id) for m in present):
        _keep(session, scope, row, present, reason if isinstance(reason, str) else None)


def check_fields(row: Planned, given: Mapping[str, object], reason: object) -> None:
    """Raise `Invalid` where the initiative's own part of a baseline changes without a reason."""
    if any(name in given and given[name] != getattr(row, name) for name in AGREED):
        check_reason(row, reason)


def check_reason(row: Planned, reason: object) -> None:
    """Raise `Invalid` where the plan of an initiative with a baseline changes without a reason."""
    if row.baseline is not None and reason is None:
        raise Invalid.field("/reason", "reason_owed", "The plan has a baseline: say why.")


def date_of(session: Session, scope: Scope, row: Initiative, milestone_id: UUID) -> date | None:
    """The date of a milestone in the newest version; null where it has none."""
    newest = _plan(_find(session, scope, row, row.baseline or 0))
    return next((m.due_on for m in newest if m.id == milestone_id), None)


def page(
    session: Session, actor: Actor, institution: str, key: str, paging: Paging
) -> Page[wire.Baseline]:
    """The versions of an initiative, newest first."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, key)
    statement = select(Baseline).where(
        access.within(scope, Baseline), Baseline.initiative_id == row.id
    )
    found = paginate(session, statement, [Key(Baseline.number, descending=True)], paging)
    return found.page([_shape(each[0], row) for each in found.rows])


def get(
    session: Session, actor: Actor, institution: str, key: str, number: int
) -> wire.BaselineWithPlan:
    """One version, with the plan as it was."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, key)
    return _whole(_find(session, scope, row, number), row)


def compare(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    number: int,
    query: wire.ComparisonQuery,
) -> wire.BaselineComparison:
    """What became of a version, up to another one or to the present plan."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, key)
    earlier = _agreed(_find(session, scope, row, number))
    if query.to is None:
        live = (m for m in _milestones(session, scope, row) if m.dropped_at is None)
        later = Agreed(row.weight, row.due_on, [_planned(m, m.due_on) for m in live])
    else:
        later = _agreed(_find(session, scope, row, query.to))
    return slippage.compared(number, query.to, earlier, later)


def finishes(session: Session, scope: Scope, found: Sequence[Initiative]) -> dict[UUID, Finishes]:
    """When initiatives were to be finished, by their first and their newest version; one statement."""
    numbers = {row.id: row.baseline for row in found if row.baseline is not None}
    if not numbers:
        return {}
    rows = session.execute(
        select(Baseline.initiative_id, Baseline.number, Baseline.finish_on)
        .join(Initiative, refers(Baseline.initiative_id, Initiative))
        .where(
            access.within(scope, Baseline),
            access.seen(scope, Initiative),
            Baseline.initiative_id.in_(numbers),
            or_(Baseline.number == 1, Baseline.number == Initiative.baseline),
        )
    )
    days = {(row.initiative_id, row.number): row.finish_on for row in rows}
    return {id_: Finishes(days.get((id_, 1)), days.get((id_, n))) for id_, n in numbers.items()}


def _set(milestone: Milestone, planned_on: date | None) -> None:
    """Give a milestone its date in the newest version."""
    if milestone.baseline_due_on != planned_on:
        milestone.baseline_due_on = planned_on
        versions.touch(milestone)


def _keep(
    session: Session,
    scope: Scope,
    row: Initiative,
    present: Sequence[Milestone],
    reason: str | None,
) -> Baseline:
    """Write the next version: the initiative's own, and live milestones with their `baseline_due_on`.

    Dropped ones lose theirs.
    """
    number = (row.baseline or 0) + 1
    if number > MOST_BASELINES:
        detail = said("An initiative has at most {most} baselines.", most=MOST_BASELINES)
        raise Conflict(detail)
    plan = []
    for milestone in present:
        if milestone.dropped_at is not None:
            _set(milestone, None)
        elif milestone.baseline_due_on is not None:
            plan.append(_planned(milestone, milestone.baseline_due_on))
            milestone.first_baseline_due_on = (
                milestone.first_baseline_due_on or milestone.baseline_due_on
            )
    made = Baseline(
        institution_id=scope.id,
        id=new_id(),
        initiative_id=row.id,
        number=number,
        reason=reason,
        taken_at=now(),
        taken_by=scope.actor.name,
        weight=row.weight,
        due_on=row.due_on,
        milestones=len(plan),
        finish_on=slippage.finish(plan),
        plan=[milestone.model_dump(mode="json") for milestone in plan],
    )
    session.add(made)
    row.baseline = number
    return made


def _planned(milestone: Milestone, due_on: date) -> BaselineMilestone:
    return BaselineMilestone(
        id=milestone.id,
        number=milestone.number,
        title=milestone.title,
        weight=milestone.weight,
        technique=milestone.technique,
        due_on=due_on,
    )


def _plan(row: Baseline) -> list[BaselineMilestone]:
    return [BaselineMilestone.model_validate(milestone) for milestone in row.plan]


def _agreed(row: Baseline) -> Agreed:
    return Agreed(row.weight, row.due_on, _plan(row))


def _milestones(session: Session, scope: Scope, row: Initiative) -> list[Milestone]:
    """All milestones of an initiative, by number; dropped ones too."""
    statement = access.visible(scope, Milestone).where(Milestone.initiative_id == row.id)
    return list(session.scalars(statement.order_by(Milestone.number)))


def _find(session: Session, scope: Scope, row: Initiative, number: int) -> Baseline:
    of_row = and_(access.within(scope, Baseline), Baseline.initiative_id == row.id)
    statement = select(Baseline).where(of_row, Baseline.number == number)
    found = session.scalars(statement.options(undefer(Baseline.plan))).one_or_none()
    if found is None:
        raise NotFound
    return found


def _shape(found: Baseline, row: Initiative) -> wire.Baseline:
    return wire.Baseline(
        number=found.number,
        current=found.number == row.baseline,
        reason=found.reason,
        taken_at=found.taken_at,
        taken_by=found.taken_by,
        weight=found.weight,
        due_on=found.due_on,
        milestones=found.milestones,
        finish_on=found.finish_on,
    )


def _whole(found: Baseline, row: Initiative) -> wire.BaselineWithPlan:
    return wire.BaselineWithPlan(**dict(_shape(found, row)), plan=_plan(found))
