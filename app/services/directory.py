"""What loaders' batches refer to by code, read once: units, people, areas, decrees, stages."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.given import portions
from app.messages import said, unknown
from app.models import Decree, Initiative, Person, ReformArea, Stage, Unit
from app.models.base import code_key
from app.services import access, decrees
from app.services.access import Scope
from app.services.designation import Settled

_CODES_AT_ONCE = 500


class Party(NamedTuple):
    """A unit or person that plans refer to."""

    id: UUID
    name: str
    """Its code."""
    is_open: bool
    """Whether it takes new records: not archived, or active."""


class Directory(NamedTuple):
    """What plans may refer to, by code."""

    units: dict[str, Party]
    people: dict[str, Party]
    areas: dict[str, UUID]
    today: date
    decrees: dict[str, Settled]
    stages: dict[str, UUID] = {}  # noqa: RUF012  never changed


def read(session: Session, scope: Scope) -> Directory:
    """Everything that an institution's plans may refer to."""
    units = session.execute(
        select(Unit.code_key, Unit.id, Unit.code, Unit.archived_at).where(
            access.within(scope, Unit)
        )
    )
    persons = session.execute(
        select(Person.code_key, Person.id, Person.code, Person.active).where(
            access.within(scope, Person)
        )
    )
    areas = session.execute(select(ReformArea.code_key, ReformArea.id))
    signed = session.execute(
        select(Decree.code_key, Decree.id, Decree.code, Decree.issued_on).where(
            access.within(scope, Decree)
        )
    )
    stages = session.execute(select(Stage.code_key, Stage.id).where(access.within(scope, Stage)))
    return Directory(
        {key: Party(id_, code, archived_at is None) for key, id_, code, archived_at in units},
        {key: Party(id_, code, active) for key, id_, code, active in persons},
        {key: area_id for key, area_id in areas},  # noqa: C416  dict() does not take rows' types
        scope.today(),
        {key: Settled(id_, code, on) for key, id_, code, on in signed},
        {key: stage_id for key, stage_id in stages},  # noqa: C416  as above
    )


def open_party(known: dict[str, Party], code: str, pointer: str, noun: str) -> Party:
    """The one with a code; raises `Invalid` where there is none, or it takes nothing new."""
    found = known.get(code_key(code))
    if found is None:
        raise Invalid.field(pointer, *unknown(noun))
    if not found.is_open:
        raise Invalid.field(
            pointer, f"closed_{noun}", said("This {noun} takes nothing new.", noun=noun)
        )
    return found


def decree(known: Directory, code: str | None, pointer: str) -> Settled | None:
    """The decree of a code; raises `Invalid` where there is none."""
    if code is None:
        return None
    found = known.decrees.get(code_key(code))
    if found is None:
        raise decrees.unknown(pointer)
    return found


def area_ids(known: Directory, codes: Sequence[str], pointer: str) -> Iterator[UUID]:
    """Ids of reform areas in the order of their codes, each once; raises `Invalid` below `pointer`."""
    for place, code in enumerate(dict.fromkeys(map(code_key, codes))):
        if code not in known.areas:
            at = f"{pointer}/areas/{place}"
            raise Invalid.field(at, "unknown_area", "There is no such reform area.")
        yield known.areas[code]


def check_codes(
    session: Session, scope: Scope, model: type[Initiative | Person], codes: Sequence[str]
) -> None:
    """Raise `Invalid` where a code comes twice or is taken."""
    places = {code_key(code): i for i, code in enumerate(codes)}
    taken: list[str] = []
    keys = list(places)
    for some in portions(keys, _CODES_AT_ONCE):
        taken += session.scalars(
            select(model.code_key).where(access.within(scope, model), model.code_key.in_(some))
        )
    if taken or len(places) < len(codes):
        at = f"/{places[taken[0]]}/code" if taken else ""
        raise Invalid.field(at, "code_taken", "A code is in use already, or given twice.")
