"""Imports: spreadsheets that were sent, what is to be done with them, and how it ended."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant, choice
from app.schemas.imports import ImportMode, ImportStatus, SheetFormat

_Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Import(Base):
    """One spreadsheet that somebody sent, until it expires.

    What is not finished is taken by a process for as long as its lease holds, which it renews. Who
    finishes it must still be the one whose name the lease bears, so it is applied once.
    """

    __tablename__ = "import"
    __table_args__ = (
        Index(None, "institution_id", "submitted_at", "id"),
        Index(None, "status", "leased_until"),
        Index(None, "expires_at"),
        CheckConstraint("length(digest) = 64", "digest"),
        CheckConstraint("total_rows >= 0 AND done_rows >= 0", "rows"),
        CheckConstraint("(leased_until IS NULL) = (leased_by IS NULL)", "lease"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    mode: Mapped[ImportMode] = mapped_column(choice(ImportMode))
    status: Mapped[ImportStatus] = mapped_column(choice(ImportStatus))
    format: Mapped[SheetFormat] = mapped_column(choice(SheetFormat))
    digest: Mapped[str] = mapped_column(String(64))
    total_rows: Mapped[int]
    done_rows: Mapped[int]
    actor_id: Mapped[UUID]
    """Who submitted it: it is done with the rights that they have when it is done."""
    token_id: Mapped[UUID | None]
    """The token that they used; null where the OIDC issuer vouched for them."""
    request_id: Mapped[str | None] = mapped_column(String(64))
    submitted_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    submitted_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    leased_by: Mapped[UUID | None]
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int]
    """How often it was taken up."""
    counts: Mapped[dict[str, Any] | None] = mapped_column(_Json)
    """Of the outcome: all but its rows and faults."""
    problem: Mapped[dict[str, Any] | None] = mapped_column(_Json)
    # Lists leave these out.
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True)
    """The cells that were read, as their reader compressed them; not the file itself."""
    outcome: Mapped[bytes | None] = mapped_column(
        LargeBinary, deferred=True, deferred_raiseload=True
    )
    """JSON of the whole outcome, compressed with zlib."""
    messages: Mapped[bytes | None] = mapped_column(
        LargeBinary, deferred=True, deferred_raiseload=True
    )
    """Of the outcome's faults, one after the other, what lets them be told in any language; likewise."""
