"""Initiatives on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.assessments import ExpectedLift, ExpectedLifts
from app.schemas.fields import (
    Code,
    Confidence,
    Day,
    Digits,
    Flag,
    Health,
    InitiativeKind,
    InitiativeStatus,
    Instant,
    Label,
    Name,
    Origin,
    OwnerRole,
    Reason,
    Reference,
    Shape,
    Text,
    Weight,
    Year,
    example,
)
from app.schemas.judgements import ClosedWith
from app.schemas.milestones import MOST_MILESTONES, Milestone, NewMilestone
from app.schemas.pages import Paging, Search, Sort
from app.schemas.purposes import Outcomes, Strategies
from app.schemas.ratings import JudgedRating
from app.schemas.stages import StageLink, StageLinks

Areas = Annotated[list[Reference], Field(max_length=20)]
Tags = Annotated[list[Label], Field(max_length=50)]


class Owner(Shape):
    """A person's part in an initiative."""

    person: Reference
    """Code of the person."""
    role: OwnerRole


Owners = Annotated[list[Owner], Field(max_length=50)]


class NewInitiative(Shape):
    """A new initiative; also the whole of one for PUT."""

    model_config = example(
        {
            "code": "QW-2022-900",
            "title": "SIAKBA",
            "unit": "32",
            "year": 2022,
            "areas": ["human-resources"],
            "milestones": [{"title": "Pelatihan operator", "due_on": "2022-06-30"}],
        }
    )

    code: Code
    title: Name
    unit: Reference
    """Code of the unit that carries it out."""
    year: Year
    areas: Areas = Field(default_factory=list)
    """Codes of the reform areas that it serves."""
    outcomes: Outcomes = Field(default_factory=list)
    """Codes of the outcomes that it serves. Of this and the next four fields, a PUT keeps those that it
    leaves out."""
    strategies: Strategies = Field(default_factory=list)
    """Codes of the strategies that it follows."""
    level: Reference | None = None
    """Code of the level that it is on, such as `micro`."""
    programme: Reference | None = None
    """Code of the programme that it belongs to; the institution leads it or carries it out."""
    expected_lift: ExpectedLifts = Field(default_factory=list)
    """Components of instruments that it should lift, and by how many points."""
    description: Text | None = None
    kind: InitiativeKind = InitiativeKind.QUICK_WIN
    origin: Origin = Origin.SELF_SELECTED
    status: InitiativeStatus | None = None
    """`proposed` if left out; a PUT that leaves it out keeps the present one. `cancelled` owes a reason."""
    weight: Weight = 1
    """Another one, or another `due_on`, by a PUT owes a reason once there is a baseline."""
    owners: Owners = Field(default_factory=list)
    """Exactly one `accountable` owner once the initiative is active."""
    start_on: Day | None = None
    due_on: Day | None = None
    expected_result: Text | None = None
    tags: Tags = Field(default_factory=list)
    decree: Reference | None = None
    """Code of the decree that designates it: for one that is active, or was. A PUT that leaves it out
    keeps the present one."""
    designated_on: Day | None = None
    """The day on which the decree was issued, if left out. Not in the future."""
    cancelled_on: Day | None = None
    """Today if left out, of a cancelled one. Not in the future."""
    stages: StageLinks | None = None
    """How it relates to stages of calendars; a PUT that leaves them out keeps the present ones."""
    public: Flag | None = None
    """Whether it is shown to anybody, as far as the institution's policy shows anything; false if left
    out. A PUT that leaves it out keeps what it is."""
    milestones: Annotated[list[NewMilestone], Field(max_length=MOST_MILESTONES)] | None = None
    """The plan. A PUT that leaves it out keeps the present one."""
    reason: Reason | None = None


class InitiativeChanges(Shape):
    """A merge patch of an initiative; lists are replaced whole."""

    model_config = example({"status": "on_hold", "reason": "Menunggu petunjuk teknis"})

    title: Name | MISSING = MISSING
    unit: Reference | MISSING = MISSING
    year: Year | MISSING = MISSING
    areas: Areas | MISSING = MISSING
    outcomes: Outcomes | MISSING = MISSING
    strategies: Strategies | MISSING = MISSING
    level: Reference | MISSING | None = MISSING
    programme: Reference | MISSING | None = MISSING
    expected_lift: ExpectedLifts | MISSING = MISSING
    description: Text | MISSING | None = MISSING
    kind: InitiativeKind | MISSING = MISSING
    origin: Origin | MISSING = MISSING
    status: InitiativeStatus | MISSING = MISSING
    """`cancelled`, and bringing a completed or cancelled one back, owe a reason."""
    weight: Weight | MISSING = MISSING
    """Another one owes a reason once there is a baseline."""
    owners: Owners | MISSING = MISSING
    start_on: Day | MISSING | None = MISSING
    due_on: Day | MISSING | None = MISSING
    """Another one owes a reason once there is a baseline."""
    expected_result: Text | MISSING | None = MISSING
    tags: Tags | MISSING = MISSING
    decree: Reference | MISSING | None = MISSING
    """Code of the decree that designates it; sent with `status` active, or afterwards. Goes when the
    initiative is proposed again."""
    designated_on: Day | MISSING = MISSING
    """Goes with a decree; the day on which it was issued, if left out. Not in the future."""
    cancelled_on: Day | MISSING = MISSING
    """Goes with `status` cancelled; today if left out. Not in the future."""
    stages: StageLinks | MISSING = MISSING
    public: Flag | MISSING = MISSING
    reason: Reason | MISSING = MISSING


