"""The event feed on the wire."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.schemas.fields import Digits, Instant, Reference, Shape
from app.schemas.pages import DEFAULT_LIMIT, Limit


class Change(Shape):
    """What became of one field."""

    before: Any
    """As it was; null for something new."""
    after: Any
    """As it is since; null for something deleted."""


class Event(Shape):
    """One write, or one attempt that was denied."""

    institution_id: UUID
    """The institution's id; zeros above institutions."""
    sequence: int
    """Gap-free within the institution, in the order of commits."""
    id: UUID
    type: str
    """What happened, such as `update.reported`."""
    at: Instant
    actor: str
    """Who did it: code of a person, or name of a token."""
    actor_id: UUID
    """Id of the person, or of the token that acts for nobody in particular."""
    token_id: UUID | None
    """The token that they came with; null for a sign-in without one, zeros for the command line."""
    token_name: str | None
    """What the token was called."""
    request_id: str | None
    """`X-Request-ID` of the request, also in the log; null for the command line."""
    unit_id: UUID | None
    """Id of the unit that the subject belonged to then; null for the institution as a whole."""
    subject: str
    """What it happened to: a code, or an address such as `QW-1/milestones/3`."""
    subject_id: UUID
    """The subject's id, which stays when its code changes."""
    data: dict[str, Any]
    """What was asked for; `reason` where one was given."""
    changes: dict[str, Change]
    """What that changed, by field, without what is derived. References are codes."""
    digest: str
    """SHA-256, hex, of the digest before and this event: see `…/events/export`."""


class Events(Shape):
    """A stretch of the feed, in the order asked for."""

    items: list[Event]
    next_after: int
    """Send as `after` to go on from here."""


Sequence = Annotated[int, Field(ge=0, le=2**63 - 1), Digits]
_Word = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]


class CatalogueEventFilter(Shape):
    """Which events are asked for."""

    type: list[Annotated[str, StringConstraints(pattern=r"^[a-z_.]{1,64}$")]] = Field(
        default_factory=list, max_length=50
    )
    """What happened, such as `unit.moved`; repeat it for several."""
    actor: _Word | None = None
    """Who did it: code of a person, or name of a token."""
    subject: _Word | None = None
    """A code or address, with all that lies below it: `QW-1` has `QW-1/milestones/3` too."""
    since: Instant | None = None
    """From this instant on."""
    until: Instant | None = None
    """Before this instant."""


class EventFilter(CatalogueEventFilter):
    """Which events of an institution are asked for."""

    unit: list[Reference] = Field(default_factory=list, max_length=50)
    """What belonged then to a unit that is now this one or below it; repeat it for several."""


class Stretch(Shape):
    """How much of a feed is asked for, and from where."""

    after: Sequence | None = None
    """The sequence that you have read up to; with `sort=-sequence`, down to."""
    limit: Limit = DEFAULT_LIMIT
    sort: Literal["sequence", "-sequence"] = "sequence"
    """`-sequence`: the newest first."""


class CatalogueEventQuery(CatalogueEventFilter, Stretch):
    """Which stretch of the catalogues' feed is asked for."""


class EventQuery(EventFilter, Stretch):
    """Which stretch of an institution's feed is asked for."""


class EventStreamQuery(EventFilter):
    """Which events are followed."""

    after: Sequence | None = None
    """The sequence that you have read up to; if left out, what comes from now on."""


class EventExport(EventFilter):
    """Which events are exported."""

    after: Sequence = 0
    """The sequence that you have already."""
