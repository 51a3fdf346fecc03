"""What is kept of the facts beside the ledger: milestones' shares, and where initiatives stand."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from app.models import Initiative, Milestone
from app.models.base import table as table_of
from app.rollup import contribution, facts
from app.rollup.contribution import Standing


def keep(session: Session, institution_id: UUID, of: Iterable[facts.Fact]) -> None:
    """Keep the shares of the milestones and the standing of each initiative."""
    changed: list[dict[str, Any]] = []
    for fact in of:
        states = contribution.states(fact.initiative)
        standing = contribution.standing(fact.initiative, states)
        if standing != fact.standing:
            set_standing(session, institution_id, fact.id, standing)
        changed += [
            {"institution": institution_id, "milestone": stored.id, "points": state.share}
            for stored, state in zip(fact.stored, states, strict=True)
            if stored.share != state.share
        ]
    if changed:
        session.connection().execute(_SET_SHARE, changed)
        session.expire_all()


def set_standing(
    session: Session, institution_id: UUID, initiative_id: UUID, standing: Standing
) -> None:
    """Keep where an initiative stands."""
    given = {f"new_{name}": number for name, number in standing._asdict().items()}
    session.connection().execute(
        _SET_STANDING, {"institution": institution_id, "initiative": initiative_id, **given}
    )


_SET_STANDING = (
    update(table_of(Initiative))
    .where(
        Initiative.institution_id == bindparam("institution"),
        Initiative.id == bindparam("initiative"),
    )
    .values({name: bindparam(f"new_{name}") for name in Standing._fields})
)
_SET_SHARE = (
    update(table_of(Milestone))
    .where(
        Milestone.institution_id == bindparam("institution"), Milestone.id == bindparam("milestone")
    )
    .values(share=bindparam("points"))
)
