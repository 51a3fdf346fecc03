"""Webhooks: who is called when something was written, and the secrets that sign the calls.

A subscription shows its receiver what `events:read` shows on its unit, so whoever makes or changes
one must hold that too; and it lasts as long as they hold it.
"""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.keyset import Key, paginate
from app.models import Unit, Webhook, WebhookSecret
from app.models.base import new_id, now, refers
from app.outbound import RULES, Rules
from app.schemas import webhooks as wire
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.schemas.webhooks import MOST_SECRETS
from app.services import access, events, signing, versions
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.versions import Expected

MOST = 200
"""Webhooks that an institution may have."""
_OBJECTIONS = {
    "https_needed": "Plain http is for the networks that the operator has listed.",
    "port_refused": "The operator allows other ports.",
    "address_refused": "This is no public address, and of no network that the operator has listed.",
}


def create(
    session: Session, actor: Actor, institution: str, new: wire.NewWebhook
) -> wire.IssuedWebhook:
    """A new webhook with its first secret; it begins with the event of its own creation."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    unit = (
        access.open_unit(session, scope, new.unit, "/unit")
        if new.unit
        else access.root(session, scope)
    )
    _may_change(session, scope, unit.id)
    _check_url(session, new.url)
    others = select(func.count()).select_from(Webhook).where(access.within(scope, Webhook))
    if session.execute(others).scalar_one() >= MOST:
        raise Conflict("An institution has no more webhooks than these: delete one first.")
    at = now()
    row = Webhook(
        institution_id=scope.id,
        id=new_id(),
        unit_id=unit.id,
        url=new.url,
        description=new.description,
        patterns=_distinct(new.events),
        active=new.active,
        disabled_reason=None,
        disabled_at=None,
        responsible_id=None if actor.operator else actor.id,
        responsible=actor.name,
        position=events.last(session, scope.id),
        failed_attempts=0,
        due_at=at,
        leased_until=None,
        fence=0,
        created_at=at,
        updated_at=at,
        version=1,
    )
    session.add(row)
    session.flush()
    secret, text = signing.issue(session, row)
    events.record(session, actor, scope.id, "webhook.created", subject(row), _told(row))
    session.flush()
    return wire.IssuedWebhook(**dict(_webhook(row, unit.code, [secret])), secret=text)


def change(
    session: Session,
    actor: Actor,
    institution: str,
    webhook_id: UUID,
    changes: wire.WebhookChanges,
    expected: Expected,
) -> wire.Webhook:
    """Change a webhook; whoever does is responsible for it from now on."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = changing(session, scope, webhook_id)
    versions.check(row, expected)
    data = changes.model_dump(mode="json", exclude_unset=True, exclude={"url"})
    if changes.unit is not MISSING:
        row.unit_id = access.open_unit(session, scope, changes.unit, "/unit").id
        _may_change(session, scope, row.unit_id)
    if changes.url is not MISSING:
        _check_url(session, changes.url)
        row.url = changes.url
        data["host"] = _host(row)
    if changes.description is not MISSING:
        row.description = changes.description
    if changes.events is not MISSING:
        row.patterns = _distinct(changes.events)
    if changes.active is not MISSING:
        row.active = changes.active
        row.disabled_reason = row.disabled_at = None
    start_afresh(row)
    row.responsible_id = None if actor.operator else actor.id
    row.responsible = actor.name
    versions.touch(row)
    events.record(session, actor, scope.id, "webhook.changed", subject(row), data)
    session.flush()
    return get(session, actor, str(scope.id), row.id)


def delete(
    session: Session, actor: Actor, institution: str, webhook_id: UUID, expected: Expected
) -> None:
    """Delete a webhook with its secrets and its log, for good."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = changing(session, scope, webhook_id)
    versions.check(row, expected)
    session.delete(row)
    events.record(session, actor, scope.id, "webhook.deleted", subject(row), _told(row))


def get(session: Session, actor: Actor, institution: str, webhook_id: UUID) -> wire.Webhook:
    """One webhook, without its secrets."""
    scope = access.institution(session, actor, institution)
    row, unit = find(session, scope, webhook_id)
    return _webhook(row, unit, signing.living(session, scope.id, [row.id]))


def page(
    session: Session, actor: Actor, institution: str, query: wire.WebhookQuery
) -> Page[wire.Webhook]:
    """The webhooks of units where the actor may read them; oldest first."""
    scope = access.institution(session, actor, institution)
    statement = _with_unit(scope)
    if query.unit:
        statement = statement.where(Webhook.unit_id.in_(access.below(scope, query.unit)))
    if query.active is not None:
        statement = statement.where(Webhook.active.is_(query.active))
    found = paginate(session, statement, [Key(Webhook.id, descending=False)], query)
    living = signing.living(session, scope.id, [row[0].id for row in found.rows])
    return found.page(
        [
            _webhook(row[0], row[1], [each for each in living if each.webhook_id == row[0].id])
            for row in found.rows
        ]
    )


def add_secret(
    session: Session,
    actor: Actor,
    institution: str,
    webhook_id: UUID,
    new: wire.NewWebhookSecret,
) -> wire.IssuedWebhookSecret:
    """A further secret; those that are there sign on until they are removed or expire."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = changing(session, scope, webhook_id)
    living = signing.living(session, scope.id, [row.id])
    if len(living) >= MOST_SECRETS:
        raise Conflict("A webhook has no more secrets than these: remove one first.")
    if new.others_expire_at is not None:
        for other in living:
            other.expires_at = min(other.expires_at or new.others_expire_at, new.others_expire_at)
    made, text = signing.issue(session, row)
    data = new.model_dump(mode="json", exclude_unset=True) | {"secret": str(made.id)}
    _record_change(session, scope, row, "webhook.secret_created", data)
    return wire.IssuedWebhookSecret(**dict(_secret(made)), secret=text)


