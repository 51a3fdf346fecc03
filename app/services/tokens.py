"""Tokens of people and services: shown once, kept as digests, revocable at once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import Session

from app.errors import Forbidden, Invalid, NotFound, TokenEnded
from app.keyset import Key, paginate
from app.models import ApiToken, Institution, Person, Unit
from app.models.base import new_id, now, refers
from app.schemas import tokens as wire
from app.schemas.pages import Page, Paging
from app.schemas.permissions import WHOLE, Permission
from app.services import access, actors, events, grants, minting
from app.services.access import Scope
from app.services.actors import Actor


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewToken
) -> wire.IssuedToken:
    """A new token for oneself, or for a person over whom one has every right.

    Raises `Forbidden` for one's own token with scopes or an end beyond those of the one that asks.
    """
    scope = access.institution(session, actor, institution)
    person = _owner(session, scope, new)
    if person.id == actor.id:
        _narrower(actor, new.scopes, new.expires_at)
    else:
        access.require(session, scope, Permission.TOKENS_CHANGE, person.unit_id)
        grants.covered(session, scope, person.id)
    token_id = new_id()
    token = minting.mint(token_id)
    row = ApiToken(
        id=token_id,
        institution_id=scope.id,
        person_id=person.id,
        name=new.name,
        digest=actors.digest(token),
        scopes=None if new.scopes is None else sorted(set(new.scopes)),
        created_at=now(),
        last_used_at=None,
        expires_at=new.expires_at,
        revoked_at=None,
    )
    session.add(row)
    data = new.model_dump(mode="json", exclude_unset=True) | {"person": person.code}
    events.record(session, actor, scope.id, "token.created", _subject(row, person.code), data)
    return _issued(row, person.code, token)


def _owner(session: Session, scope: Scope, new: wire.NewToken) -> Person:
    if new.person is not None:
        return access.refer(session, scope, Person, new.person, "/person")
    mine = session.get(Person, (scope.id, scope.actor.id))
    if mine is None:
        raise Invalid.field("/person", "missing", "Say whom the token acts for.")
    return mine


def _narrower(actor: Actor, scopes: list[Permission] | None, expires_at: datetime | None) -> None:
    if actor.scopes is not None and not set(scopes or Permission) <= actor.scopes:
        raise Forbidden("A token cannot make one that may do more than itself.")
    if actor.expires_at is not None and (expires_at is None or expires_at > actor.expires_at):
        raise Forbidden("A token cannot make one that lasts longer than itself.")


def rotate(session: Session, actor: Actor, institution: str, token_id: UUID) -> wire.IssuedToken:
    """A new secret for a token; the old one is worthless from the next request on.

    Raises `TokenEnded` for a token that was revoked or has expired.
    """
    scope = access.institution(session, actor, institution)
    row, person, unit_id = _find(session, scope, token_id)
    _may_change(session, scope, row, unit_id)
    if row.person_id == actor.id:
        _narrower(actor, _scopes(row), row.expires_at)
    elif row.person_id is not None:
        grants.covered(session, scope, row.person_id)
    if not actors.is_valid(row.revoked_at, row.expires_at):
        raise TokenEnded
    token = minting.mint(row.id)
    row.digest = actors.digest(token)
    events.record(session, actor, scope.id, "token.rotated", _subject(row, person))
    return _issued(row, person, token)


def revoke(session: Session, actor: Actor, institution: str, token_id: UUID) -> None:
    """Make a token worthless from the next request on."""
    scope = access.institution(session, actor, institution)
    row, person, unit_id = _find(session, scope, token_id)
    _may_change(session, scope, row, unit_id)
    if row.revoked_at is None:
        row.revoked_at = now()
        events.record(session, actor, scope.id, "token.revoked", _subject(row, person))


def get(session: Session, actor: Actor, institution: str, token_id: UUID) -> wire.Token:
    """One token, without its secret."""
    scope = access.institution(session, actor, institution)
    row, person, _ = _find(session, scope, token_id, lock=False)
    return _token(row, person)


def page(session: Session, actor: Actor, institution: str, paging: Paging) -> Page[wire.Token]:
    """The actor's own tokens, and those of people whose tokens they may read; oldest first."""
    scope = access.institution(session, actor, institution)
    found = paginate(session, _with_person(scope), [Key(ApiToken.id, descending=False)], paging)
    return found.page([_token(*row[:2]) for row in found.rows])


def me(session: Session, actor: Actor) -> wire.Me:
    """Who is asking, and what they may do where."""
    code, units = None, dict[UUID, str]()
    if actor.institution_id is not None:
        mine = select(Institution.code).where(Institution.id == actor.institution_id)
        code = session.execute(mine).scalar_one()
        held = select(Unit.id, Unit.code).where(
            Unit.institution_id == actor.institution_id,
            Unit.id.in_({holding.unit_id for holding in actor.holdings}),
        )
        units = {unit_id: unit for unit_id, unit in session.execute(held)}  # noqa: C416  as rows are typed
    return wire.Me(
        actor=actor.name,
        operator=actor.operator,
        institution=code,
        person=None if actor.operator else actor.name,
        signed_in_with=wire.SignIn.OIDC if actor.token_id is None else wire.SignIn.API_TOKEN,
        token_id=actor.token_id,
        token_name=actor.token_name,
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        rights=sorted(
            (
                wire.Right(
                    unit=units[holding.unit_id],
                    role=holding.role,
                    permissions=sorted(
                        actor.allowed(holding.role) - (frozenset() if holding.is_root else WHOLE)
                    ),
                )
                for holding in actor.holdings
            ),
            key=lambda right: (right.unit, right.role),
        ),
    )


def used(session: Session, token_id: UUID) -> None:
    """Note that a token has been used; no event, since it changes nothing that anybody plans."""
    session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id)
        .values(last_used_at=now())
        .execution_options(synchronize_session=False)
    )


def _may_change(session: Session, scope: Scope, row: ApiToken, unit_id: UUID | None) -> None:
    if row.person_id != scope.actor.id:
        access.require(session, scope, Permission.TOKENS_CHANGE, unit_id)


def _find(
    session: Session, scope: Scope, token_id: UUID, *, lock: bool = True
) -> Row[ApiToken, str, UUID | None]:
    statement = _with_person(scope).where(ApiToken.id == token_id)
    locked = statement.with_for_update(of=ApiToken) if lock else statement
    row = session.execute(locked).one_or_none()
    if row is None:
        raise NotFound
    return row


def _with_person(scope: Scope) -> Select[ApiToken, str, UUID | None]:
    return (
        select(ApiToken)
        .join(
            Person,
            refers(ApiToken.person_id, Person),
        )
        .where(access.within(scope, ApiToken), access.seen(scope, Person, Permission.TOKENS_READ))
        .add_columns(Person.code, Person.unit_id)
    )


def _subject(row: ApiToken, person: str) -> events.Subject:
    return events.Subject(row.id, f"{person}/tokens/{row.id}")


def _issued(row: ApiToken, person: str, token: str) -> wire.IssuedToken:
    return wire.IssuedToken(**_token(row, person).model_dump(), token=token)


def _scopes(row: ApiToken) -> list[Permission] | None:
    return None if row.scopes is None else list(map(Permission, row.scopes))


def _token(row: ApiToken, person: str) -> wire.Token:
    return wire.Token(
        id=row.id,
        person=person,
        name=row.name,
        scopes=_scopes(row),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
