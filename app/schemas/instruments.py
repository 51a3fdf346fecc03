"""Instruments of assessment on the wire: weighted components, and bands with their predicates."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, AfterValidator, ConfigDict, Field, StringConstraints

from app.schemas.amounts import Score
from app.schemas.fields import (
    Code,
    Flag,
    Instant,
    Name,
    Names,
    Reason,
    Reference,
    Shape,
    Text,
    Year,
    example,
)
from app.schemas.pages import ChangesPaging
from app.schemas.rollups import RollupYear

Predicate = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9+-]{0,19}$")]
"""A grade, such as BB or A-: letters, digits, `+`, `-`; 1-20."""


class Band(Shape):
    """From where on a score has a predicate."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    from_: Annotated[Score, Field(alias="from")]
    """The bound: a score above it has the predicate."""
    inclusive: Flag = False
    """True: a score on the bound has it too."""
    predicate: Predicate
    name: Names | None = None


class Component(Shape):
    """A weighted part of an instrument."""

    code: Code
    """Unique in its instrument."""
    name: Names
    weight: Score
    """The most points that it gives."""
    parent: Reference | None = None
    """Code of the component that it is a part of, which stands before it in the list."""


def _highest_first(bands: list[Band]) -> list[Band]:
    for values in ({band.predicate for band in bands}, {band.from_ for band in bands}):
        if len(values) < len(bands):
            message = "predicates and bounds are each named once"
            raise ValueError(message)
    return sorted(bands, key=lambda band: -band.from_)


def _parents_first(components: list[Component]) -> list[Component]:
    known: set[str] = set()
    for component in components:
        if component.code.lower() in known:
            message = "codes of components are each given once"
            raise ValueError(message)
        if component.parent is not None and component.parent.lower() not in known:
            message = "a component's parent stands before it"
            raise ValueError(message)
        known.add(component.code.lower())
    return components


Bands = Annotated[list[Band], Field(max_length=50), AfterValidator(_highest_first)]
Components = Annotated[list[Component], Field(max_length=200), AfterValidator(_parents_first)]


class NewInstrument(Shape):
    """A new instrument of assessment."""

    model_config = example(
        {
            "code": "erb-2025",
            "name": {"id": "Evaluasi RB 2025", "en": "Reform evaluation 2025"},
            "maximum": 100,
            "from_year": 2025,
            "components": [
                {"code": "results", "name": {"id": "Hasil", "en": "Results"}, "weight": 40}
            ],
            "bands": [
                {"from": 90, "predicate": "AA"},
                {"from": 0, "inclusive": True, "predicate": "D"},
            ],
        }
    )

    code: Code
    name: Names
    basis: Name | None = None
    """The regulation that it stands in."""
    source: Text | None = None
    """Where weights and bands were read."""
    maximum: Score | None = None
    """The highest score; null where it is not known."""
    from_year: Year | None = None
    """First score year that it is used for."""
    to_year: Year | None = None
    components: Components = Field(default_factory=list)
    bands: Bands = Field(default_factory=list)
    reason: Reason | None = None


class InstrumentChanges(Shape):
    """A merge patch of an instrument; components and bands are replaced whole."""

    model_config = example({"bands": [{"from": 80, "predicate": "A"}]})

    name: Names | MISSING = MISSING
    basis: Name | MISSING | None = MISSING
    source: Text | MISSING | None = MISSING
    maximum: Score | MISSING | None = MISSING
    from_year: Year | MISSING | None = MISSING
    to_year: Year | MISSING | None = MISSING
    components: Components | MISSING = MISSING
    """Those that are known by their codes are changed; one that scores or lifts refer to stays."""
    bands: Bands | MISSING = MISSING
    """Other ones grade anew what was assessed, of every year: with assessments they owe a reason. Where
    the rules have changed, add an instrument."""
    reason: Reason | MISSING = MISSING


class Instrument(Shape):
    """An instrument of assessment. Scores under different instruments are not the same measure."""

    id: UUID
    code: str
    name: Names
    basis: str | None
    source: str | None
    maximum: Score | None
    from_year: int | None
    to_year: int | None
    components: list[Component]
    bands: list[Band]
    """The highest first."""
    created_at: Instant
    updated_at: Instant
    version: int


class InstrumentQuery(ChangesPaging):
    """Which instruments."""

    year: RollupYear | None = None
    """Those that are used for this score year."""
