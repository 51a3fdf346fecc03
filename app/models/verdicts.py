"""Closing verdicts: the official words, and which of them were given on initiatives."""

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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant

# As each database writes the condition of queries, or it does not see that the index has the rows.
_STANDS, _STANDS_IN_SQLITE = text("stands"), text("stands = 1")


class ClosingVerdict(Base):
    """What can be said of an initiative in the end; all institutions share these."""

    __tablename__ = "closing_verdict"
    __table_args__ = (
        UniqueConstraint("code_key"),
        CheckConstraint("position >= 1", "position"),
        CheckConstraint("version >= 1", "version"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    position: Mapped[int]
    source: Mapped[str | None] = mapped_column(Text)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class Judgement(Base):
    """A closing verdict that was given on an initiative; at most one of it stands."""

    __tablename__ = "judgement"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["institution_id", "decree_id"], ["decree.institution_id", "decree.id"]
        ),
        Index(None, "institution_id", "initiative_id", "id"),
        Index(None, "institution_id", "decree_id"),
        Index(
            "uq_judgement_stands", "institution_id", "initiative_id", unique=True,
            postgresql_where=_STANDS, sqlite_where=_STANDS_IN_SQLITE,
        ),
    )  # fmt: skip

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID]
    verdict_id: Mapped[UUID] = mapped_column(ForeignKey("closing_verdict.id"))
    note: Mapped[str] = mapped_column(Text)
    judged_on: Mapped[date]
    decree_id: Mapped[UUID | None]
    url: Mapped[str | None] = mapped_column(String(2_000))
    judged_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    """Who judged, as they are called: a person's code or a token's name."""
    judge_id: Mapped[UUID]
    """The person, or the token that acts for nobody in particular."""
    judged_at: Mapped[datetime] = mapped_column(Instant)
    stands: Mapped[bool]
