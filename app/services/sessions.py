"""Browsers that are signed in: begun with a token or by the OIDC issuer, and ended at once.

The browser holds 256 random bits, the database their digest. What they stand for is what one signed
in with; who that is, and what they may do, is found anew within each request's transaction, as if
it had come along itself. So whatever ends a token or a person ends the sessions, too.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, select
from sqlalchemy.orm import Session

from app import expiry
from app.errors import SessionEnded, Unauthorized
from app.models import ApiToken, BrowserSession, Institution, Person
from app.models.base import new_id, now
from app.models.base import table as table_of
from app.schemas.tokens import SignIn
from app.services import actors, events, sign_in, tokens
from app.services.actors import Actor
from app.services.sign_in import Identity

MOST_FORGOTTEN = 200
MOST_SHOWN = 100
_BYTES = 32
_NEWS = 20
"""A use is written down once in so many parts of the time that a session may be idle."""
_SESSION = table_of(BrowserSession).c
_BY_DIGEST = select(table_of(BrowserSession)).where(_SESSION.digest == bindparam("digest"))


class Lifetime(NamedTuple):
    """How long sessions last."""

    longest: timedelta
    idle: timedelta


class Visit(NamedTuple):
    """A session that is used, and by whom."""

    actor: Actor
    session_id: UUID
    last_used_at: datetime


class Browsing(NamedTuple):
    """A browser in which somebody is signed in."""

    id: UUID
    begun_at: datetime
    last_used_at: datetime
    ends_at: datetime
    """When it ends if it is used no more."""
    is_latest: bool
    """Whether it ends then however much it is used."""
    signed_in_with: SignIn
    is_this: bool
    """Whether it is the one that asks."""


class Browsings(NamedTuple):
    """Where somebody is signed in."""

    time_zone: str
    items: list[Browsing]
    """At most `MOST_SHOWN`, the last used first."""


def begin_with_token(session: Session, token: str, lifetime: Lifetime) -> str:
    """Begin a session of whoever holds an API token; answers the secret for their browser.

    It does no more than the token, and lasts no longer. Raises `InvalidToken`.
    """
    digest = actors.digest(token)
    actor = actors.identify(digest)(session)
    if actor.token_id is not None:
        tokens.used(session, actor.token_id)
    end = actor.expires_at
    return _begin(session, actor, lifetime, end, BrowserSession(token_digest=digest))


def begin_with_oidc(session: Session, identity: Identity, lifetime: Lifetime) -> str:
    """Begin a session of whom the issuer vouched for, until `identity.until` at most.

    Raises `InvalidToken` as `sign_in.identify` does.
    """
    actor = sign_in.identify(identity)(session)
    row = BrowserSession(oidc_subject=identity.subject, oidc_email=identity.email)
    return _begin(session, actor, lifetime, datetime.fromtimestamp(identity.until, UTC), row)


def identify(secret: str) -> Callable[[Session], Visit]:
    """Resolve who a browser is, within the transaction of the call that it authorises.

    Raises `SessionEnded`.
    """
    digest = actors.digest(secret)

    def resolve(session: Session) -> Visit:
        row = session.connection().execute(_BY_DIGEST, {"digest": digest}).one_or_none()
        if row is None or row.ends_at <= now():
            raise SessionEnded
        if row.token_digest is not None:
            find = actors.identify(row.token_digest)
        else:
            until = row.expires_at.timestamp()
            find = sign_in.identify(Identity(row.oidc_subject, row.oidc_email, until))
        try:
            actor = find(session)
        except Unauthorized as error:
            raise SessionEnded from error
        if row.person_id is not None and (actor.institution_id, actor.id) != (
            row.institution_id,
            row.person_id,
        ):
            raise SessionEnded  # the issuer's subject is another person's by now
        return Visit(actor, row.id, row.last_used_at)

    return resolve


def is_use_news(visit: Visit, lifetime: Lifetime) -> bool:
    """Whether a use is worth keeping: not every read becomes a write."""
    return now() - visit.last_used_at > lifetime.idle / _NEWS


def used(session: Session, visit: Visit, lifetime: Lifetime) -> None:
    """Note that a session has been used, and its token with it; what has ended stays so."""
    row = session.get(BrowserSession, visit.session_id)
    at = now()
    if row is not None and row.ends_at > at:
        row.last_used_at = at
        row.ends_at = min(row.expires_at, at + lifetime.idle)
    if visit.actor.token_id is not None and actors.is_use_news(visit.actor):
        tokens.used(session, visit.actor.token_id)


def end(session: Session, actor: Actor, secret: str) -> None:
    """Sign a browser out."""
    _end(session, actor, _SESSION.digest == actors.digest(secret))


def end_one(session: Session, actor: Actor, session_id: UUID) -> None:
    """Sign out one of the actor's browsers; one that is another's, or is gone, is none of theirs."""
    _end(session, actor, and_(_of(actor), _SESSION.id == session_id))


def end_all(session: Session, actor: Actor) -> None:
    """Sign out all browsers of the actor: those of the person, or of the operator's token."""
    _end(session, actor, _of(actor))


