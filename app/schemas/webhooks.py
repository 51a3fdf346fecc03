"""Webhooks on the wire: who is called when something was written, and how that went."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import MISSING, AfterValidator, Field, StringConstraints

from app.schemas.fields import (
    Digits,
    Flag,
    Instant,
    Name,
    Reason,
    Reference,
    Secret,
    Shape,
    Url,
    example,
)
from app.schemas.pages import Paging

MOST_SECRETS = 5
"""Secrets that a webhook may have at once: each is a signature in every request."""


def _callable(value: str) -> str:
    parts = urlsplit(value)
    if not parts.hostname or "@" in parts.netloc or "\\" in value or parts.fragment:
        message = "an address without a name, password or fragment is needed"
        raise ValueError(message)
    if parts.port == 0:  # a port that is no number raises a ValueError by itself
        message = "there is no port 0"
        raise ValueError(message)
    return value


WebhookUrl = Annotated[Url, AfterValidator(_callable)]
"""An https address; http is for the internal networks that the operator has listed."""
EventPattern = Annotated[
    str, StringConstraints(max_length=64, pattern=r"^(\*|[a-z_]+(\.[a-z_]+)*(\.\*)?)$")
]
"""A type such as `unit.moved`, all that begin alike such as `milestone.*`, or `*` for all."""
EventPatterns = Annotated[list[EventPattern], Field(min_length=1, max_length=50)]


class DisabledReason(StrEnum):
    """Why a webhook was disabled by the service."""

    GONE = "gone"
    """The receiver answered 410."""
    FAILING = "failing"
    """The last attempt for an event failed."""
    RIGHTS_ENDED = "rights_ended"
    """Whoever is responsible may not read the unit's events any more."""


class DeliveryCause(StrEnum):
    """Why something was sent."""

    EVENT = "event"
    REDELIVERY = "redelivery"
    TEST = "test"


class DeliveryOutcome(StrEnum):
    """What became of it."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DeliveryError(StrEnum):
    """Why an attempt failed."""

    NAME_NOT_FOUND = "name_not_found"
    ADDRESS_REFUSED = "address_refused"
    PORT_REFUSED = "port_refused"
    HTTPS_NEEDED = "https_needed"
    NOT_CONNECTED = "not_connected"
    """No connection, or TLS could not be set up; the certificate may be the reason."""
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """The connection ended, or what came was not HTTP."""
    STATUS = "status"
    """An answer other than 2xx; redirects are not followed."""
    NO_SECRET = "no_secret"  # noqa: S105  a word, not a secret
    """None of the secrets can be decrypted: make a new one."""


class NewWebhook(Shape):
    """A new webhook."""

    model_config = example(
        {
            "url": "https://hooks.example.org/quickwin",
            "description": "Command centre",
            "events": ["update.*", "rollup.health_changed"],
            "unit": "32",
        }
    )

    url: WebhookUrl
    description: Name | None = None
    events: EventPatterns = Field(default_factory=lambda: ["*"])
    """What is sent, as in `type` of the event feed; everything by default."""
    unit: Reference | None = None
    """Code of the unit: events of it and of all below are sent. The root, with all, if left out."""
    active: Flag = True


class WebhookChanges(Shape):
    """A merge patch of a webhook. Whoever sends it is responsible from now on."""

    model_config = example({"active": True})

    url: WebhookUrl | MISSING = MISSING
    description: Name | MISSING | None = MISSING
    events: EventPatterns | MISSING = MISSING
    unit: Reference | MISSING = MISSING
    active: Flag | MISSING = MISSING
    """True also ends a pause between attempts; it goes on with the event that could not be sent."""
    reason: Reason | MISSING = MISSING


class WebhookSecret(Shape):
    """A secret that requests are signed with, without the secret itself."""

    id: UUID
    created_at: Instant
    expires_at: Instant | None
    """From when on it is used no more; null for not before it is removed."""


class Webhook(Shape):
    """Whom to call when something was written, and how far that has come."""

    id: UUID
    url: str
    description: str | None
    events: list[str]
    unit: str
    """Code of the unit whose events are sent, with all below it."""
    active: bool
    disabled_reason: DisabledReason | None
    """Null where it is active, or where somebody switched it off."""
    disabled_at: Instant | None
    responsible: str
    """Who made or last changed it: code of a person, or name of an operator's token. It is
    disabled when this person may not read the unit's events any more."""
    delivered_to: int
    """The sequence of the event feed up to which everything was sent."""
    failed_attempts: int
    """For the event that is next; 0 while all goes well."""
    next_attempt_at: Instant | None
    """Null while all goes well."""
    secrets: list[WebhookSecret]
    """Every request has a signature by each of them."""
    created_at: Instant
    updated_at: Instant
    version: int
    """Counts changes, not deliveries."""


class IssuedWebhook(Webhook):
    """A webhook with its first secret, which is shown this once."""

    secret: Secret
    """`whsec_…`, as the libraries of Standard Webhooks take it."""


class NewWebhookSecret(Shape):
    """A further secret."""

    model_config = example({"others_expire_at": "2030-01-31T00:00:00Z"})

    others_expire_at: Instant | None = None
    """From when on the present secrets are used no more; if left out, until they are removed."""


class IssuedWebhookSecret(WebhookSecret):
    """A secret of a webhook, which is shown this once."""

    secret: Secret
    """`whsec_…`, as the libraries of Standard Webhooks take it."""


class WebhookReplay(Shape):
    """From where to send again, or on."""

    model_config = example({"after": 4500})

    after: Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
    """The first event that is sent next is the one behind this sequence of the feed."""
    reason: Reason | None = None


class Delivery(Shape):
    """One attempt, or one that is about to be made."""

    id: UUID
    event_id: UUID
    """What was sent as `webhook-id`: the same in all attempts for an event."""
    sequence: int | None
    """Of the event in the feed; null for a test."""
    type: str
    cause: DeliveryCause
    attempt: int
    """1 for the first; counts on while an event is tried again."""
    outcome: DeliveryOutcome
    requested_at: Instant
    attempted_at: Instant | None
    duration_ms: int | None
    status: int | None
    """Of the answer, if there was one. Nothing else of it is kept."""
    error: DeliveryError | None


class WebhookQuery(Paging):
    """How webhooks are filtered; oldest first."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    active: bool | None = None


class DeliveryQuery(Paging):
    """How attempts are filtered; newest first."""

    outcome: Annotated[list[DeliveryOutcome], Field(max_length=10)] = Field(default_factory=list)
    sequence: Annotated[int, Field(ge=1, le=2**63 - 1), Digits] | None = None
    """Attempts for this event of the feed."""
