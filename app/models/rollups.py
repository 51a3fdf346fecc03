"""The ledger: running totals for each unit with its subtree, in total and for each area, by year."""

from datetime import date
from enum import IntEnum
from uuid import UUID

from sqlalchemy import BigInteger, Date, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

ALL_AREAS = UUID(int=0)
"""Stands in `area_id` for the total, in which each initiative counts once."""


class Span(IntEnum):
    """How long a row of `rollup_period` is: months are summed first, then the days of the last one."""

    DAY = 1
    MONTH = 2


class RollupTotal(Base):
    """Numbers that do not depend on the date: `rollup.contribution.Totals`. `bac` is a value."""

    __tablename__ = "rollup_total"

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    area_id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    bac: Mapped[int] = mapped_column(BigInteger)
    active: Mapped[int] = mapped_column(Integer)
    on_hold: Mapped[int] = mapped_column(Integer)
    completed: Mapped[int] = mapped_column(Integer)
    unmeasured: Mapped[int] = mapped_column(Integer)
    milestones: Mapped[int] = mapped_column(Integer)
    obstacles: Mapped[int] = mapped_column(Integer, server_default="0")
    waiting: Mapped[int] = mapped_column(Integer, server_default="0")
    follow_ups: Mapped[int] = mapped_column(Integer, server_default="0")


class RollupPeriod(Base):
    """Steps within one day or one month: `rollup.contribution.Change`.

    A number on a date is the sum of the months before the date's month and of its days so far.
    """

    __tablename__ = "rollup_period"

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    area_id: Mapped[UUID] = mapped_column(primary_key=True)
    span: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    starts_on: Mapped[date] = mapped_column(Date, primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    planned: Mapped[int] = mapped_column(BigInteger)
    earned: Mapped[int] = mapped_column(BigInteger)
    verified: Mapped[int] = mapped_column(BigInteger)
    due: Mapped[int] = mapped_column(Integer)
    met: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    overdue: Mapped[int] = mapped_column(Integer)
    due_soon: Mapped[int] = mapped_column(Integer)
    obstructed: Mapped[int] = mapped_column(Integer, server_default="0")
    neglected: Mapped[int] = mapped_column(Integer, server_default="0")
