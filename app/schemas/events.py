"""The event feed on the wire."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.schemas.fields import Digits, Instant, Shape
from app.schemas.pages import DEFAULT_LIMIT, Limit


class Event(Shape):
    """One write."""

    sequence: int
    """Gap-free within the institution, in the order of commits."""
    id: UUID
    type: str
    """What happened, such as `update.reported`."""
    at: Instant
    actor: str
    """Who did it: code of a person, or name of a token."""
    subject: str
    """What it happened to: a code, or an address such as `QW-1/milestones/3`."""
    data: dict[str, Any]
    """What was written; `reason` where one was given."""


class Events(Shape):
    """A stretch of the feed, oldest first."""

    items: list[Event]
    next_after: int
    """Send as `after` to go on from here."""


class EventQuery(Shape):
    """Which stretch of the feed is asked for."""

    after: Annotated[int, Digits, Field(ge=0, le=2**63 - 1)] = 0
    """The sequence that you have read up to."""
    limit: Limit = DEFAULT_LIMIT
