"""Criteria by which an institution chooses, and the scores that people give on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant


class Criterion(Base):
    """What a proposal is judged by; a retired one keeps its scores, and counts no more."""

    __tablename__ = "criterion"
    __table_args__ = (
        UniqueConstraint("institution_id", "code_key"),
        CheckConstraint("weight BETWEEN 1 AND 1000", "weight"),
        CheckConstraint("highest_score BETWEEN 1 AND 1000", "highest_score"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    description: Mapped[str | None] = mapped_column(Text)
    weight: Mapped[int]
    highest_score: Mapped[int]
    retired_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class Score(Base):
    """What somebody gives an initiative on a criterion: one score, until they give another."""

    __tablename__ = "score"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["institution_id", "criterion_id"], ["criterion.institution_id", "criterion.id"]
        ),
        Index(None, "institution_id", "criterion_id", "score"),
        Index(None, "institution_id", "scorer_id"),
        CheckConstraint("score >= 0", "score"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    initiative_id: Mapped[UUID] = mapped_column(primary_key=True)
    criterion_id: Mapped[UUID] = mapped_column(primary_key=True)
    scorer_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The person, or the token that acts for nobody in particular."""
    scorer: Mapped[str] = mapped_column(String(NAME_LENGTH))
    """As they are called: a person's code or a token's name."""
    score: Mapped[int]
    note: Mapped[str | None] = mapped_column(Text)
    scored_at: Mapped[datetime] = mapped_column(Instant)
