"""A sheet as it was read, with what becomes of each row, and what is wrong with which cell."""

from collections import defaultdict
from datetime import date
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_cell_to_rowcol
from xlsxwriter.worksheet import Worksheet

from app.schemas.fields import Language
from app.schemas.imports import Fate, Fault, Import
from app.spreadsheets.columns import letter

_WORDS: dict[Language, dict[Fate | str, str]] = {
    Language.ID: {
        Fate.CREATE: "dibuat", Fate.CHANGE: "diubah", Fate.UNCHANGED: "tetap",
        Fate.ERROR: "salah", "fate": "Hasil", "remarks": "Catatan",
    },
    Language.EN: {
        Fate.CREATE: "created", Fate.CHANGE: "changed", Fate.UNCHANGED: "unchanged",
        Fate.ERROR: "wrong", "fate": "Result", "remarks": "Remarks",
    },
}  # fmt: skip
_COLOURS = {Fate.CREATE: "#E2EFDA", Fate.CHANGE: "#FFF2CC", Fate.ERROR: "#F8CBAD"}


def render(sheet: dict[str, Any], found: Import, language: Language) -> bytes:
    """A workbook with every cell where it was, and two columns more.

    Texts are written as texts, never as formulas, whatever they begin with.
    """
    file = BytesIO()
    workbook = Workbook(file, {"in_memory": True})
    page = workbook.add_worksheet()
    words = _WORDS[language]
    wrong: defaultdict[int, defaultdict[str | None, list[Fault]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for fault in found.faults:
        wrong[fault.row or 0][fault.column].append(fault)
    width = max((cell[0] for _, cells in sheet["rows"] for cell in cells), default=0)
    page.set_column(0, width, 18)
    page.set_column(width + 1, width + 1, 60)
    bad = workbook.add_format({"bg_color": "#F8CBAD"})
    day = workbook.add_format({"num_format": "dd/mm/yyyy"})
    fates = {row.row: row for row in found.rows}
    colours = {fate: workbook.add_format({"bg_color": colour}) for fate, colour in _COLOURS.items()}
    for number, cells in sheet["rows"]:
        line = number - 1
        faults = wrong[number]
        for column, kind, value in cells:
            mark = bad if letter(column) in faults else None
            _write(page, line, column - 1, kind, value, mark, day)
        for column in faults:
            if column is not None:
                _, place = xl_cell_to_rowcol(f"{column}1")
                if not any(cell[0] == place + 1 for cell in cells):
                    page.write_blank(line, place, None, bad)
        if fate := fates.get(number):
            page.write_string(line, width, words[fate.fate], colours.get(fate.fate))
        remarks = [_remark(fault) for of_column in faults.values() for fault in of_column]
        page.write_string(line, width + 1, "\n".join(remarks)[:32_000])
    _head(page, sheet, found, width, words)
    workbook.close()
    return file.getvalue()


def _head(
    page: Worksheet, sheet: dict[str, Any], found: Import, width: int, words: dict[Fate | str, str]
) -> None:
    """Name the two columns above the first row of the plan, and tell what is wrong with the sheet."""
    first = min((row.row for row in found.rows), default=2)
    above = max((number for number, _ in sheet["rows"] if number < first), default=1)
    page.write_string(above - 1, width, words["fate"])
    whole = [_remark(fault) for fault in found.faults if fault.row is None or not found.rows]
    page.write_string(above - 1, width + 1, "\n".join([words["remarks"], *whole])[:32_000])


def _remark(fault: Fault) -> str:
    place = f"{fault.column}: " if fault.column else f"{fault.field}: " if fault.field else ""
    suggestion = f" → {fault.suggestion}" if fault.suggestion else ""
    return f"{place}{fault.detail} ({fault.code}){suggestion}"


def _write(
    page: Worksheet,
    line: int,
    column: int,
    kind: str,
    value: Any,  # noqa: ANN401  as it was read
    mark: Format | None,
    day: Format,
) -> None:
    if kind == "n":
        page.write_number(line, column, float(value), mark)
    elif kind == "d" and len(value) == len("2025-01-31") and value >= "1900-01-01":
        page.write_datetime(line, column, date.fromisoformat(value), mark or day)
    elif kind == "p":
        page.write_string(line, column, f"{float(value):g}%", mark)
    else:
        page.write_string(line, column, str(value)[:32_000], mark)
