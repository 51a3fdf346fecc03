"""Calendar feeds: addresses that are secrets, for programs that cannot send a token."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session, aliased

from app.errors import Invalid, NotFound
from app.keyset import Key, paginate
from app.models import ApiToken, CalendarFeed, Initiative, Person, Unit
from app.models.base import new_id, now, refers
from app.models.base import table as table_of
from app.schemas import calendars as wire
from app.schemas.pages import Page
from app.schemas.periods import Period
from app.schemas.permissions import Permission
from app.schemas.stages import Stage
from app.services import access, actors, agenda, events, minting
from app.services.access import Scope
from app.services.actors import Actor
from app.services.agenda import Entry

KIND = "qwc"
"""What keys begin with: no token does."""
_FILTERS = ("unit", "owner", "initiative")
_REFERRED = ("institution", "person", "token", *_FILTERS)
_FEED, _PERSON, _TOKEN = (table_of(model).c for model in (CalendarFeed, Person, ApiToken))


class Shown(NamedTuple):
    """A calendar as it is read."""

    name: str
    time_zone: str
    entries: list[Entry]
    stages: list[Stage]
    periods: list[Period]


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewCalendar
) -> wire.IssuedCalendar:
    """A new feed of one's own; it sees what its owner sees, and no more than the token that made it."""
    scope = access.institution(session, actor, institution)
    named: dict[str, Any] = {}
    models: tuple[type[Any], ...] = (Unit, Person, Initiative)
    for field, model in zip(_FILTERS, models, strict=True):
        key = getattr(new, field)
        found = None if key is None else access.refer(session, scope, model, key, f"/{field}")
        named[f"{field}_id"] = found.id if found else None
    feed_id = new_id()
    key = minting.mint(feed_id, KIND)
    row = CalendarFeed(
        institution_id=scope.id,
        id=feed_id,
        person_id=None if actor.operator else actor.id,
        token_id=actor.token_id if actor.operator else None,
        name=new.name,
        digest=actors.digest(key),
        **named,
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        created_at=now(),
        expires_at=actor.expires_at,
        revoked_at=None,
    )
    session.add(row)
    session.flush()
    _record(session, scope, row, "calendar.created", new.model_dump(exclude_unset=True))
    made = _calendar(session.execute(_with_codes(scope).where(CalendarFeed.id == feed_id)).one())
    url = f"/institutions/{scope.code}/calendar.ics?key={key}"
    return wire.IssuedCalendar(**made.model_dump(), url=url)


def get(session: Session, actor: Actor, institution: str, calendar_id: UUID) -> wire.Calendar:
    """One feed, without its address."""
    scope = access.institution(session, actor, institution)
    return _calendar(_find(session, scope, calendar_id))


def page(
    session: Session, actor: Actor, institution: str, query: wire.CalendarsQuery
) -> Page[wire.Calendar]:
    """The actor's own feeds, and those of people whose tokens they may read; oldest first."""
    scope = access.institution(session, actor, institution)
    statement = _with_codes(scope)
    if query.revoked is not None:
        is_revoked = CalendarFeed.revoked_at.is_not(None)
        statement = statement.where(is_revoked if query.revoked else ~is_revoked)
    found = paginate(session, statement, [Key(CalendarFeed.id, descending=False)], query)
    return found.page([_calendar(row) for row in found.rows])


def revoke(session: Session, actor: Actor, institution: str, calendar_id: UUID) -> None:
    """Make a feed's address worthless from the next request on."""
    scope = access.institution(session, actor, institution)
    row = _find(session, scope, calendar_id)
    feed: CalendarFeed = row[0]
    if feed.person_id != actor.id and not actor.operator:
        access.require(session, scope, Permission.TOKENS_CHANGE, row.unit_id)
    if feed.revoked_at is None:
        feed.revoked_at = now()
        _record(session, scope, feed, "calendar.revoked")


def shown(session: Session, actor: Actor, institution: str, query: wire.CalendarFilter) -> Shown:
    """What is due of what the actor sees."""
    scope = access.institution(session, actor, institution)
    return _shown(session, scope, scope.name, query)


