"""Deliveries: the log of what webhooks were sent, and what is sent because somebody asks for it."""

from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app import expiry
from app.errors import Conflict, Invalid, NotFound
from app.keyset import Key, paginate
from app.models import Event, Webhook, WebhookDelivery
from app.models.base import new_id, now
from app.models.base import table as table_of
from app.schemas import webhooks as wire
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.schemas.webhooks import DeliveryCause, DeliveryOutcome
from app.services import access, events, webhooks
from app.services.access import Scope
from app.services.actors import Actor

TEST = "webhook.test"
"""The type of what a test sends; no event of the feed has it."""
MOST_PENDING = 100
_FORGOTTEN_AT_ONCE = 500
_NEWEST_FIRST = [Key(WebhookDelivery.id, descending=True)]


def page(
    session: Session, actor: Actor, institution: str, webhook_id: UUID, query: wire.DeliveryQuery
) -> Page[wire.Delivery]:
    """The attempts of a webhook, newest first."""
    scope = access.institution(session, actor, institution)
    webhooks.find(session, scope, webhook_id)
    statement = _of(scope, webhook_id)
    if query.outcome:
        statement = statement.where(WebhookDelivery.outcome.in_(query.outcome))
    if query.sequence is not None:
        statement = statement.where(WebhookDelivery.sequence == query.sequence)
    found = paginate(session, statement, _NEWEST_FIRST, query)
    return found.page([_delivery(row[0]) for row in found.rows])


def get(
    session: Session, actor: Actor, institution: str, webhook_id: UUID, delivery_id: UUID
) -> wire.Delivery:
    """One attempt."""
    scope = access.institution(session, actor, institution)
    webhooks.find(session, scope, webhook_id)
    return _delivery(_find(session, scope, webhook_id, delivery_id))


def redeliver(
    session: Session, actor: Actor, institution: str, webhook_id: UUID, delivery_id: UUID
) -> wire.Delivery:
    """Send an event once more, out of its turn and once; also where the webhook is not active."""
    scope = access.institution(session, actor, institution)
    row = webhooks.changing(session, scope, webhook_id)
    sent = _find(session, scope, webhook_id, delivery_id)
    if sent.sequence is None:
        raise Conflict("A test is not sent again: make another.")
    # It may be of a unit that the webhook had before, and that the actor does not see.
    seen = access.seen(scope, Event, Permission.EVENTS_READ)
    shown = select(Event.id).where(
        access.within(scope, Event), Event.sequence == sent.sequence, seen
    )
    if session.execute(shown).first() is None:
        raise NotFound
    again = _ask(session, row, sent.event_id, sent.sequence, sent.type, DeliveryCause.REDELIVERY)
    data = {"sequence": sent.sequence}
    events.record(session, actor, scope.id, "webhook.redelivered", webhooks.subject(row), data)
    return again


def test(session: Session, actor: Actor, institution: str, webhook_id: UUID) -> wire.Delivery:
    """Send something that is no event, once; also where the webhook is not active."""
    scope = access.institution(session, actor, institution)
    row = webhooks.changing(session, scope, webhook_id)
    asked = _ask(session, row, new_id(), None, TEST, DeliveryCause.TEST)
    events.record(session, actor, scope.id, "webhook.tested", webhooks.subject(row))
    return asked


def replay(
    session: Session, actor: Actor, institution: str, webhook_id: UUID, replay: wire.WebhookReplay
) -> wire.Webhook:
    """Go on behind another sequence of the feed: send again what came since, or leave out."""
    scope = access.institution(session, actor, institution)
    row = webhooks.changing(session, scope, webhook_id)
    if replay.after > events.last(session, scope.id):
        raise Invalid.field("/after", "in_future", "The feed has not come so far.")
    before, row.position = row.position, replay.after
    webhooks.start_afresh(row)
    data = {"after": replay.after, "before": before}
    subject = webhooks.subject(row)
    events.record(session, actor, scope.id, "webhook.replayed", subject, data, reason=replay.reason)
    session.flush()
    return webhooks.get(session, actor, institution, webhook_id)


def forget(session: Session) -> int:
    """Remove some attempts whose time is over; answers how many."""
    return EXPIRED.remove(session, now(), _FORGOTTEN_AT_ONCE)


EXPIRED = expiry.Expiring(table_of(WebhookDelivery), table_of(WebhookDelivery).c.expires_at)


def _ask(
    session: Session,
    row: Webhook,
    event_id: UUID,
    sequence: int | None,
    kind: str,
    cause: DeliveryCause,
) -> wire.Delivery:
    waiting = (
        select(func.count())
        .select_from(WebhookDelivery)
        .where(
            WebhookDelivery.institution_id == row.institution_id,
            WebhookDelivery.webhook_id == row.id,
            WebhookDelivery.outcome == DeliveryOutcome.PENDING,
        )
    )
    if session.execute(waiting).scalar_one() >= MOST_PENDING:
        raise Conflict("So much waits to be sent already that no more can be asked for.")
    at = now()
    asked = WebhookDelivery(
        institution_id=row.institution_id,
        id=new_id(),
        webhook_id=row.id,
        event_id=event_id,
        sequence=sequence,
        type=kind,
        cause=cause,
        attempt=1,
        outcome=DeliveryOutcome.PENDING,
        requested_at=at,
        attempted_at=None,
        duration_ms=None,
        status=None,
        error=None,
        expires_at=at + expiry.kept(session).deliveries,
    )
    session.add(asked)
    return _delivery(asked)


def _of(scope: Scope, webhook_id: UUID) -> Select[WebhookDelivery]:
    return select(WebhookDelivery).where(
        access.within(scope, WebhookDelivery), WebhookDelivery.webhook_id == webhook_id
    )


def _find(session: Session, scope: Scope, webhook_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    found = session.scalars(
        _of(scope, webhook_id).where(WebhookDelivery.id == delivery_id)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def _delivery(row: WebhookDelivery) -> wire.Delivery:
    return wire.Delivery(
        id=row.id,
        event_id=row.event_id,
        sequence=row.sequence,
        type=row.type,
        cause=row.cause,
        attempt=row.attempt,
        outcome=row.outcome,
        requested_at=row.requested_at,
        attempted_at=row.attempted_at,
        duration_ms=row.duration_ms,
        status=row.status,
        error=row.error,
    )
