"""Institutions (tenants), and the counter that orders each institution's events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, Json


class Institution(Base):
    """A ministry, agency, commission or region with its own tree of units."""

    __tablename__ = "institution"
    __table_args__ = (UniqueConstraint("code_key"), CheckConstraint("version >= 1", "version"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    time_zone: Mapped[str] = mapped_column(String(64))
    scheme_id: Mapped[UUID] = mapped_column(ForeignKey("scheme.id"))
    policy: Mapped[dict[str, Any]] = mapped_column(Json)
    windows: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    """What reports are held against of the reporting periods: `services.windows`."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class InstitutionClock(Base):
    """The event sequence of an institution, and the digest of its last event.

    A table of its own, advanced last in a transaction: events get no gaps, the order of the
    sequence is the order of commits, and readers of the institution never wait for it.
    """

    __tablename__ = "institution_clock"
    __table_args__ = (CheckConstraint("sequence >= 0", "sequence"),)

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    windows: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the institution's `windows` have changed."""
