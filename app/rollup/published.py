"""Figures of published initiatives alone, from the initiatives and their milestones as they are today.

The ledger does not know what is published: publishing changes no number of it. So these cost as much
as there are published milestones, in three statements; but once for each state of an institution, which
the head of its chain of events names.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, case, cast, func, select
from sqlalchemy.orm import Session

from app.models import Initiative, InstitutionClock, Milestone, UnitClosure
from app.models.base import refers
from app.rollup.contribution import COUNTED, Change, Totals
from app.rollup.figures import Figures, total
from app.rollup.points import BAC_PER_WEIGHT, FULL
from app.schemas.fields import InitiativeStatus

_BY_STATUS = (InitiativeStatus.ACTIVE, InitiativeStatus.ON_HOLD, InitiativeStatus.COMPLETED)


_MOST_KEPT = 100
_kept: OrderedDict[tuple[object, ...], dict[UUID, Figures]] = OrderedDict()
_keeping = Lock()


def figures(
    session: Session, institution_id: UUID, unit_ids: Sequence[UUID], today: date
) -> dict[UUID, Figures]:
    """Sums for each unit with all below it. Those that were read last are kept by the process.

    Strangers ask for them, as often as they like. No write goes without an event, so the head, read in
    the transaction in which the sums would be, says whether they still hold.
    """
    clock = InstitutionClock
    head = session.scalar(select(clock.digest).where(clock.institution_id == institution_id))
    key = (institution_id, head, today, *unit_ids)
    with _keeping:
        known = _kept.get(key)
    if known is None:
        known = _summed(session, institution_id, unit_ids, today)
        with _keeping:
            _kept[key] = known
            while len(_kept) > _MOST_KEPT:
                _kept.popitem(last=False)
    return known


def _summed(
    session: Session, institution_id: UUID, unit_ids: Sequence[UUID], today: date
) -> dict[UUID, Figures]:
    own = _own(session, institution_id, today)
    parts: dict[UUID, list[Figures]] = {unit_id: [] for unit_id in unit_ids}
    for ancestor_id, unit_id in session.execute(
        select(UnitClosure.ancestor_id, UnitClosure.descendant_id).where(
            UnitClosure.institution_id == institution_id, UnitClosure.ancestor_id.in_(unit_ids)
        )
    ):
        if unit_id in own:
            parts[ancestor_id].append(own[unit_id])
    return {unit_id: total(found) for unit_id, found in parts.items()}


def _own(session: Session, institution_id: UUID, today: date) -> dict[UUID, Figures]:
    """Sums of each unit's own published initiatives: grouped before the tree, each is read once."""
    planned = {row[0]: row[1] * FULL for row in session.execute(_planned(institution_id, today))}
    is_measured = Initiative.milestones > 0
    sums = _counted(institution_id).with_only_columns(
        Initiative.unit_id,
        _sum(case((is_measured, Initiative.weight), else_=0)),
        *(_sum(case((Initiative.status == status, 1), else_=0)) for status in _BY_STATUS),
        _sum(case((is_measured, 0), else_=1)),
        _sum(Initiative.milestones),
        _sum(Initiative.earned),
        _sum(Initiative.verified),
        _sum(Initiative.done),
    )
    found = {}
    for unit_id, weight, *counts, earned, verified, done in session.execute(sums):
        change = Change(planned.get(unit_id, 0), earned, verified, done=done)
        found[unit_id] = Figures(Totals(weight * BAC_PER_WEIGHT, *counts), change)
    return found


def _planned(institution_id: UUID, today: date) -> Select[UUID, int]:
    planned_on = func.coalesce(Milestone.baseline_due_on, Milestone.due_on)
    return (
        _counted(institution_id)
        .join(Milestone, refers(Milestone.initiative_id, Initiative))
        .where(planned_on <= today)
        .with_only_columns(Initiative.unit_id, _sum(Milestone.share))
    )


def _counted(institution_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(Initiative.unit_id)
        .where(
            Initiative.institution_id == institution_id,
            Initiative.public.is_(True),
            Initiative.status.in_(COUNTED),
        )
        .group_by(Initiative.unit_id)
    )


def _sum(value: Any) -> ColumnElement[int]:  # noqa: ANN401  a column
    return cast(func.sum(value), BigInteger)
