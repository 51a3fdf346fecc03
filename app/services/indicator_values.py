"""Targets and actual values of indicators, a row for each period."""

from datetime import date

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid
from app.keyset import Key, paginate
from app.models import Indicator, IndicatorValue
from app.models.base import code_key, new_id, now
from app.schemas import indicators as wire
from app.schemas.pages import Page
from app.services import events, grading, indicators, versions
from app.services.access import Lock
from app.services.actors import Actor
from app.services.versions import Expected

MOST_PERIODS = 1_000
"""Of one indicator: its years are read whole."""
_GIVEN = ("starts_on", "ends_on", "target", "actual", "source", "source_url")


def put(
    session: Session,
    actor: Actor,
    institution: str | None,
    key: str,
    period: str,
    new: wire.PeriodValue,
    expected: Expected,
) -> tuple[wire.IndicatorValue, bool]:
    """Make a period what is given; says whether it is new."""
    at = indicators.place(session, actor, institution, Lock.SHARED)
    parent = indicators.find(session, at, key, lock=True)
    indicators.may_change(session, actor, at, parent.unit_id)
    _check_retired(parent, new.starts_on)
    row = session.scalars(
        select(IndicatorValue).where(
            IndicatorValue.institution_id == parent.institution_id,
            IndicatorValue.indicator_id == parent.id,
            IndicatorValue.period_key == code_key(period),
        )
    ).one_or_none()
    is_new = row is None
    if row is None:
        row = _add(session, parent, period, new)
    else:
        versions.check(row, expected)
        for name in _GIVEN:
            setattr(row, name, getattr(new, name))
        versions.touch(row)
    versions.touch(parent)
    subject = events.Subject(row.id, f"{parent.code}/values/{row.period}")
    events.record(
        session, actor, parent.institution_id, "indicator.value_set", subject, new,
        unit_id=parent.unit_id,
    )  # fmt: skip
    session.flush()
    return _shape(parent, row), is_new


def remove_all(
    session: Session,
    actor: Actor,
    institution: str | None,
    key: str,
    expected: Expected,
    reason: str | None,
) -> None:
    """Delete an indicator that was entered by mistake with its periods, for good; its event keeps them."""
    at = indicators.place(session, actor, institution, Lock.SHARED)
    row = indicators.find(session, at, key, lock=True)
    indicators.may_change(session, actor, at, row.unit_id)
    versions.check_removal(row, expected, reason)
    of_row = (
        IndicatorValue.institution_id == row.institution_id,
        IndicatorValue.indicator_id == row.id,
    )
    values = session.scalars(select(IndicatorValue).where(*of_row).order_by(IndicatorValue.ends_on))
    before = indicators.get(session, actor, institution, key).model_dump(mode="json")
    before["values"] = [_shape(row, value).model_dump(mode="json") for value in values]
    session.execute(
        delete(IndicatorValue).where(*of_row).execution_options(synchronize_session=False)
    )
    session.delete(row)
    events.record(
        session, actor, row.institution_id, "indicator.deleted", events.Subject(row.id, row.code),
        before, reason=reason, unit_id=row.unit_id,
    )  # fmt: skip


def page(
    session: Session, actor: Actor, institution: str | None, key: str, query: wire.ValueQuery
) -> Page[wire.IndicatorValue]:
    """The periods of an indicator, in the order of their ends."""
    at = indicators.place(session, actor, institution)
    parent = indicators.find(session, at, key)
    statement = select(IndicatorValue).where(
        IndicatorValue.institution_id == parent.institution_id,
        IndicatorValue.indicator_id == parent.id,
    )
    if query.year is not None:
        first, last = date(query.year, 1, 1), date(query.year, 12, 31)
        statement = statement.where(IndicatorValue.ends_on.between(first, last))
    if query.updated_since is not None:
        statement = statement.where(IndicatorValue.updated_at >= query.updated_since)
    keys = [
        Key(column, descending=False)
        for column in (IndicatorValue.ends_on, IndicatorValue.starts_on, IndicatorValue.period_key)
    ]
    found = paginate(session, statement, keys, query)
    return found.page([_shape(parent, row[0]) for row in found.rows])


def _check_retired(parent: Indicator, starts_on: date) -> None:
    if parent.retired_on is not None and starts_on >= parent.retired_on:
        detail = "The indicator is retired from before this period begins."
        raise Invalid.field("/starts_on", "retired_indicator", detail)


def _add(session: Session, parent: Indicator, period: str, new: wire.PeriodValue) -> IndicatorValue:
    count = session.scalar(
        select(func.count())
        .select_from(IndicatorValue)
        .where(
            IndicatorValue.institution_id == parent.institution_id,
            IndicatorValue.indicator_id == parent.id,
        )
    )
    if (count or 0) >= MOST_PERIODS:
        raise Conflict(f"An indicator has at most {MOST_PERIODS:,} periods.")
    at = now()
    row = IndicatorValue(
        institution_id=parent.institution_id,
        id=new_id(),
        indicator_id=parent.id,
        period=period,
        period_key=code_key(period),
        created_at=at,
        updated_at=at,
        version=1,
        **{name: getattr(new, name) for name in _GIVEN},
    )
    session.add(row)
    return row


def _shape(parent: Indicator, row: IndicatorValue) -> wire.IndicatorValue:
    return wire.IndicatorValue(
        id=row.id,
        period=row.period,
        achieved_percent=grading.achieved(parent.polarity, row.target, row.actual),
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        **{name: getattr(row, name) for name in _GIVEN},
    )
