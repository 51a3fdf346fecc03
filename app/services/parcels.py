"""Parcels: what a webhook is sent, with all that is needed to send it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, or_, select, true
from sqlalchemy.orm import Session

from app.errors import InvalidToken
from app.models import Event, Unit, UnitClosure, Webhook, WebhookDelivery
from app.models.base import table as table_of
from app.schemas import events as wire
from app.schemas.permissions import Permission
from app.schemas.webhooks import DeliveryOutcome
from app.services import chain, events, rights, sign_in, signing

_LOOKED_THROUGH = 5_000
"""Events that one statement looks through at most."""
_EVENT = table_of(Event)


class Address(NamedTuple):
    """Which webhook."""

    institution_id: UUID
    id: UUID


class Parcel(NamedTuple):
    """Something to be sent, by whoever holds the lease."""

    webhook: Address
    fence: int
    url: str
    secrets: tuple[str, ...]
    body: str
    event_id: UUID
    sequence: int | None
    type: str
    attempt: int
    position: int
    """Where the webhook was when this was taken."""
    asked_id: UUID | None
    """The delivery that somebody asked for, out of turn; null for the feed's next event."""


def asked_for(session: Session, row: Webhook) -> Parcel | None:
    """What somebody has asked for, out of turn; the oldest first."""
    asked = session.scalars(
        select(WebhookDelivery)
        .where(
            WebhookDelivery.institution_id == row.institution_id,
            WebhookDelivery.webhook_id == row.id,
            WebhookDelivery.outcome == DeliveryOutcome.PENDING,
        )
        .order_by(WebhookDelivery.id)
        .limit(1)
    ).first()
    if asked is None:
        return None
    if asked.sequence is None:
        body = _message(asked.type, asked.requested_at, {"webhook_id": str(row.id)})
    else:
        event = session.execute(
            select(_EVENT).where(
                _EVENT.c.institution_id == row.institution_id,
                _EVENT.c.sequence == asked.sequence,
            )
        ).one()
        body = _told(event)
    return _parcel(session, row, body, asked, asked.id)


def from_feed(session: Session, row: Webhook) -> Parcel | None:
    """The next event that is for a webhook; moves its position past those that are not."""
    last = events.last(session, row.institution_id)
    wanted = select(_EVENT).where(
        _EVENT.c.institution_id == row.institution_id,
        _of_types(row.patterns),
        _of_units(session, row),
    )
    while row.position < last:
        until = min(row.position + _LOOKED_THROUGH, last)
        stretch = wanted.where(_EVENT.c.sequence > row.position, _EVENT.c.sequence <= until)
        event = session.execute(stretch.order_by(_EVENT.c.sequence).limit(1)).first()
        if event is not None:
            return _parcel(session, row, _told(event), event, None)
        row.position = until
    return None


def may_be_shown(session: Session, row: Webhook) -> bool:
    """Whether whoever is responsible may read now what the webhook shows."""
    if row.responsible_id is None:
        return True
    try:
        person = sign_in.again(row.institution_id, row.responsible_id)(session)
    except InvalidToken:
        return False
    reach = person.reach(Permission.EVENTS_READ)
    return rights.covers(session, row.institution_id, reach, row.unit_id)


def _of_types(patterns: Sequence[str]) -> ColumnElement[bool]:
    kind = _EVENT.c.type
    if "*" in patterns:
        return true()
    return or_(
        *(
            kind.startswith(pattern.removesuffix("*"), autoescape=True)
            if pattern.endswith("*")
            else kind == pattern
            for pattern in patterns
        )
    )


def _of_units(session: Session, row: Webhook) -> ColumnElement[bool]:
    """As the feed has it: the unit of then, below the webhook's unit as the tree is now."""
    root = select(Unit.id).where(
        Unit.institution_id == row.institution_id, Unit.parent_id.is_(None)
    )
    if session.execute(root).scalar_one() == row.unit_id:
        return true()
    return _EVENT.c.unit_id.in_(
        select(UnitClosure.descendant_id).where(
            UnitClosure.institution_id == row.institution_id,
            UnitClosure.ancestor_id == row.unit_id,
        )
    )


def _parcel(
    session: Session,
    row: Webhook,
    body: str,
    what: WebhookDelivery | Row[*tuple[Any, ...]],
    asked_id: UUID | None,
) -> Parcel:
    sealed = signing.living(session, row.institution_id, [row.id])
    return Parcel(
        webhook=Address(row.institution_id, row.id),
        fence=row.fence,
        url=row.url,
        secrets=signing.opened(session, sealed),
        body=body,
        event_id=what.event_id if isinstance(what, WebhookDelivery) else what.id,
        sequence=what.sequence,
        type=what.type,
        attempt=1 if asked_id else row.failed_attempts + 1,
        position=row.position,
        asked_id=asked_id,
    )


def _told(event: Row[*tuple[Any, ...]]) -> str:
    shape = wire.Event.model_validate(event._asdict())  # the feed's own
    return _message(event.type, event.at, shape.model_dump(mode="json"))


def _message(kind: str, at: datetime, data: dict[str, Any]) -> str:
    content = {"type": kind, "timestamp": chain.instant(at), "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
