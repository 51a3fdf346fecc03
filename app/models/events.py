"""Events: what was written, by whom, in the order of commits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, Json


class Event(Base):
    """One write of one institution. No foreign key: the trail outlives what it tells about."""

    __tablename__ = "event"

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID]
    type: Mapped[str] = mapped_column(String(CODE_LENGTH))
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(NAME_LENGTH))
    actor_id: Mapped[UUID]
    subject: Mapped[str] = mapped_column(String(200))
    subject_id: Mapped[UUID]
    data: Mapped[dict[str, Any]] = mapped_column(Json)
