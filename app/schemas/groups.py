"""Roll-ups by anything that initiatives have, on the wire."""

from enum import StrEnum

from app.schemas.fields import Day, Names, Reference, Shape
from app.schemas.pages import Paging
from app.schemas.rollups import RollupYear


class Dimension(StrEnum):
    """What initiatives are grouped by."""

    OWNER = "owner"
    STATUS = "status"
    TAG = "tag"
    ORIGIN = "origin"
    KIND = "kind"
    YEAR = "year"
    OUTCOME = "outcome"
    STRATEGY = "strategy"
    LEVEL = "level"
    PROGRAMME = "programme"
    VERDICT = "verdict"


class GroupsQuery(Paging):
    """What is grouped by what. Always of today: groups are read from where initiatives stand."""

    dimension: Dimension
    """`owner`: in any role."""
    year: RollupYear | None = None
    """Initiatives of this year; all years if left out."""
    area: Reference | None = None
    """Code of a reform area: initiatives that serve it, in full."""


class GroupNumbers(Shape):
    """Sums over counted initiatives, from where they stand today."""

    initiatives: int
    active: int
    on_hold: int
    completed: int
    measured: int
    """Those with a live milestone."""
    weight: int
    """Of the measured ones."""
    percent_complete: float | None
    """Null where nothing is measured."""
    percent_verified: float | None
    milestones: int
    done: int


class GroupKey(Shape):
    """The value that a group shares."""

    key: str | None
    """Code of the person, outcome, strategy, level, programme or closing verdict; the status, tag,
    origin, kind or year. Null: those without any."""
    name: str | None
    """The person's name; null for somebody of a unit that you do not see."""
    names: Names | None = None
    """Of an outcome, a strategy, a level, a programme or a verdict, in both languages."""


class Group(GroupNumbers, GroupKey):
    """Counted initiatives that share a value."""

    share: float | None
    """Their weight in percent of the unit's."""


class Groups(Shape):
    """The numbers of a unit with all below it, by group; the largest weight first."""

    institution: str
    unit: str
    unit_name: str
    year: int | None
    area: str | None
    as_of: Day
    version: int
    dimension: Dimension
    adds_up: bool
    """False for owners, tags, outcomes and strategies: an initiative in several groups counts in full
    in each."""
    items: list[Group]
    next_cursor: str | None
    total: int | None
    """How many groups there are; only with `include_total=true`."""
