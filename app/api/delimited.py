"""CSV as spreadsheets and programs read it: RFC 4180, UTF-8, and text that stays text.

A spreadsheet takes a cell for a formula by how it begins. A text that begins so gets an apostrophe
in front, which spreadsheets take for "this is text"; who reads the file by program takes one off each
text that `is_marked`. Numbers and dates are written as they are: -5 stays a number.
"""

import csv
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from io import StringIO

from app.api.tables import Cell, Row
from app.schemas.exports import CsvForm

MEDIA_TYPE = "text/csv"
_BOM = "\ufeff"
# Spaces, quotes and invisible signs in front do not help: some programs drop them when they read a
# cell. Signs of full width, and raised or lowered, some take for the plain ones.
_FORMULA = re.compile(
    r"[\s'\"`\xab\xb4\xbb\u2018-\u201f\uff02\uff07\xad\u200b-\u200f\u2060\ufeff]*"
    r"[=+\-@\t\r\n\u207a-\u207c\u208a-\u208c\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20]"
)


class Writer:
    """Makes CSV of rows, a piece at a time."""

    def __init__(self, form: CsvForm) -> None:
        self._buffer = StringIO()
        self._csv = csv.writer(self._buffer, delimiter=form.delimiter)
        self._begin = _BOM if form.bom else ""

    def head(self, names: Iterable[str]) -> bytes:
        """The beginning of the file, with the names of the columns."""
        return self._begin.encode() + self.lines([tuple(names)])

    def lines(self, rows: Iterable[Row]) -> bytes:
        """Some rows."""
        self._csv.writerows([_written(cell) for cell in row] for row in rows)
        written = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return written.encode()


def is_marked(text: str) -> bool:
    """Whether an apostrophe in front is ours: without it, the text would begin like a formula."""
    return text.startswith("'") and _FORMULA.match(text, 1) is not None


def _written(cell: Cell) -> str | float | None:
    if isinstance(cell, str):
        return f"'{cell}" if _FORMULA.match(cell) else cell
    if isinstance(cell, bool):
        return str(cell).lower()  # as JSON has it
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return cell.isoformat() if isinstance(cell, date) else cell
