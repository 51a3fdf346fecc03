"""Progress updates (reports): append-only facts; only their verification is added later."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, Json, choice, only_on
from app.schemas.fields import Verification

_WAITING = text("verification = 'reported'")
_RETURNED = text("verification = 'returned'")
_NAMES = ("institution_id", "milestone_id", "source", "external_id")
_NAMED = text("source IS NOT NULL")
_RESUBMITS = text("resubmits_id IS NOT NULL")


class ProgressUpdate(Base):
    """One report on one milestone."""

    __tablename__ = "progress_update"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "milestone_id"],
            ["milestone.institution_id", "milestone.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("institution_id", "milestone_id", "sequence"),
        # On PostgreSQL an index of those alone that have a name, which most reports have not.
        only_on("sqlite", UniqueConstraint(*_NAMES)),
        only_on(
            "postgresql",
            Index("uq_progress_update_named", *_NAMES, unique=True, postgresql_where=_NAMED),
        ),
        Index(None, "institution_id", "milestone_id", "effective_on", "sequence"),
        Index(None, "institution_id", "initiative_id", "effective_on"),
        Index(
            "ix_progress_update_waiting", "institution_id", "id",
            postgresql_where=_WAITING, sqlite_where=_WAITING,
        ),
        Index(
            "ix_progress_update_returned", "institution_id", "id",
            postgresql_where=_RETURNED, sqlite_where=_RETURNED,
        ),
        Index(
            "uq_progress_update_resubmits", "institution_id", "resubmits_id", unique=True,
            postgresql_where=_RESUBMITS, sqlite_where=_RESUBMITS,
        ),
        Index(
            "ix_progress_update_late", "institution_id", "id",
            postgresql_where=text("late"), sqlite_where=text("late"),
        ),
        CheckConstraint("sequence >= 1", "sequence"),
        CheckConstraint("percent BETWEEN 0 AND 10000", "percent"),
        CheckConstraint("previous BETWEEN 0 AND 10000", "previous"),
    )  # fmt: skip

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID]
    milestone_id: Mapped[UUID]
    sequence: Mapped[int]
    """Order of arrival within the milestone, from 1; breaks ties between reports of one day."""
    percent: Mapped[int]
    """Basis points."""
    previous: Mapped[int]
    """Basis points that held on the effective date before this report."""
    effective_on: Mapped[date]
    late: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether the window of the reporting period was over when it came."""
    note: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[list[Any]] = mapped_column(Json)
    source: Mapped[str | None] = mapped_column(String(CODE_LENGTH))
    external_id: Mapped[str | None] = mapped_column(String(200))
    reported_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    """Who reported, as they are called: a person's code or a token's name."""
    reporter_id: Mapped[UUID]
    """The person, or the token that acts for nobody in particular; decides who may verify."""
    reported_at: Mapped[datetime] = mapped_column(Instant)
    verification: Mapped[Verification] = mapped_column(choice(Verification))
    verified_by: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    verification_note: Mapped[str | None] = mapped_column(Text)
    verifications: Mapped[list[Any]] = mapped_column(Json, server_default="[]")
    """Every verdict with its findings, oldest first: only ever added to. The columns above say the
    latest again; of a report that was judged before this column came, they are all there is."""
    resubmits_id: Mapped[UUID | None]
    """The returned report of this milestone that it answers, which is answered once."""
