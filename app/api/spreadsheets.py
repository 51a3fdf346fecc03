"""Spreadsheets: numbers are numbers, dates are dates, and text is only text."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, Self

from fastapi import Response
from pydantic import MISSING
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.api.refusals import TooManyRows
from app.api.tables import COURSE, OVERDUE, TOLD, Cell, Row, Table
from app.schemas.reports import ReportContent

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_575
"""Of a sheet, beside its head."""


class Spreadsheet(Response):
    """A workbook."""

    media_type = MEDIA_TYPE


_Write = Callable[[Worksheet, int, int, Cell], None]
_WIDTH = 18
_LONGEST = 32_767
"""Characters of a cell; what is longer would be left out whole."""
_CUT = " […]"


class Book:
    """A workbook of one table in a file, which grows on the disk and not in memory.

    What is not closed at the end of its block is no workbook, and given up.
    """

    def __init__(self, file: Path, table: Table[Any]) -> None:
        # What becomes the sheet is kept beside the file until it is closed.
        options = {"constant_memory": True, "tmpdir": str(file.parent)}
        self._workbook = Workbook(str(file), options)
        self._table = table
        self._write = _writer(self._workbook)
        self._sheet = self._workbook.add_worksheet(table.name)
        self._rows, self._lines = 0, count(1)
        _head(self._sheet, table.columns, self._workbook.add_format({"bold": True}))

    def add(self, items: Sequence[Any]) -> None:
        """Write some rows; raises `TooManyRows` for more than a sheet takes."""
        self._rows += len(items)
        if self._rows > MOST_ROWS:
            raise TooManyRows
        _fill(self._sheet, self._lines, map(self._table.row, items), self._write)

    def close(self) -> None:
        """Make the file whole."""
        self._workbook.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sheet.row_data_fh.close()


def render(content: ReportContent, digest: str) -> bytes:
    """A workbook of what was told: summary, children, areas, overdue, and the curve if it was kept.

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

    parts: tuple[tuple[str, Table[Any], Iterable[Any]], ...] = (
        ("children", TOLD, content.children.items),
        ("areas", TOLD, content.areas.items),
        ("overdue", OVERDUE, content.overdue),
        *([] if content.curve is MISSING else [("course", COURSE, content.curve.points)]),
    )
    for title, table, items in parts:
        sheet = workbook.add_worksheet(title)
        _head(sheet, table.columns, head)
        _fill(sheet, count(1), map(table.row, items), write)
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
        "frozen_at_utc": content.frozen_at,
        "frozen_by": content.frozen_by,
        "sha256_of_json": digest,
        **dict(zip(TOLD.columns, TOLD.row(rollup), strict=True)),
    }


def _head(sheet: Worksheet, names: Iterable[str], bold: Format) -> None:
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(names):
        sheet.set_column(column, column, _WIDTH)
        sheet.write_string(0, column, name, bold)


def _fill(sheet: Worksheet, lines: Iterable[int], rows: Iterable[Row], write: _Write) -> None:
    for row, line in zip(rows, lines, strict=False):
        for column, cell in enumerate(row):
            write(sheet, line, column, cell)


def _writer(workbook: Workbook) -> _Write:
    """How a cell is written by its value's type; never by what a text looks like."""
    decimals = workbook.add_format({"num_format": "0.00##"})
    day = workbook.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
    instant = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})

    def write(sheet: Worksheet, line: int, column: int, value: Cell) -> None:
        if isinstance(value, str):
            fits = len(value) <= _LONGEST
            text = value if fits else value[: _LONGEST - len(_CUT)] + _CUT
            sheet.write_string(line, column, text)
        elif isinstance(value, datetime):
            # A spreadsheet knows no time zones: all of ours are UTC.
            sheet.write_datetime(line, column, value.astimezone(UTC).replace(tzinfo=None), instant)
        elif isinstance(value, date):
            sheet.write_datetime(line, column, value, day)
        elif isinstance(value, float):
            sheet.write_number(line, column, value, decimals)
        elif value is not None:
            sheet.write_number(line, column, value)

    return write
