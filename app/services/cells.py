"""What a cell of a spreadsheet says, as the field that it is for wants it; pure.

People write the same thing in many ways, and spreadsheet programs turn some of it into others:
codes into numbers, 30 % into 0.3, dates into days since 1900. What can be told is told; what can
mean two things is refused.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from app.languages import noted
from app.spreadsheets.columns import BETWEEN

_WHOLE = re.compile(r"([0-9]{1,9})(?:[.,]0+)?")
_PERCENT = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,6})?)\s*(%?)")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T.*)?")
_SERIALS = range(14_000, 110_000)
"""Day numbers that may be meant as a date: from the year 1938 on, so that no year is taken for one."""
_CODES_END = 10**15
"""From here on a spreadsheet no longer keeps every digit of a number."""


class Cell(NamedTuple):
    """A cell as the reader told it."""

    kind: str
    value: Any


class Unclear(Exception):
    """A cell does not say what its field wants."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(code)


class Percent(NamedTuple):
    """A percent, and whether it is sure to be one: 0.3 may be 30 % as well."""

    value: Decimal
    is_marked: bool


def text(cell: Cell) -> str:
    """What is written there, without the spaces around it; raises `Unclear`."""
    _check(cell)
    if cell.kind == "b":
        return "TRUE" if cell.value else "FALSE"
    if cell.kind == "t":
        raise Unclear("not_text", noted("This is a time; write it as text."))
    return str(cell.value).strip()


def code(cell: Cell) -> str:
    """A code, which the program may have turned into a number; raises `Unclear`."""
    _check(cell)
    if cell.kind == "s":
        return str(cell.value).strip()
    if cell.kind == "n" and not str(cell.value).startswith("-"):
        if Decimal(cell.value) < _CODES_END:
            return str(cell.value)
        detail = noted(
            "The program has made a number of this code and lost digits; format it as text."
        )
        raise Unclear("code_became_number", detail)
    if cell.kind == "d":
        detail = noted("The program has made a date of this code; format it as text.")
        raise Unclear("code_became_date", detail)
    raise Unclear("not_a_code", noted("This is no code; format it as text."))


def whole(cell: Cell) -> int:
    """A whole number; raises `Unclear`."""
    _check(cell)
    if cell.kind in ("s", "n"):
        written = str(cell.value).strip()
        if found := _WHOLE.fullmatch(written):
            return int(found[1])
    raise Unclear("not_a_whole_number", noted("A whole number is needed."))


def day(cell: Cell, epoch: date | None) -> date:
    """A date: one, a day number since `epoch`, DD/MM/YYYY or YYYY-MM-DD; raises `Unclear`."""
    _check(cell)
    try:
        if cell.kind in ("d", "s"):
            written = str(cell.value).strip()
            if found := _ISO.fullmatch(written):
                return date(int(found[1]), int(found[2]), int(found[3]))
            if found := _DAY_FIRST.fullmatch(written):
                return date(int(found[4]), int(found[3]), int(found[1]))
        if cell.kind == "n" and epoch and Decimal(cell.value) in _SERIALS:
            return epoch + timedelta(days=int(cell.value))
    except ValueError as error:
        raise Unclear("not_a_date", noted("There is no such day.")) from error
    raise Unclear("not_a_date", noted("A date is needed, such as 31/03/2025 or 2025-03-31."))


def percent(cell: Cell) -> Percent:
    """A percent, 0 to 100, with a point or a comma; raises `Unclear`."""
    _check(cell)
    found = None
    if cell.kind in ("s", "n", "p"):
        found = _PERCENT.fullmatch(str(cell.value).strip())
    if found is None:
        raise Unclear("not_a_percent", noted("A percent is needed, such as 30, 30% or 37,5."))
    value = Decimal(found[1].replace(",", "."))
    if value > 100:  # noqa: PLR2004  percent
        raise Unclear("not_a_percent", noted("A percent is at most 100."))
    return Percent(value, is_marked=cell.kind == "p" or bool(found[2]))


def several(cell: Cell) -> list[str]:
    """Several things in one cell, separated by semicolons or line breaks; raises `Unclear`."""
    return [part for each in re.split(r"[;\n]", code(cell)) if (part := each.strip())]


def named(written: str) -> list[str]:
    """What a cell that names something may mean, the likeliest first: all of it, or what precedes a dash."""
    before = (written.split(dash, maxsplit=1)[0].strip() for dash in (BETWEEN, " – ", " - ", " | "))
    return list(dict.fromkeys([written, *before]))


def _check(cell: Cell) -> None:
    if cell.kind == "e":
        raise Unclear("formula_error", noted("The formula has an error, such as #REF!."))
    if cell.kind == "f":
        detail = noted(
            "This formula was never calculated; open and save the file in a spreadsheet program."
        )
        raise Unclear("formula_not_calculated", detail)
