"""What follows from a score: its predicate, and how far it is to the target and the next grade. Pure."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.schemas.assessments import NextGrade
from app.schemas.indicators import Aggregation, IndicatorYear, Polarity
from app.schemas.instruments import Band

_CENT = Decimal("0.01")
Pair = tuple[Decimal | None, Decimal | None]
"""Target and actual of a period."""


def graded(bands: Sequence[Band], score: Decimal | None, target: Decimal | None) -> dict[str, Any]:
    """Predicate, gap to the target and next grade of a score; bands are the highest first."""
    if score is None:
        return {"predicate": None, "gap_to_target": None, "next_grade": None}
    reached = [
        band for band in bands if score > band.from_ or (band.inclusive and score == band.from_)
    ]
    higher = [band for band in bands if band not in reached]
    return {
        "predicate": reached[0].predicate if reached else None,
        "gap_to_target": None if target is None else target - score,
        "next_grade": _next(higher[-1], score) if higher else None,
    }


def _next(band: Band, score: Decimal) -> NextGrade:
    return NextGrade.model_validate(
        {
            "predicate": band.predicate,
            "from": band.from_,
            "inclusive": band.inclusive,
            "gap": band.from_ - score,
        }
    )


def achieved(polarity: Polarity, target: Decimal | None, actual: Decimal | None) -> Decimal | None:
    """Actual in percent of the target, two decimals; None where that says nothing.

    Where lower is better, what was saved counts: (2 × target - actual) ÷ target, as in performance
    reports of the Indonesian administration.
    """
    if target is None or actual is None or target <= 0:
        return None
    part = actual if polarity is Polarity.HIGHER else 2 * target - actual
    return rounded(100 * part / target)


def year(polarity: Polarity, how: Aggregation, number: int, pairs: Sequence[Pair]) -> IndicatorYear:
    """A year of an indicator from its periods, in their order."""
    both = [pair for pair in pairs if None not in pair]
    aimed = combined(how, [target for target, _ in both])
    return IndicatorYear(
        year=number,
        periods=len(pairs),
        measured=sum(actual is not None for _, actual in pairs),
        target=combined(how, [target for target, _ in pairs]),
        actual=combined(how, [actual for _, actual in pairs]),
        target_to_date=aimed,
        achieved_percent=achieved(polarity, aimed, combined(how, [actual for _, actual in both])),
    )


def combined(how: Aggregation, values: Sequence[Decimal | None]) -> Decimal | None:
    """Several periods as one number, two decimals; those that are not known are left out."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if how is Aggregation.LAST:
        return known[-1]
    total = sum(known, Decimal(0))
    return total if how is Aggregation.SUM else rounded(total / len(known))


def rounded(value: Decimal) -> Decimal:
    """Two decimals, halves away from zero."""
    return value.quantize(_CENT, ROUND_HALF_UP)
