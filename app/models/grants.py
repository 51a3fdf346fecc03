"""Grants: which roles people have on units."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NAME_LENGTH, Base, Instant, choice
from app.schemas.permissions import Role


class RoleGrant(Base):
    """A role of a person on a unit, which holds for all units below."""

    __tablename__ = "role_grant"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "person_id"], ["person.institution_id", "person.id"]
        ),
        ForeignKeyConstraint(["institution_id", "unit_id"], ["unit.institution_id", "unit.id"]),
        UniqueConstraint("institution_id", "person_id", "unit_id", "role"),
        Index(None, "institution_id", "unit_id"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    role: Mapped[Role] = mapped_column(choice(Role))
    granted_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    granted_at: Mapped[datetime] = mapped_column(Instant)
