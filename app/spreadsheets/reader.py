"""Reads a spreadsheet that a stranger made: run as a program of its own, under limits of its own.

    python -I reader.py < LIMITS-AS-A-LINE-OF-JSON, THEN THE FILE

Answers a line of JSON, and behind it what was read: a JSON document, compressed with zlib. It knows
nothing of the service and has none of its environment. Whatever a file does to it (fill the memory,
take for ever, crash a library) is done to this process alone, which ends.

Of an XLSX file the first visible sheet is read, or the one that is named. A cell is a list of its
column, what it is, and its value: `s` text, `n` number, `p` percent (of a number that is shown as
one), `d` date or instant (ISO), `b` true or false, `e` an error such as #REF!, `t` a time without a
date, `f` a formula that was never calculated. Formulas count as the values that were saved with
them; `formulas` says how many there are.
"""

import csv
import io
import json
import re
import sys
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn
from xml.etree.ElementTree import ParseError, iterparse

from defusedxml.common import DefusedXmlException
from openpyxl import load_workbook
from openpyxl.utils import range_boundaries
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import FORMULA_TAG, MERGE_TAG, ROW_TAG, WorkSheetParser

try:
    import resource
except ImportError:  # not on every system; there the parent's clock is what ends it
    resource = None  # type: ignore[assignment]

Limits = dict[str, int]
Cell = list[Any]
Line = tuple[int, list[Cell]]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_ZEROS = re.compile(r"0{2,64}")
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_ELEMENT = re.compile(rb"<[A-Za-z_]")
_PROLOG = 4_096
"""Bytes in which the root element of a part begins."""


class Refused(Exception):
    """The file is not read; the one argument says why."""


