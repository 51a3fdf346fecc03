"""Arithmetic of scores, as SQL of whole numbers: sums come out alike whatever the order of the rows."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, select
from sqlalchemy.orm import Session

from app.models import Criterion, Score
from app.models.base import refers
from app.rollup.points import divide
from app.schemas.fields import Names
from app.services import access
from app.services.access import Scope

_SCALE = 1_000_000
"""Parts of a point of weight: what is cut off below them never shows in a percent of two decimals."""
_FULL = 10_000
"""100 % in basis points."""


class Given(NamedTuple):
    """What was given to an initiative on a criterion."""

    total: int = 0
    scorers: int = 0
    lowest: int | None = None
    highest: int | None = None

    def mean(self) -> float | None:
        """Of all scorers, to two decimals; None without one."""
        return divide(self.total, self.scorers, 2) if self.scorers else None


def weighted(
    scope: Scope, criteria: Sequence[Criterion], *conditions: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """(initiative, weighted score in basis points) of those that have a score on each criterion.

    Σ weight × mean ÷ highest score, of Σ weight; rounded half up, so that what looks equal is equal.
    """
    share = (
        cast(func.sum(Score.score), BigInteger)
        * Criterion.weight
        * _SCALE
        // (func.count() * Criterion.highest_score)
    )
    shares = (
        select(Score.initiative_id, share.label("share"))
        .join(Criterion, refers(Score.criterion_id, Criterion))
        .where(
            access.within(scope, Score),
            Score.criterion_id.in_([row.id for row in criteria]),
            *conditions,
        )
        .group_by(Score.initiative_id, Criterion.id, Criterion.weight, Criterion.highest_score)
        .subquery("shares")
    )
    most = _SCALE * max(1, sum(row.weight for row in criteria))
    earned = cast(func.sum(shares.c.share), BigInteger)
    return (
        select(shares.c.initiative_id, ((earned * 2 * _FULL // most + 1) // 2).label("points"))
        .group_by(shares.c.initiative_id)
        .having(func.count() == len(criteria))
    )


def given(
    session: Session, scope: Scope, initiative_ids: Sequence[UUID]
) -> dict[tuple[UUID, UUID], Given]:
    """What was given, by initiative and criterion; nothing where nobody has scored."""
    statement = (
        select(
            Score.initiative_id,
            Score.criterion_id,
            func.sum(Score.score),
            func.count(),
            func.min(Score.score),
            func.max(Score.score),
        )
        .where(access.within(scope, Score), Score.initiative_id.in_(initiative_ids))
        .group_by(Score.initiative_id, Score.criterion_id)
    )
    return {
        (initiative_id, criterion_id): Given(*numbers)
        for initiative_id, criterion_id, *numbers in session.execute(statement)
    }


def told(row: Criterion, given: Given) -> dict[str, Any]:
    """Fields of a criterion with what was given on it."""
    return {
        "criterion": row.code,
        "name": Names(id=row.name_id, en=row.name_en),
        "weight": row.weight,
        "highest_score": row.highest_score,
        "mean": given.mean(),
        "lowest": given.lowest,
        "highest": given.highest,
        "scorers": given.scorers,
    }


def percent(points: int | None) -> float | None:
    """Basis points as percent."""
    return None if points is None else points / 100
