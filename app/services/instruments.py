"""Instruments of assessment: catalogues that all institutions share and operators edit."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.errors import CodeTaken, InUse, Invalid, NotFound
from app.keyset import Key, paginate
from app.models import Assessment, AssessmentScore, InitiativeLift, Instrument, InstrumentComponent
from app.models.base import code_key, new_id, now
from app.schemas import instruments as wire
from app.schemas.fields import Names
from app.schemas.pages import Page
from app.services import events, naming, rights, versions
from app.services.actors import Actor
from app.services.versions import Expected

_PLAIN = ("basis", "source", "maximum", "from_year", "to_year")


def create(session: Session, actor: Actor, new: wire.NewInstrument) -> wire.Instrument:
    """Add an instrument with its components and bands; for operators."""
    rights.operator_only(session, actor)
    if session.scalars(select(Instrument).where(naming.named(Instrument, new.code))).first():
        raise CodeTaken
    at = now()
    row = Instrument(
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        name_id=new.name.id,
        name_en=new.name.en,
        bands=_kept(new.bands),
        created_at=at,
        updated_at=at,
        version=1,
        **{name: getattr(new, name) for name in _PLAIN},
    )
    _check_years(row)
    session.add(row)
    session.flush()
    _put_components(session, row, new.components)
    _record(session, actor, "instrument.created", row, new)
    return _one(session, row)


def change(
    session: Session, actor: Actor, key: str, changes: wire.InstrumentChanges, expected: Expected
) -> wire.Instrument:
    """Change an instrument; raises `InUse` where a component goes that scores or lifts refer to."""
    rights.operator_only(session, actor)
    row = find(session, key)
    versions.check(row, expected)
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    for name in changes.model_fields_set.intersection(_PLAIN):
        setattr(row, name, getattr(changes, name))
    _check_years(row)
    if changes.bands is not MISSING:
        kept = _kept(changes.bands)
        if kept != row.bands and changes.reason is MISSING:
            _check_ungraded(session, row)
        row.bands = kept
    if changes.components is not MISSING:
        _put_components(session, row, changes.components)
    versions.touch(row)
    _record(session, actor, "instrument.changed", row, changes)
    session.flush()
    return _one(session, row)


def get(session: Session, _: Actor, key: str) -> wire.Instrument:
    """One instrument."""
    return _one(session, find(session, key))


def page(session: Session, _: Actor, query: wire.InstrumentQuery) -> Page[wire.Instrument]:
    """All instruments, by code."""
    statement = select(Instrument)
    if query.year is not None:
        begun = or_(Instrument.from_year.is_(None), Instrument.from_year <= query.year)
        still = or_(Instrument.to_year.is_(None), Instrument.to_year >= query.year)
        statement = statement.where(begun, still)
    if query.updated_since is not None:
        statement = statement.where(Instrument.updated_at >= query.updated_since)
    found = paginate(session, statement, [Key(Instrument.code_key, descending=False)], query)
    rows = [row[0] for row in found.rows]
    listed = components(session, [row.id for row in rows])
    return found.page([_shape(row, listed[row.id]) for row in rows])


def find(session: Session, key: str) -> Instrument:
    """An instrument by its code or id; raises `NotFound`."""
    row = session.scalars(select(Instrument).where(naming.named(Instrument, key))).one_or_none()
    if row is None:
        raise NotFound
    return row


def refer(session: Session, key: str, pointer: str) -> Instrument:
    """An instrument that a body refers to; raises `Invalid` at `pointer`."""
    row = session.scalars(select(Instrument).where(naming.named(Instrument, key))).one_or_none()
    if row is None:
        raise Invalid.field(pointer, "unknown_instrument", "There is no such instrument.")
    return row


def components(
    session: Session, ids: Iterable[UUID]
) -> defaultdict[UUID, list[InstrumentComponent]]:
    """The components of some instruments, in their order."""
    found: defaultdict[UUID, list[InstrumentComponent]] = defaultdict(list)
    for row in session.scalars(
        select(InstrumentComponent)
        .where(InstrumentComponent.instrument_id.in_(list(ids)))
        .order_by(InstrumentComponent.position)
    ):
        found[row.instrument_id].append(row)
    return found


def bands(row: Instrument) -> list[wire.Band]:
    """The bands of an instrument, the highest first."""
    return [wire.Band.model_validate(band) for band in row.bands]


def _kept(given: Sequence[wire.Band]) -> list[object]:
    return [band.model_dump(mode="json", by_alias=True) for band in given]


def _check_ungraded(session: Session, row: Instrument) -> None:
    """Raise `Invalid` where other bands would grade anew what was assessed, for no reason."""
    judged = select(Assessment.id).where(Assessment.instrument_id == row.id).limit(1)
    if session.execute(judged).first():
        detail = "Scores were given by this instrument, and other bands grade them anew: say why."
        raise Invalid.field("/reason", "reason_owed", detail)


def _check_years(row: Instrument) -> None:
    if row.from_year is not None and row.to_year is not None and row.to_year < row.from_year:
        raise Invalid.field("/to_year", "years_order", "to_year cannot be before from_year.")


def _put_components(session: Session, row: Instrument, given: Sequence[wire.Component]) -> None:
    """Make the components the given ones, by code."""
    known = {each.code_key: each for each in components(session, [row.id])[row.id]}
    gone = [each for key, each in known.items() if key not in {code_key(c.code) for c in given}]
    _check_unused(session, [each.id for each in gone])
    for each in gone:
        session.delete(each)
    for position, component in enumerate(given, start=1):
        values = {
            "code": component.code,
            "name_id": component.name.id,
            "name_en": component.name.en,
            "weight": component.weight,
            "parent_code": component.parent,
            "position": position,
        }
        present = known.get(code_key(component.code))
        if present is None:
            session.add(
                InstrumentComponent(
                    id=new_id(),
                    instrument_id=row.id,
                    code_key=code_key(component.code),
                    **values,
                )
            )
        else:
            for name, value in values.items():
                setattr(present, name, value)
    session.flush()


def _check_unused(session: Session, ids: list[UUID]) -> None:
    for column in (AssessmentScore.component_id, InitiativeLift.component_id):
        if ids and session.execute(select(column).where(column.in_(ids)).limit(1)).first():
            raise InUse("Scores or expected lifts refer to a component that is left out.")


def _record(
    session: Session,
    actor: Actor,
    kind: str,
    row: Instrument,
    data: wire.NewInstrument | wire.InstrumentChanges,
) -> None:
    told = data.model_dump(mode="json", exclude_unset=True, by_alias=True)
    events.record(session, actor, events.CATALOGUE, kind, events.Subject(row.id, row.code), told)


def _one(session: Session, row: Instrument) -> wire.Instrument:
    return _shape(row, components(session, [row.id])[row.id])


def _shape(row: Instrument, parts: Sequence[InstrumentComponent]) -> wire.Instrument:
    return wire.Instrument(
        id=row.id,
        code=row.code,
        name=Names(id=row.name_id, en=row.name_en),
        components=[
            wire.Component(
                code=part.code,
                name=Names(id=part.name_id, en=part.name_en),
                weight=part.weight,
                parent=part.parent_code,
            )
            for part in parts
        ],
        bands=bands(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        **{name: getattr(row, name) for name in _PLAIN},
    )
