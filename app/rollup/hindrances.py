"""What holds initiatives and units up, as it is counted. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple


class Hindrance(NamedTuple):
    """An obstacle that is not resolved, or a follow-up of any obstacle that is open."""

    is_follow_up: bool
    is_waiting: bool
    """For a decision, which an obstacle may be."""
    due_on: date | None


def counts(hindrances: Sequence[Hindrance]) -> dict[str, int]:
    """How many there are of each kind, by the names of `Totals`."""
    follow_ups = sum(each.is_follow_up for each in hindrances)
    return {
        "obstacles": len(hindrances) - follow_ups,
        "waiting": sum(each.is_waiting for each in hindrances),
        "follow_ups": follow_ups,
    }