class _Sheet(WorkSheetParser):  # type: ignore[misc]
    """openpyxl's reading of cells, without all that a sheet has besides."""

    def parse_cell(self, element: Any) -> dict[str, Any]:  # noqa: ANN401  an XML element
        cell: dict[str, Any] = super().parse_cell(element)
        cell["is_formula"] = element.find(FORMULA_TAG) is not None
        return cell

    def lines(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Number and cells of each row that the sheet has; afterwards `merged` is known."""
        self.merged: list[str] = []
        # The plain reader, whose entities were looked for before: it is twice as fast.
        for _, element in iterparse(self.source):  # noqa: S314
            if element.tag == ROW_TAG:
                yield self.parse_row(element)
                element.clear()
            elif element.tag == MERGE_TAG:
                self.merged = [merged.get("ref", "") for merged in element]


def main() -> None:
    """Read limits and file, and answer."""
    limits: Limits = json.loads(sys.stdin.buffer.readline())
    _confine(limits)
    try:
        head, content = read(sys.stdin.buffer.read(), limits)
    except Refused as refusal:
        _answer({"refused": refusal.args[0]})
    except DefusedXmlException:
        _answer({"refused": "external_entity"})
    except MemoryError:
        _answer({"refused": "too_complex"})
    except (ParseError, zipfile.BadZipFile, zlib.error, EOFError):
        _answer({"refused": "damaged_file"})
    except Exception:  # noqa: BLE001  a library may stumble over a file in any way
        _answer({"refused": "damaged_file"})
    else:
        _answer(head, content)


def read(file: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """What is told of a file at once, and its content; raises `Refused`."""
    if file.startswith(_OLE):
        raise Refused("encrypted_or_old_format")
    is_workbook = file.startswith(_ZIP)
    sheet = _workbook(file, limits) if is_workbook else _csv(file, limits)
    head = {"format": "xlsx" if is_workbook else "csv", "rows": len(sheet["rows"])}
    content = zlib.compress(json.dumps(sheet, separators=(",", ":")).encode(), 6)
    if len(content) > limits["content_bytes"]:
        raise Refused("too_much_text")
    return head, content


def _confine(limits: Limits) -> None:
    if resource is None:
        return
    for limit, most in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _answer(head: dict[str, Any], content: bytes = b"") -> NoReturn:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + content)
    sys.stdout.buffer.flush()
    raise SystemExit(0)


def _workbook(file: bytes, limits: Limits) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        _check_archive(archive, limits)
    warnings.simplefilter("ignore")  # of parts that are not read anyway
    # It would look for a sheet's size, and read all of it where it has none.
    ReadOnlyWorksheet._get_size = lambda _: None  # noqa: SLF001
    book = load_workbook(io.BytesIO(file), read_only=True, data_only=True, keep_links=False)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not sheets:
        raise Refused("no_sheet")
    sheet = sheets[0]
    formats = _Formats(book)
    # A public iteration tells neither formulas nor merged cells, and fills gaps up to a far cell.
    with book._archive.open(sheet._worksheet_path) as source:  # noqa: SLF001
        parser = _Sheet(
            source,
            sheet._shared_strings,  # noqa: SLF001
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,  # noqa: SLF001
            timedelta_formats=book._timedelta_formats,  # noqa: SLF001
        )
        count = _Count(limits)
        rows: list[Line] = []
        formulas = 0
        for number, cells in parser.lines():
            count.row(number, max((cell["column"] for cell in cells), default=0))
            formulas += sum(cell["is_formula"] for cell in cells)
            found = [told for cell in cells if (told := formats.told(cell)) is not None]
            count.cells(found)
            if found:
                rows.append((number, found))
    merged = [list(range_boundaries(ref)) for ref in parser.merged]
    return {
        "sheet": sheet.title,
        "rows": rows,
        "formulas": formulas,
        "merged": merged,
        "epoch": book.epoch.date().isoformat(),
    }


def _check_archive(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Refuse what could not be a plan before anything is unpacked; raises `Refused`.

    The sizes are those that the archive declares: `zipfile` reads no more than them, and finds out
    by the checksum where they are lies.
    """
    entries = archive.infolist()
    if len(entries) > limits["entries"]:
        raise Refused("too_many_entries")
    if sum(entry.file_size for entry in entries) > limits["unpacked_bytes"]:
        raise Refused("unpacks_too_large")
    for entry in entries:
        if entry.file_size > limits["ratio"] * max(entry.compress_size, limits["ratio_from_bytes"]):
            raise Refused("unpacks_too_large")
        if entry.flag_bits & 1:
            raise Refused("encrypted_or_old_format")
        if "vbaproject" in entry.filename.lower():
            raise Refused("macros")
    if "[Content_Types].xml" not in archive.namelist():
        raise Refused("not_a_workbook")
    for entry in entries:
        _check_prolog(archive, entry)
    if b"macroEnabled" in archive.read("[Content_Types].xml"):
        raise Refused("macros")


def _check_prolog(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Refuse a part that declares a document type, where entities come from, or hides one."""
    if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
        with archive.open(entry) as source:
            prolog = source.read(_PROLOG)
        if b"<!DOCTYPE" in prolog or b"\x00" in prolog or not _ELEMENT.search(prolog):
            raise Refused("external_entity")


class _Count:
    """How much there is, so that it ends where it is too much."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._cells = self._text = 0

    def row(self, number: int, columns: int) -> None:
        if number > self._limits["rows"]:
            raise Refused("too_many_rows")
        if columns > self._limits["columns"]:
            raise Refused("too_many_columns")

    def cells(self, cells: Iterable[Cell]) -> None:
        for _, kind, value in cells:
            self._cells += 1
            if kind == "s":
                self._text += len(value)
        if self._cells > self._limits["cells"]:
            raise Refused("too_many_cells")
        if self._text > self._limits["text"]:
            raise Refused("too_much_text")


class _Formats:
    """What cells are, by how they are shown."""

    def __init__(self, book: Any) -> None:  # noqa: ANN401  untyped
        self._formats = [
            book._number_formats[style.numFmtId - 164]  # noqa: SLF001
            if style.numFmtId >= 164  # noqa: PLR2004  where a file's own formats begin
            else {9: "0%", 10: "0.00%"}.get(style.numFmtId, "")
            for style in book._cell_styles  # noqa: SLF001
        ]

    def told(self, cell: dict[str, Any]) -> Cell | None:
        """A cell as it is answered; None for one that is empty."""
        value = cell["value"]
        if value is not None and value != "":
            return [cell["column"], *self._told(value, cell["data_type"], int(cell["style_id"]))]
        return [cell["column"], "f", ""] if cell["is_formula"] else None

    def _told(self, value: Any, kind: str, style: int) -> tuple[str, Any]:  # noqa: ANN401  untyped
        told: tuple[str, Any] = "t", ""
        if kind == "e":
            told = "e", str(value)[:20]
        elif isinstance(value, bool):
            told = "b", value
        elif isinstance(value, str):
            told = "s", value.replace("_x000D_\n", "\n").replace("_x000D_", "\n")
        elif isinstance(value, date):  # and instants
            whole = value.date() if isinstance(value, datetime) and not _has_time(value) else value
            told = "d", whole.isoformat()
        elif isinstance(value, int | float):
            told = self._number(value, style)
        return told

    def _number(self, value: float, style: int) -> tuple[str, Any]:
        shown = self._formats[style] if style < len(self._formats) else ""
        plain = _QUOTED.sub("", shown)
        if _ZEROS.fullmatch(plain) and value >= 0 and float(value).is_integer():
            return "s", str(int(value)).zfill(len(plain))  # a code that is shown with its zeros
        # The shortest digits that give this double: 0.07 and not 0.070000000000000007.
        exact = Decimal(repr(value))
        if "%" in plain:
            return "p", str(exact * 100)
        return "n", str(int(value)) if float(value).is_integer() else str(exact)


def _has_time(value: datetime) -> bool:
    return (value.hour, value.minute, value.second) != (0, 0, 0)


def _csv(file: bytes, limits: Limits) -> dict[str, Any]:
    if b"\x00" in file:
        raise Refused("not_a_spreadsheet")
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("not_utf8") from error
    head = text.partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    csv.field_size_limit(limits["text"])
    count = _Count(limits)
    rows: list[Line] = []
    try:
        # A row is named by the line of the sheet that a spreadsheet program would show.
        for number, fields in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1
        ):
            count.row(number, len(fields))
            cells = [[i, "s", field] for i, field in enumerate(fields, start=1) if field.strip()]
            count.cells(cells)
            if cells:
                rows.append((number, cells))
    except csv.Error as error:
        raise Refused("damaged_file") from error
    return {"sheet": None, "rows": rows, "formulas": 0, "merged": [], "epoch": None}


if __name__ == "__main__":
    main()
