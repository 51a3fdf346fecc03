"""Announcing: the event of an initiative that is inserted below the ORM, as its creation would tell it."""

from typing import Any

from sqlalchemy.orm import Session

from app.models import Initiative
from app.schemas.initiatives import NewInitiative
from app.services import alterations, events
from app.services.access import Scope
from app.services.actors import Actor


def created(
    session: Session, actor: Actor, scope: Scope, new: NewInitiative, row: dict[str, Any]
) -> None:
    """Record the creation of an initiative whose row is inserted below the ORM."""
    changes = alterations.of_added(session, Initiative(**row))
    belongings = new.model_dump(mode="json", include={"areas", "owners", "tags"})
    for name, value in belongings.items():
        if value:
            changes[name] = {"before": None, "after": value}
    events.record(
        session, actor, scope.id, "initiative.created", events.Subject(row["id"], row["code"]), new,
        unit_id=row["unit_id"], changes=changes,
    )  # fmt: skip
