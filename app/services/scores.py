"""Scores: each person's own on each criterion, while an initiative is still chosen from others."""

from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound, NotRateable
from app.models import Criterion, Initiative, Score
from app.models.base import now
from app.schemas import scores as wire
from app.schemas.fields import InitiativeStatus
from app.schemas.permissions import Permission
from app.services import access, criteria, events, naming, scoring
from app.services.access import Lock, Scope
from app.services.actors import Actor

OPEN = (InitiativeStatus.PROPOSED, InitiativeStatus.SHORTLISTED)
"""While an initiative is one of these it takes scores."""


def put(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    criterion: str,
    new: wire.NewScore,
) -> wire.Score:
    """Set the actor's own score; the same one again changes nothing.

    Raises `NotRateable` where there is nothing to choose any more, or the criterion is retired.
    """
    scope, initiative, of = _scoring(session, actor, institution, key, criterion)
    if of.retired_at is not None:
        detail = "This criterion is retired: it takes no more scores."
        raise NotRateable(detail)
    if new.score > of.highest_score:
        detail = "This is above the highest score of the criterion."
        raise Invalid.field("/score", "above_highest", detail)
    row = session.get(Score, (scope.id, initiative.id, of.id, actor.id))
    before = None if row is None else _told(row)
    if row is None:
        row = Score(
            institution_id=scope.id,
            initiative_id=initiative.id,
            criterion_id=of.id,
            scorer_id=actor.id,
        )
        session.add(row)
    elif before == new.model_dump():
        return _score(row)
    row.scorer, row.score, row.note, row.scored_at = actor.name, new.score, new.note, now()
    _record(session, scope, "initiative.scored", initiative, of, before, _told(row))
    return _score(row)


def withdraw(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    criterion: str,
    reason: str | None = None,
) -> None:
    """Take the actor's own score back; raises `NotFound` without one, `NotRateable` as `put` does."""
    scope, initiative, of = _scoring(session, actor, institution, key, criterion)
    row = session.get(Score, (scope.id, initiative.id, of.id, actor.id))
    if row is None:
        raise NotFound
    session.delete(row)
    _record(session, scope, "initiative.score_withdrawn", initiative, of, _told(row), None, reason)


def sheet(session: Session, actor: Actor, institution: str, key: str) -> wire.ScoreSheet:
    """An initiative's scores: everybody's, side by side on each criterion."""
    scope = access.institution(session, actor, institution)
    initiative = access.find(session, scope, Initiative, key)
    in_use = criteria.in_use(session, scope)
    own = Score.initiative_id == initiative.id
    given = scoring.given(session, scope, [initiative.id])
    points = session.execute(scoring.weighted(scope, in_use, own)).one_or_none()
    by_criterion: dict[Any, list[wire.Score]] = {}
    statement = select(Score).where(access.within(scope, Score), own)
    for row in session.scalars(statement.order_by(Score.scorer, Score.scorer_id)):
        by_criterion.setdefault(row.criterion_id, []).append(_score(row))
    return wire.ScoreSheet(
        initiative=initiative.code,
        weighted_score=scoring.percent(points.points if points else None),
        criteria=[
            wire.CriterionScores(
                **scoring.told(row, given.get((initiative.id, row.id), scoring.Given())),
                retired=row.retired_at is not None,
                scores=by_criterion.get(row.id, []),
            )
            for row in session.scalars(_shown(scope, list(by_criterion)))
        ],
    )


def _shown(scope: Scope, scored: list[Any]) -> Select[Criterion]:
    counts_or_did = or_(Criterion.retired_at.is_(None), Criterion.id.in_(scored))
    return access.visible(scope, Criterion).where(counts_or_did).order_by(Criterion.code_key)


def _scoring(
    session: Session, actor: Actor, institution: str, key: str, criterion: str
) -> tuple[Scope, Initiative, Criterion]:
    """The initiative, locked, if the actor may score it and it is still open, and the criterion."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Initiative, key, lock=True)
    access.require(session, scope, Permission.INITIATIVES_SCORE, row.unit_id)
    of = _criterion(session, scope, criterion)
    if row.status not in OPEN:
        detail = "Only what is proposed or shortlisted takes scores: this was decided."
        raise NotRateable(detail)
    return scope, row, of


def _criterion(session: Session, scope: Scope, key: str) -> Criterion:
    """A criterion that stays as it is until this transaction ends; raises `NotFound`."""
    statement = access.visible(scope, Criterion).where(naming.named(Criterion, key))
    row = session.scalars(statement.with_for_update(read=True)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _record(
    session: Session,
    scope: Scope,
    kind: str,
    initiative: Initiative,
    of: Criterion,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    reason: str | None = None,
) -> None:
    session.flush()
    subject = events.Subject(initiative.id, f"{initiative.code}/scores/{of.code}")
    events.record(
        session, scope.actor, scope.id, kind, subject, after or before, reason=reason,
        unit_id=initiative.unit_id,
        changes={
            name: {"before": before and before[name], "after": after and after[name]}
            for name in ("score", "note")
            if (before or after) and (before or {}).get(name) != (after or {}).get(name)
        },
    )  # fmt: skip


def _told(row: Score) -> dict[str, Any]:
    return {"score": row.score, "note": row.note}


def _score(row: Score) -> wire.Score:
    return wire.Score(scorer=row.scorer, score=row.score, note=row.note, scored_at=row.scored_at)
