"""Initiatives, with the areas that they serve, their owners and their tags."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, choice, only_on
from app.models.ratings import Judged
from app.schemas.fields import FIRST_DAY, InitiativeKind, InitiativeStatus, Origin, OwnerRole

_OWING = text("next_due_on IS NOT NULL")


def _of_initiative() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["institution_id", "initiative_id"],
        ["initiative.institution_id", "initiative.id"],
        ondelete="CASCADE",
    )


class Initiative(Judged, Base):
    """A quick win or another reform initiative of one unit in one year.

    From `milestones` to `reported_months` it is derived: `rollup.contribution.Standing`, kept so that
    grouped reads over initiatives, and filters by their numbers, need no milestone.
    """

    __tablename__ = "initiative"
    __table_args__ = (
        ForeignKeyConstraint(["institution_id", "unit_id"], ["unit.institution_id", "unit.id"]),
        UniqueConstraint("institution_id", "code_key"),
        Index(None, "institution_id", "unit_id", "code_key"),
        # SQLite, which has no statistics, would take it for a choice of ten rows.
        only_on("postgresql", Index("ix_initiative_by_year", "institution_id", "year", "status")),
        Index(
            "ix_initiative_next_due",
            "institution_id",
            "next_due_on",
            "code_key",
            postgresql_where=_OWING,
            sqlite_where=_OWING,
        ),
        CheckConstraint("weight BETWEEN 1 AND 1000", "weight"),
        CheckConstraint("year BETWEEN 1900 AND 2199", "year"),
        CheckConstraint("due_on IS NULL OR start_on IS NULL OR due_on >= start_on", "dates"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    description: Mapped[str | None] = mapped_column(Text)
    unit_id: Mapped[UUID]
    year: Mapped[int]
    kind: Mapped[InitiativeKind] = mapped_column(choice(InitiativeKind))
    origin: Mapped[Origin] = mapped_column(choice(Origin))
    status: Mapped[InitiativeStatus] = mapped_column(choice(InitiativeStatus))
    weight: Mapped[int]
    start_on: Mapped[date | None]
    due_on: Mapped[date | None]
    expected_result: Mapped[str | None] = mapped_column(Text)
    cancelled_on: Mapped[date | None]
    """Of a cancelled one alone; null too where it was cancelled before this was kept."""
    public: Mapped[bool] = mapped_column(server_default=false())
    """Whether it is shown to anybody, where the institution shows anything."""
    last_reported_at: Mapped[datetime | None] = mapped_column(Instant)
    baseline: Mapped[int | None]
    """Number of its newest baseline; null while there is none."""
    template_id: Mapped[UUID | None]
    """What it was copied from, which may be gone by now."""
    milestones: Mapped[int]
    """Live milestones."""
    done: Mapped[int]
    """Live milestones at 100 %."""
    earned: Mapped[int] = mapped_column(BigInteger)
    """Value: Σ share × basis points that count."""
    verified: Mapped[int] = mapped_column(BigInteger)
    """The same of verified reports alone."""
    next_due_on: Mapped[date | None]
    """When the first live milestone that is not at 100 % is due."""
    planned: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Value, from `planned_from` up to the day before `planned_until`; for another day it has to be read."""
    planned_from: Mapped[date] = mapped_column(server_default=FIRST_DAY.isoformat())
    planned_until: Mapped[date] = mapped_column(server_default=FIRST_DAY.isoformat())
    last_done_on: Mapped[date | None]
    """Since when the last live milestone that is at 100 % is."""
    reported_months: Mapped[int | None] = mapped_column(BigInteger)
    """The months for which there are reports: `rollup.months`; null where it has to be looked up."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class InitiativeArea(Base):
    """A reform area that an initiative serves."""

    __tablename__ = "initiative_area"
    __table_args__ = (_of_initiative(), Index(None, "institution_id", "area_id", "initiative_id"))

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID] = mapped_column(primary_key=True)
    area_id: Mapped[UUID] = mapped_column(ForeignKey("reform_area.id"), primary_key=True)


class InitiativeOwner(Base):
    """A person who owns an initiative, in one role."""

    __tablename__ = "initiative_owner"
    __table_args__ = (
        _of_initiative(),
        ForeignKeyConstraint(
            ["institution_id", "person_id"], ["person.institution_id", "person.id"]
        ),
        Index(None, "institution_id", "person_id", "initiative_id"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[OwnerRole] = mapped_column(choice(OwnerRole))


class InitiativeTag(Base):
    """A free label on an initiative."""

    __tablename__ = "initiative_tag"
    __table_args__ = (_of_initiative(), Index(None, "institution_id", "tag", "initiative_id"))

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(String(CODE_LENGTH), primary_key=True)
