"""What is told in rows and columns: the columns of each kind of row, for CSV and spreadsheets.

Names of columns are those of the fields on the wire, so that they stay as stable; a field of several
parts is several columns. Several things in one cell stand behind each other with `; ` between them.
"""

from collections.abc import Callable, Iterable
from datetime import date
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from app.schemas.attention import PlannedMilestone
from app.schemas.curves import CurvePoint
from app.schemas.fields import OwnerRole
from app.schemas.initiatives import Initiative
from app.schemas.milestones import Milestone
from app.schemas.periods import MissingReport
from app.schemas.reports import OverdueMilestone
from app.schemas.rollups import Rollup
from app.schemas.updates import FINDINGS, Update

ITEM = TypeVar("ITEM")
Cell = str | float | date | None
Row = tuple[Cell, ...]
Getter = Callable[[Any], Cell]


class Table(NamedTuple, Generic[ITEM]):
    """Rows of one kind."""

    name: str
    columns: dict[str, Getter]

    def row(self, item: ITEM) -> Row:
        """The cells of an item, in the order of the columns."""
        return tuple([get(item) for get in self.columns.values()])


def _plain(*names: str) -> dict[str, Getter]:
    return {name: _id if name == "id" else attrgetter(name) for name in names}


def _id(item: Any) -> Cell:  # noqa: ANN401  any item
    return str(item.id)


def _parts(field: str, *names: str) -> dict[str, Getter]:
    """The fields of something within, which may be absent."""

    def part(name: str) -> Getter:
        def get(item: Any) -> Cell:  # noqa: ANN401  any item
            whole = getattr(item, field)
            found: Cell = None if whole is None else getattr(whole, name)
            return found

        return get

    return {f"{field}_{name}": part(name) for name in names}


def _several(texts: Iterable[str]) -> str | None:
    return "; ".join(texts) or None


def _list(name: str) -> Getter:
    return lambda item: _several(getattr(item, name))


def _owners(role: OwnerRole) -> Getter:
    return lambda item: _several(owner.person for owner in item.owners if owner.role is role)


def _finding(name: str) -> Getter:
    """What the latest verdict found, as JSON writes it."""

    def get(item: Update) -> Cell:
        found = getattr(item.verifications[-1], name) if item.verifications else None
        return None if found is None else str(found).lower()

    return get


_NUMBERS: dict[str, Getter] = {
    **_plain(
        "percent_complete", "percent_verified", "verification_gap", "percent_scheduled", "schedule_variance",
        "schedule_performance_index", "health", "weight",
    ),
    **_parts("coverage", "percent"),
    "initiatives": attrgetter("initiatives.total"),
    **_parts("initiatives", "active", "on_hold", "completed", "unmeasured"),
    "milestones": attrgetter("milestones.total"),
    **_parts("milestones", "done", "overdue", "due_next_30_days"),
    **_parts("obstacles", "open", "overdue", "waiting"),
    **_parts("follow_ups", "open", "overdue"),
    **_plain("reason"),
}  # fmt: skip
TOLD = Table[Rollup]("told", {**_plain("unit", "unit_name", "area"), **_NUMBERS})
"""Roll-ups in a frozen report, which says once what is the same for all."""
ROLLUPS = Table[Rollup](
    "rollups",
    {**_plain("institution", "unit", "unit_name", "year", "area", "as_of", "version"), **_NUMBERS},
)
COURSE = Table[CurvePoint]("course", _plain(*CurvePoint.model_fields))
OVERDUE = Table[OverdueMilestone]("overdue", _plain(*OverdueMilestone.model_fields))
INITIATIVES = Table[Initiative](
    "initiatives",
    {
        **_plain("id", "code", "title", "description", "unit", "year", "kind", "origin", "status"),
        "weight": attrgetter("weight"),
        "areas": _list("areas"),
        **{role.value: _owners(role) for role in OwnerRole},
        **_plain("start_on", "due_on", "expected_result"),
        "tags": _list("tags"),
        **_plain("percent_complete", "percent_verified", "percent_scheduled", "health"),
        "rating": lambda item: item.rating and item.rating.rating,
        **_parts("rating", "reason", "judged_on", "judged_by", "judged_at"),
        "milestones": attrgetter("milestones.total"),
        **_parts("milestones", "done", "overdue"),
        **_plain("next_due_on", "last_reported_at", "created_at", "updated_at", "version"),
        **_plain("decree", "designated_on", "cancelled_on"),
        **{name: _list(name) for name in ("outcomes", "strategies")},
        **_plain("level", "programme"),
        "expected_lift": lambda item: _several(
            f"{lift.instrument}/{lift.component} +{lift.points}" for lift in item.expected_lift
        ),
        "stages": lambda item: _several(f"{link.stage} {link.relation}" for link in item.stages),
        **_plain(
            "public", "finish_on", "baseline", "slippage_days", "current_slippage_days", "template"
        ),
        "verdict": lambda item: item.verdict and item.verdict.verdict,
        **_parts("verdict", "note", "judged_on", "judged_by"),
    },
)
MILESTONES = Table[PlannedMilestone](
    "milestones",
    _plain(
        "initiative", "initiative_title", "unit", "number",
        *(name for name in Milestone.model_fields if name != "number"), "late_value",
    ),
)  # fmt: skip
MISSING = Table[MissingReport](
    "missing",
    {
        **_plain("initiative", "title", "unit", "unit_name"),
        **_parts("accountable", "code", "name", "email"),
        **_plain("days_late", "last_reported_at"),
    },
)
UPDATES = Table[Update](
    "updates",
    {
        **_plain(*Update.model_fields),
        "evidence": lambda item: _several(f"{link.title} <{link.url}>" for link in item.evidence),
        "verifications": lambda item: _several(given.verdict for given in item.verifications),
        **{name: _finding(name) for name in FINDINGS},
        "resubmits": lambda item: item.resubmits and str(item.resubmits),
    },
)
