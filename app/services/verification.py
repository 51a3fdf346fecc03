"""Verification: a verdict on a report, by somebody else than its reporter."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound, OwnReport
from app.models import Initiative, Milestone, ProgressUpdate
from app.models.base import now
from app.rollup import ledger
from app.schemas import updates as wire
from app.schemas.fields import Verdict, Verification
from app.schemas.permissions import Permission
from app.services import access, events, updates, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor


def verify(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    number: int,
    update_id: UUID,
    verification: wire.NewVerification,
) -> wire.Update:
    """Give a verdict on somebody else's report; a later verdict replaces an earlier one.

    Raises `OwnReport` for one's own report, and `Invalid` when a report is returned without a note.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    parent = access.find(session, scope, Initiative, initiative, lock=True)
    access.require(session, scope, Permission.UPDATES_VERIFY, parent.unit_id)
    row = _find_update(session, scope, parent.id, number, update_id)
    if row.reporter_id == actor.id:
        raise OwnReport
    check_note(verification.verdict, verification.note, "/note")
    milestone = session.get_one(Milestone, (scope.id, row.milestone_id))
    verdict = Verification(verification.verdict.value)
    if verdict is not row.verification:
        with ledger.recorded(session, scope.id, parent.id):
            row.verification = verdict
        session.refresh(milestone)
        milestone.verified = _latest_verified(session, scope, milestone.id)
        versions.touch(milestone)
        versions.touch(parent)
    row.verified_by, row.verified_at = actor.name, now()
    row.verification_note = verification.note
    subject = events.Subject(row.id, f"{parent.code}/milestones/{number}/updates/{row.id}")
    events.record(session, actor, scope.id, f"update.{verdict}", subject, verification)
    session.flush()
    return updates.shape(row, parent.code, number)


def check_note(verdict: Verdict | None, note: str | None, pointer: str) -> None:
    """Raise `Invalid` where a report is returned without saying why."""
    if verdict is Verdict.RETURNED and not (note or "").strip():
        detail = "A returned report owes a note that says why."
        raise Invalid.field(pointer, "note_owed", detail)


def _find_update(
    session: Session, scope: Scope, initiative_id: UUID, number: int, update_id: UUID
) -> ProgressUpdate:
    row = session.scalars(
        access.visible(scope, ProgressUpdate)
        .join(
            Milestone,
            (Milestone.institution_id == ProgressUpdate.institution_id)
            & (Milestone.id == ProgressUpdate.milestone_id),
        )
        .where(
            ProgressUpdate.id == update_id,
            ProgressUpdate.initiative_id == initiative_id,
            Milestone.number == number,
        )
        .with_for_update(of=ProgressUpdate)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _latest_verified(session: Session, scope: Scope, milestone_id: UUID) -> int:
    latest = session.execute(
        select(ProgressUpdate.percent)
        .where(
            access.within(scope, ProgressUpdate),
            ProgressUpdate.milestone_id == milestone_id,
            ProgressUpdate.verification == Verification.VERIFIED,
        )
        .order_by(ProgressUpdate.effective_on.desc(), ProgressUpdate.sequence.desc())
        .limit(1)
    ).scalar_one_or_none()
    return latest or 0
