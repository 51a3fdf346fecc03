"""Roles of the reform team on the wire."""

from uuid import UUID

from pydantic import MISSING

from app.schemas.fields import Code, Flag, Instant, Names, Reason, Shape, Text, example
from app.schemas.pages import ChangesPaging


class NewTeamRole(Shape):
    """A new role in reform teams."""

    model_config = example(
        {
            "code": "agent-of-change",
            "name": {"id": "Agen perubahan", "en": "Agent of change"},
            "description": "Menggerakkan perubahan di unit kerjanya.",
        }
    )

    code: Code
    name: Names
    description: Text | None = None
    """What is expected of whoever has it."""
    reason: Reason | None = None


class TeamRoleChanges(Shape):
    """A merge patch of a role in reform teams."""

    model_config = example({"retired": True, "reason": "Digabung dengan tim pelaksana"})

    name: Names | MISSING = MISSING
    description: Text | MISSING | None = MISSING
    retired: Flag | MISSING = MISSING
    """True: nobody is appointed to it any more; appointments that there are stay."""
    reason: Reason | MISSING = MISSING


class TeamRole(Shape):
    """What somebody is in a reform team. It allows nothing: grants do that."""

    id: UUID
    code: str
    name: Names
    description: str | None
    retired_at: Instant | None
    """Since when nobody is appointed to it; null while it is in use."""
    created_at: Instant
    updated_at: Instant
    version: int


class TeamRolesQuery(ChangesPaging):
    """How roles are filtered."""

    retired: bool | None = None
    """Whether they are out of use."""
