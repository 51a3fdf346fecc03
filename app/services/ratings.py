"""Judged ratings: what a person thinks of an initiative or a unit. They never change its health."""

from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select, tuple_
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound, NotRateable
from app.keyset import Key, paginate
from app.models import Initiative, Rating, Unit
from app.models.base import new_id, now
from app.schemas import ratings as wire
from app.schemas.fields import Confidence, InitiativeStatus
from app.schemas.pages import Page, Paging
from app.schemas.permissions import Permission
from app.services import access, events, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor

_LATEST_FIRST = [Key(Rating.judged_on, descending=True), Key(Rating.id, descending=True)]
_DIFFERENT = [
    (health.value, rating)
    for health, equivalent in wire.EQUIVALENT.items()
    for rating in Confidence
    if rating not in equivalent
]


def rate_initiative(
    session: Session, actor: Actor, institution: str, key: str, new: wire.NewRating
) -> wire.Rating:
    """Judge an initiative; raises `NotRateable` for a cancelled one."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Initiative, key, lock=True)
    access.require(session, scope, Permission.RATINGS_JUDGE, row.unit_id)
    if row.status is InitiativeStatus.CANCELLED:
        detail = "This initiative is cancelled: there is nothing left to be confident of."
        raise NotRateable(detail)
    return _rate(session, actor, scope, row, new)


def rate_unit(
    session: Session, actor: Actor, institution: str, key: str, new: wire.NewRating
) -> wire.Rating:
    """Judge a unit as a whole; raises `NotRateable` for an archived one."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Unit, key, lock=True)
    access.require(session, scope, Permission.RATINGS_JUDGE, row.id)
    if row.archived_at is not None:
        detail = "This unit is archived: there is nothing left to be confident of."
        raise NotRateable(detail)
    return _rate(session, actor, scope, row, new)


def page_of_initiative(
    session: Session, actor: Actor, institution: str, key: str, paging: Paging
) -> Page[wire.Rating]:
    """The ratings of an initiative: the one that holds first, then back in time."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, key)
    return _page(session, scope, Rating.initiative_id == row.id, paging)


def page_of_unit(
    session: Session, actor: Actor, institution: str, key: str, paging: Paging
) -> Page[wire.Rating]:
    """The ratings of a unit: the one that holds first, then back in time."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Unit, key)
    return _page(session, scope, Rating.unit_id == row.id, paging)


def get_of_initiative(
    session: Session, actor: Actor, institution: str, key: str, rating_id: UUID
) -> wire.Rating:
    """One rating of an initiative."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, key)
    return _one(session, scope, Rating.initiative_id == row.id, rating_id)


def get_of_unit(
    session: Session, actor: Actor, institution: str, key: str, rating_id: UUID
) -> wire.Rating:
    """One rating of a unit."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Unit, key)
    return _one(session, scope, Rating.unit_id == row.id, rating_id)


def latest(row: Initiative | Unit) -> wire.JudgedRating | None:
    """The rating that holds: of the latest day, and of several on a day the one that came last."""
    if row.rating is None:
        return None
    return wire.JudgedRating.model_validate(
        {
            "rating": row.rating,
            "reason": row.rating_reason,
            "judged_on": row.judged_on,
            "judged_by": row.judged_by,
            "judged_at": row.judged_at,
        }
    )


def differs(health: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the initiative at hand is rated, and otherwise than its health says."""
    is_different = tuple_(health, Initiative.rating).in_(_DIFFERENT)
    return and_(Initiative.rating.is_not(None), is_different)


def _rate(
    session: Session, actor: Actor, scope: Scope, row: Initiative | Unit, new: wire.NewRating
) -> wire.Rating:
    judged_on = _judged_on(scope, new)
    made = Rating(
        institution_id=scope.id,
        id=new_id(),
        initiative_id=row.id if isinstance(row, Initiative) else None,
        unit_id=row.id if isinstance(row, Unit) else None,
        rating=new.rating,
        reason=new.reason,
        judged_on=judged_on,
        judged_by=actor.name,
        judge_id=actor.id,
        judged_at=now(),
    )
    session.add(made)
    if row.judged_on is None or judged_on >= row.judged_on:
        row.rating, row.rating_reason = made.rating, made.reason
        row.judged_on, row.judged_by, row.judged_at = judged_on, made.judged_by, made.judged_at
    versions.touch(row)
    data = {**new.model_dump(mode="json"), "judged_on": str(judged_on)}
    kind = f"{row.__tablename__}.rated"
    events.record(session, actor, scope.id, kind, events.Subject(row.id, row.code), data)
    session.flush()
    return _shape(made)


def _judged_on(scope: Scope, new: wire.NewRating) -> date:
    today = scope.today()
    if new.judged_on is not None and new.judged_on > today:
        detail = "A judgement cannot be dated on a day that has not come."
        raise Invalid.field("/judged_on", "in_future", detail)
    return new.judged_on or today


def _page(
    session: Session, scope: Scope, of_noun: ColumnElement[bool], paging: Paging
) -> Page[wire.Rating]:
    found = paginate(session, _of(scope, of_noun), _LATEST_FIRST, paging)
    return found.page([_shape(row[0]) for row in found.rows])


def _one(
    session: Session, scope: Scope, of_noun: ColumnElement[bool], rating_id: UUID
) -> wire.Rating:
    row = session.scalars(_of(scope, of_noun).where(Rating.id == rating_id)).one_or_none()
    if row is None:
        raise NotFound
    return _shape(row)


def _of(scope: Scope, of_noun: ColumnElement[bool]) -> Select[Rating]:
    return select(Rating).where(access.within(scope, Rating), of_noun)


def _shape(row: Rating) -> wire.Rating:
    return wire.Rating(
        id=row.id,
        rating=row.rating,
        reason=row.reason,
        judged_on=row.judged_on,
        judged_by=row.judged_by,
        judged_at=row.judged_at,
    )
