"""The form of a plan: headings, lists to choose from, and how to fill it in."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range_abs
from xlsxwriter.worksheet import Worksheet

from app.schemas.fields import FIRST_DAY, LAST_DAY, Language
from app.spreadsheets.columns import COLUMNS, OWED, QUARTERS, STATUSES, labelled

_ROWS = 2_000
"""Rows with formats and lists."""
_DAYS = ("start_on", "due_on")
_SHEETS = {Language.ID: ("Rencana", "Daftar", "Petunjuk"), Language.EN: ("Plan", "Lists", "Guide")}
_GUIDE = {
    Language.ID: (
        "Satu baris untuk satu quick win. Kode yang sudah ada diubah, yang baru dibuat.",
        "Baris dikenali dari kodenya; tidak ada yang dihapus karena tidak tercantum.",
        "Sel kosong mengosongkan isinya; status dan target yang kosong dibiarkan seperti semula.",
        "Kolom yang tidak diperlukan boleh dihapus: isinya tetap. Kolom lain tidak diterima.",
        "B03, B06, B09, B12: target kumulatif sampai akhir bulan itu; yang terakhir 100.",
        "Setiap kenaikan menjadi satu tahap dengan tenggat akhir bulan itu.",
        "Semua baris diterapkan, atau tidak satu pun bila ada yang salah.",
    ),
    Language.EN: (
        "One row is one quick win. A code that is there is changed, a new one is created.",
        "Rows are known by their codes; nothing is deleted because it is not listed.",
        "An empty cell empties its field; status and targets that are empty stay as they are.",
        "Columns that you do not need may be deleted: what is there stays. Others are not taken.",
        "B03, B06, B09, B12: the target by the end of that month, cumulative; the last one is 100.",
        "What a quarter adds becomes a milestone that is due at the end of that month.",
        "All rows are applied, or none if one of them is wrong.",
    ),
}


class Offer(NamedTuple):
    """What can be chosen, as (code, name)."""

    institution: str
    units: Sequence[tuple[str, str]]
    people: Sequence[tuple[str, str]]
    areas: Sequence[tuple[str, str]]


def render(offer: Offer, language: Language) -> bytes:
    """A workbook to be filled in."""
    file = BytesIO()
    workbook = Workbook(file, {"in_memory": True})
    plan, lists, guide = (workbook.add_worksheet(title) for title in _SHEETS[language])
    ranges = _lists(lists, offer, language, workbook.add_format({"bold": True}))
    _plan(workbook, plan, ranges, language)
    _guide(guide, language)
    workbook.close()
    return file.getvalue()


def _lists(sheet: Worksheet, offer: Offer, language: Language, head: Format) -> dict[str, str]:
    """Write what can be chosen; the range of each column that chooses."""
    people = [labelled(*person) for person in offer.people]
    chosen = {
        "unit": [labelled(*unit) for unit in offer.units],
        "areas": [labelled(*area) for area in offer.areas],
        "accountable": people,
        "status": [words[list(Language).index(language)] for words in STATUSES.values()],
    }
    ranges: dict[str, str] = {}
    for place, (name, texts) in enumerate(chosen.items()):
        sheet.set_column(place, place, 40)
        sheet.write_string(0, place, COLUMNS[name].heading(language), head)
        for line, text in enumerate(texts, start=1):
            sheet.write_string(line, place, text)
        if texts:
            cells = xl_range_abs(1, place, len(texts), place)
            ranges[name] = f"='{sheet.get_name()}'!{cells}"
    if "accountable" in ranges:
        ranges["owners"] = ranges["accountable"]
    return ranges


def _plan(workbook: Workbook, sheet: Worksheet, ranges: dict[str, str], language: Language) -> None:
    wrapped = {"text_wrap": True, "valign": "top"}
    text = workbook.add_format({**wrapped, "num_format": "@"})
    day = workbook.add_format({"valign": "top", "num_format": "dd/mm/yyyy"})
    number = workbook.add_format({"valign": "top", "num_format": "0"})
    # A percent sign that is shown only: 30 stays 30.
    percent = workbook.add_format({"valign": "top", "num_format": '0.#" %"'})
    formats = {
        **dict.fromkeys(_DAYS, day), **dict.fromkeys(QUARTERS, percent),
        "year": number, "weight": number,
    }  # fmt: skip
    head = workbook.add_format({**wrapped, "bold": True, "bg_color": "#DDEBF7", "border": 1})
    owed = workbook.add_format({**wrapped, "bold": True, "bg_color": "#FCE4D6", "border": 1})
    sheet.freeze_panes(1, 2)
    for place, (name, column) in enumerate(COLUMNS.items()):
        sheet.set_column(place, place, column.width, formats.get(name, text))
        sheet.write_string(0, place, column.heading(language), owed if name in OWED else head)
        rule = _rule(name, ranges)
        hint = column.hint[list(Language).index(language)]
        if hint:
            rule |= {"input_title": column.heading(language), "input_message": hint}
        if rule:
            sheet.data_validation(1, place, _ROWS, place, {"validate": "any", **rule})


def _rule(name: str, ranges: dict[str, str]) -> dict[str, Any]:
    """What a cell offers, or takes. A list only offers: codes, and several of them, are good too."""
    if name in ranges:
        return {"validate": "list", "source": ranges[name], "show_error": False}
    between: dict[str, tuple[str, Any, Any]] = {
        "year": ("integer", FIRST_DAY.year, LAST_DAY.year),
        "weight": ("integer", 1, 1_000),
        **dict.fromkeys(_DAYS, ("date", FIRST_DAY, LAST_DAY)),
        **dict.fromkeys(QUARTERS, ("decimal", 0, 100)),
    }
    if name not in between:
        return {}
    kind, least, most = between[name]
    return {"validate": kind, "criteria": "between", "minimum": least, "maximum": most}


def _guide(sheet: Worksheet, language: Language) -> None:
    sheet.set_column(0, 0, 100)
    for line, text in enumerate(_GUIDE[language]):
        sheet.write_string(line, 0, text)
