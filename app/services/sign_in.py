"""Whom of our people the OIDC issuer speaks of, and what they may do when no token is at hand."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from app.errors import InvalidToken
from app.models import Person
from app.models.base import email_key, now
from app.models.base import table as table_of
from app.services import actors
from app.services.actors import Actor

OIDC = "oidc"
"""What stands for the name of a token where one signs in with OIDC."""


class Identity(NamedTuple):
    """What a checked access token says of its person."""

    subject: str
    email: str | None
    """Verified by the issuer; else null."""
    until: float
    """When the access token ends: seconds since 1970, the leeway included."""


_PERSON = table_of(Person).c
_PEOPLE: Select[*tuple[Any, ...]] = select(
    _PERSON.institution_id, _PERSON.id, _PERSON.code, _PERSON.active, _PERSON.language, *actors.HELD
).select_from(actors.granted(table_of(Person), _PERSON.institution_id, _PERSON.id))
_BY_SUBJECT = _PEOPLE.where(_PERSON.oidc_subject == bindparam("subject"))
_PERSON_AGAIN = _PEOPLE.where(
    _PERSON.institution_id == bindparam("institution_id"), _PERSON.id == bindparam("id")
)
_BY_ID = _PERSON_AGAIN.where(_PERSON.oidc_subject.is_(None))
_SAME_ADDRESS = (
    select(_PERSON.institution_id, _PERSON.id)
    .where(_PERSON.email_key == bindparam("email"), _PERSON.active.is_(True))
    .limit(2)
)


def identify(identity: Identity) -> Callable[[Session], Actor]:
    """Resolve the actor of an identity within the transaction of the call that it authorises.

    The person with this subject decides, if there is one. Otherwise it is the one active person of
    the whole service with the e-mail address, if no other subject is known of them. Raises
    `InvalidToken` for nobody, for several, and for an inactive person; and once the access token has ended.
    """

    def resolve(session: Session) -> Actor:
        if now().timestamp() >= identity.until:  # what goes on for long asks again and again
            raise InvalidToken
        connection = session.connection()
        rows = connection.execute(_BY_SUBJECT, {"subject": identity.subject}).all()
        if not rows and identity.email is not None:
            address = {"email": email_key(identity.email)}
            people = connection.execute(_SAME_ADDRESS, address).all()
            if len(people) == 1:
                rows = connection.execute(_BY_ID, people[0]._asdict()).all()
        return _actor(rows)

    return resolve


def again(institution_id: UUID, person_id: UUID) -> Callable[[Session], Actor]:
    """Resolve a person with the rights that they have now, for what is done later in their name.

    Raises `InvalidToken` where they are not there, or not active.
    """

    def resolve(session: Session) -> Actor:
        person = {"institution_id": institution_id, "id": person_id}
        return _actor(session.connection().execute(_PERSON_AGAIN, person).all())

    return resolve


def _actor(rows: Sequence[Row[*tuple[Any, ...]]]) -> Actor:
    """The one person in rows of their grants; raises `InvalidToken` for nobody and the inactive."""
    if not rows or not rows[0].active:
        raise InvalidToken
    return Actor(
        id=rows[0].id,
        name=rows[0].code,
        operator=False,
        institution_id=rows[0].institution_id,
        token_id=None,
        token_name=OIDC,
        holdings=actors.holdings(rows),
        language=rows[0].language,
    )
