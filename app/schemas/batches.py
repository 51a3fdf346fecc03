"""Batches of progress reports on the wire."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, InstanceOf, ValidationError
from pydantic.json_schema import SkipJsonSchema

from app.errors import FieldError, Invalid
from app.messages import of_validation
from app.schemas.fields import Flag, Reference, Shape, example
from app.schemas.problems import Problem
from app.schemas.updates import NewUpdate, Update

MOST_ITEMS = 1_000
Item = TypeVar("Item", bound=BaseModel)


class BatchItem(NewUpdate):
    """A progress report, with the milestone that it is on."""

    model_config = example({"initiative": "QW-2022-014", "milestone": 3, "percent_complete": 60})

    initiative: Reference
    """Code or id of the initiative."""
    milestone: Annotated[int, Field(strict=True, ge=1, le=9999)]
    """Number of the milestone."""


def or_why_not(model: type[Item]) -> BeforeValidator:
    """Reads an item, or what is wrong with it: one bad item does not make the others unreadable."""

    def read(value: object) -> Item | Invalid:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            return Invalid(
                errors=tuple(FieldError.found(e["loc"], e["type"], of_validation(e)) for e in found)
            )

    return BeforeValidator(read)


class NewBatch(Shape):
    """Progress reports on many milestones, in the order in which they are to be taken."""

    model_config = example(
        {
            "atomic": False,
            "items": [
                {
                    "initiative": "QW-2022-014",
                    "milestone": 3,
                    "percent_complete": 60,
                    "effective_on": "2022-11-15",
                    "source": "sakti",
                    "external_id": "2022/77",
                },
                {"initiative": "QW-2022-227", "milestone": 1, "percent_complete": 100},
            ],
        }
    )

    atomic: Flag = False
    """All or none: with true a single item that is refused refuses the batch, and nothing is written."""
    items: Annotated[
        list[Annotated[BatchItem | SkipJsonSchema[InstanceOf[Invalid]], or_why_not(BatchItem)]],
        Field(min_length=1, max_length=MOST_ITEMS),
    ]
    """1-1,000 reports; the same milestone may come several times."""


class Taken(Shape):
    """An item that was taken."""

    index: int
    """Place in `items`, from 0."""
    status: Literal[200, 201]
    """201: a new report. 200: the report of this `source` and `external_id` that was there."""
    update: Update


class Refused(Shape):
    """An item that was refused; nothing was written for it."""

    index: int
    """Place in `items`, from 0."""
    status: int
    """What a single report would have answered, such as 404, 409 or 422."""
    problem: Problem
    """Why; pointers lead into the body of the batch, such as `/items/3/percent_complete`."""


class BatchSummary(Shape):
    """How many items there are of each kind."""

    created: int
    replayed: int
    failed: int


class Batch(Shape):
    """What became of each item."""

    results: list[Taken | Refused]
    """One for each item, in their order."""
    summary: BatchSummary
