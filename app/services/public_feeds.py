"""What happened lately with published initiatives: what was told of them, and what they reached."""

from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Date, select, type_coerce
from sqlalchemy.orm import Session

from app.models import Initiative, Institution, Milestone, Publication, Unit
from app.models.base import refers
from app.services import access, public
from app.services.access import Scope
from app.services.publications import NEWEST_FIRST

MOST_OF_A_KIND = 50
"""So that many milestones do not push out what was told."""


class About(NamedTuple):
    """The initiative that an entry is about."""

    code: str
    title: str
    unit_name: str


class Entry(NamedTuple):
    """A publication, or a milestone that was reached."""

    id: UUID
    kind: str
    """`publication` or `milestone`."""
    title: str
    text: str | None
    url: str | None
    about: About
    told_at: datetime
    """The beginning of its day in the institution's time zone."""
    updated_at: datetime


class Feed(NamedTuple):
    """What happened lately in an institution, newest first."""

    id: UUID
    code: str
    name: str
    updated_at: datetime
    entries: list[Entry]


def get(session: Session, key: str) -> Feed:
    """The feed of an institution that shows its published initiatives; else raises `NotFound`."""
    scope = public.open_initiatives(session, key)
    entries = [*_told(session, scope), *_reached(session, scope)]
    entries.sort(key=lambda entry: (entry.told_at, entry.id), reverse=True)
    # Without an entry the feed is as old as what the institution says of itself.
    own = session.execute(select(Institution.updated_at).where(Institution.id == scope.id))
    updated_at = max((entry.updated_at for entry in entries), default=own.scalar_one())
    return Feed(scope.id, scope.code, scope.name, updated_at, entries)


def _told(session: Session, scope: Scope) -> list[Entry]:
    rows = session.execute(
        select(Publication, Initiative.code, Initiative.title, Unit.name)
        .join(Initiative, refers(Publication.initiative_id, Initiative))
        .join(Unit, refers(Initiative.unit_id, Unit))
        .where(access.within(scope, Publication), public.published_in(scope))
        .order_by(*(key.expression.desc() for key in NEWEST_FIRST))
        .limit(MOST_OF_A_KIND)
    )
    return [
        Entry(
            row.id,
            "publication",
            row.title,
            row.said,
            row.url,
            About(*about),
            _begin(scope, row.published_on),
            row.updated_at,
        )
        for row, *about in rows
    ]


def _reached(session: Session, scope: Scope) -> list[Entry]:
    rows = session.execute(
        select(
            Milestone.id,
            Milestone.title,
            type_coerce(Milestone.done_on, Date()),
            Initiative.code,
            Initiative.title,
            Unit.name,
        )
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .join(Unit, refers(Initiative.unit_id, Unit))
        .where(
            access.within(scope, Milestone),
            public.published_in(scope),
            Milestone.dropped_at.is_(None),
            Milestone.done_on.is_not(None),
        )
        .order_by(Milestone.done_on.desc(), Milestone.id.desc())
        .limit(MOST_OF_A_KIND)
    )
    entries = []
    for milestone_id, title, done_on, *about in rows:
        at = _begin(scope, done_on)
        entries.append(Entry(milestone_id, "milestone", title, None, None, About(*about), at, at))
    return entries


def _begin(scope: Scope, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(scope.time_zone))
