"""Restoring: what was deleted comes back with its ids, and is rolled up by the code of any creation.

A row comes back only where it could be: its unit is open, its code or number is free, and whatever
it refers to is there. Else nothing is written, and the deletion can be restored once that is mended.
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import rows
from app.errors import AlreadyRestored, MissingReference, NumberTaken, UnitArchived
from app.messages import said
from app.models import Base, Deletion, EvidenceFile, Initiative, Milestone, Person, Unit
from app.models.base import now
from app.rollup import ledger
from app.rows import Rows
from app.schemas import deletions as wire
from app.schemas.deletions import DeletedNoun
from app.services import (
    access,
    baselines,
    deletions,
    dependencies,
    events,
    files,
    milestones,
    people,
    portfolio,
    stage_links,
    units,
    versions,
)
from app.services.access import Lock, Scope
from app.services.actors import Actor


class Restoration(NamedTuple):
    """What came back, and what it is called."""

    noun: DeletedNoun
    subject: str
    """Its code or address."""
    resource: wire.Restored


def restore(
    session: Session,
    actor: Actor,
    institution: str,
    deletion_id: UUID,
    reason: str | None = None,
) -> Restoration:
    """Put back all that a deletion removed, in its unit as the tree is now.

    Raises `AlreadyRestored`, `CodeTaken`, `NumberTaken` or `SubjectTaken`, `MissingReference` where
    something that it refers to is deleted itself, and `UnitArchived`.
    """
    scope = access.institution(session, actor, institution)
    noun = deletions.noun_of(session, scope, deletion_id)
    lock = Lock.ALONE if noun is DeletedNoun.UNIT else Lock.SHARED
    scope = access.institution(session, actor, institution, lock)
    deletion = deletions.take(session, scope, deletion_id)
    access.require(session, scope, deletions.MAY_DELETE[noun], deletion.unit_id)
    if deletion.content is None:
        raise AlreadyRestored
    content = rows.from_json(deletion.content)
    _count(content)
    resource = _PUT_BACK[noun](session, scope, deletion, content)
    deletion.restored_at, deletion.restored_by, deletion.content = now(), actor.name, None
    subject = events.Subject(deletion.subject_id, deletion.subject)
    data = resource.model_dump(mode="json")
    events.record(
        session, actor, scope.id, f"{noun}.restored", subject, data, reason=reason,
        unit_id=deletion.unit_id,
    )  # fmt: skip
    return Restoration(noun, deletion.subject, resource)


def _count(content: Rows) -> None:
    """Count a change of every row: nobody takes it for the version that was deleted."""
    at = now()
    for of_table in content.values():
        for row in of_table:
            if "version" in row:
                row["version"] += 1
                row["updated_at"] = at


def _unit(session: Session, scope: Scope, deletion: Deletion, content: Rows) -> wire.Restored:
    (row,) = content[Unit.__tablename__]
    row["parent_id"] = deletion.unit_id
    _has_its_place(session, scope, content, Unit, deletion)
    rows.put(session, content)
    units.link(session, scope, row["id"], row["parent_id"])
    return units.shape(session, scope, session.get_one(Unit, (scope.id, row["id"])))


def _person(session: Session, scope: Scope, deletion: Deletion, content: Rows) -> wire.Restored:
    (row,) = content[Person.__tablename__]
    row["unit_id"] = deletion.unit_id
    _has_its_place(session, scope, content, Person, deletion)
    people.subject_is_free(session, row.get("oidc_subject"))
    rows.put(session, content)
    return people.by_id(session, scope, row["id"])


def _initiative(session: Session, scope: Scope, deletion: Deletion, content: Rows) -> wire.Restored:
    (row,) = content[Initiative.__tablename__]
    row["unit_id"] = deletion.unit_id
    dependencies.readmit(session, scope, content)
    stage_links.forget_gone(session, scope, content)
    _has_its_place(session, scope, content, Initiative, deletion)
    with ledger.recorded(session, scope.id, row["id"]):
        rows.put(session, content)
    named = content.get(EvidenceFile.__tablename__, ())
    files.claim(session, scope, {link["file_id"] for link in named})
    return portfolio.one(session, scope, row["id"])


def _milestone(session: Session, scope: Scope, deletion: Deletion, content: Rows) -> wire.Restored:
    (row,) = content[Milestone.__tablename__]
    parent = session.scalars(
        access.visible(scope, Initiative)
        .where(Initiative.id == row["initiative_id"])
        .with_for_update()
    ).one_or_none()
    if parent is None:
        raise _missing(Initiative.__tablename__)
    access.require(session, scope, deletions.MAY_DELETE[deletion.noun], parent.unit_id)
    if milestones.is_taken(session, scope, parent.id, row["number"]):
        raise NumberTaken
    milestones.check_room(session, scope, parent.id)
    if parent.baseline is not None:  # there may be a newer one by now
        row["baseline_due_on"] = baselines.date_of(session, scope, parent, row["id"])
    dependencies.readmit(session, scope, content)
    with ledger.recorded(session, scope.id, parent.id):
        rows.put(session, content)
        versions.touch(parent)
    made = session.get_one(Milestone, (scope.id, row["id"]))
    milestones.touch_siblings(session, scope, made)
    return milestones.shape(made, parent.weight, scope.today())


_PUT_BACK = {
    DeletedNoun.UNIT: _unit,
    DeletedNoun.PERSON: _person,
    DeletedNoun.INITIATIVE: _initiative,
    DeletedNoun.MILESTONE: _milestone,
}


def _has_its_place(
    session: Session, scope: Scope, content: Rows, model: type[Base], deletion: Deletion
) -> None:
    missing = rows.dangling(session, scope.id, content)
    if missing:
        raise _missing(min(missing))
    archived = select(Unit.id).where(
        access.within(scope, Unit), Unit.id == deletion.unit_id, Unit.archived_at.is_not(None)
    )
    if session.execute(archived).first():
        raise UnitArchived
    (row,) = content[model.__tablename__]
    access.code_is_free(session, scope, model, row["code"])


def _missing(table: str) -> MissingReference:
    noun = table.replace("_", " ")
    detail = said(
        "The {noun} that this belongs to or names is deleted itself; restore that first.", noun=noun
    )
    return MissingReference(detail)
