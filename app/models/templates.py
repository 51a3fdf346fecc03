"""Templates: initiatives as an institution wants them, to be copied into units."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, Json, choice
from app.schemas.fields import InitiativeKind, Origin


class Template(Base):
    """A template of an institution. What was copied from it stays as it is when it changes or goes."""

    __tablename__ = "template"
    __table_args__ = (
        UniqueConstraint("institution_id", "code_key"),
        CheckConstraint("weight BETWEEN 1 AND 1000", "weight"),
        CheckConstraint("version >= 1", "version"),
    )

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    description: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[InitiativeKind] = mapped_column(choice(InitiativeKind))
    origin: Mapped[Origin] = mapped_column(choice(Origin))
    weight: Mapped[int]
    expected_result: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(Json)
    milestones: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """`schemas.templates.TemplateMilestone`, by number: they are read and written as a whole."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class TemplateArea(Base):
    """A reform area that copies of a template serve."""

    __tablename__ = "template_area"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "template_id"],
            ["template.institution_id", "template.id"],
            ondelete="CASCADE",
        ),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    area_id: Mapped[UUID] = mapped_column(ForeignKey("reform_area.id"), primary_key=True)
