"""Reports in a file, as CSV or JSON Lines, line by line: a bad line is told, and the rest goes on."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

from pydantic import ValidationError

from app.schemas.batches import BatchItem
from app.schemas.files import File

COLUMNS = tuple(BatchItem.model_fields)
"""What a CSV file may have; those without a default it must."""
_NEEDED = {name for name, field in BatchItem.model_fields.items() if field.is_required()}
_WHOLE, _DECIMAL = re.compile(r"[0-9]{1,9}"), re.compile(r"[0-9]{1,9}([.,][0-9]{1,9})?")
_UNDECODED = re.compile("[\udc80-\udcff]")
_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A report, or what is wrong with it."""

    number: int
    """Of the line on which it begins, from 1."""
    item: BatchItem | None
    problem: str | None


class Unreadable(Exception):
    """Nothing of the file can be read."""


def lines(file: BinaryIO, *, is_json: bool) -> Iterator[Line]:
    """All reports of a file, from its beginning; raises `Unreadable`. Blank lines are passed over."""
    file.seek(0)
    return _json_lines(file) if is_json else _csv_lines(file)


def is_json(file: BinaryIO, suffix: str) -> bool:
    """Whether it is JSON Lines: by its name, or else by what it begins with."""
    if suffix in {".jsonl", ".ndjson"}:
        return True
    file.seek(0)
    return suffix != ".csv" and file.read(4_096).removeprefix(_BOM).lstrip().startswith(b"{")


def evidence(url: str) -> dict[str, str]:
    """A document by its address alone: called by its file name, or else by where it lies."""
    parts = urlsplit(url) if _is_address(url) else None
    name = PurePosixPath(parts.path).name or parts.netloc if parts else ""
    return {"title": name[:500] or url[:500], "url": url}


def document(file: File) -> dict[str, str]:
    """A document that was sent, called as it was on the disk."""
    return {"title": file.name, "file": str(file.id)}


def _json_lines(file: BinaryIO) -> Iterator[Line]:
    for number, line in enumerate(file, 1):
        content = line.removeprefix(_BOM).strip()
        if content:
            try:
                yield Line(number, BatchItem.model_validate_json(content), None)
            except ValidationError as error:
                yield Line(number, None, _why(error))


def _csv_lines(file: BinaryIO) -> Iterator[Line]:
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        head = text.readline()
        delimiter = ";" if head.count(";") > head.count(",") else ","
        columns = _columns(head, delimiter)
        rows = csv.reader(text, delimiter=delimiter, strict=True)
        while True:
            number = rows.line_num + 2  # the head is line 1
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield Line(number, None, f"this is not CSV: {error}")
                continue
            if row is None:
                return
            if any(cell.strip() for cell in row):
                yield _line(number, columns, row)
    finally:
        text.detach()  # the file stays open


def _columns(head: str, delimiter: str) -> list[str]:
    try:
        columns = [cell.strip().lower() for cell in next(csv.reader([head], delimiter=delimiter))]
    except (csv.Error, StopIteration):
        columns = []
    missing = sorted(_NEEDED - {*columns})
    if missing:
        raise Unreadable(
            f"the first line names the columns, in UTF-8; it lacks {', '.join(missing)}"
        )
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown or len({*columns}) < len(columns):
        raise Unreadable(f"the first line has each of these at most once: {', '.join(COLUMNS)}")
    return columns


def _line(number: int, columns: list[str], row: list[str]) -> Line:
    if any(_UNDECODED.search(cell) for cell in row):
        return Line(number, None, "this is not UTF-8")
    if len(row) > len(columns):
        return Line(number, None, f"{len(row)} cells for {len(columns)} columns")
    cells = {name: cell.strip() for name, cell in zip(columns, row, strict=False) if cell.strip()}
    try:
        return Line(number, BatchItem.model_validate(_typed(cells)), None)
    except ValidationError as error:
        return Line(number, None, _why(error))


def _typed(cells: dict[str, str]) -> dict[str, Any]:
    """Cells as JSON would have them; what does not look so stays text, and is refused."""
    typed: dict[str, Any] = dict(cells)
    if _WHOLE.fullmatch(cells.get("milestone", "")):
        typed["milestone"] = int(cells["milestone"])
    if _DECIMAL.fullmatch(cells.get("percent_complete", "")):
        typed["percent_complete"] = float(cells["percent_complete"].replace(",", "."))
    if "evidence" in cells:
        typed["evidence"] = [evidence(url) for url in cells["evidence"].split()]
    return typed


def _is_address(url: str) -> bool:
    try:
        return bool(urlsplit(url).netloc)
    except ValueError:
        return False


def _why(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    places = (
        (".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, "))
        for each in found
    )
    return "; ".join(f"{place}: {told}" if place else told for place, told in places)
