"""What the API answers, as tables, or as it is."""

from collections.abc import Iterable

import typer
from pydantic_core import to_json
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from app.console import out
from app.remote.exits import printable
from app.schemas.initiatives import Initiative, InitiativeWithPlan
from app.schemas.obstacles import Obstacle
from app.schemas.periods import MissingReport
from app.schemas.rollups import Rollup

_NONE = "–"
_COLOURS = {
    "on_track": "green", "completed": "green", "at_risk": "yellow", "off_track": "red",
    "critical": "red", "high": "yellow", "resolved": "green", "open": "yellow",
    "active": "green", "done": "green", "on_hold": "yellow", "in_progress": "yellow",
}  # fmt: skip
_BAR, _WIDTH_WITH_BARS, _ANY_WIDTH = 16, 100, 1_000  # columns
_LONG = {"name", "title", "milestone", "obstacle"}
"""What is wrapped where there is little room; nothing else is."""


def show(table: RenderableType) -> None:
    """Print a table; where there is no terminal, as wide as it is."""
    console = out if out.is_terminal else Console(highlight=False, width=_ANY_WIDTH)
    console.print(table, soft_wrap=False)


def write(answer: object) -> None:
    """Print JSON."""
    typer.echo(to_json(answer, indent=2))


def rolled_up(rollup: Rollup, children: Iterable[Rollup]) -> RenderableType:
    """A unit, and below it those that it is made of."""
    asked = [f"as of {rollup.as_of}"]
    asked += [f"year {rollup.year}"] if rollup.year else []
    asked += [f"area {rollup.area}"] if rollup.area else []
    table = _table("unit", "name")
    _numeric(table, "complete", "verified", "planned", "SPI")
    table.add_column("health", no_wrap=True)
    _numeric(table, "initiatives", "overdue")
    for depth, each in [(0, rollup), *((1, child) for child in children)]:
        table.add_row(
            Text(f"{'  ' * depth}{each.unit}"),
            _text(each.unit_name),
            *_bar(each.percent_complete),
            _percent(each.percent_complete),
            _percent(each.percent_verified),
            _percent(each.percent_scheduled),
            _number(each.schedule_performance_index, 4),
            _word(each.health),
            str(each.initiatives.total),
            str(each.milestones.overdue),
            style=None if depth else "bold",
        )
    return Group(_text(", ".join(asked)), table)


def listed(initiatives: Iterable[Initiative]) -> RenderableType:
    """Initiatives, one on each line."""
    table = _table("code", "title", "unit", "status")
    _numeric(table, "complete")
    table.add_column("health", no_wrap=True)
    table.add_column("next due", no_wrap=True)
    _numeric(table, "overdue")
    for each in initiatives:
        table.add_row(
            Text(each.code),
            _text(each.title),
            Text(each.unit),
            _word(each.status),
            *_bar(each.percent_complete),
            _percent(each.percent_complete),
            _word(each.health),
            str(each.next_due_on or _NONE),
            str(each.milestones.overdue),
        )
    return table


def planned(initiative: InitiativeWithPlan) -> RenderableType:
    """An initiative's milestones."""
    owners = ", ".join(f"{owner.person} ({owner.role})" for owner in initiative.owners) or _NONE
    about = (
        f"unit {initiative.unit}, {initiative.year}, {initiative.status}, {initiative.health}, "
        f"{_percent(initiative.percent_complete)} % complete; {owners}"
    )
    table = _table("no.", "milestone", "due")
    _numeric(table, "complete", "verified", "share")
    table.add_column("status", no_wrap=True)
    _numeric(table, "days late")
    for each in initiative.plan:
        table.add_row(
            str(each.number),
            _text(each.title),
            str(each.due_on),
            *_bar(each.percent_complete),
            _percent(each.percent_complete),
            _percent(each.percent_verified),
            _percent(each.share),
            _word(each.status),
            str(each.overdue_days),
        )
    return Group(_text(f"{initiative.code}  {initiative.title}"), _text(about), table)


def chased(missing: Iterable[MissingReport]) -> RenderableType:
    """Initiatives without a report, with whom to ask."""
    table = _table("code", "title", "unit", "accountable", "address")
    _numeric(table, "days late")
    table.add_column("last report", no_wrap=True)
    for each in missing:
        who = each.accountable
        last = each.last_reported_at
        table.add_row(
            Text(each.initiative),
            _text(each.title),
            Text(each.unit),
            _text((who and (who.name or who.code)) or _NONE),
            _text((who and who.email) or _NONE),
            str(each.days_late),
            _NONE if last is None else str(last.date()),
        )
    return table


def hindering(obstacles: Iterable[Obstacle]) -> RenderableType:
    """Obstacles, one on each line; `decision` says whether one is waited for."""
    table = _table("id", "obstacle", "of", "severity", "state", "owner", "due", "decision")
    for each in obstacles:
        decision = "given" if each.decision else "asked" if each.decision_asked else _NONE
        table.add_row(
            Text(str(each.id)),
            _text(each.title),
            Text(each.initiative or each.unit),
            _word(each.severity),
            _word(each.state),
            _text(each.owner or _NONE),
            str(each.due_on or _NONE),
            _word("waiting" if each.waiting else decision),
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=column not in _LONG)
    return table


def _numeric(table: Table, *columns: str) -> None:
    for column in columns:
        if column == "complete" and _has_bars():
            table.add_column("", width=_BAR)
        table.add_column(column, justify="right", no_wrap=True)


def _bar(percent: float | None) -> list[RenderableType]:
    """A bar before the number."""
    if not _has_bars():
        return []
    return [ProgressBar(total=100, completed=percent or 0, width=_BAR)]


def _has_bars() -> bool:
    return out.is_terminal and out.width >= _WIDTH_WITH_BARS


def _percent(value: float | None) -> str:
    return _number(value, 2)


def _number(value: float | None, places: int) -> str:
    return _NONE if value is None else f"{value:.{places}f}"


def _word(value: str) -> Text:
    return Text(value.replace("_", " "), style=_COLOURS.get(value, ""))


def _text(value: str) -> Text:
    return Text(printable(value))
