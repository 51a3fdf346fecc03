"""A sheet as a table: which column is which, and what each row says; pure.

Nothing here knows the database: `importing_checks` compares the rows with what is there.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from app.languages import noted
from app.messages import said
from app.models.base import code_key
from app.schemas.imports import NotedFault
from app.services import cells
from app.services.cells import Cell, Percent, Unclear
from app.spreadsheets import quarters
from app.spreadsheets.columns import COLUMNS, HEADINGS, OWED, QUARTERS, Column, letter, plain

_SEARCHED = 20
"""Rows in which the headings are looked for: titles may stand above them."""
_LEAST_HEADINGS = 2
"""So many known headings make a row of headings."""
_PERCENT = 100


class Row(NamedTuple):
    """One row of the plan."""

    number: int
    """As the spreadsheet program numbers it."""
    code: str | None
    values: dict[str, Any]
    """What was read, by column; None where a cell is empty. Columns that the sheet lacks are absent."""
    faults: list[NotedFault]


class Table(NamedTuple):
    """A sheet that was understood, as far as it was."""

    places: dict[str, int]
    """Which column of the sheet is which of ours, counted from 1."""
    heading: int
    """Number of the row with the headings; 0 if there is none."""
    rows: list[Row]
    faults: list[NotedFault]
    """Of the sheet as a whole; with any, no row is looked at."""
    formulas: int

    def fault(
        self, row: int, field: str | None, code: str, detail: str, suggestion: str | None = None
    ) -> NotedFault:
        """Something that is wrong with a cell, or with a row as a whole."""
        place = self.places.get(field) if field else None
        return NotedFault(
            row=row,
            column=letter(place) if place else None,
            field=field,
            code=code,
            detail=detail,
            suggestion=suggestion,
        )


def understood(sheet: dict[str, Any]) -> Table:
    """A sheet as the reader told it, as a table."""
    lines = [
        (number, {column: Cell(kind, value) for column, kind, value in found})
        for number, found in sheet["rows"]
    ]
    start, places, faults = _headings(lines)
    heading = lines[start][0] if start is not None else 0
    table = Table(places, heading, [], faults, sheet["formulas"])
    if start is None or faults:
        return table
    epoch = date.fromisoformat(sheet["epoch"]) if sheet["epoch"] else None
    for number, found in lines[start + 1 :]:
        row = _row(table, number, found, epoch)
        if row.values or row.faults:
            table.rows.append(row)
    _check_merged(table, sheet["merged"])
    _check_codes(table)
    return table


def _headings(
    lines: list[tuple[int, dict[int, Cell]]],
) -> tuple[int | None, dict[str, int], list[NotedFault]]:
    """Where the row of headings is, which columns it names, and what is wrong with it."""
    for i, (number, found) in enumerate(lines[:_SEARCHED]):
        words = {column: plain(str(cell.value)) for column, cell in found.items()}
        known = {column: HEADINGS[word] for column, word in words.items() if word in HEADINGS}
        if len(set(known.values())) >= _LEAST_HEADINGS:
            return i, {name: column for column, name in known.items()}, _amiss(number, words, known)
    detail = noted("There is no row with the headings of a plan, such as Kode and Judul.")
    return None, {}, [_whole("no_headings", detail)]


def _amiss(number: int, words: dict[int, str], known: dict[int, str]) -> list[NotedFault]:
    faults = [
        _whole("missing_column", _missing(COLUMNS[name]), name)
        for name in OWED
        if name not in known.values()
    ]  # fmt: skip
    for column in words:
        name = known.get(column)
        if name is None:
            code, detail = (
                "unknown_column",
                noted("There is no such column; delete it, or its heading."),
            )
        elif list(known.values()).index(name) != list(known).index(column):
            code, detail = "repeated_column", noted("This column is there twice.")
        else:
            continue
        faults.append(
            NotedFault(row=number, column=letter(column), field=name, code=code, detail=detail)
        )
    return faults


def _missing(column: Column) -> str:
    names = f"{column.id} / {column.en}"
    return said("The column is missing: {names}.", names=names)


def _whole(code: str, detail: str, field: str | None = None) -> NotedFault:
    return NotedFault(row=None, column=None, field=field, code=code, detail=detail)


def _row(table: Table, number: int, found: dict[int, Cell], epoch: date | None) -> Row:
    row = Row(number, None, {}, [])
    if all(_is_blank(found.get(place)) for place in table.places.values()):
        named = {column for column in found if column not in table.places.values()}
        if named and not all(_is_blank(found[column]) for column in named):
            row.faults.append(_beside(table, number))
        return row
    for name, place in table.places.items():
        cell = found.get(place)
        row.values[name] = None
        if cell is not None and not _is_blank(cell):
            try:
                row.values[name] = _read(name, cell, epoch)
            except Unclear as unclear:
                row.faults.append(table.fault(number, name, unclear.code, unclear.detail))
    if any(
        column not in table.places.values() and not _is_blank(found[column]) for column in found
    ):
        row.faults.append(_beside(table, number))
    _read_targets(table, row)
    return row._replace(code=row.values.get("code"))


def _is_blank(cell: Cell | None) -> bool:
    return cell is None or (cell.kind == "s" and not str(cell.value).strip())


def _beside(table: Table, number: int) -> NotedFault:
    detail = noted("There is something in a column without a heading.")
    return table.fault(number, None, "beside_the_table", detail)


_READ: dict[str, Callable[[Cell], Any]] = {
    "code": cells.code,
    "unit": cells.code,
    "year": cells.whole,
    "weight": cells.whole,
    "accountable": cells.code,
    **dict.fromkeys(("owners", "areas", "tags"), cells.several),
    **dict.fromkeys(QUARTERS, cells.percent),
}


def _read(name: str, cell: Cell, epoch: date | None) -> Any:  # noqa: ANN401  what the column is of
    if name in ("start_on", "due_on"):
        return cells.day(cell, epoch)
    read: Callable[[Cell], Any] = _READ.get(name, cells.text)
    return read(cell)


def _read_targets(table: Table, row: Row) -> None:
    """Put the row's targets into `values["targets"]`: tenths of a percent, or None without any."""
    present = [name for name in QUARTERS if name in table.places]
    given = {name: row.values.pop(name) for name in present if row.values.get(name) is not None}
    for name in present:
        row.values.pop(name, None)
    if not present or any(fault.field in QUARTERS for fault in row.faults):
        return
    row.values["targets"] = _targets(table, row, given) if given else None


