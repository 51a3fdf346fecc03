"""Assessments: what each assessor gave an institution for a year, side by side.

All people of the institution see them, as they see its name; they hang on no unit.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid
from app.keyset import Key, paginate
from app.models import Assessment, AssessmentScore, Instrument, InstrumentComponent
from app.models.base import new_id, now
from app.schemas import assessments as wire
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, alterations, events, grading, instruments, naming, parts, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected

_GIVEN = (
    "announced_on", "score", "announced_predicate", "target", "source", "source_url", "note",
)  # fmt: skip
Scores = dict[UUID, Decimal]
"""By component."""


def record(
    session: Session, actor: Actor, institution: str, new: wire.NewAssessment
) -> wire.Assessment:
    """Add an assessment; raises `Conflict` where this assessor's of this year is there already."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    access.require(session, scope, Permission.ASSESSMENTS_CHANGE, None)
    instrument = instruments.refer(session, new.instrument, "/instrument")
    taken = select(Assessment.id).where(
        access.within(scope, Assessment),
        Assessment.instrument_id == instrument.id,
        Assessment.score_year == new.score_year,
        Assessment.assessor == new.assessor,
    )
    if session.execute(taken).first():
        raise Conflict("This assessor's assessment of this year is there already: change that one.")
    at = now()
    row = Assessment(
        institution_id=scope.id,
        id=new_id(),
        instrument_id=instrument.id,
        score_year=new.score_year,
        assessor=new.assessor,
        created_at=at,
        updated_at=at,
        version=1,
        **{name: getattr(new, name) for name in _GIVEN},
    )
    scores = _scores(session, instrument, new.scores)
    _check(instrument, row)
    session.add(row)
    session.flush()
    _put_scores(session, scope, row, scores)
    events.record(session, actor, scope.id, "assessment.recorded", _subject(instrument, row), new)
    return _one(session, scope, row)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    assessment_id: UUID,
    changes: wire.AssessmentChanges,
    expected: Expected,
) -> wire.Assessment:
    """Change what an assessment says; whose, of which year and by which instrument stays."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Assessment, str(assessment_id), lock=True)
    access.require(session, scope, Permission.ASSESSMENTS_CHANGE, None)
    versions.check(row, expected)
    instrument = session.get_one(Instrument, row.instrument_id)
    for name in changes.model_fields_set.intersection(_GIVEN):
        setattr(row, name, getattr(changes, name))
    _check(instrument, row)
    if changes.scores is not MISSING:
        _put_scores(session, scope, row, _scores(session, instrument, changes.scores))
    versions.touch(row)
    events.record(
        session, actor, scope.id, "assessment.changed", _subject(instrument, row), changes
    )
    session.flush()
    return _one(session, scope, row)


def remove(
    session: Session,
    actor: Actor,
    institution: str,
    assessment_id: UUID,
    expected: Expected,
    reason: str | None,
) -> None:
    """Delete an assessment that was recorded by mistake, for good; its event keeps what it was."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Assessment, str(assessment_id), lock=True)
    access.require(session, scope, Permission.ASSESSMENTS_CHANGE, None)
    versions.check_removal(row, expected, reason)
    before = _one(session, scope, row).model_dump(mode="json", by_alias=True)
    subject = _subject(session.get_one(Instrument, row.instrument_id), row)
    parts.replace(session, scope, AssessmentScore, {"assessment_id": row.id}, [])
    session.delete(row)
    events.record(session, actor, scope.id, "assessment.deleted", subject, before, reason=reason)


def get(session: Session, actor: Actor, institution: str, assessment_id: UUID) -> wire.Assessment:
    """One assessment."""
    scope = access.institution(session, actor, institution)
    return _one(session, scope, access.find(session, scope, Assessment, str(assessment_id)))


def page(
    session: Session, actor: Actor, institution: str, query: wire.AssessmentQuery
) -> Page[wire.Assessment]:
    """Assessments, filtered; the latest score year first."""
    scope = access.institution(session, actor, institution)
    statement = matching(scope, query)
    if query.score_year:
        statement = statement.where(Assessment.score_year.in_(query.score_year))
    if query.updated_since is not None:
        statement = statement.where(Assessment.updated_at >= query.updated_since)
    keys = [Key(Assessment.score_year, descending=True), Key(Assessment.id, descending=True)]
    found = paginate(session, statement, keys, query)
    return found.page(_shapes(session, scope, [(row[0], row[1]) for row in found.rows]))


