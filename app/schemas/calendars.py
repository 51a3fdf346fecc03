"""Calendar feeds, and what they are narrowed to."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from app.schemas.fields import Instant, Name, Reference, Secret, Shape, example
from app.schemas.pages import Paging

MOST_DATES = 1_000
"""Entries of one calendar."""


class CalendarFilter(Shape):
    """Whose due dates are shown: all that is named must fit."""

    unit: Reference | None = None
    """Code of a unit: it and all below it."""
    owner: Reference | None = None
    """Code of a person: what they own, in any role."""
    initiative: Reference | None = None
    """Code of an initiative."""


class NewCalendar(CalendarFilter):
    """A new calendar feed of your own; without a filter, all that you may see."""

    model_config = example({"name": "Jawa Barat", "unit": "32"})

    name: Name
    """What the calendar is called, also by calendar programs."""


class Calendar(Shape):
    """A calendar feed, without its address."""

    id: UUID
    name: str
    person: str | None
    """Code of the person whose feed it is; null where an operator's token made it."""
    unit: str | None
    """Code of the unit that it shows; null for all, and once that unit is gone."""
    owner: str | None
    """Code of the person whose initiatives it shows."""
    initiative: str | None
    """Code of the initiative that it shows."""
    created_at: Instant
    expires_at: Instant | None
    """When the token ends that it was made with; null if never."""
    revoked_at: Instant | None


class IssuedCalendar(Calendar):
    """A calendar feed with its address, which is shown this once."""

    url: Secret
    """For a calendar program to subscribe to. Whoever has it sees the feed: it is a secret."""


class CalendarQuery(CalendarFilter):
    """Which calendar is read."""

    key: (
        Annotated[str, StringConstraints(pattern=r"^qwc_[0-9A-Za-z]{22}_[0-9A-Za-z]{46}$")] | None
    ) = Field(default=None, json_schema_extra={"writeOnly": True})
    """The secret of a feed, in place of a token; the feed says what is shown."""


class CalendarsQuery(Paging):
    """How calendar feeds are listed; the oldest first."""

    revoked: bool | None = None
    """Only those that were revoked, or only those that were not."""
