"""The queue of reports for verifiers on the wire."""

from typing import Annotated

from pydantic import Field

from app.schemas.fields import Day, Digits, Instant, Reference, Verification
from app.schemas.pages import Paging
from app.schemas.updates import Update


class VerificationCase(Update):
    """A report that you may verify, or have, with what it is about.

    What was told and what was found stand side by side: `percent_complete` is this report's,
    `previous_percent` what held before it, `milestone_percent_complete` the latest that was told of
    the milestone, `milestone_percent_verified` the latest that somebody else has confirmed.
    """

    initiative_title: str
    milestone_title: str
    unit: str
    """Code of the initiative's unit."""
    due_on: Day
    """Of the milestone."""
    milestone_percent_complete: float
    milestone_percent_verified: float


class VerificationQuery(Paging):
    """Which reports a verifier looks for; those that have waited longest come first."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    subtree: bool = True
    """False: the named units alone."""
    area: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    year: Annotated[list[Annotated[int, Field(ge=1900, le=2199), Digits]], Field(max_length=50)] = (
        Field(default_factory=list)
    )
    owner: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of people who own the initiative, in any role."""
    initiative: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    period: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of reporting periods: reports on their days."""
    latest: bool = False
    """True: of each milestone only the report that holds now; what is found of an older one moves
    no number of today."""
    since: Instant | None = None
    """Reported at or after this instant."""
    state: Annotated[list[Verification], Field(min_length=1, max_length=3)] = Field(
        default_factory=lambda: [Verification.REPORTED]
    )
    """`reported` is what waits, the default; `verified` and `returned` are the record of what was
    judged."""
