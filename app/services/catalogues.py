"""Catalogues of an archive: its schemes and areas, found here by their codes or made when needed."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models import Base, ReformArea, Scheme, SchemeArea
from app.schemas.fields import Names
from app.schemas.schemes import NewArea, NewScheme
from app.services import access, schemes
from app.services.actors import Actor

Row = dict[str, Any]


class Catalogues:
    """What ids of the archive are here. What is here already stays as it is."""

    def __init__(
        self, session: Session, actor: Actor, read: Callable[[type[Base]], Iterator[Row]]
    ) -> None:
        self._session, self._actor = session, actor
        self._schemes = {row["id"]: row for row in read(Scheme)}
        self._areas = {row["id"]: row for row in read(ReformArea)}
        self._places: defaultdict[UUID, list[Row]] = defaultdict(list)
        for row in read(SchemeArea):
            self._places[row["scheme_id"]].append(row)
        self._known: dict[UUID, UUID] = {}

    def scheme_id(self, archived: UUID) -> UUID:
        """A scheme by its id in the archive; made with its areas if there is none of its code."""
        code = self._schemes[archived]["code"]
        try:
            return schemes.find(self._session, code).id
        except NotFound:
            return self._make(archived)

    def area_id(self, archived: UUID) -> UUID:
        """An area by its id in the archive; made in the first scheme that has it if it is new."""
        if archived not in self._known:
            self._known[archived] = self._area_id(archived)
        return self._known[archived]

    def _area_id(self, archived: UUID) -> UUID:
        code = self._areas[archived]["code"]
        if self._is_new(code):
            scheme, place = self._place(archived)
            self.scheme_id(scheme)
            if self._is_new(code):
                self._add(self._schemes[scheme]["code"], place)
        return self._session.execute(
            select(ReformArea.id).where(access.named(ReformArea, code))
        ).scalar_one()

    def _place(self, area_id: UUID) -> tuple[UUID, Row]:
        for scheme, places in self._places.items():
            for place in places:
                if place["area_id"] == area_id:
                    return scheme, place
        raise LookupError

    def _is_new(self, code: str) -> bool:
        found = select(ReformArea.id).where(access.named(ReformArea, code))
        return self._session.execute(found).first() is None

    def _make(self, archived: UUID) -> UUID:
        row = self._schemes[archived]
        fields = {name: row[name] for name in ("code", "basis", "from_year", "to_year")}
        new = NewScheme.model_validate({**fields, "name": _names(row)})
        made = schemes.create(self._session, self._actor, new)
        self._session.flush()
        for place in sorted(self._places[archived], key=lambda place: place["position"]):
            self._add(new.code, place)
        return made.id

    def _add(self, scheme: str, place: Row) -> None:
        row = self._areas[place["area_id"]]
        fields = {
            "code": row["code"],
            "position": place["position"],
            "compliance_weight": place["compliance_weight"],
        }
        if self._is_new(row["code"]):
            fields |= {"name": _names(row), "aliases": row["aliases"]}
        schemes.add_area(self._session, self._actor, scheme, NewArea.model_validate(fields))


def _names(row: Row) -> Names:
    return Names(id=row["name_id"], en=row["name_en"])
