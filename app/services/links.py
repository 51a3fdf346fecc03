"""What initiatives are linked to beyond areas, owners and tags: each field of the wire in one place.

A field that comes later is one more entry of `FIELDS`, and a part of what `relations` reads.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import (
    Base,
    InitiativeLift,
    InitiativeProgramme,
    InitiativePurpose,
    Instrument,
    InstrumentComponent,
    Purpose,
)
from app.schemas.assessments import ExpectedLift
from app.schemas.initiatives import NewInitiative
from app.schemas.purposes import PurposeKind
from app.services import parts, programmes, purposes, relations
from app.services.access import Scope

Row = dict[str, Any]


class Known:
    """What links may refer to, by code and by id as keys compare; read once, when it is needed."""

    def __init__(self, session: Session, scope: Scope) -> None:
        self._session, self._scope = session, scope

    @cached_property
    def purposes(self) -> dict[tuple[PurposeKind, str], UUID]:
        """Of all schemes; small, as catalogues are."""
        rows = self._session.execute(select(Purpose.id, Purpose.kind, Purpose.code_key))
        return {(row.kind, key): row.id for row in rows for key in (row.code_key, str(row.id))}

    @cached_property
    def programmes(self) -> dict[str, UUID]:
        """Those that the institution is in."""
        return programmes.of_institution(self._session, self._scope)

    @cached_property
    def components(self) -> dict[tuple[str, str], UUID]:
        """Of all instruments, by the keys of both."""
        rows = self._session.execute(
            select(
                InstrumentComponent.id,
                InstrumentComponent.code_key,
                Instrument.id.label("instrument_id"),
                Instrument.code_key.label("instrument_key"),
            ).join(Instrument, Instrument.id == InstrumentComponent.instrument_id)
        )
        return {
            (instrument, component): row.id
            for row in rows
            for instrument in (row.instrument_key, str(row.instrument_id))
            for component in (row.code_key, str(row.id))
        }


class Field(NamedTuple):
    """A field of an initiative that is kept as rows of a table."""

    model: type[Base]
    rows: Callable[[Known, Any, str], list[Row]]
    """Rows of a value; raises `Invalid` below a pointer."""
    own: Row
    """What tells the field's rows from others of the table."""


def _serving(kind: PurposeKind) -> Field:
    def rows(known: Known, value: str | Sequence[str] | None, pointer: str) -> list[Row]:
        single = value is None or isinstance(value, str)
        keys: Sequence[Any] = ([] if value is None else [value]) if single else value or []
        found: dict[UUID, None] = {}
        for i, key in enumerate(keys):
            purpose_id = known.purposes.get((kind, key.lower()))
            if purpose_id is None:
                raise purposes.unknown(kind, pointer if single else f"{pointer}/{i}")
            found[purpose_id] = None
        return [{"purpose_id": purpose_id, "kind": kind} for purpose_id in found]

    return Field(InitiativePurpose, rows, {"kind": kind})


def _in_programme(known: Known, value: str | None, pointer: str) -> list[Row]:
    if value is None:
        return []
    programme_id = known.programmes.get(value.lower())
    if programme_id is None:
        raise Invalid.field(pointer, "unknown_programme", "There is no such programme.")
    return [{"programme_id": programme_id}]


def _lifting(known: Known, value: Sequence[ExpectedLift], pointer: str) -> list[Row]:
    found: dict[UUID, Row] = {}
    for i, lift in enumerate(value):
        at = f"{pointer}/{i}/component"
        component_id = known.components.get((lift.instrument.lower(), lift.component.lower()))
        if component_id is None:
            raise Invalid.field(at, "unknown_component", "There is no such component.")
        if component_id in found:
            raise Invalid.field(at, "repeated_component", "A component has one expected lift.")
        found[component_id] = {"component_id": component_id, "points": lift.points}
    return list(found.values())


FIELDS: dict[str, Field] = {
    "outcomes": _serving(PurposeKind.OUTCOME),
    "strategies": _serving(PurposeKind.STRATEGY),
    "level": _serving(PurposeKind.LEVEL),
    "programme": Field(InitiativeProgramme, _in_programme, {}),
    "expected_lift": Field(InitiativeLift, _lifting, {}),
}


MODELS: tuple[type[Base], ...] = tuple(dict.fromkeys(field.model for field in FIELDS.values()))


def resolve(known: Known, given: Mapping[str, Any], pointer: str = "") -> dict[str, list[Row]]:
    """Rows of the fields that are given; raises `Invalid` where they refer to what is not there."""
    return {
        name: FIELDS[name].rows(known, value, f"{pointer}/{name}") for name, value in given.items()
    }


def put(session: Session, scope: Scope, initiative_id: UUID, linked: dict[str, list[Row]]) -> None:
    """Make an initiative's links what was resolved, field by field; the others stay."""
    if not linked:
        return
    with relations.noted(session, scope, [initiative_id]):
        for name, rows in linked.items():
            field = FIELDS[name]
            of = {"initiative_id": initiative_id, **field.own}
            parts.replace(session, scope, field.model, of, rows)


def gather(
    rows: Mapping[type[Base], list[Row]],
    known: Known,
    initiative: Row,
    new: NewInitiative,
    pointer: str,
) -> None:
    """Add the links of a new initiative's row to rows that are inserted in bulk."""
    shared = {"institution_id": initiative["institution_id"], "initiative_id": initiative["id"]}
    for name, linked in resolve(known, of_new(new), pointer).items():
        rows[FIELDS[name].model].extend({**shared, **row} for row in linked)


def given(new: NewInitiative) -> set[str]:
    """The fields that a whole initiative names: a client that knows none of them takes none away."""
    return new.model_fields_set & FIELDS.keys()


def of_new(new: NewInitiative) -> dict[str, Any]:
    """The fields that are given of a new initiative, as `resolve` takes them."""
    return {name: value for name in FIELDS if (value := getattr(new, name))}
