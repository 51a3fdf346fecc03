"""Judgements: closing verdicts on initiatives, by somebody else than who is accountable for them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from app.conflicts import NotClosed, OwnInitiative
from app.errors import Invalid, NotFound
from app.keyset import Key, paginate
from app.models import ClosingVerdict, Decree, Initiative, InitiativeOwner, Judgement
from app.models.base import new_id, now, refers
from app.schemas import judgements as wire
from app.schemas.fields import InitiativeStatus, OwnerRole
from app.schemas.pages import Page, Paging
from app.schemas.permissions import Permission
from app.services import access, alterations, decrees, events, verdicts, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor

CLOSED = frozenset({InitiativeStatus.COMPLETED, InitiativeStatus.CANCELLED})
# Ids are in the order of arrival.
_NEWEST_FIRST = [Key(Judgement.id, descending=True)]


def give(
    session: Session, actor: Actor, institution: str, key: str, new: wire.NewJudgement
) -> wire.Judgement:
    """Give a closing verdict, which stands in place of an earlier one; all are kept.

    Raises `NotClosed` for what is neither completed nor cancelled, and `OwnInitiative` for the
    accountable owner's own.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Initiative, key, lock=True)
    access.require(session, scope, Permission.VERDICTS_GIVE, row.unit_id)
    if _is_accountable(session, scope, row.id, actor.id):
        raise OwnInitiative
    verdict = verdicts.refer(session, new.verdict, "/verdict")
    decree = None if new.decree is None else decrees.refer(session, scope, new.decree, "/decree")
    today = scope.today()
    if new.judged_on is not None and new.judged_on > today:
        detail = "A verdict cannot be dated on a day that has not come."
        raise Invalid.field("/judged_on", "in_future", detail)
    if row.status not in CLOSED:
        raise NotClosed
    before = _unseat(session, scope, row.id)
    made = Judgement(
        institution_id=scope.id,
        id=new_id(),
        initiative_id=row.id,
        verdict_id=verdict.id,
        note=new.note,
        judged_on=new.judged_on or today,
        decree_id=None if decree is None else decree.id,
        url=new.url,
        judged_by=actor.name,
        judge_id=actor.id,
        judged_at=now(),
        stands=True,
    )
    session.add(made)
    versions.touch(row)
    alterations.note(session, row.id, {"verdict": before}, {"verdict": verdict.code})
    data = {**new.model_dump(mode="json"), "judged_on": str(made.judged_on)}
    subject = events.Subject(row.id, row.code)
    events.record(session, actor, scope.id, "initiative.judged", subject, data)
    session.flush()
    return _shape(made, verdict.code, None if decree is None else decree.code)


def page(
    session: Session, actor: Actor, institution: str, key: str, paging: Paging
) -> Page[wire.Judgement]:
    """The closing verdicts of an initiative, the newest first."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, key)
    found = paginate(session, _of(scope, row.id), _NEWEST_FIRST, paging)
    return found.page([_shape(*row[:3]) for row in found.rows])


def get(
    session: Session, actor: Actor, institution: str, key: str, judgement_id: UUID
) -> wire.Judgement:
    """One closing verdict of an initiative."""
    scope = access.institution(session, actor, institution)
    initiative = access.find(session, scope, Initiative, key)
    statement = _of(scope, initiative.id).where(Judgement.id == judgement_id)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    return _shape(*row)


def lapse(session: Session, scope: Scope, row: Initiative, status: InitiativeStatus) -> None:
    """Let no verdict stand on an initiative that gets another status: it was on how that ended."""
    if row.status in CLOSED and status is not row.status:
        before = _unseat(session, scope, row.id)
        alterations.note(session, row.id, {"verdict": before}, {"verdict": None})


def standing(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Initiatives with the closing verdict that stands, as `Judgement` and the code `verdict`."""
    of_initiative = and_(
        Judgement.institution_id == Initiative.institution_id,
        Judgement.initiative_id == Initiative.id,
        Judgement.stands,
    )
    return (
        statement.outerjoin(Judgement, of_initiative)
        .outerjoin(ClosingVerdict, ClosingVerdict.id == Judgement.verdict_id)
        .add_columns(
            ClosingVerdict.code.label("verdict"), Judgement.note, Judgement.judged_on,
            Judgement.judged_by, Judgement.judged_at,
        )
    )  # fmt: skip


def closed_with(row: Any) -> wire.ClosedWith | None:  # noqa: ANN401  a row of `standing`
    """The closing verdict that stands on the initiative of a row."""
    if row.verdict is None:
        return None
    names = wire.ClosedWith.model_fields
    return wire.ClosedWith(**{name: getattr(row, name) for name in names})


def _unseat(session: Session, scope: Scope, initiative_id: UUID) -> str | None:
    """Let the verdict that stands do so no more; its code, if there was one."""
    found = session.execute(
        select(Judgement, ClosingVerdict.code)
        .join(ClosingVerdict, ClosingVerdict.id == Judgement.verdict_id)
        .where(
            access.within(scope, Judgement),
            Judgement.initiative_id == initiative_id,
            Judgement.stands,
        )
    ).one_or_none()
    if found is None:
        return None
    row, code = found
    row.stands = False
    session.flush()  # before another one stands
    return str(code)


def _is_accountable(session: Session, scope: Scope, initiative_id: UUID, person_id: UUID) -> bool:
    owns = select(InitiativeOwner.person_id).where(
        access.within(scope, InitiativeOwner),
        InitiativeOwner.initiative_id == initiative_id,
        InitiativeOwner.person_id == person_id,
        InitiativeOwner.role == OwnerRole.ACCOUNTABLE,
    )
    return session.execute(owns).first() is not None


def _of(scope: Scope, initiative_id: UUID) -> Select[Judgement, str, str]:
    return (
        select(Judgement, ClosingVerdict.code, Decree.code)
        .join(ClosingVerdict, ClosingVerdict.id == Judgement.verdict_id)
        .outerjoin(Decree, refers(Judgement.decree_id, Decree))
        .where(access.within(scope, Judgement), Judgement.initiative_id == initiative_id)
    )


def _shape(row: Judgement, verdict: str, decree: str | None) -> wire.Judgement:
    return wire.Judgement(
        id=row.id,
        verdict=verdict,
        note=row.note,
        judged_on=row.judged_on,
        decree=decree,
        url=row.url,
        judged_by=row.judged_by,
        judged_at=row.judged_at,
        stands=row.stands,
    )
