"""Optimistic concurrency: a change names the version that it was made from."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from app.errors import Invalid, StaleVersion
from app.models import Indicator, Initiative, Institution, Person, Unit, UnitMerger
from app.models.base import now

Expected = frozenset[int] | None
"""Versions that the caller accepts; None: whatever is there (`If-Match: *`)."""


class Versioned(Protocol):
    """A row that counts its changes."""

    version: int
    updated_at: datetime


def check(row: Versioned, expected: Expected) -> None:
    """Raise `StaleVersion` unless the row is at one of the expected versions."""
    if expected is not None and row.version not in expected:
        raise StaleVersion


def check_removal(row: Versioned, expected: Expected, reason: str | None) -> None:
    """As `check`, for what goes for good and owes a reason: raises `Invalid` without one."""
    check(row, expected)
    if reason is None:
        raise Invalid.parameter("reason", "reason_owed", "This change owes a reason.")


def touch(row: Versioned) -> None:
    """Count a change."""
    row.version += 1
    row.updated_at = now()


def touch_all(session: Session, model: Any, *conditions: ColumnElement[bool]) -> None:  # noqa: ANN401  a mapped class
    """Count a change of rows whose answers show it although nobody changed them themselves."""
    session.execute(
        update(model)
        .where(*conditions)
        .values(version=model.version + 1, updated_at=now())
        .execution_options(synchronize_session=False)
    )


def touch_below(session: Session, unit: Unit, subtree: Select[UUID]) -> None:
    """Count a change of all units below one, whose paths have changed."""
    within = Unit.institution_id == unit.institution_id
    touch_all(session, Unit, within, Unit.id.in_(subtree), Unit.id != unit.id)


def touch_named_by(session: Session, unit: Unit, subtree: Select[UUID]) -> None:
    """Count a change of all others whose answers name a unit by its code, which is new."""
    touch_below(session, unit, subtree)
    merged = select(UnitMerger.unit_id).where(
        UnitMerger.institution_id == unit.institution_id, UnitMerger.into_id == unit.id
    )
    touch_all(session, Unit, Unit.institution_id == unit.institution_id, Unit.id.in_(merged))
    for model in (Indicator, Initiative, Person):
        within = model.institution_id == unit.institution_id
        touch_all(session, model, within, model.unit_id == unit.id)
    if unit.parent_id is None:
        touch_all(session, Institution, Institution.id == unit.institution_id)