def of_actor(session: Session, actor: Actor, secret: str | None) -> Browsings:
    """Where the actor is signed in; `secret` is that of the browser that asks, if it is one."""
    this = None if secret is None else actors.digest(secret)
    rows = session.connection().execute(
        select(table_of(BrowserSession))
        .where(_of(actor), _SESSION.ends_at > now())
        .order_by(_SESSION.last_used_at.desc(), _SESSION.id.desc())
        .limit(MOST_SHOWN)
    )
    found = [
        Browsing(
            row.id,
            row.created_at,
            row.last_used_at,
            row.ends_at,
            row.ends_at == row.expires_at,
            SignIn.OIDC if row.token_digest is None else SignIn.API_TOKEN,
            row.digest == this,
        )
        for row in rows
    ]
    own = session.get(Institution, actor.institution_id) if actor.institution_id else None
    return Browsings("UTC" if own is None else own.time_zone, found)


def forget(session: Session) -> int:
    """Remove some sessions that have ended; answers how many."""
    return EXPIRED.remove(session, now(), MOST_FORGOTTEN)


def of_person(institution_id: UUID, person_id: UUID) -> ColumnElement[bool]:
    """Which sessions are a person's."""
    return and_(_SESSION.institution_id == institution_id, _SESSION.person_id == person_id)


def _of(actor: Actor) -> ColumnElement[bool]:
    """Which sessions are the actor's."""
    if actor.institution_id is None:
        mine = select(ApiToken.digest).where(ApiToken.id == actor.token_id).scalar_subquery()
        return _SESSION.token_digest == mine
    return of_person(actor.institution_id, actor.id)


def _begin(
    session: Session, actor: Actor, lifetime: Lifetime, until: datetime | None, row: BrowserSession
) -> str:
    at = now()
    latest = at + lifetime.longest
    secret = secrets.token_urlsafe(_BYTES)
    row.id = new_id()
    if not actor.operator:
        row.institution_id, row.person_id = actor.institution_id, actor.id
    row.digest = actors.digest(secret)
    row.created_at = row.last_used_at = at
    row.expires_at = latest if until is None else min(latest, until)
    row.ends_at = min(row.expires_at, at + lifetime.idle)
    session.add(row)
    _record(session, actor, "session.begun", {"signed_in_with": _means(actor)})
    return secret


def _end(session: Session, actor: Actor, which: ColumnElement[bool]) -> None:
    ended = session.connection().execute(delete(table_of(BrowserSession)).where(which)).rowcount
    if ended:
        _record(session, actor, "session.ended", {"sessions": ended})


def _record(session: Session, actor: Actor, kind: str, data: dict[str, Any]) -> None:
    feed = actor.institution_id or events.CATALOGUE
    person = session.get(Person, (feed, actor.id))
    subject = events.Subject(actor.id, actor.name)
    unit_id = person.unit_id if person else None
    events.record(session, actor, feed, kind, subject, data, unit_id=unit_id)


def _means(actor: Actor) -> SignIn:
    return SignIn.OIDC if actor.token_id is None else SignIn.API_TOKEN


EXPIRED = expiry.Expiring(table_of(BrowserSession), _SESSION.ends_at)
