"""Feeds: the events of an institution, and those above institutions, read and filtered."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, select, union_all
from sqlalchemy.orm import Session

from app.models import Event
from app.models.base import table as table_of
from app.schemas import events as wire
from app.schemas.permissions import Permission
from app.services import access, events, rights
from app.services.access import Scope
from app.services.actors import Actor

_EVENT = table_of(Event)


def of_institution(
    session: Session, actor: Actor, institution: str, query: wire.EventQuery
) -> wire.Events:
    """Events of an institution, or of the units where the actor may read them; else `Forbidden`."""
    return _page(session, _of(scope(session, actor, institution), query), query)


def of_catalogue(session: Session, actor: Actor, query: wire.CatalogueEventQuery) -> wire.Events:
    """Events above institutions; for operators."""
    rights.operator_only(session, actor)
    return _page(session, _matching(events.CATALOGUE, query), query)


def stretch(
    session: Session,
    actor: Actor,
    institution: str,
    query: wire.EventExport,
    until: int | None,
    most: int,
) -> tuple[list[dict[str, Any]], int]:
    """The next `most` rows of an export behind `query.after`, and the sequence at which it ends.

    `until` is that sequence from the second stretch on: what is written meanwhile is left out.
    """
    place = scope(session, actor, institution)
    if until is None:
        until = events.last(session, place.id)
    statement = _of(place, query).where(_EVENT.c.sequence > query.after, _EVENT.c.sequence <= until)
    return _rows(session, statement.order_by(_EVENT.c.sequence).limit(most)), until


def scope(session: Session, actor: Actor, institution: str) -> Scope:
    """The institution, if the actor may read events anywhere in it; else raises `Forbidden`."""
    found = access.institution(session, actor, institution)
    if not actor.reach(Permission.EVENTS_READ):
        access.require(session, found, Permission.EVENTS_READ, None)
    return found


def matches(query: wire.CatalogueEventFilter, event: wire.Event) -> bool:
    """Whether an event that is at hand is one of those that are asked for, units aside."""
    return (
        (not query.type or event.type in query.type)
        and query.actor in (None, event.actor)
        and (
            query.subject in (None, event.subject) or event.subject.startswith(f"{query.subject}/")
        )
        and (query.since is None or event.at >= query.since)
        and (query.until is None or event.at < query.until)
    )


def _page(
    session: Session, statement: Select[*tuple[Any, ...]], query: wire.Stretch
) -> wire.Events:
    sequence = _EVENT.c.sequence
    if query.sort == "-sequence":
        statement = statement.order_by(sequence.desc())
        if query.after is not None:
            statement = statement.where(sequence < query.after)
    else:
        statement = statement.order_by(sequence).where(sequence > (query.after or 0))
    rows = _rows(session, statement.limit(query.limit))
    return wire.Events(
        items=[wire.Event.model_validate(row) for row in rows],
        next_after=rows[-1]["sequence"] if rows else query.after or 0,
    )


def _rows(session: Session, statement: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(row) for row in session.connection().execute(statement).mappings()]


def _of(place: Scope, query: wire.EventFilter) -> Select[*tuple[Any, ...]]:
    seen = access.seen(place, Event, Permission.EVENTS_READ)
    statement = _matching(place.id, query).where(seen)
    if query.unit:
        statement = statement.where(_EVENT.c.unit_id.in_(access.below(place, query.unit)))
    return statement


# What `matches` says of one event.
def _matching(institution_id: UUID, query: wire.CatalogueEventFilter) -> Select[*tuple[Any, ...]]:
    conditions: list[ColumnElement[bool]] = [_EVENT.c.institution_id == institution_id]
    if query.type:
        conditions.append(_EVENT.c.type.in_(query.type))
    if query.actor is not None:
        conditions.append(_EVENT.c.actor == query.actor)
    if query.subject is not None:
        conditions.append(_EVENT.c.sequence.in_(_about(institution_id, query.subject)))
    if query.since is not None:
        conditions.append(_EVENT.c.at >= query.since)
    if query.until is not None:
        conditions.append(_EVENT.c.at < query.until)
    return select(_EVENT).where(*conditions)


def _about(institution_id: UUID, subject: str) -> CompoundSelect[int]:
    """Sequences of events about a subject, or about what lies below it.

    Both are a stretch of the index, since `0` comes after `/`. By themselves, or SQLite would walk
    all events in their order until it has a page.
    """
    column = _EVENT.c.subject
    own = select(_EVENT.c.sequence).where(_EVENT.c.institution_id == institution_id)
    return union_all(
        own.where(column == subject), own.where(column >= f"{subject}/", column < f"{subject}0")
    )
