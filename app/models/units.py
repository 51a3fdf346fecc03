"""Units: a tree of any depth for each institution, with its closure."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant
from app.models.ratings import Judged


class Unit(Judged, Base):
    """A unit of an institution; the root unit has no parent and stands for the institution."""

    __tablename__ = "unit"
    __table_args__ = (
        ForeignKeyConstraint(["institution_id", "parent_id"], ["unit.institution_id", "unit.id"]),
        UniqueConstraint("institution_id", "code_key"),
        Index(None, "institution_id", "parent_id"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID | None]
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    kind: Mapped[str | None] = mapped_column(String(CODE_LENGTH))
    reference_code: Mapped[str | None] = mapped_column(String(CODE_LENGTH))
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class UnitClosure(Base):
    """Every pair of a unit and one of its ancestors, itself included at distance 0."""

    __tablename__ = "unit_closure"
    __table_args__ = (
        ForeignKeyConstraint(["institution_id", "ancestor_id"], ["unit.institution_id", "unit.id"]),
        ForeignKeyConstraint(
            ["institution_id", "descendant_id"], ["unit.institution_id", "unit.id"]
        ),
        Index(None, "institution_id", "ancestor_id", "descendant_id"),
        CheckConstraint("distance >= 0", "distance"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    descendant_id: Mapped[UUID] = mapped_column(primary_key=True)
    ancestor_id: Mapped[UUID] = mapped_column(primary_key=True)
    distance: Mapped[int]


class UnitMerger(Base):
    """A unit that was merged into another, for good.

    A table of its own: SQLite adds no composite foreign key to one that is there, and to make
    `unit` anew would drag along all that refers to it.
    """

    __tablename__ = "unit_merger"
    __table_args__ = (
        ForeignKeyConstraint(["institution_id", "unit_id"], ["unit.institution_id", "unit.id"]),
        ForeignKeyConstraint(["institution_id", "into_id"], ["unit.institution_id", "unit.id"]),
        Index(None, "institution_id", "into_id"),
        CheckConstraint("unit_id <> into_id", "ends"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    into_id: Mapped[UUID]