def remove_secret(
    session: Session, actor: Actor, institution: str, webhook_id: UUID, secret_id: UUID
) -> None:
    """Sign no more with a secret; raises `Conflict` where none would be left for good."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = changing(session, scope, webhook_id)
    living = signing.living(session, scope.id, [row.id])
    found = next((each for each in living if each.id == secret_id), None)
    if found is None:
        raise NotFound
    if not any(each.expires_at is None for each in living if each is not found):
        raise Conflict("Requests must be signed: make another secret before you remove this one.")
    session.delete(found)
    _record_change(session, scope, row, "webhook.secret_removed", {"secret": str(secret_id)})


def find(session: Session, scope: Scope, webhook_id: UUID) -> Row[Webhook, str]:
    """A webhook that the actor may read, and the code of its unit; raises `NotFound`."""
    row = session.execute(_with_unit(scope).where(Webhook.id == webhook_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def changing(session: Session, scope: Scope, webhook_id: UUID) -> Webhook:
    """A webhook that the actor may change, locked."""
    statement = _with_unit(scope).where(Webhook.id == webhook_id).with_for_update(of=Webhook)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    _may_change(session, scope, row[0].unit_id)
    return row[0]


def start_afresh(row: Webhook) -> None:
    """Forget failed attempts, and what they made it wait for."""
    row.failed_attempts, row.due_at = 0, now()


def subject(row: Webhook) -> events.Subject:
    """What events about a webhook are about."""
    return events.Subject(row.id, f"webhooks/{row.id}")


def _check_url(session: Session, url: str) -> None:
    rules: Rules = session.info[RULES]
    objection = rules.objection_to(url)
    if objection is not None:
        raise Invalid.field("/url", objection, _OBJECTIONS[objection])


def _may_change(session: Session, scope: Scope, unit_id: UUID) -> None:
    for permission in (Permission.WEBHOOKS_CHANGE, Permission.EVENTS_READ):
        access.require(session, scope, permission, unit_id)


def _record_change(
    session: Session, scope: Scope, row: Webhook, kind: str, data: dict[str, Any]
) -> None:
    versions.touch(row)
    events.record(session, scope.actor, scope.id, kind, subject(row), data)


def _with_unit(scope: Scope) -> Select[Webhook, str]:
    seen = access.seen(scope, Webhook, Permission.WEBHOOKS_READ)
    return (
        select(Webhook)
        .join(Unit, refers(Webhook.unit_id, Unit))
        .where(access.within(scope, Webhook), seen)
        .add_columns(Unit.code)
    )


def _distinct(patterns: list[str]) -> list[str]:
    return sorted(set(patterns))


def _host(row: Webhook) -> str:
    return urlsplit(row.url).netloc


def _told(row: Webhook) -> dict[str, Any]:
    return {"host": _host(row), "events": row.patterns}


def _secret(row: WebhookSecret) -> wire.WebhookSecret:
    return wire.WebhookSecret(id=row.id, created_at=row.created_at, expires_at=row.expires_at)


def _webhook(row: Webhook, unit: str, secrets: list[WebhookSecret]) -> wire.Webhook:
    return wire.Webhook(
        id=row.id,
        url=row.url,
        description=row.description,
        events=row.patterns,
        unit=unit,
        active=row.active,
        disabled_reason=row.disabled_reason,
        disabled_at=row.disabled_at,
        responsible=row.responsible,
        delivered_to=row.position,
        failed_attempts=row.failed_attempts,
        next_attempt_at=row.due_at if row.failed_attempts and row.active else None,
        secrets=[_secret(each) for each in secrets],
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
