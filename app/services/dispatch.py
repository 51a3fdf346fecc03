"""Dispatch: what is sent to whom next, and what becomes of it; for the process that sends.

A webhook is served by one process at a time, which holds a *lease* on it: a time until which nobody
else takes it, and a *fence*, a number that rises with each lease. Whoever comes back with an older
number was overtaken, and changes nothing. Events go out in the order of the feed: the next one
waits until the one before was taken. `position` moves with the result, so what is killed in between
is sent again.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Select, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from app import expiry
from app.models import InstitutionClock, Webhook, WebhookDelivery
from app.models.base import new_id, now
from app.models.base import table as table_of
from app.schemas.webhooks import DeliveryCause, DeliveryError, DeliveryOutcome, DisabledReason
from app.services import events, parcels, webhooks
from app.services.actors import SYSTEM
from app.services.parcels import Address, Parcel

LONGEST_WAIT = timedelta(days=1)
"""However long a receiver asks us to wait."""
_JITTER = 0.1
_GONE = 410
_WEBHOOK = table_of(Webhook).c
_CLOCK = table_of(InstitutionClock).c
_ASKED = table_of(WebhookDelivery).c


class Result(NamedTuple):
    """What became of a parcel."""

    attempted_at: datetime
    duration_ms: int
    status: int | None
    error: DeliveryError | None
    """Null where it was taken."""
    retry_after: timedelta | None = None
    """How long the receiver asks us to wait."""


_PENDING = exists().where(
    _ASKED.institution_id == _WEBHOOK.institution_id,
    _ASKED.webhook_id == _WEBHOOK.id,
    _ASKED.outcome == DeliveryOutcome.PENDING,
)
_DUE: Select[*tuple[Any, ...]] = (
    select(_WEBHOOK.institution_id, _WEBHOOK.id)
    .join(table_of(InstitutionClock), _CLOCK.institution_id == _WEBHOOK.institution_id)
    .where(
        or_(_WEBHOOK.leased_until.is_(None), _WEBHOOK.leased_until <= bindparam("now")),
        or_(
            and_(
                _WEBHOOK.active,
                _WEBHOOK.due_at <= bindparam("now"),
                _WEBHOOK.position < _CLOCK.sequence,
            ),
            _PENDING,
        ),
    )
    .order_by(_WEBHOOK.due_at)
    .limit(bindparam("most"))
)


def due(session: Session, most: int) -> list[Address]:
    """Webhooks that have something to be sent and that nobody serves; who waits longest, first."""
    found = session.connection().execute(_DUE, {"now": now(), "most": most})
    return [Address(*row) for row in found]


def take(session: Session, address: Address, lease: timedelta) -> Parcel | None:
    """Take the lease on a webhook and what it is sent next; None where there is nothing to do."""
    row = session.scalars(
        select(Webhook)
        .where(Webhook.institution_id == address.institution_id, Webhook.id == address.id)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None or (row.leased_until is not None and row.leased_until > now()):
        return None
    row.fence += 1
    return _next(session, row, lease)


def settle(
    session: Session,
    parcel: Parcel,
    result: Result,
    pauses: Sequence[float],
    lease: timedelta | None,
) -> Parcel | None:
    """Write down what became of a parcel, and take the next; without a `lease`, give it back.

    `pauses` are the seconds between the attempts. None where there is nothing to do, or where
    somebody else serves the webhook by now.
    """
    row = session.get(Webhook, tuple(parcel.webhook), with_for_update=True)
    if row is None or row.fence != parcel.fence:
        return None
    _log(session, parcel, result)
    if parcel.asked_id is None and row.position == parcel.position:  # else it was set meanwhile
        _move(session, row, parcel, result, pauses)
    if result.status == _GONE:
        _disable(session, row, DisabledReason.GONE, result)
    if lease is None:
        row.leased_until = None
        row.due_at = max(row.due_at, now())  # behind those who have waited
        return None
    return _next(session, row, lease)


def _move(
    session: Session, row: Webhook, parcel: Parcel, result: Result, pauses: Sequence[float]
) -> None:
    if result.error is None and parcel.sequence is not None:
        row.position = parcel.sequence
        row.failed_attempts = 0
        return
    row.failed_attempts = parcel.attempt
    if parcel.attempt > len(pauses):
        _disable(session, row, DisabledReason.FAILING, result)
        return
    spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  guards nothing
    pause = timedelta(seconds=pauses[parcel.attempt - 1] * spread)
    # Never sooner than by the schedule: else a receiver could use up its attempts in a moment.
    asked = min(result.retry_after or timedelta(0), LONGEST_WAIT)
    row.due_at = now() + max(pause, asked)


def _disable(
    session: Session, row: Webhook, reason: DisabledReason, result: Result | None = None
) -> None:
    if not row.active:
        return
    row.active, row.disabled_reason, row.disabled_at = False, reason, now()
    data = {
        "reason": reason,
        "host": urlsplit(row.url).netloc,
        "delivered_to": row.position,
        "failed_attempts": row.failed_attempts,
        "error": result.error if result else None,
        "status": result.status if result else None,
    }
    subject = webhooks.subject(row)
    events.record(session, SYSTEM, row.institution_id, "webhook.disabled", subject, data)


def _next(session: Session, row: Webhook, lease: timedelta) -> Parcel | None:
    """What is sent next, under a lease from now on; without anything the lease is given back."""
    parcel = parcels.asked_for(session, row)
    if parcel is None and row.active and row.due_at <= now():
        parcel = parcels.from_feed(session, row)
        if parcel is not None and not parcels.may_be_shown(session, row):
            _disable(session, row, DisabledReason.RIGHTS_ENDED)
            parcel = None
    row.leased_until = now() + lease if parcel else None
    return parcel


def _log(session: Session, parcel: Parcel, result: Result) -> None:
    outcome = DeliveryOutcome.SUCCEEDED if result.error is None else DeliveryOutcome.FAILED
    became = {
        "outcome": outcome,
        "attempted_at": result.attempted_at,
        "duration_ms": result.duration_ms,
        "status": result.status,
        "error": result.error,
    }
    institution_id, webhook_id = parcel.webhook
    if parcel.asked_id is not None:
        asked = session.get(WebhookDelivery, (institution_id, parcel.asked_id))
        for name, value in became.items() if asked else ():
            setattr(asked, name, value)
        return
    session.add(
        WebhookDelivery(
            institution_id=institution_id,
            id=new_id(),
            webhook_id=webhook_id,
            event_id=parcel.event_id,
            sequence=parcel.sequence,
            type=parcel.type,
            cause=DeliveryCause.EVENT,
            attempt=parcel.attempt,
            requested_at=result.attempted_at,
            expires_at=result.attempted_at + expiry.kept(session).deliveries,
            **became,
        )
    )
