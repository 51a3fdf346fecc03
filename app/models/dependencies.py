"""Dependencies: what has to be finished before something else can be."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant


def _refers(end: str) -> tuple[ForeignKeyConstraint, ForeignKeyConstraint]:
    """An end is an initiative, or one of its milestones; the dependency goes with it."""
    return (
        ForeignKeyConstraint(
            ["institution_id", f"{end}_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["institution_id", f"{end}_milestone_id"],
            ["milestone.institution_id", "milestone.id"],
            ondelete="CASCADE",
        ),
    )


class Dependency(Base):
    """The successor waits for the predecessor to finish, and `lag_days` more."""

    __tablename__ = "dependency"
    __table_args__ = (
        *_refers("predecessor"),
        *_refers("successor"),
        Index(None, "institution_id", "predecessor_id"),
        Index(None, "institution_id", "successor_id"),
        Index(None, "institution_id", "predecessor_milestone_id"),
        Index(None, "institution_id", "successor_milestone_id"),
        CheckConstraint("lag_days BETWEEN -3660 AND 3660", "lag_days"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    predecessor_id: Mapped[UUID]
    predecessor_milestone_id: Mapped[UUID | None]
    """Null: the whole initiative."""
    successor_id: Mapped[UUID]
    successor_milestone_id: Mapped[UUID | None]
    lag_days: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
