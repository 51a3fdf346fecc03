"""Indicators of units, and national ones above all institutions: what is measured, and its years."""

from collections import defaultdict
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.errors import CodeTaken, NotFound
from app.keyset import Key, paginate
from app.models import Indicator, IndicatorValue, Unit
from app.models.base import code_key, new_id, now, refers
from app.schemas import indicators as wire
from app.schemas.fields import Names
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, events, grading, naming, rights, versions
from app.services.access import Lock
from app.services.actors import Actor
from app.services.versions import Expected

_PLAIN = (
    "unit_of_measure", "polarity", "aggregation", "baseline", "baseline_year", "source",
    "source_url", "retired_on",
)  # fmt: skip


class Place(NamedTuple):
    """Where indicators are: in an institution, as far as the actor sees it, or above all."""

    institution_id: UUID
    seen: Select[Indicator]
    """Those that the actor sees there."""
    scope: access.Scope | None


def place(session: Session, actor: Actor, institution: str | None, lock: Lock = Lock.NONE) -> Place:
    """An institution's indicators, or the national ones, which everybody sees."""
    if institution is None:
        national = select(Indicator).where(Indicator.institution_id == events.CATALOGUE)
        return Place(events.CATALOGUE, national, None)
    scope = access.institution(session, actor, institution, lock)
    return Place(scope.id, access.visible(scope, Indicator), scope)


def create(
    session: Session,
    actor: Actor,
    institution: str | None,
    new: wire.NewIndicator | wire.NewUnitIndicator,
) -> wire.IndicatorWithYears:
    """Add an indicator to a unit, or a national one."""
    at = place(session, actor, institution, Lock.SHARED)
    unit_id = _unit(session, at, getattr(new, "unit", None))
    may_change(session, actor, at, unit_id)
    taken = select(Indicator.id).where(
        Indicator.institution_id == at.institution_id, naming.named(Indicator, new.code)
    )
    if session.execute(taken).first():
        raise CodeTaken
    instant = now()
    row = Indicator(
        institution_id=at.institution_id,
        id=new_id(),
        code=new.code,
        code_key=code_key(new.code),
        name_id=new.name.id,
        name_en=new.name.en,
        unit_id=unit_id,
        created_at=instant,
        updated_at=instant,
        version=1,
        **{name: getattr(new, name) for name in _PLAIN},
    )
    session.add(row)
    _record(session, actor, "indicator.created", row, new)
    session.flush()
    return _one(session, at, row)


def change(
    session: Session,
    actor: Actor,
    institution: str | None,
    key: str,
    changes: wire.IndicatorChanges,
    expected: Expected,
) -> wire.IndicatorWithYears:
    """Change an indicator; once it is retired it keeps what it has."""
    at = place(session, actor, institution, Lock.SHARED)
    row = find(session, at, key, lock=True)
    may_change(session, actor, at, row.unit_id)
    versions.check(row, expected)
    if changes.name is not MISSING:
        row.name_id, row.name_en = changes.name.id, changes.name.en
    for name in changes.model_fields_set.intersection(_PLAIN):
        setattr(row, name, getattr(changes, name))
    versions.touch(row)
    _record(session, actor, "indicator.changed", row, changes)
    session.flush()
    return _one(session, at, row)


def get(
    session: Session, actor: Actor, institution: str | None, key: str
) -> wire.IndicatorWithYears:
    """One indicator with its years."""
    at = place(session, actor, institution)
    return _one(session, at, find(session, at, key))


def page(
    session: Session,
    actor: Actor,
    institution: str | None,
    query: wire.IndicatorQuery | wire.UnitIndicatorQuery,
) -> Page[wire.Indicator]:
    """Indicators by code, filtered."""
    at = place(session, actor, institution)
    statement = _with_unit(at)
    units = getattr(query, "unit", [])
    if units and at.scope is not None:
        statement = statement.where(Indicator.unit_id.in_(access.below(at.scope, units)))
    if query.retired is not None:
        retired = _is_retired(at)
        statement = statement.where(retired if query.retired else ~retired)
    if query.updated_since is not None:
        statement = statement.where(Indicator.updated_at >= query.updated_since)
    found = paginate(session, statement, [Key(Indicator.code_key, descending=False)], query)
    return found.page([wire.Indicator(**_fields(row[0], row[1])) for row in found.rows])


def find(session: Session, at: Place, key: str, *, lock: bool = False) -> Indicator:
    """An indicator by its code or id; raises `NotFound`."""
    statement = at.seen.where(naming.named(Indicator, key))
    row = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def may_change(session: Session, actor: Actor, at: Place, unit_id: UUID | None) -> None:
    """Raise `Forbidden` unless the actor may change indicators of a unit, or the national ones."""
    if at.scope is None:
        rights.operator_only(session, actor)
    else:
        access.require(session, at.scope, Permission.INDICATORS_CHANGE, unit_id)


def _unit(session: Session, at: Place, key: str | None) -> UUID | None:
    if at.scope is None:
        return None
    if key is None:
        return access.root(session, at.scope).id
    return access.open_unit(session, at.scope, key, "/unit").id


def _is_retired(at: Place) -> ColumnElement[bool]:
    today = now().date() if at.scope is None else at.scope.today()
    # Written out, for the negation of a comparison with null is null.
    return ~or_(Indicator.retired_on.is_(None), Indicator.retired_on > today)


def _with_unit(at: Place) -> Select[*tuple[Any, ...]]:
    return at.seen.outerjoin(Unit, refers(Indicator.unit_id, Unit)).add_columns(Unit.code)


def _record(
    session: Session,
    actor: Actor,
    kind: str,
    row: Indicator,
    data: wire.NewIndicator | wire.IndicatorChanges,
) -> None:
    events.record(session, actor, row.institution_id, kind, events.Subject(row.id, row.code), data)


def _one(session: Session, at: Place, row: Indicator) -> wire.IndicatorWithYears:
    _, unit = session.execute(_with_unit(at).where(Indicator.id == row.id)).one()
    return wire.IndicatorWithYears(**_fields(row, unit), years=_years(session, row))


def _years(session: Session, row: Indicator) -> list[wire.IndicatorYear]:
    pairs: defaultdict[int, list[grading.Pair]] = defaultdict(list)
    for value in session.execute(
        select(IndicatorValue.ends_on, IndicatorValue.target, IndicatorValue.actual)
        .where(
            IndicatorValue.institution_id == row.institution_id,
            IndicatorValue.indicator_id == row.id,
        )
        .order_by(IndicatorValue.ends_on, IndicatorValue.starts_on, IndicatorValue.period_key)
    ):
        pairs[value.ends_on.year].append((value.target, value.actual))
    return [
        grading.year(row.polarity, row.aggregation, number, some) for number, some in pairs.items()
    ]


def _fields(row: Indicator, unit: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "code": row.code,
        "name": Names(id=row.name_id, en=row.name_en),
        "unit": unit,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "version": row.version,
        **{name: getattr(row, name) for name in _PLAIN},
    }
