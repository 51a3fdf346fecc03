"""Signing: a webhook's secrets, and the signatures that they make (Standard Webhooks 1.0.0).

Secrets must be readable to sign with, so they are encrypted, not digested. Their key follows from
the service's own and from the secret's id: a secret that is copied into another row opens nothing.
"""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook as Signer

from app import expiry
from app.models import Webhook, WebhookSecret
from app.models.base import new_id, now
from app.models.base import table as table_of
from app.services import sealing

SEAL = "webhook_key"
"""Key of `Session.info`: the service's key that secrets are encrypted with."""
_BYTES = 32
_FORGOTTEN_AT_ONCE = 500


def issue(session: Session, webhook: Webhook) -> tuple[WebhookSecret, str]:
    """A new secret of a webhook, and how it reads."""
    text = "whsec_" + b64encode(secrets.token_bytes(_BYTES)).decode()
    secret_id = new_id()
    made = WebhookSecret(
        institution_id=webhook.institution_id,
        id=secret_id,
        webhook_id=webhook.id,
        sealed=_cipher(session, secret_id).encrypt(text.encode()).decode(),
        created_at=now(),
        expires_at=None,
    )
    session.add(made)
    return made, text


def living(
    session: Session, institution_id: UUID, webhook_ids: Sequence[UUID]
) -> list[WebhookSecret]:
    """The secrets of some webhooks that have not expired, oldest first."""
    unexpired = or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > now())
    statement = select(WebhookSecret).where(
        WebhookSecret.institution_id == institution_id,
        WebhookSecret.webhook_id.in_(webhook_ids),
        unexpired,
    )
    return list(session.scalars(statement.order_by(WebhookSecret.id)))


def forget(session: Session) -> int:
    """Remove some secrets that sign no more; answers how many."""
    return EXPIRED.remove(session, now(), _FORGOTTEN_AT_ONCE)


EXPIRED = expiry.Expiring(table_of(WebhookSecret), table_of(WebhookSecret).c.expires_at)


def opened(session: Session, sealed: Sequence[WebhookSecret]) -> tuple[str, ...]:
    """Secrets as they read; those that were sealed with another key of the service are left out."""
    texts = []
    for each in sealed:
        try:
            texts.append(_cipher(session, each.id).decrypt(each.sealed).decode())
        except InvalidToken:
            continue
    return tuple(texts)


def signatures(texts: Sequence[str], message_id: str, at: datetime, body: str) -> str:
    """The value of `webhook-signature`: one by each secret."""
    # The library takes the clock's digits and ignores its zone.
    utc = at.astimezone(UTC)
    return " ".join(Signer(text).sign(message_id, utc, body) for text in texts)


def _cipher(session: Session, secret_id: UUID) -> Fernet:
    return sealing.cipher(session.info[SEAL], b"webhook", secret_id.bytes)