class MilestoneCounts(Shape):
    """Live milestones of an initiative, today."""

    total: int
    done: int
    overdue: int
    """0 while the initiative's status does not count."""


class Initiative(Shape):
    """An initiative with its numbers of today (in the institution's time zone)."""

    id: UUID
    code: str
    title: str
    description: str | None
    unit: str
    """Code of its unit."""
    year: int
    kind: InitiativeKind
    origin: Origin
    status: InitiativeStatus
    weight: int
    areas: list[str]
    outcomes: list[str]
    strategies: list[str]
    level: str | None
    programme: str | None
    expected_lift: list[ExpectedLift]
    owners: list[Owner]
    start_on: Day | None
    due_on: Day | None
    expected_result: str | None
    tags: list[str]
    decree: str | None
    """Code of the decree that designated it."""
    designated_on: Day | None
    """Null without a decree."""
    cancelled_on: Day | None
    """Null unless it is cancelled."""
    stages: list[StageLink]
    """By the stages' first days."""
    public: bool
    """Whether it is shown to anybody, as far as the institution's policy shows anything."""
    percent_complete: float | None
    """Null while there is no live milestone."""
    percent_verified: float | None
    percent_scheduled: float | None
    health: Health
    """`not_measurable` too while the status does not count: proposed, shortlisted, cancelled."""
    rating: JudgedRating | None
    """The latest judged one, of whatever day; beside `health`, which is computed. Null if none."""
    verdict: ClosedWith | None
    """The closing verdict that stands; null without one, and while it is not completed or cancelled."""
    milestones: MilestoneCounts
    next_due_on: Day | None
    """Earliest due date of a milestone that is not done; in the past when it is overdue."""
    finish_on: Day | None
    """Due date of its last live milestone."""
    baseline: int | None
    """Number of its newest baseline; null while there is none."""
    slippage_days: int | None
    """Days that `finish_on` lies after the finish of the first baseline; negative: before."""
    current_slippage_days: int | None
    """The same against the newest baseline."""
    template: str | None
    """Code of the template that it was copied from; null if none, or if that is gone."""
    last_reported_at: Instant | None
    created_at: Instant
    updated_at: Instant
    version: int


class InitiativeWithPlan(Initiative):
    """An initiative with its numbers and its whole plan."""

    plan: list[Milestone]
    """All milestones by number, dropped ones too."""


class InitiativeFilter(Shape):
    """How initiatives are filtered. Filters join by AND; a repeated one by OR."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    subtree: bool = True
    """False: the named units alone."""
    area: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    outcome: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    strategy: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    level: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    programme: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    year: Annotated[list[Annotated[int, Field(ge=1900, le=2199), Digits]], Field(max_length=50)] = (
        Field(default_factory=list)
    )
    status: list[InitiativeStatus] = Field(default_factory=list)
    kind: list[InitiativeKind] = Field(default_factory=list)
    origin: list[Origin] = Field(default_factory=list)
    health: list[Health] = Field(default_factory=list)
    rating: list[Confidence] = Field(default_factory=list)
    """The latest judged rating."""
    rating_differs: bool | None = None
    """True: judged otherwise than computed. `green` and `amber_green` say the same as `on_track`
    and `completed`, `amber` and `amber_red` as `at_risk`, `amber_red` and `red` as `off_track`;
    `not_started` and `not_measurable` differ from nothing. False: all others, unrated ones too."""
    owner: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of people, in any role."""
    tag: Annotated[list[Label], Field(max_length=50)] = Field(default_factory=list)
    decree: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of decrees that designated them."""
    template: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of templates that they were copied from."""
    stage: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of stages that they are linked to, by whatever relation."""
    verdict: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of closing verdicts, of which one stands on them."""
    has_verdict: bool | None = None
    """Whether a closing verdict stands on them."""
    overdue: bool | None = None
    """Whether a counted initiative has an overdue milestone."""
    stale: bool | None = None
    """Active, not finished, and without a report for longer than the policy allows."""
    due_within: Annotated[int, Field(ge=0, le=3660), Digits] | None = None
    """Whether a counted initiative has an unfinished milestone due from today to so many days ahead."""
    due_before: Day | None = None
    """`due_on` before this day."""
    due_after: Day | None = None
    """`due_on` after this day."""
    updated_since: Instant | None = None
    """Changed or reported at or after this instant."""
    q: Search | None = None
    """Part of the code or title, without regard to case."""


class InitiativeQuery(InitiativeFilter, Paging):
    """How initiatives are filtered and sorted. Filters join by AND; a repeated one by OR."""

    sort: Sort = "code"
    """Fields by comma, `-` for descending: code, title, year, weight, status, start_on, due_on,
    created_at, updated_at, last_reported_at."""
