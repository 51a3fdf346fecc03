"""Schemes and reform areas: catalogues that all institutions share and operators edit."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app.errors import CodeTaken, Invalid, NotFound
from app.keyset import Key, paginate
from app.models import ReformArea, Scheme, SchemeArea
from app.models.base import code_key, new_id, now
from app.schemas import schemes as wire
from app.schemas.fields import Names
from app.schemas.pages import ChangesPaging, Page
from app.services import events, naming, rights, versions
from app.services.actors import Actor
from app.services.versions import Expected


def create(session: Session, actor: Actor, new: wire.NewScheme) -> wire.Scheme:
    """Add a scheme; for operators."""
    rights.operator_only(session, actor)
    if session.scalars(select(Scheme).where(naming.named(Scheme, new.code))).first():
        raise CodeTaken
    at = now()
    row = Scheme(
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        name_id=new.name.id,
        name_en=new.name.en,
        basis=new.basis,
        from_year=new.from_year,
        to_year=new.to_year,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    _record(session, actor, "scheme.created", row, new)
    return _scheme(row)


def change(
    session: Session, actor: Actor, key: str, changes: wire.SchemeChanges, expected: Expected
) -> wire.Scheme:
    """Change a scheme; for operators."""
    rights.operator_only(session, actor)
    row = find(session, key)
    versions.check(row, expected)
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    for name in ("basis", "from_year", "to_year"):
        if name in changes.model_fields_set:
            setattr(row, name, getattr(changes, name))
    if row.to_year is not None and row.to_year < row.from_year:
        raise Invalid.field("/to_year", "years_order", "to_year cannot be before from_year.")
    versions.touch(row)
    _record(session, actor, "scheme.changed", row, changes)
    return _scheme(row)


def get(session: Session, _: Actor, key: str) -> wire.Scheme:
    """One scheme."""
    return _scheme(find(session, key))


def page(session: Session, _: Actor, paging: ChangesPaging) -> Page[wire.Scheme]:
    """All schemes, by code."""
    statement = select(Scheme)
    if paging.updated_since is not None:
        statement = statement.where(Scheme.updated_at >= paging.updated_since)
    found = paginate(session, statement, [Key(Scheme.code_key, descending=False)], paging)
    return found.page([_scheme(row[0]) for row in found.rows])


def find(session: Session, key: str) -> Scheme:
    """A scheme by its code or id; raises `NotFound`."""
    row = session.scalars(select(Scheme).where(naming.named(Scheme, key))).one_or_none()
    if row is None:
        raise NotFound
    return row


def refer(session: Session, key: str, pointer: str) -> Scheme:
    """A scheme that a body refers to; raises `Invalid` at `pointer`."""
    row = session.scalars(select(Scheme).where(naming.named(Scheme, key))).one_or_none()
    if row is None:
        raise Invalid.field(pointer, "unknown_scheme", "There is no such scheme.")
    return row


def add_area(session: Session, actor: Actor, scheme: str, new: wire.NewArea) -> wire.Area:
    """Add an area to a scheme: a new one, or one that another scheme has already; for operators."""
    rights.operator_only(session, actor)
    parent = find(session, scheme)
    area = session.scalars(
        select(ReformArea).where(naming.named(ReformArea, new.code))
    ).one_or_none()
    if area is None:
        area = _new_area(new)
        session.add(area)
    elif new.name is not None and new.name != Names(id=area.name_id, en=area.name_en):
        detail = "An area with this code has another name; leave the name out to share it."
        raise CodeTaken(detail)
    elif session.get(SchemeArea, (parent.id, area.id)):
        raise CodeTaken
    last = session.scalar(
        select(func.max(SchemeArea.position)).where(SchemeArea.scheme_id == parent.id)
    )
    session.flush()
    session.add(
        SchemeArea(
            scheme_id=parent.id,
            area_id=area.id,
            position=new.position or (last or 0) + 1,
            compliance_weight=_stored(new.compliance_weight),
        )
    )
    events.record(
        session,
        actor,
        events.CATALOGUE,
        "area.added",
        events.Subject(area.id, f"{parent.code}/areas/{area.code}"),
        new,
    )
    session.flush()
    return _area(_find_area(session, parent, area.code))


def change_area(
    session: Session,
    actor: Actor,
    scheme: str,
    key: str,
    changes: wire.AreaChanges,
    expected: Expected,
) -> wire.Area:
    """Change an area and its place in a scheme; for operators."""
    rights.operator_only(session, actor)
    parent = find(session, scheme)
    area, place, _ = _find_area(session, parent, key)
    versions.check(area, expected)
    if changes.name is not MISSING:
        area.name_id, area.name_en = changes.name.id, changes.name.en
    if changes.aliases is not MISSING:
        area.aliases = list(changes.aliases)
    if changes.position is not MISSING:
        place.position = changes.position
    if changes.compliance_weight is not MISSING:
        place.compliance_weight = _stored(changes.compliance_weight)
    versions.touch(area)
    events.record(
        session,
        actor,
        events.CATALOGUE,
        "area.changed",
        events.Subject(area.id, f"{parent.code}/areas/{area.code}"),
        changes,
    )
    session.flush()
    session.refresh(place)
    return _area(_find_area(session, parent, area.code))


def get_area(session: Session, _: Actor, scheme: str, key: str) -> wire.Area:
    """One area of a scheme."""
    return _area(_find_area(session, find(session, scheme), key))


def area_page(session: Session, _: Actor, scheme: str, paging: ChangesPaging) -> Page[wire.Area]:
    """The areas of a scheme, by position."""
    keys = [
        Key(SchemeArea.position, descending=False),
        Key(ReformArea.code_key, descending=False),
    ]
    statement = _areas(find(session, scheme).id)
    if paging.updated_since is not None:
        statement = statement.where(ReformArea.updated_at >= paging.updated_since)
    found = paginate(session, statement, keys, paging)
    return found.page([_area(row) for row in found.rows])


def areas_of(session: Session, scheme_id: UUID) -> Sequence[tuple[UUID, str]]:
    """(id, code) of a scheme's areas, by position."""
    return [
        (row.id, row.code)
        for row in session.execute(
            select(ReformArea.id, ReformArea.code)
            .join(SchemeArea, SchemeArea.area_id == ReformArea.id)
            .where(SchemeArea.scheme_id == scheme_id)
            .order_by(SchemeArea.position, ReformArea.code_key)
        )
    ]


