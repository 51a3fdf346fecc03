"""Healths: what each unit's was when it was last looked at, so that a change is noticed."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, choice
from app.schemas.fields import Health


class HealthWatch(Base):
    """How far an institution's healths have been compared: all events up to a sequence, on a day."""

    __tablename__ = "health_watch"

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[date]


class UnitHealth(Base):
    """The last known health of a unit; a unit without a row is not measurable.

    Without a foreign key to the unit: what is deleted is noticed at the next look.
    """

    __tablename__ = "unit_health"

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    health: Mapped[Health] = mapped_column(choice(Health))