def _targets(table: Table, row: Row, given: dict[str, Percent]) -> quarters.Targets | None:
    """Cumulative targets; a plan that ends with 1 is written in parts of one."""
    last = list(given)[-1]
    is_in_parts = not given[last].is_marked and given[last].value == 1
    read = {
        name: quarters.tenths(
            found.value * _PERCENT if is_in_parts and not found.is_marked else found.value
        )
        for name, found in given.items()
    }
    reached = 0
    for name, target in read.items():
        if target < reached:
            detail = noted("Targets are cumulative: none is less than the one before it.")
            row.faults.append(table.fault(row.number, name, "decreasing_target", detail))
            return None
        reached = target
    if reached != quarters.FULL:
        detail = noted(
            "Targets are cumulative: the last one is 100 percent (or 1 where all are parts of 1)."
        )
        row.faults.append(table.fault(row.number, last, "target_not_full", detail))
        return None
    return quarters.filled(read)


def _check_merged(table: Table, merged: list[list[int | None]]) -> None:
    """Merged cells of the plan say nothing of all rows but one: each of their rows is wrong."""
    first, last = min(table.places.values()), max(table.places.values())
    spans = sorted(
        (top, bottom, max(left, first))
        for left, top, right, bottom in ([place or 1 for place in each] for each in merged)
        if left <= last and right >= first
    )
    reached = place = 0
    for row in table.rows:
        while place < len(spans) and spans[place][0] <= row.number:
            if spans[place][1] > reached:
                reached, column = spans[place][1], spans[place][2]
            place += 1
        if row.number <= reached:
            detail = noted("Cells are merged here; split them, and write into each what is meant.")
            row.faults.append(
                NotedFault(
                    row=row.number, column=letter(column), field=None, code="merged_cells",
                    detail=detail,
                )
            )  # fmt: skip


def _check_codes(table: Table) -> None:
    """A code stands for one row."""
    by_code: defaultdict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        if row.code:
            by_code[code_key(row.code)].append(row)
    for rows in by_code.values():
        if len(rows) > 1:
            for row in rows:
                other = next(each.number for each in rows if each is not row)
                detail = said("This code is in row {row} too.", row=other)
                row.faults.append(table.fault(row.number, "code", "repeated_code", detail))
