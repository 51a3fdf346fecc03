"""Frozen reports as spreadsheets: numbers are numbers, dates are dates, and text is only text."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any

from fastapi import Response
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.schemas.reports import OverdueMilestone, ReportContent
from app.schemas.rollups import Rollup

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Spreadsheet(Response):
    """A workbook."""

    media_type = MEDIA_TYPE


Cell = str | float | date | None
Row = Mapping[str, Cell]
_Write = Callable[[Worksheet, int, int, Cell], None]
_WIDTH = 18


def render(content: ReportContent, digest: str) -> bytes:
    """A workbook of what was told: summary, children, areas, overdue.

    The same report gives the same bytes: the workbook's only instant is that of the freezing.
    """
    file = BytesIO()
    workbook = Workbook(file, {"in_memory": True})
    workbook.set_properties(
        {"title": content.title, "author": content.frozen_by, "created": content.frozen_at}
    )
    write = _writer(workbook)
    head = workbook.add_format({"bold": True})

    summary = workbook.add_worksheet("summary")
    summary.set_column(0, 1, 2 * _WIDTH)
    for i, (name, value) in enumerate(_summary(content, digest).items()):
        summary.write_string(i, 0, name, head)
        write(summary, i, 1, value)

    for title, names, rows in (
        ("children", _ROLLUP, map(_numbers, content.children.items)),
        ("areas", _ROLLUP, map(_numbers, content.areas.items)),
        ("overdue", list(OverdueMilestone.model_fields), map(dict, content.overdue)),
    ):
        sheet = workbook.add_worksheet(title)
        _fill(sheet, names, rows, head, write)
    workbook.close()
    return file.getvalue()


def _summary(content: ReportContent, digest: str) -> dict[str, Cell]:
    rollup = content.rollup
    return {
        "title": content.title,
        "note": content.note,
        "institution": rollup.institution,
        "year": rollup.year,
        "as_of": rollup.as_of,
        "version": rollup.version,
        "report": str(content.id),
        "supersedes": str(content.supersedes) if content.supersedes else None,
        # A spreadsheet knows no time zones.
        "frozen_at_utc": content.frozen_at.replace(tzinfo=None),
        "frozen_by": content.frozen_by,
        "sha256_of_json": digest,
        **_numbers(rollup),
    }


_ROLLUP = [
    "unit", "unit_name", "area", "percent_complete", "percent_verified", "percent_scheduled",
    "schedule_variance", "schedule_performance_index", "health", "weight", "coverage_percent",
    "initiatives", "initiatives_active", "initiatives_on_hold", "initiatives_completed",
    "initiatives_unmeasured", "milestones", "milestones_done", "milestones_overdue",
    "milestones_due_next_30_days", "reason",
]  # fmt: skip


def _numbers(rollup: Rollup) -> Row:
    flat: dict[str, Any] = {
        **dict(rollup),
        "coverage_percent": rollup.coverage.percent,
        "initiatives": rollup.initiatives.total,
        "milestones": rollup.milestones.total,
        **_prefixed("initiatives", rollup.initiatives),
        **_prefixed("milestones", rollup.milestones),
    }
    return {name: flat[name] for name in _ROLLUP}


def _prefixed(prefix: str, fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in fields}


def _fill(
    sheet: Worksheet, names: Sequence[str], rows: Iterable[Row], head: Format, write: _Write
) -> None:
    sheet.set_column(0, len(names) - 1, _WIDTH)
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(names):
        sheet.write_string(0, column, name, head)
    for line, row in enumerate(rows, start=1):
        for column, name in enumerate(names):
            write(sheet, line, column, row[name])


def _writer(workbook: Workbook) -> _Write:
    """How a cell is written by its value's type; never by what a text looks like."""
    decimals = workbook.add_format({"num_format": "0.00##"})
    day = workbook.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
    instant = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})

    def write(sheet: Worksheet, line: int, column: int, value: Cell) -> None:
        if isinstance(value, str):
            sheet.write_string(line, column, value)
        elif isinstance(value, datetime):
            sheet.write_datetime(line, column, value, instant)
        elif isinstance(value, date):
            sheet.write_datetime(line, column, value, day)
        elif isinstance(value, float):
            sheet.write_number(line, column, value, decimals)
        elif value is not None:
            sheet.write_number(line, column, value)

    return write
