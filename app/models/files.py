"""Uploaded files, which reports have them as evidence, and the contents that are kept of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant


class FileContent(Base):
    """Bytes that the storage holds, or is about to hold, once for all files of an institution.

    Who is about to store them touches this first, and is then left in peace for a while; who is
    about to remove them says so here first. So neither can undo what the other has just done.
    """

    __tablename__ = "file_content"
    __table_args__ = (
        Index(None, "touched_at"),
        CheckConstraint("length(digest) = 64", "digest"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256, hex."""
    touched_at: Mapped[datetime] = mapped_column(Instant)
    removing: Mapped[bool]


class UploadedFile(Base):
    """A file that somebody sent; it never changes."""

    __tablename__ = "uploaded_file"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "digest"], ["file_content.institution_id", "file_content.digest"]
        ),
        Index(None, "institution_id", "digest"),
        Index(None, "institution_id", "uploader_id", "expires_at"),
        Index(None, "expires_at"),
        CheckConstraint("size >= 1", "size"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    media_type: Mapped[str] = mapped_column(String(100))
    """As its content says."""
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes."""
    uploaded_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    uploader_id: Mapped[UUID]
    """The person, or the token that acts for nobody in particular."""
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    """Until when it is kept though no report names it; null once one has."""


class EvidenceFile(Base):
    """A report names a file as its evidence."""

    __tablename__ = "evidence_file"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "update_id"],
            ["progress_update.institution_id", "progress_update.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["institution_id", "file_id"], ["uploaded_file.institution_id", "uploaded_file.id"]
        ),
        Index(None, "institution_id", "file_id"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    update_id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID] = mapped_column(primary_key=True)
