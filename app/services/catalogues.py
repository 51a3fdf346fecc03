"""Catalogues of an archive: its schemes, areas and purposes, found here by their codes or made."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models import (
    Base,
    ClosingVerdict,
    Instrument,
    InstrumentComponent,
    Purpose,
    ReformArea,
    Scheme,
    SchemeArea,
    SchemePurpose,
)
from app.schemas.fields import Names
from app.schemas.instruments import NewInstrument
from app.schemas.purposes import NewPurpose
from app.schemas.schemes import NewArea, NewScheme
from app.schemas.verdicts import NewClosingVerdict
from app.services import instruments, naming, purposes, schemes, verdicts
from app.services.actors import Actor

Row = dict[str, Any]
Read = Callable[[type[Base]], Iterator[Row]]


class Catalogues:
    """What ids of the archive are here. What is here already stays as it is."""

    def __init__(self, session: Session, actor: Actor, read: Read) -> None:
        self._session, self._actor = session, actor
        self._schemes = {row["id"]: row for row in read(Scheme)}
        self._areas = _Shared(session, self, ReformArea, read(ReformArea), self._add_area)
        self._areas.place(read(SchemeArea), "area_id")
        self._purposes = _Shared(session, self, Purpose, read(Purpose), self._add_purpose)
        self._purposes.place(read(SchemePurpose), "purpose_id")
        self._instruments = {row["id"]: row for row in read(Instrument)}
        self._components = {row["id"]: row for row in read(InstrumentComponent)}
        self._component_ids: dict[UUID, UUID] = {}
        self._verdicts = {row["id"]: row for row in read(ClosingVerdict)}

    def scheme_id(self, archived: UUID) -> UUID:
        """A scheme by its id in the archive; made with all that it has if there is none of its code."""
        code = self._schemes[archived]["code"]
        try:
            return schemes.find(self._session, code).id
        except NotFound:
            return self._make(archived)

    def area_id(self, archived: UUID) -> UUID:
        """An area by its id in the archive; made in the first scheme that has it if it is new."""
        return self._areas.id(archived)

    def purpose_id(self, archived: UUID) -> UUID:
        """A purpose by its id in the archive; made in the first scheme that has it if it is new."""
        return self._purposes.id(archived)

    def instrument_id(self, archived: UUID) -> UUID:
        """An instrument by its id in the archive; made with its components if it is new."""
        code = self._instruments[archived]["code"]
        try:
            return instruments.find(self._session, code).id
        except NotFound:
            return self._make_instrument(archived)

    def component_id(self, archived: UUID) -> UUID:
        """A component of an instrument by its id in the archive.

        Raises `LookupError` where the instrument is here, but has no component of its code.
        """
        if archived not in self._component_ids:
            row = self._components[archived]
            here = self.instrument_id(row["instrument_id"])
            parts = instruments.components(self._session, [here])[here]
            by_key = {part.code_key: part.id for part in parts}
            self._component_ids[archived] = by_key[row["code_key"]]
        return self._component_ids[archived]

    def verdict_id(self, archived: UUID) -> UUID:
        """A closing verdict by its id in the archive; made, at the end of the others, if it is new."""
        row = self._verdicts[archived]
        try:
            return verdicts.find(self._session, row["code"]).id
        except NotFound:
            fields = {"code": row["code"], "name": names(row), "source": row["source"]}
            new = NewClosingVerdict.model_validate(fields)
            return verdicts.create(self._session, self._actor, new).id

    def _make_instrument(self, archived: UUID) -> UUID:
        row = self._instruments[archived]
        own = (part for part in self._components.values() if part["instrument_id"] == archived)
        fields = {
            name: row[name]
            for name in ("code", "basis", "source", "maximum", "from_year", "to_year", "bands")
        }
        parts = [
            {
                "code": part["code"],
                "name": names(part),
                "weight": part["weight"],
                "parent": part["parent_code"],
            }
            for part in sorted(own, key=lambda part: part["position"])
        ]
        new = NewInstrument.model_validate({**fields, "name": names(row), "components": parts})
        return instruments.create(self._session, self._actor, new).id

    def code_of(self, archived: UUID) -> str:
        """The code of a scheme by its id in the archive."""
        code: str = self._schemes[archived]["code"]
        return code

    def _make(self, archived: UUID) -> UUID:
        row = self._schemes[archived]
        fields = {name: row[name] for name in ("code", "basis", "from_year", "to_year")}
        new = NewScheme.model_validate({**fields, "name": names(row)})
        made = schemes.create(self._session, self._actor, new)
        self._session.flush()
        for shared in (self._areas, self._purposes):
            shared.fill(archived)
        return made.id

    def _add_area(self, scheme: str, fields: Row, place: Row) -> None:
        fields["compliance_weight"] = place["compliance_weight"]
        schemes.add_area(self._session, self._actor, scheme, NewArea.model_validate(fields))

    def _add_purpose(self, scheme: str, fields: Row, place: Row) -> None:
        fields["kind"] = place["kind"]
        purposes.add(self._session, self._actor, scheme, NewPurpose.model_validate(fields))


class _Shared:
    """Rows of one sort that schemes share by their codes."""

    def __init__(
        self,
        session: Session,
        catalogues: Catalogues,
        model: type[ReformArea | Purpose],
        rows: Iterator[Row],
        add: Callable[[str, Row, Row], None],
    ) -> None:
        self._session, self._catalogues, self._model, self._add = session, catalogues, model, add
        self._rows = {row["id"]: row for row in rows}
        self._places: defaultdict[UUID, list[Row]] = defaultdict(list)
        self._known: dict[UUID, UUID] = {}

    def place(self, places: Iterator[Row], reference: str) -> None:
        """Note the places that rows have in schemes."""
        for place in places:
            row = self._rows[place[reference]]
            self._places[place["scheme_id"]].append({**row, **place, "id": row["id"]})

    def id(self, archived: UUID) -> UUID:
        """The id here of a row of the archive."""
        if archived not in self._known:
            self._known[archived] = self._id(archived)
        return self._known[archived]

    def fill(self, scheme_id: UUID) -> None:
        """Put all rows of a scheme, which is new here, in their places."""
        for place in sorted(self._places[scheme_id], key=lambda place: place["position"]):
            self._put(scheme_id, place)

    def _id(self, archived: UUID) -> UUID:
        code = self._rows[archived]["code"]
        if self._is_new(code):
            scheme_id, place = self._first(archived)
            self._catalogues.scheme_id(scheme_id)
            if self._is_new(code):
                self._put(scheme_id, place)
        return self._session.execute(
            select(self._model.id).where(naming.named(self._model, code))
        ).scalar_one()

    def _first(self, archived: UUID) -> tuple[UUID, Row]:
        for scheme_id, places in self._places.items():
            for place in places:
                if place["id"] == archived:
                    return scheme_id, place
        raise LookupError

    def _put(self, scheme_id: UUID, place: Row) -> None:
        fields = {"code": place["code"], "position": place["position"]}
        if self._is_new(place["code"]):
            fields |= {"name": names(place), "aliases": place["aliases"]}
        self._add(self._catalogues.code_of(scheme_id), fields, place)

    def _is_new(self, code: str) -> bool:
        found = select(self._model.id).where(naming.named(self._model, code))
        return self._session.execute(found).first() is None


def names(row: Row) -> Names:
    """A row's name in both languages."""
    return Names(id=row["name_id"], en=row["name_en"])
