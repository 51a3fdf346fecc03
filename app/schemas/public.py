"""What anybody may see without a token.

These shapes list what is shown: a field that comes to an initiative later is not public before
somebody writes it down here.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from app.schemas.fields import Day, Digits, Flag, InitiativeStatus, Instant, Reference, Shape
from app.schemas.pages import Paging


class PublicRollup(StrEnum):
    """Of which initiatives the public roll-up is.

    `all`: of all that count, published or not, which is the institution's true number. `published`:
    of the published ones alone. `none`: no roll-up is shown.
    """

    ALL = "all"
    PUBLISHED = "published"
    NONE = "none"


class PublicPolicy(Shape):
    """What an institution shows to the public, without a token."""

    initiatives: Flag = True
    """The initiatives that are `public`, with their publications, and the feeds of both."""
    rollup: PublicRollup = PublicRollup.ALL
    units: Flag = False
    """Also the roll-up of each unit directly below the root."""


class PublicInitiativeCounts(Shape):
    """Counted initiatives by status."""

    total: int
    active: int
    on_hold: int
    completed: int


class PublicMilestoneCounts(Shape):
    """Live milestones of counted initiatives."""

    total: int
    done: int


class PublicNumbers(Shape):
    """Progress of today, as it was reported and as it was verified."""

    percent_complete: float | None
    """As reported; null where nothing is measurable."""
    percent_verified: float | None
    """As far as somebody else than the reporter has verified it."""
    percent_scheduled: float | None
    """What the plan has for today."""
    initiatives: PublicInitiativeCounts
    milestones: PublicMilestoneCounts


class PublicUnit(PublicNumbers):
    """The numbers of a unit directly below the root, with all below it."""

    code: str
    name: str


class PublicInstitution(Shape):
    """What an institution shows of itself."""

    code: str
    name: str
    as_of: Day
    includes: PublicRollup
    """Of which initiatives the numbers are: `all` that count, or the `published` ones; or `none`."""
    rollup: PublicNumbers | None
    """Null where the institution shows none."""
    units: list[PublicUnit]
    """By code; empty where the institution shows none."""


class PublicInitiative(Shape):
    """A published initiative with its numbers of today."""

    code: str
    title: str
    unit: str
    """Code of the unit that carries it out."""
    unit_name: str
    year: int
    areas: list[str]
    """Codes of the reform areas that it serves."""
    status: InitiativeStatus
    percent_complete: float | None
    """As reported; null while there is no milestone."""
    percent_verified: float | None
    """As far as somebody else than the reporter has verified it."""
    percent_scheduled: float | None
    """What the plan has for today."""


class PublicMilestone(Shape):
    """A milestone of a published initiative."""

    title: str
    due_on: Day
    done_on: Day | None
    """The day on which it was reported to be reached."""
    verified: bool
    """Whether somebody else than the reporter has verified that it is."""


class PublicPublication(Shape):
    """What was told of a published initiative, when and where."""

    title: str
    said: str | None
    published_on: Day
    channel: str | None
    url: str | None


class PublicInitiativeWithPlan(PublicInitiative):
    """A published initiative with its plan, and what was told of it."""

    description: str | None
    milestones: list[PublicMilestone]
    """In the order of the plan, without dropped ones."""
    publications: list[PublicPublication]
    """The newest first; at most 100."""


_References = Annotated[list[Reference], Field(max_length=20)]


class PublicQuery(Paging):
    """How published initiatives are filtered; by code. Filters join by AND; a repeated one by OR."""

    unit: _References = Field(default_factory=list)
    """Codes of units, with all below them."""
    area: _References = Field(default_factory=list)
    """Codes of reform areas."""
    year: Annotated[list[Annotated[int, Field(ge=1900, le=2199), Digits]], Field(max_length=20)] = (
        Field(default_factory=list)
    )
    status: list[InitiativeStatus] = Field(default_factory=list)


class JsonFeedAuthor(Shape):
    """Who tells it: the institution."""

    name: str


class JsonFeedItem(Shape):
    """A publication, or a milestone that was reached."""

    id: str
    url: str
    """The initiative that it is about, in this API."""
    external_url: str | None = None
    """Where a publication can be read."""
    title: str
    content_text: str
    date_published: Instant
    date_modified: Instant
    tags: list[str]
    """`publication` or `milestone`, and the code of the initiative."""


class JsonFeed(Shape):
    """JSON Feed 1.1."""

    version: Literal["https://jsonfeed.org/version/1.1"] = "https://jsonfeed.org/version/1.1"
    title: str
    home_page_url: str
    feed_url: str
    language: str
    authors: list[JsonFeedAuthor]
    items: list[JsonFeedItem]
