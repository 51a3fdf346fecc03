"""Webhooks over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch
from app.api.calls import Call, InstitutionPath, router
from app.schemas.pages import Page
from app.schemas.webhooks import (
    Delivery,
    DeliveryQuery,
    IssuedWebhook,
    IssuedWebhookSecret,
    NewWebhook,
    NewWebhookSecret,
    Webhook,
    WebhookChanges,
    WebhookQuery,
    WebhookReplay,
)
from app.services import deliveries, webhooks

routes = router("/institutions/{institution}/webhooks", "webhooks")
WebhookPath = Annotated[UUID, Path(description="Id of the webhook.")]
SecretPath = Annotated[UUID, Path(description="Id of the secret.")]
DeliveryPath = Annotated[UUID, Path(description="Id of the attempt.")]


@routes.post("", status_code=201)
async def create_webhook(
    call: Call, institution: InstitutionPath, new: NewWebhook, response: Response
) -> IssuedWebhook:
    """Have the events of a unit, with all below it, sent to an address; the secret is shown this once.

    Needs `webhooks:change` and `events:read` on the unit. What is sent is
    `{"type", "timestamp", "data"}` with the event as the feed has it, signed as Standard Webhooks
    says; in the order of the feed, each at least once, from this webhook's own `webhook.created` on.
    """
    made = await call.write(webhooks.create, institution, new)
    return answers.created(response, made, "institutions", institution, "webhooks", str(made.id))


@routes.get("")
async def list_webhooks(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[WebhookQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Webhook]:
    """The webhooks of units where you hold `webhooks:read`; without secrets."""
    return answers.paged(request, response, await call.read(webhooks.page, institution, query))


@routes.get("/{webhook}")
async def get_webhook(
    call: Call,
    institution: InstitutionPath,
    webhook: WebhookPath,
    request: Request,
    response: Response,
) -> Webhook:
    """One webhook: how far it is, and whether it is active."""
    found = await call.read(webhooks.get, institution, webhook)
    # How far it is changes without a new version.
    return answers.fresh(request, response, found, may_be_known=False)


@routes.patch("/{webhook}")
async def change_webhook(
    call: Call,
    institution: InstitutionPath,
    webhook: WebhookPath,
    changes: WebhookChanges,
    expected: IfMatch,
    response: Response,
) -> Webhook:
    """Change a webhook, or switch it on again: it goes on where it was, and nothing is lost.

    Any change ends a pause between attempts, and makes whoever sends it responsible.
    """
    changed = await call.write(webhooks.change, institution, webhook, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/{webhook}", status_code=204)
async def delete_webhook(
    call: Call, institution: InstitutionPath, webhook: WebhookPath, expected: IfMatch
) -> None:
    """Delete a webhook with its secrets and its log, for good."""
    await call.write(webhooks.delete, institution, webhook, expected)


@routes.post("/{webhook}/secrets", status_code=201)
async def create_webhook_secret(
    call: Call, institution: InstitutionPath, webhook: WebhookPath, new: NewWebhookSecret
) -> IssuedWebhookSecret:
    """A further secret, shown this once; requests are signed by all of them.

    To rotate: make one, let the receiver take both, then remove the old one, or let it expire.
    """
    return await call.write(webhooks.add_secret, institution, webhook, new)


@routes.delete("/{webhook}/secrets/{secret}", status_code=204)
async def remove_webhook_secret(
    call: Call, institution: InstitutionPath, webhook: WebhookPath, secret: SecretPath
) -> None:
    """Sign no more with a secret, from the next request on."""
    await call.write(webhooks.remove_secret, institution, webhook, secret)


@routes.post("/{webhook}/test", status_code=201)
async def test_webhook(
    call: Call, institution: InstitutionPath, webhook: WebhookPath, response: Response
) -> Delivery:
    """Send a `webhook.test` within a second or two, once; the answer is where to see what came of it."""
    asked = await call.write(deliveries.test, institution, webhook)
    return _located(response, institution, webhook, asked)


@routes.post("/{webhook}/replay")
async def replay_webhook(
    call: Call,
    institution: InstitutionPath,
    webhook: WebhookPath,
    replay: WebhookReplay,
    response: Response,
) -> Webhook:
    """Send again all events behind a sequence of the feed, in order; or go on further ahead."""
    moved = await call.write(deliveries.replay, institution, webhook, replay)
    return answers.tagged(response, moved)


@routes.get("/{webhook}/deliveries")
async def list_deliveries(
    call: Call,
    institution: InstitutionPath,
    webhook: WebhookPath,
    query: Annotated[DeliveryQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Delivery]:
    """Every attempt of the last 14 days, or of as many as the operator says, newest first."""
    found = await call.read(deliveries.page, institution, webhook, query)
    return answers.paged(request, response, found)


@routes.get("/{webhook}/deliveries/{delivery}")
async def get_delivery(
    call: Call, institution: InstitutionPath, webhook: WebhookPath, delivery: DeliveryPath
) -> Delivery:
    """One attempt."""
    return await call.read(deliveries.get, institution, webhook, delivery)


@routes.post("/{webhook}/deliveries/{delivery}/redelivery", status_code=201)
async def redeliver(
    call: Call,
    institution: InstitutionPath,
    webhook: WebhookPath,
    delivery: DeliveryPath,
    response: Response,
) -> Delivery:
    """Send an event once more, out of its turn and once, with the same `webhook-id`."""
    asked = await call.write(deliveries.redeliver, institution, webhook, delivery)
    return _located(response, institution, webhook, asked)


def _located(response: Response, institution: str, webhook: UUID, asked: Delivery) -> Delivery:
    address = ("institutions", institution, "webhooks", str(webhook), "deliveries", str(asked.id))
    answers.locate(response, *address)
    return asked
