"""The reform team: its roles, and who is appointed to which of them, for a year at a time."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant


class TeamRole(Base):
    """What somebody is in the reform team; it allows nothing, grants do that."""

    __tablename__ = "team_role"
    __table_args__ = (
        UniqueConstraint("institution_id", "code_key"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    description: Mapped[str | None] = mapped_column(Text)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class Appointment(Base):
    """A person in a role of a unit's reform team in one year."""

    __tablename__ = "appointment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "person_id"], ["person.institution_id", "person.id"]
        ),
        ForeignKeyConstraint(
            ["institution_id", "role_id"], ["team_role.institution_id", "team_role.id"]
        ),
        ForeignKeyConstraint(["institution_id", "unit_id"], ["unit.institution_id", "unit.id"]),
        ForeignKeyConstraint(
            ["institution_id", "decree_id"], ["decree.institution_id", "decree.id"]
        ),
        UniqueConstraint("institution_id", "person_id", "role_id", "unit_id", "year"),
        Index(None, "institution_id", "unit_id", "year"),
        Index(None, "institution_id", "year", "id"),
        Index(None, "institution_id", "role_id"),
        Index(None, "institution_id", "decree_id"),
        CheckConstraint("year BETWEEN 1900 AND 2199", "year"),
        CheckConstraint("until_on >= from_on", "dates"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    role_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    year: Mapped[int]
    decree_id: Mapped[UUID | None]
    from_on: Mapped[date]
    until_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]
