"""Which releases the schema serves: one row, kept by the migrations themselves."""

from sqlalchemy import CheckConstraint, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class SchemaFloor(Base):
    """The oldest revision whose release runs on this schema."""

    __tablename__ = "schema_floor"
    __table_args__ = (CheckConstraint("id = 1", name="only"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    revision: Mapped[str] = mapped_column(String(32))
