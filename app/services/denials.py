"""Denied attempts: who tried what they may not, kept in the trail of whom it was about."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Initiative, Institution, Person, Unit
from app.models.base import table as table_of
from app.schemas.permissions import Permission
from app.services import events, naming
from app.services.actors import SYSTEM, Actor

_INSTITUTION = table_of(Institution).c
_OF_UNIT: dict[str, tuple[Any, Any]] = {
    "unit": (Unit, Unit.id),
    "initiative": (Initiative, Initiative.unit_id),
    "person": (Person, Person.unit_id),
}
"""By what a request's address names something: the noun, and its unit."""


class Attempt(NamedTuple):
    """One request that was denied."""

    verb: str
    """The operation, such as `change_unit`."""
    method: str
    address: str
    """Without the query."""
    named: Mapping[str, str]
    """What the address names: `institution`, `unit`, `initiative`, …, each by its code or id."""
    status: int
    code: str
    permission: Permission | None
    """What was missing, if that is known."""
    request_id: str


class Refusals(NamedTuple):
    """Sign-ins that failed within some time, in one process."""

    seconds: int
    ways: Mapping[str, int]
    """How many: `api`, `page` or `oidc`."""
    addresses: int
    """From how many addresses."""
    most_from_one: int
    requests: Sequence[str]
    """Ids of the first ones, by which the log tells more."""


def record(session: Session, actor: Actor, attempt: Attempt) -> None:
    """Note a denied attempt in the institution that it was about, or else above institutions."""
    feed, code = _institution(session, attempt.named.get("institution"))
    data: dict[str, Any] = {
        "verb": attempt.verb,
        "method": attempt.method,
        "address": attempt.address,
        "status": attempt.status,
        "code": attempt.code,
        "permission": attempt.permission,
    }
    if actor.institution_id not in {None, feed}:
        data["stranger"] = True  # the actor's code is one of another institution
    session.info[events.REQUEST_ID] = attempt.request_id
    unit_id = _unit(session, feed, attempt.named)
    subject = events.Subject(unit_id or feed, code)
    events.record(session, actor, feed, "access.denied", subject, data, unit_id=unit_id)


def summarise(session: Session, actor: Actor, left_out: Mapping[str, int], seconds: int) -> None:
    """Note how many attempts were not noted one by one, in the actor's own institution."""
    feed = actor.institution_id or events.CATALOGUE
    data = {"seconds": seconds, "left_out": dict(left_out)}
    subject = events.Subject(actor.id, actor.name)
    events.record(session, actor, feed, "access.denied_often", subject, data)


def refused(session: Session, found: Refusals) -> None:
    """Note how many could not be let in: above institutions, since nobody knows whose they are."""
    subject = events.Subject(events.CATALOGUE, "sign-in")
    events.record(session, SYSTEM, events.CATALOGUE, "access.refused", subject, found._asdict())


def _institution(session: Session, key: str | None) -> tuple[UUID, str]:
    """Whatever the actor may see: the trail is of those whom it was about."""
    if key is not None:
        value = naming.key_of(key)
        column = _INSTITUTION.id if isinstance(value, UUID) else _INSTITUTION.code_key
        found = select(_INSTITUTION.id, _INSTITUTION.code).where(column == value)
        if row := session.connection().execute(found).one_or_none():
            return row.id, row.code
    return events.CATALOGUE, "institutions"


def _unit(session: Session, institution_id: UUID, named: Mapping[str, str]) -> UUID | None:
    """The unit of what was named, so that those who look after it read of it."""
    for name, (model, column) in _OF_UNIT.items():
        if name in named:
            key = naming.named(model, named[name])
            found = select(column).where(model.institution_id == institution_id, key)
            return session.execute(found).scalar_one_or_none()
    return None
