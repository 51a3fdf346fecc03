"""Tokens: shown once, kept as digests, revocable at once."""

import secrets
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.keyset import Key, paginate
from app.models import ApiToken, Institution, Person, ServiceSecret
from app.models.base import new_id, now
from app.schemas import tokens as wire
from app.schemas.pages import Page, Paging
from app.services import access, events
from app.services.access import Actor, Scope

FIRST_OPERATOR = "operator"
FROM_ENVIRONMENT = "QUICKWIN_ADMIN_TOKEN"
SYSTEM = Actor(
    id=UUID(int=0),
    name="quickwin",
    operator=True,
    institution_id=None,
    token_id=UUID(int=0),
    token_name="quickwin",  # noqa: S106  a name, not a secret
)
"""The command line, which acts with the rights of whoever may read the database."""


def first_start(session: Session, admin_token: str | None) -> str | None:
    """Make sure that an operator can come in.

    With `admin_token` that is the operator's token, in place of any that was set this way before.
    Without it, and without any operator's token, one is made and returned: it is shown this once.
    """
    operators = select(ApiToken).where(
        ApiToken.institution_id.is_(None), ApiToken.revoked_at.is_(None)
    )
    if admin_token is None:
        if session.scalars(operators.limit(1)).first():
            return None
        return create_operator(session, SYSTEM, FIRST_OPERATOR)
    digest = access.digest(admin_token)
    present = session.scalars(operators.where(ApiToken.name == FROM_ENVIRONMENT)).one_or_none()
    if present is None or present.digest != digest:
        if present is not None:
            present.revoked_at = now()
        same = session.scalars(select(ApiToken).where(ApiToken.digest == digest)).one_or_none()
        if same is None:
            _add(session, SYSTEM, FROM_ENVIRONMENT, admin_token)
        else:
            same.revoked_at = None
    return None


def create_operator(session: Session, actor: Actor, name: str) -> str:
    """A new operator's token; for operators."""
    access.operator_only(actor)
    token = _secret()
    _add(session, actor, name, token)
    return token


def revoke_operator(session: Session, actor: Actor, name: str) -> int:
    """Make operators' tokens of this name worthless; answers how many, and raises `NotFound` for none."""
    access.operator_only(actor)
    rows = session.scalars(
        select(ApiToken).where(
            ApiToken.institution_id.is_(None),
            ApiToken.name == name,
            ApiToken.revoked_at.is_(None),
        )
    ).all()
    if not rows:
        raise NotFound("No operator's token of this name is valid.")
    for row in rows:
        row.revoked_at = now()
        subject = events.Subject(row.id, f"tokens/{row.id}")
        events.record(session, actor, events.CATALOGUE, "token.revoked", subject, {"name": name})
    return len(rows)


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewToken
) -> wire.IssuedToken:
    """A new token for a person of the institution; for operators."""
    access.operator_only(actor)
    scope = access.institution(session, actor, institution)
    person = access.refer(session, scope, Person, new.person, "/person")
    token = _secret()
    row = ApiToken(
        id=new_id(),
        institution_id=scope.id,
        person_id=person.id,
        name=new.name,
        digest=access.digest(token),
        created_at=now(),
        expires_at=new.expires_at,
        revoked_at=None,
    )
    session.add(row)
    subject = events.Subject(row.id, f"{person.code}/tokens/{row.id}")
    events.record(session, actor, scope.id, "token.created", subject, new)
    return wire.IssuedToken(**_token(row, person.code).model_dump(), token=token)


def revoke(session: Session, actor: Actor, institution: str, token_id: UUID) -> None:
    """Make a token worthless from the next request on; for operators."""
    access.operator_only(actor)
    scope = access.institution(session, actor, institution)
    row = session.scalars(
        access.visible(scope, ApiToken).where(ApiToken.id == token_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.revoked_at is None:
        row.revoked_at = now()
        subject = events.Subject(row.id, f"tokens/{row.id}")
        events.record(session, actor, scope.id, "token.revoked", subject)


def page(session: Session, actor: Actor, institution: str, paging: Paging) -> Page[wire.Token]:
    """The institution's tokens, oldest first, without secrets; for operators."""
    access.operator_only(actor)
    scope = access.institution(session, actor, institution)
    found = paginate(session, _with_person(scope), [Key(ApiToken.id, descending=False)], paging)
    return Page(
        items=[_token(*row[:2]) for row in found.rows],
        next_cursor=found.next_cursor,
        total=found.total,
    )


def me(session: Session, actor: Actor) -> wire.Me:
    """Who is asking."""
    code = None
    if actor.institution_id is not None:
        mine = select(Institution.code).where(Institution.id == actor.institution_id)
        code = session.execute(mine).scalar_one()
    return wire.Me(
        actor=actor.name,
        operator=actor.operator,
        institution=code,
        person=None if actor.operator else actor.name,
        token_id=actor.token_id,
        token_name=actor.token_name,
    )


def service_secret(session: Session, name: str) -> str:
    """A random secret of the service, made when it is first asked for."""
    row = session.get(ServiceSecret, name)
    if row is None:
        row = ServiceSecret(name=name, value=secrets.token_hex(32))
        session.add(row)
    return row.value


def _secret() -> str:
    return f"qw_{secrets.token_urlsafe(32)}"


def _add(session: Session, actor: Actor, name: str, token: str) -> None:
    row = ApiToken(
        id=new_id(),
        institution_id=None,
        person_id=None,
        name=name,
        digest=access.digest(token),
        created_at=now(),
        expires_at=None,
        revoked_at=None,
    )
    session.add(row)
    subject = events.Subject(row.id, f"tokens/{row.id}")
    events.record(session, actor, events.CATALOGUE, "token.created", subject, {"name": name})


def _with_person(scope: Scope) -> Select[ApiToken, str]:
    return (
        access.visible(scope, ApiToken)
        .join(
            Person,
            and_(Person.institution_id == ApiToken.institution_id, Person.id == ApiToken.person_id),
        )
        .add_columns(Person.code)
    )


def _token(row: ApiToken, person: str) -> wire.Token:
    return wire.Token(
        id=row.id,
        person=person,
        name=row.name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
