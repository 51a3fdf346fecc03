"""Verification: a verdict on a report, by somebody else than its reporter."""

from uuid import UUID

from sqlalchemy import exists, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.errors import Conflict, Invalid, NotFound, OwnReport
from app.keyset import Key, paginate
from app.models import Initiative, Milestone, ProgressUpdate, ReportingPeriod, Unit
from app.models.base import now, refers
from app.rollup import ledger
from app.schemas import updates as wire
from app.schemas.fields import Verdict, Verification
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.schemas.verifications import VerificationCase, VerificationQuery
from app.services import access, events, naming, selection, updates, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor

# Ids are in the order of arrival.
_OLDEST_FIRST = [Key(ProgressUpdate.id, descending=False)]


def verify(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    number: int,
    update_id: UUID,
    verification: wire.NewVerification,
) -> wire.Update:
    """Give a verdict on somebody else's report; the latest one holds, and all are kept.

    Raises `OwnReport` for one's own report, `Invalid` when a report is returned without a note,
    and `Conflict` after `MOST_VERIFICATIONS`.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    parent = access.find(session, scope, Initiative, initiative, lock=True)
    access.require(session, scope, Permission.UPDATES_VERIFY, parent.unit_id)
    row = _find_update(session, scope, parent.id, number, update_id)
    if row.reporter_id == actor.id:
        raise OwnReport
    check_note(verification.verdict, verification.note, "/note")
    given = updates.given_on(row)
    if len(given) >= wire.MOST_VERIFICATIONS:
        raise Conflict("This report has as many verdicts as one can have.")
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
    row.verifications = [*given, updates.given(verification, actor.name, row.verified_at)]
    subject = events.Subject(row.id, f"{parent.code}/milestones/{number}/updates/{row.id}")
    events.record(session, actor, scope.id, f"update.{verdict}", subject, verification)
    session.flush()
    return updates.shape(row, parent.code, number)


def page(
    session: Session, actor: Actor, institution: str, query: VerificationQuery
) -> Page[VerificationCase]:
    """Reports of others that the actor may verify, filtered; the oldest first."""
    scope = access.institution(session, actor, institution)
    statement = (
        select(ProgressUpdate, Initiative, Milestone, Unit.code)
        .join(Milestone, refers(ProgressUpdate.milestone_id, Milestone))
        .join(Initiative, refers(ProgressUpdate.initiative_id, Initiative))
        .join(Unit, refers(Initiative.unit_id, Unit))
        .where(
            access.within(scope, ProgressUpdate),
            access.seen(scope, ProgressUpdate, Permission.UPDATES_VERIFY),
            ProgressUpdate.reporter_id != actor.id,
            *selection.places(scope, query),
        )
    )
    # Written out, not bound: of a bound value no database knows that the index of what waits has it.
    kind = ProgressUpdate.verification.type
    states = [literal(state, kind, literal_execute=True) for state in query.state]
    statement = statement.where(or_(*(ProgressUpdate.verification == state for state in states)))
    if query.year:
        statement = statement.where(Initiative.year.in_(query.year))
    if query.initiative:
        statement = statement.where(naming.named_any(Initiative, query.initiative))
    if query.period:
        statement = statement.where(
            exists().where(
                access.within(scope, ReportingPeriod),
                naming.named_any(ReportingPeriod, query.period),
                ProgressUpdate.effective_on.between(
                    ReportingPeriod.starts_on, ReportingPeriod.ends_on
                ),
            )
        )
    if query.latest:
        later = aliased(ProgressUpdate)
        order = [(row.effective_on, row.sequence) for row in (later, ProgressUpdate)]
        statement = statement.where(
            ~exists().where(
                later.institution_id == scope.id,
                later.milestone_id == ProgressUpdate.milestone_id,
                tuple_(*order[0]) > tuple_(*order[1]),
            )
        )
    if query.since is not None:
        statement = statement.where(ProgressUpdate.reported_at >= query.since)
    found = paginate(session, statement, _OLDEST_FIRST, query)
    return found.page([_case(*row[:4]) for row in found.rows])


def address(
    session: Session, actor: Actor, institution: str, update_id: UUID
) -> tuple[str, int, UUID]:
    """Of which initiative and milestone a report is, and in which unit."""
    scope = access.institution(session, actor, institution)
    row = session.execute(
        access.visible(scope, ProgressUpdate)
        .join(Milestone, refers(ProgressUpdate.milestone_id, Milestone))
        .join(Initiative, refers(ProgressUpdate.initiative_id, Initiative))
        .with_only_columns(Initiative.code, Milestone.number, Initiative.unit_id)
        .where(ProgressUpdate.id == update_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1], row[2]


def case(
    session: Session, actor: Actor, institution: str, update_id: UUID
) -> tuple[VerificationCase, UUID]:
    """One report with what it is about, and who reported it; of any state, for whoever sees it."""
    scope = access.institution(session, actor, institution)
    row = session.execute(
        access.visible(scope, ProgressUpdate)
        .join(Milestone, refers(ProgressUpdate.milestone_id, Milestone))
        .join(Initiative, refers(ProgressUpdate.initiative_id, Initiative))
        .join(Unit, refers(Initiative.unit_id, Unit))
        .add_columns(Initiative, Milestone, Unit.code)
        .where(ProgressUpdate.id == update_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return _case(*row), row[0].reporter_id


def _case(
    row: ProgressUpdate, initiative: Initiative, milestone: Milestone, unit: str
) -> VerificationCase:
    told = updates.shape(row, initiative.code, milestone.number)
    return VerificationCase(
        **dict(told),
        initiative_title=initiative.title,
        milestone_title=milestone.title,
        unit=unit,
        due_on=milestone.due_on,
        milestone_percent_complete=milestone.percent / 100,
        milestone_percent_verified=milestone.verified / 100,
    )


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
