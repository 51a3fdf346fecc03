"""Points: how an initiative's weight is apportioned to its milestones. Pure integer arithmetic.

An initiative of weight W carries W × 1,000,000 points. Percents are held in basis points
(0-10,000), and every stored sum is points × basis points, called a *value*: an exact integer.
A value fits 64 bits for 900,000 initiatives of the largest weight in one institution
(900,000 × 1,000 × 1,000,000 × 10,000 = 9.0e18 < 2^63 - 1 = 9.22e18).
"""

from collections.abc import Sequence

POINTS_PER_WEIGHT = 1_000_000
FULL = 10_000
"""100 % in basis points."""
BAC_PER_WEIGHT = POINTS_PER_WEIGHT * FULL
"""Budget at completion, as a value, of an initiative of weight 1."""


def apportion(points: int, weights: Sequence[int]) -> list[int]:
    """Shares of `points` in proportion to `weights`, by the largest-remainder method (Hamilton).

    Integers that add up to `points` exactly; equal remainders go to the earlier place.
    `weights` are at least 1 each; without any there is nothing to apportion and the answer is empty.
    """
    total = sum(weights)
    if not total:
        return []
    shares = [points * weight // total for weight in weights]
    missing = points - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(points * weights[i] % total), i))
    for i in by_remainder[:missing]:
        shares[i] += 1
    return shares


def divide(numerator: int, denominator: int, decimals: int) -> float:
    """`numerator / denominator`, rounded once to `decimals` places, halves away from zero.

    Exact up to the conversion of the rounded decimal to the nearest float. `denominator` > 0.
    """
    unit: int = 10**decimals
    scaled = abs(numerator) * unit
    rounded = (2 * scaled + denominator) // (2 * denominator)
    return (rounded if numerator >= 0 else -rounded) / unit


def percent(part: int, whole: int) -> float:
    """`part` of `whole` in percent, two decimals; `whole` > 0."""
    return divide(part * 100, whole, 2)
