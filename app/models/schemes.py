"""Catalogues shared by all institutions: schemes and the reform areas that they consist of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CODE_LENGTH, NAME_LENGTH, Base, Instant, Json


class Scheme(Base):
    """A versioned catalogue of reform areas: a road map, a thematic programme, an integrity zone."""

    __tablename__ = "scheme"
    __table_args__ = (
        UniqueConstraint("code_key"),
        CheckConstraint("to_year IS NULL OR to_year >= from_year", "years"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    basis: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    from_year: Mapped[int]
    to_year: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer)


class ReformArea(Base):
    """A reform area. Its code is unique over all schemes: several schemes may share an area."""

    __tablename__ = "reform_area"
    __table_args__ = (UniqueConstraint("code_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(CODE_LENGTH))
    name_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    aliases: Mapped[list[Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]


class SchemeArea(Base):
    """A reform area's place in a scheme."""

    __tablename__ = "scheme_area"
    __table_args__ = (CheckConstraint("position >= 1", "position"),)

    scheme_id: Mapped[UUID] = mapped_column(ForeignKey("scheme.id"), primary_key=True)
    area_id: Mapped[UUID] = mapped_column(ForeignKey("reform_area.id"), primary_key=True)
    position: Mapped[int]
    compliance_weight: Mapped[float | None] = mapped_column(Numeric(6, 2, asdecimal=False))
