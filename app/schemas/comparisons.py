"""Units beside each other, and institutions, on the wire."""

from app.schemas.fields import Day, Shape
from app.schemas.pages import Paging, Sort
from app.schemas.rollups import Numbers, Rollup, RollupQuery


class ChildrenQuery(RollupQuery):
    """How the children of a unit are compared."""

    sort: Sort = "code"
    """A field, `-` for descending, more by comma: code, name, percent_complete, percent_verified,
    verification_gap, percent_scheduled, schedule_variance, schedule_performance_index, weight,
    share_of_parent, coverage, initiatives, milestones, done, overdue, due_next_30_days, change.
    Those without the number come last."""
    since: Day | None = None
    """Also tell what has changed since the end of this day."""


class Progress(Shape):
    """What has been added since the end of a day, in percentage points of the budget now."""

    since: Day
    percent_complete: float | None
    percent_verified: float | None
    percent_scheduled: float | None


class ComparedRollup(Rollup):
    """The roll-up of one child among its siblings."""

    share_of_parent: float | None
    """Its part of the parent's budget at completion, percent; null where the parent has none."""
    change: Progress | None
    """Only with `since`."""
    comparable: bool
    """False for a unit that is too small or too little covered for a fair place in a league table."""
    not_comparable: str | None
    """Why: `not_measurable`, `small` (fewer measured initiatives than `policy.ranked_from_initiatives`)
    or `uncovered` (coverage below `policy.ranked_from_coverage`)."""
    rank: int | None
    """Place among the comparable siblings by the first number of `sort`, in its direction; by
    `percent_complete`, highest first, where that is no number. Equal numbers share a place."""


class RollupChildren(Shape):
    """The roll-up of each direct child of a unit."""

    items: list[ComparedRollup]


class InstitutionsQuery(RollupQuery, Paging):
    """What of the institutions' roll-ups is asked for."""


class PortfolioRollup(Numbers):
    """The numbers of all institutions that you may see: one ratio of sums over milestones."""

    institutions: int
    """How many. `version` is the sum of their event sequences; `as_of` is UTC's day by default."""
