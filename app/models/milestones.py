"""Milestones: the parts of an initiative that are planned, reported and verified."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant, choice
from app.schemas.fields import Technique

_LATE = text("done_on > due_on AND dropped_at IS NULL")
_DONE, _OPEN = text("done_on IS NOT NULL"), text("done_on IS NULL AND dropped_at IS NULL")


class Milestone(Base):
    """A milestone of an initiative.

    `share`, `percent`, `verified` and `done_on` are derived: what apportionment and the reports
    say, kept so that lists and the everyday report need neither siblings nor history. The same
    verbs that change the facts keep them, and `quickwin rollups verify` checks them.
    """

    __tablename__ = "milestone"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("institution_id", "initiative_id", "number"),
        Index(
            "ix_milestone_done", "institution_id", "done_on", "id",
            postgresql_where=_DONE, sqlite_where=_DONE,
        ),
        Index(
            "ix_milestone_open", "institution_id", "due_on", "id",
            postgresql_where=_OPEN, sqlite_where=_OPEN,
        ),
        Index(
            "ix_milestone_late", "institution_id", "due_on", "done_on",
            postgresql_where=_LATE, sqlite_where=_LATE,
        ),
        CheckConstraint("number >= 1", "number"),
        CheckConstraint("weight BETWEEN 1 AND 1000", "weight"),
        CheckConstraint("share BETWEEN 0 AND 1000000000", "share"),
        CheckConstraint("percent BETWEEN 0 AND 10000", "percent"),
        CheckConstraint("verified BETWEEN 0 AND 10000", "verified"),
        CheckConstraint("reports >= 0", "reports"),
        CheckConstraint("version >= 1", "version"),
    )  # fmt: skip

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID]
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    description: Mapped[str | None] = mapped_column(Text)
    weight: Mapped[int]
    technique: Mapped[Technique] = mapped_column(choice(Technique))
    due_on: Mapped[date]
    baseline_due_on: Mapped[date | None]
    """Date in the newest baseline; of an initiative without one, whatever was set by hand."""
    first_baseline_due_on: Mapped[date | None]
    """Date in the first baseline that has it; kept for good."""
    dropped_at: Mapped[datetime | None] = mapped_column(Instant)
    share: Mapped[int] = mapped_column(BigInteger)
    """Points; 0 for a dropped milestone."""
    percent: Mapped[int]
    """Basis points of the latest report; 0 without one."""
    verified: Mapped[int]
    """Basis points of the latest verified report; 0 without one."""
    done_on: Mapped[date | None]
    """Since when the milestone is at 100 % without a break."""
    reports: Mapped[int]
    """How many reports there are; the sequence of the newest."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]
