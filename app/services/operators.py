"""Operators' tokens, which stand above institutions, and the service's own secrets."""

import secrets
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models import ApiToken, ServiceSecret
from app.models.base import new_id, now
from app.services import actors, events, minting, rights
from app.services.actors import SYSTEM, Actor

FIRST_OPERATOR = "operator"
FROM_ENVIRONMENT = "QUICKWIN_ADMIN_TOKEN"


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
        events.hold(session, events.CATALOGUE)  # of several that start at once, one makes a token
        if session.scalars(operators.limit(1)).first():
            return None
        return create(session, SYSTEM, FIRST_OPERATOR)
    digest = actors.digest(admin_token)
    present = session.scalars(operators.where(ApiToken.name == FROM_ENVIRONMENT)).one_or_none()
    if present is None or present.digest != digest:
        if present is not None:
            present.revoked_at = now()
        same = session.scalars(select(ApiToken).where(ApiToken.digest == digest)).one_or_none()
        if same is None:
            _add(session, SYSTEM, new_id(), FROM_ENVIRONMENT, admin_token)
        else:
            same.revoked_at = None
    return None


def create(session: Session, actor: Actor, name: str) -> str:
    """A new operator's token; for operators."""
    rights.operator_only(session, actor)
    token_id = new_id()
    token = minting.mint(token_id)
    _add(session, actor, token_id, name, token)
    return token


def revoke(session: Session, actor: Actor, name: str) -> int:
    """Make operators' tokens of this name worthless; answers how many, and raises `NotFound` for none."""
    rights.operator_only(session, actor)
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


def service_secret(session: Session, name: str) -> str:
    """A random secret of the service, made when it is first asked for."""
    row = session.get(ServiceSecret, name)
    if row is None:
        row = ServiceSecret(name=name, value=secrets.token_hex(32))
        session.add(row)
    return row.value


def _add(session: Session, actor: Actor, token_id: UUID, name: str, token: str) -> None:
    row = ApiToken(
        id=token_id,
        institution_id=None,
        person_id=None,
        name=name,
        digest=actors.digest(token),
        scopes=None,
        created_at=now(),
        last_used_at=None,
        expires_at=None,
        revoked_at=None,
    )
    session.add(row)
    subject = events.Subject(row.id, f"tokens/{row.id}")
    events.record(session, actor, events.CATALOGUE, "token.created", subject, {"name": name})
