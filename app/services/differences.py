"""What is different between two reports on one unit and year, or between a report and today."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound
from app.models.base import code_key
from app.schemas import differences as wire
from app.schemas.reports import OverdueMilestone, Picture
from app.schemas.rollups import Rollup
from app.services import access, reports
from app.services.access import Scope
from app.services.actors import Actor
from app.services.reports import Told


class _Numbers(NamedTuple):
    """What is compared of a roll-up; nothing where it is not there."""

    complete: float | None = None
    verified: float | None = None
    scheduled: float | None = None
    done: int | None = None
    overdue: int | None = None


def get(
    session: Session,
    actor: Actor,
    institution: str,
    report_id: UUID,
    query: wire.DifferenceQuery,
) -> wire.Difference:
    """A frozen report (before) against another, or against the present state (after).

    Raises `Invalid` where the other report is not there, or on another unit or year.
    """
    scope = access.institution(session, actor, institution)
    told = reports.find(session, scope, report_id)
    before, after_id = told.content, query.with_
    after: Picture
    if after_id is None:
        year, today = told.report.year, scope.today()
        after = reports.picture(session, actor, scope, told.unit_id, year, today)
    else:
        after = _other(session, scope, told, after_id).content
    return wire.Difference(
        before=_side(report_id, before.rollup),
        after=_side(after_id, after.rollup),
        unit=_rollup(before.rollup, after.rollup),
        children=_rollups(before.children.items, after.children.items),
        areas=_rollups(before.areas.items, after.areas.items),
        overdue=wire.OverdueDifference(
            came=_missing(after.overdue, before.overdue),
            went=_missing(before.overdue, after.overdue),
        ),
    )


def _other(session: Session, scope: Scope, told: Told, report_id: UUID) -> Told:
    try:
        other = reports.find(session, scope, report_id)
    except NotFound as error:
        raise Invalid.parameter("with", "unknown_report", "There is no such report.") from error
    if other.unit_id != told.unit_id:
        raise Invalid.parameter("with", "other_unit", "That report is on another unit.")
    if other.report.year != told.report.year:
        raise Invalid.parameter("with", "other_year", "That report is on another year.")
    return other


def _side(report_id: UUID | None, rollup: Rollup) -> wire.Side:
    return wire.Side(report=report_id, as_of=rollup.as_of, version=rollup.version)


def _rollups(before: Sequence[Rollup], after: Sequence[Rollup]) -> list[wire.RollupDifference]:
    """Those of `before` in their order, then what is new."""
    old, new = ({_key(rollup): rollup for rollup in rollups} for rollups in (before, after))
    return [_rollup(old.get(key), new.get(key)) for key in old | new]


def _key(rollup: Rollup) -> tuple[str, str]:
    return code_key(rollup.unit), code_key(rollup.area or "")


def _rollup(before: Rollup | None, after: Rollup | None) -> wire.RollupDifference:
    known = after or before
    assert known is not None  # noqa: S101  found in one of the two
    old, new = _numbers(before), _numbers(after)
    return wire.RollupDifference(
        unit=known.unit,
        unit_name=known.unit_name,
        area=known.area,
        present=_presence(before, after),
        percent_complete=_percent(old.complete, new.complete),
        percent_verified=_percent(old.verified, new.verified),
        percent_scheduled=_percent(old.scheduled, new.scheduled),
        milestones_done=_count(old.done, new.done),
        milestones_overdue=_count(old.overdue, new.overdue),
    )


def _presence(before: Rollup | None, after: Rollup | None) -> wire.Presence:
    if before is None:
        return wire.Presence.AFTER
    return wire.Presence.BEFORE if after is None else wire.Presence.BOTH


def _numbers(rollup: Rollup | None) -> _Numbers:
    if rollup is None:
        return _Numbers()
    return _Numbers(
        rollup.percent_complete,
        rollup.percent_verified,
        rollup.percent_scheduled,
        rollup.milestones.done,
        rollup.milestones.overdue,
    )


def _percent(before: float | None, after: float | None) -> wire.PercentDifference:
    change = None
    if before is not None and after is not None:
        # Of two numbers with two decimals: rounding takes away only what floats add to it.
        change = round(after - before, 2)
    return wire.PercentDifference(before=before, after=after, change=change)


def _count(before: int | None, after: int | None) -> wire.CountDifference:
    change = None if before is None or after is None else after - before
    return wire.CountDifference(before=before, after=after, change=change)


def _missing(
    these: Sequence[OverdueMilestone], others: Sequence[OverdueMilestone]
) -> list[OverdueMilestone]:
    there = {_place(other) for other in others}
    return [late for late in these if _place(late) not in there]


def _place(late: OverdueMilestone) -> tuple[str, int]:
    return code_key(late.initiative), late.milestone