def named_areas(session: Session, scheme_id: UUID) -> list[wire.Area]:
    """A scheme's areas with their names, by position."""
    statement = _areas(scheme_id)
    rows = session.execute(statement.order_by(SchemeArea.position, ReformArea.code_key))
    return [_area(row) for row in rows]


def area_names(session: Session, codes: Collection[str]) -> dict[str, Names]:
    """What the areas of some codes are called, whatever their scheme; by code."""
    columns = ReformArea.code, ReformArea.name_id, ReformArea.name_en
    found = session.execute(select(*columns).where(ReformArea.code.in_(codes))) if codes else ()
    return {code: Names(id=indonesian, en=english) for code, indonesian, english in found}


def area_ids(session: Session, keys: Sequence[str], pointer: str) -> list[UUID]:
    """Ids of areas that a body refers to, without repeats; raises `Invalid` at `pointer`/index."""
    if not keys:
        return []
    found = session.execute(
        select(ReformArea.id, ReformArea.code_key).where(naming.named_any(ReformArea, list(keys)))
    )
    by_key = {key: row.id for row in found for key in (row.code_key, str(row.id))}
    for i, key in enumerate(keys):
        if key.lower() not in by_key:
            raise Invalid.field(f"{pointer}/{i}", "unknown_area", "There is no such reform area.")
    return list(dict.fromkeys(by_key[key.lower()] for key in keys))


def _new_area(new: wire.NewArea) -> ReformArea:
    if new.name is None:
        raise Invalid.field("/name", "missing", "A new area needs its name in both languages.")
    at = now()
    return ReformArea(
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        name_id=new.name.id,
        name_en=new.name.en,
        aliases=list(new.aliases),
        created_at=at,
        updated_at=at,
        version=1,
    )


def _areas(scheme_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(ReformArea, SchemeArea, Scheme.code)
        .join(SchemeArea, SchemeArea.area_id == ReformArea.id)
        .join(Scheme, Scheme.id == SchemeArea.scheme_id)
        .where(SchemeArea.scheme_id == scheme_id)
    )


def _find_area(session: Session, scheme: Scheme, key: str) -> Row[*tuple[Any, ...]]:
    row = session.execute(_areas(scheme.id).where(naming.named(ReformArea, key))).one_or_none()
    if row is None:
        raise NotFound
    return row


def _stored(weight: Decimal | None) -> float | None:
    """A weight as its column and the trail have it."""
    return None if weight is None else float(weight)


def _record(
    session: Session,
    actor: Actor,
    kind: str,
    row: Scheme,
    data: wire.NewScheme | wire.SchemeChanges,
) -> None:
    events.record(session, actor, events.CATALOGUE, kind, events.Subject(row.id, row.code), data)


def _scheme(row: Scheme) -> wire.Scheme:
    return wire.Scheme(
        id=row.id,
        code=row.code,
        name=Names(id=row.name_id, en=row.name_en),
        basis=row.basis,
        from_year=row.from_year,
        to_year=row.to_year,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def _area(row: Row[*tuple[Any, ...]]) -> wire.Area:
    area, place, scheme = row[0], row[1], row[2]
    return wire.Area(
        id=area.id,
        code=area.code,
        scheme=scheme,
        position=place.position,
        name=Names(id=area.name_id, en=area.name_en),
        aliases=area.aliases,
        compliance_weight=place.compliance_weight,
        created_at=area.created_at,
        updated_at=area.updated_at,
        version=area.version,
    )
