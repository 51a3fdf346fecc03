"""Events: what was written, by whom, in the order of commits, as a chain of digests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, Json

GENESIS = "0" * 64
"""Stands for the digest before an institution's first event."""


class Event(Base):
    """One write of one institution. No foreign key: the trail outlives what it tells about.

    Rows are only ever added: triggers refuse to change or remove one.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "institution_id", "type", "sequence"),
        Index(None, "institution_id", "actor", "sequence"),
        Index(None, "institution_id", "subject", "sequence"),
        Index(None, "institution_id", "unit_id", "sequence"),
        # Events come in the order of their instants, so blocks of them tell: as good as free to keep.
        Index(None, "at", postgresql_using="brin"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID]
    type: Mapped[str] = mapped_column(String(CODE_LENGTH))
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))
    actor_id: Mapped[UUID]
    token_id: Mapped[UUID | None]
    """Null where the actor did not come with a token of this service."""
    token_name: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    request_id: Mapped[str | None] = mapped_column(String(64))
    """Null for the command line."""
    unit_id: Mapped[UUID | None]
    """The unit that the subject belonged to then; null for the institution as a whole."""
    subject: Mapped[str] = mapped_column(
        # By code points on both databases, so that an index finds what lies below an address.
        String(200).with_variant(String(200, collation="C"), "postgresql")
    )
    subject_id: Mapped[UUID]
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    changes: Mapped[dict[str, Any]] = mapped_column(Json)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the digest before and of this row; `services.chain`."""