def matching(
    scope: Scope, query: wire.AssessmentQuery | wire.IndexQuery
) -> Select[Assessment, Instrument]:
    """Assessments by whom and under what is asked for, with their instruments."""
    statement = (
        access.visible(scope, Assessment)
        .join(Instrument, Instrument.id == Assessment.instrument_id)
        .add_columns(Instrument)
    )
    if query.instrument:
        statement = statement.where(naming.named_any(Instrument, query.instrument))
    if query.assessor:
        statement = statement.where(Assessment.assessor.in_(query.assessor))
    return statement


def graded(row: Assessment, instrument: Instrument) -> dict[str, Any]:
    """The fields of `wire.Graded`."""
    return {
        "score_year": row.score_year,
        "announced_on": row.announced_on,
        "score": row.score,
        "announced_predicate": row.announced_predicate,
        "target": row.target,
        **grading.graded(instruments.bands(instrument), row.score, row.target),
    }


def _check(instrument: Instrument, row: Assessment) -> None:
    if row.score is None and row.target is None:
        raise Invalid.field("/score", "missing", "An assessment has a score, a target, or both.")
    for name in ("score", "target"):
        value = getattr(row, name)
        if None not in (value, instrument.maximum) and value > instrument.maximum:
            detail = "This is more than the instrument's maximum."
            raise Invalid.field(f"/{name}", "over_maximum", detail)


def _scores(
    session: Session, instrument: Instrument, given: Sequence[wire.ComponentScore]
) -> Scores:
    """Scores by component; raises `Invalid` for what the instrument has not, or gives less for."""
    if not given:
        return {}
    parts = instruments.components(session, [instrument.id])[instrument.id]
    by_key = {key: part for part in parts for key in (part.code_key, str(part.id))}
    found: Scores = {}
    for i, each in enumerate(given):
        part = by_key.get(each.component.lower())
        if part is None or part.id in found:
            code = "unknown_component" if part is None else "repeated_component"
            detail = "Each component of the instrument has one score."
            raise Invalid.field(f"/scores/{i}/component", code, detail)
        if each.score > part.weight:
            detail = "This is more than the component's weight."
            raise Invalid.field(f"/scores/{i}/score", "over_weight", detail)
        found[part.id] = each.score
    return found


def _put_scores(session: Session, scope: Scope, row: Assessment, scores: Scores) -> None:
    """Make the scores of an assessment the given ones, and tell what that changes."""
    before = _told(session, scope, row)
    session.flush()  # its own row, of which these are parts
    rows = [{"component_id": id_, "score": score} for id_, score in scores.items()]
    parts.replace(session, scope, AssessmentScore, {"assessment_id": row.id}, rows)
    alterations.note(session, row.id, before, _told(session, scope, row))


def _told(session: Session, scope: Scope, row: Assessment) -> dict[str, Any]:
    scores = _scores_of(session, scope, [row.id])[row.id]
    return {"scores": [score.model_dump(mode="json") for score in scores]}


def _scores_of(
    session: Session, scope: Scope, ids: Iterable[UUID]
) -> defaultdict[UUID, list[wire.ComponentScore]]:
    found: defaultdict[UUID, list[wire.ComponentScore]] = defaultdict(list)
    for assessment_id, code, score in session.execute(
        select(AssessmentScore.assessment_id, InstrumentComponent.code, AssessmentScore.score)
        .join(InstrumentComponent, InstrumentComponent.id == AssessmentScore.component_id)
        .where(access.within(scope, AssessmentScore), AssessmentScore.assessment_id.in_(list(ids)))
        .order_by(InstrumentComponent.position, InstrumentComponent.code_key)
    ):
        found[assessment_id].append(wire.ComponentScore(component=code, score=score))
    return found


def _subject(instrument: Instrument, row: Assessment) -> events.Subject:
    return events.Subject(row.id, f"{instrument.code}/{row.score_year}/{row.assessor}")


def _one(session: Session, scope: Scope, row: Assessment) -> wire.Assessment:
    return _shapes(session, scope, [(row, session.get_one(Instrument, row.instrument_id))])[0]


def _shapes(
    session: Session, scope: Scope, rows: Sequence[tuple[Assessment, Instrument]]
) -> list[wire.Assessment]:
    scores = _scores_of(session, scope, [row.id for row, _ in rows])
    return [
        wire.Assessment(
            id=row.id,
            instrument=instrument.code,
            assessor=row.assessor,
            scores=scores[row.id],
            source=row.source,
            source_url=row.source_url,
            note=row.note,
            created_at=row.created_at,
            updated_at=row.updated_at,
            version=row.version,
            **graded(row, instrument),
        )
        for row, instrument in rows
    ]
