"""Designations on the wire: many initiatives that one decree makes active."""

from typing import Annotated, Literal

from pydantic import MISSING, Field, InstanceOf
from pydantic.json_schema import SkipJsonSchema

from app.errors import Invalid
from app.schemas.batches import MOST_ITEMS, Refused, or_why_not
from app.schemas.fields import Day, Flag, Reason, Reference, Shape, example
from app.schemas.initiatives import Owners


class DesignationItem(Shape):
    """An initiative that the decree names."""

    model_config = example({"initiative": "QW-2022-014"})

    initiative: Reference
    """Code or id of the initiative."""
    owners: Owners | MISSING = MISSING
    """All its owners from now on, exactly one of them `accountable`; left out, those that it has."""
    reason: Reason | MISSING = MISSING
    """Owed by one that was completed or cancelled; left out, the reason of the whole."""


class NewDesignations(Shape):
    """Initiatives that a decree makes active."""

    model_config = example(
        {
            "items": [
                {"initiative": "QW-2022-014"},
                {
                    "initiative": "QW-2022-227",
                    "owners": [{"person": "sek-32", "role": "accountable"}],
                },
            ]
        }
    )

    atomic: Flag = False
    """All or none: with true a single item that is refused refuses them all, and nothing is written."""
    designated_on: Day | None = None
    """The day on which the decree was issued, if left out. Not in the future."""
    reason: Reason | None = None
    """Kept in the event of each that brings none of its own."""
    items: Annotated[
        list[
            Annotated[
                DesignationItem | SkipJsonSchema[InstanceOf[Invalid]], or_why_not(DesignationItem)
            ]
        ],
        Field(min_length=1, max_length=MOST_ITEMS),
    ]
    """1-1,000 initiatives, each once."""


class Designated(Shape):
    """An initiative that is active by this decree."""

    index: int
    """Place in `items`, from 0."""
    status: Literal[200]
    initiative: str
    """Its code."""
    designated_on: Day
    baseline: int | None
    """Number of its newest baseline; null where it has none, as without milestones."""
    version: int
    changed: bool
    """False: it was so already, and nothing was written."""


class DesignationSummary(Shape):
    """How many items there are of each kind."""

    designated: int
    unchanged: int
    failed: int


class Designations(Shape):
    """What became of each initiative."""

    results: list[Designated | Refused]
    """One for each item, in their order."""
    summary: DesignationSummary
