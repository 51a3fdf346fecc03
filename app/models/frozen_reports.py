"""Frozen reports: what was told, for ever. Rows are only ever added."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant


class FrozenReport(Base):
    """A unit's roll-up as it was told; `content` is all of it, the other columns find it.

    Being superseded is not kept here but in the row that supersedes, so that no row ever changes.
    """

    __tablename__ = "frozen_report"
    __table_args__ = (
        ForeignKeyConstraint(["institution_id", "unit_id"], ["unit.institution_id", "unit.id"]),
        ForeignKeyConstraint(
            ["institution_id", "supersedes_id"],
            ["frozen_report.institution_id", "frozen_report.id"],
        ),
        UniqueConstraint("institution_id", "supersedes_id"),
        Index(None, "institution_id", "version", "id"),
        Index(None, "institution_id", "unit_id", "version", "id"),
        CheckConstraint("year BETWEEN 1900 AND 2199", "year"),
        CheckConstraint("version >= 0", "version"),
        CheckConstraint("length(digest) = 64", "digest"),
        CheckConstraint("supersedes_id <> id", "supersedes"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID]
    unit_code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    """As it was then."""
    year: Mapped[int | None] = mapped_column(SmallInteger)
    as_of: Mapped[date]
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    note: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(BigInteger)
    """The institution's event sequence at that moment; grows from report to report."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of `content` in UTF-8, hex."""
    frozen_at: Mapped[datetime] = mapped_column(Instant)
    frozen_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    supersedes_id: Mapped[UUID | None]
    # Text, not JSON: a database may write JSON in another form, and the digest is of these bytes.
    # Lists leave it out; who wants it selects it.
    content: Mapped[str] = mapped_column(Text, deferred=True, deferred_raiseload=True)
