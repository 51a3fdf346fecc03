"""Expected, reported and assessed lift of an initiative: three numbers that nobody mixes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from app.models import (
    Assessment,
    AssessmentScore,
    Initiative,
    InitiativeLift,
    Instrument,
    InstrumentComponent,
)
from app.models.base import refers
from app.rollup.points import BAC_PER_WEIGHT, percent
from app.schemas import assessments as wire
from app.schemas.fields import Names
from app.services import access, grading
from app.services.access import Scope
from app.services.actors import Actor


class _Given(NamedTuple):
    """What an assessment of some year gave a component, or that there is one at all."""

    year: int
    instrument_id: UUID
    component_id: UUID | None
    score: Decimal | None


def get(
    session: Session, actor: Actor, institution: str, key: str, query: wire.LiftQuery
) -> wire.InitiativeLifts:
    """The lifts of an initiative, by instrument and component; assessed by one sort of assessor."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, key)
    given = _given(session, scope, query.assessor)
    bac = row.weight * BAC_PER_WEIGHT if row.milestones else None
    return wire.InitiativeLifts(
        initiative=row.code,
        year=row.year,
        assessor=query.assessor,
        percent_complete=percent(row.earned, bac) if bac else None,
        items=[
            wire.ComponentLift(
                instrument=lift.instrument,
                component=lift.component,
                name=Names(id=lift.name_id, en=lift.name_en),
                expected=lift.points,
                reported=grading.rounded(lift.points * row.earned / bac) if bac else None,
                **_assessed(lift, row.year, given),
            )
            for lift in _lifts(session, scope, row.id)
        ],
    )


def _assessed(lift: Row[*tuple[Any, ...]], year: int, given: Sequence[_Given]) -> dict[str, Any]:
    """The score after less the score before; only where both are of the lift's own instrument."""
    mine = [each for each in given if each.component_id == lift.component_id]
    before = next((each for each in reversed(mine) if each.year < year), None)
    after = next((each for each in mine if each.year >= year), None)
    reason = None
    if before is None or after is None:
        when, since = ("before", False) if before is None else ("after", True)
        under = {each.instrument_id for each in given if (each.year >= year) is since}
        is_other = bool(under) and lift.instrument_id not in under
        reason = "other_instrument" if is_other else f"not_assessed_{when}"
    return {
        "before": _year(before),
        "after": _year(after),
        "assessed": None if reason else after.score - before.score,  # type: ignore[union-attr,operator]
        "reason": reason,
    }


def _year(given: _Given | None) -> wire.YearScore | None:
    if given is None or given.score is None:
        return None
    return wire.YearScore(score_year=given.year, score=given.score)


def _lifts(session: Session, scope: Scope, initiative_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
    return session.execute(
        select(
            InitiativeLift.component_id,
            InitiativeLift.points,
            Instrument.id.label("instrument_id"),
            Instrument.code.label("instrument"),
            InstrumentComponent.code.label("component"),
            InstrumentComponent.name_id,
            InstrumentComponent.name_en,
        )
        .join(InstrumentComponent, InstrumentComponent.id == InitiativeLift.component_id)
        .join(Instrument, Instrument.id == InstrumentComponent.instrument_id)
        .where(access.within(scope, InitiativeLift), InitiativeLift.initiative_id == initiative_id)
        .order_by(Instrument.code_key, InstrumentComponent.position)
    ).all()


def _given(session: Session, scope: Scope, assessor: wire.Assessor) -> list[_Given]:
    """All scores that an assessor gave, by year; of an assessment without any, that it is there."""
    rows = session.execute(
        select(
            Assessment.score_year,
            Assessment.instrument_id,
            AssessmentScore.component_id,
            AssessmentScore.score,
        )
        .outerjoin(AssessmentScore, refers(AssessmentScore.assessment_id, Assessment))
        .where(
            access.within(scope, Assessment),
            Assessment.assessor == assessor,
            or_(Assessment.score.is_not(None), AssessmentScore.score.is_not(None)),
        )
        .order_by(Assessment.score_year, Assessment.id)
    )
    return [_Given(*row) for row in rows]