def of_key(session: Session, institution: str, query: wire.CalendarQuery) -> Shown:
    """What a feed shows now, which its owner may see now.

    Raises `NotFound` for a key that is unknown, revoked or of another institution, and once its
    owner may not come in any more.
    """
    for name in _FILTERS:
        if getattr(query, name) is not None:
            detail = "The feed of this key says what is shown."
            raise Invalid.parameter(name, "fixed_by_key", detail)
    digest = actors.digest(query.key or "")
    rows = session.connection().execute(_BY_DIGEST, {"digest": digest}).all()
    if not rows:
        raise NotFound
    feed = rows[0]
    if (
        feed.active is False
        or not actors.is_valid(feed.revoked_at, feed.expires_at)
        or not actors.is_valid(feed.token_revoked_at, feed.token_expires_at)
    ):
        raise NotFound
    actor = Actor(
        id=feed.feed_person_id or feed.feed_token_id,
        name=feed.code or feed.name,
        operator=feed.feed_person_id is None,
        institution_id=None if feed.feed_person_id is None else feed.feed_institution_id,
        token_id=None,
        token_name=feed.name,
        holdings=actors.holdings(rows),
        scopes=None if feed.scopes is None else frozenset(map(Permission, feed.scopes)),
    )
    scope = access.institution(session, actor, institution)
    if scope.id != feed.feed_institution_id:
        raise NotFound
    named = {
        name: str(value)
        for name in _FILTERS
        if (value := getattr(feed, f"feed_{name}_id")) is not None
    }
    return _shown(session, scope, feed.name, wire.CalendarFilter(**named))


def _shown(session: Session, scope: Scope, name: str, query: wire.CalendarFilter) -> Shown:
    entries = agenda.entries(session, scope, query)
    return Shown(
        name,
        scope.time_zone,
        entries,
        agenda.stages_of(session, scope, query),
        agenda.periods_of(session, scope, query),
    )


_BY_DIGEST: Select[*tuple[Any, ...]] = (
    select(
        *(column for column in _FEED if not column.name.endswith("_id")),
        *(_FEED[f"{name}_id"].label(f"feed_{name}_id") for name in _REFERRED),
        _PERSON.code,
        _PERSON.active,
        _TOKEN.revoked_at.label("token_revoked_at"),
        _TOKEN.expires_at.label("token_expires_at"),
        *actors.HELD,
    )
    .select_from(
        actors.granted(
            table_of(CalendarFeed)
            .outerjoin(
                table_of(Person),
                and_(_PERSON.institution_id == _FEED.institution_id, _PERSON.id == _FEED.person_id),
            )
            .outerjoin(table_of(ApiToken), _TOKEN.id == _FEED.token_id),
            _FEED.institution_id,
            _FEED.person_id,
        )
    )
    .where(_FEED.digest == bindparam("digest"))
)


def _with_codes(scope: Scope) -> Select[*tuple[Any, ...]]:
    owner = aliased(Person)
    statement = (
        select(CalendarFeed, Person.code, Person.unit_id)
        .outerjoin(Person, refers(CalendarFeed.person_id, Person))
        .outerjoin(Unit, refers(CalendarFeed.unit_id, Unit))
        .outerjoin(owner, refers(CalendarFeed.owner_id, owner))
        .outerjoin(Initiative, refers(CalendarFeed.initiative_id, Initiative))
        .where(access.within(scope, CalendarFeed))
        .add_columns(
            Unit.code.label("unit"), owner.code.label("owner"), Initiative.code.label("initiative")
        )
    )
    if scope.actor.operator:
        return statement
    theirs = and_(
        CalendarFeed.person_id.is_not(None), access.seen(scope, Person, Permission.TOKENS_READ)
    )
    return statement.where(or_(theirs, CalendarFeed.person_id == scope.actor.id))


def _find(session: Session, scope: Scope, calendar_id: UUID) -> Any:  # noqa: ANN401  a row of `_with_codes`
    row = session.execute(_with_codes(scope).where(CalendarFeed.id == calendar_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _record(
    session: Session,
    scope: Scope,
    row: CalendarFeed,
    kind: str,
    data: dict[str, Any] | None = None,
) -> None:
    person = None if row.person_id is None else session.get(Person, (scope.id, row.person_id))
    name = f"{person.code}/calendars/{row.id}" if person else f"calendars/{row.id}"
    subject = events.Subject(row.id, name)
    unit_id = person.unit_id if person else None
    events.record(session, scope.actor, scope.id, kind, subject, data, unit_id=unit_id)


def _calendar(row: Any) -> wire.Calendar:  # noqa: ANN401  a row of `_with_codes`
    feed: CalendarFeed = row[0]
    return wire.Calendar(
        id=feed.id,
        name=feed.name,
        person=row.code,
        unit=row.unit,
        owner=row.owner,
        initiative=row.initiative,
        created_at=feed.created_at,
        expires_at=feed.expires_at,
        revoked_at=feed.revoked_at,
    )
