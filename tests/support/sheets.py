"""Spreadsheets as people make them, for imports."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import httpx
import openpyxl
from xlsxwriter import Workbook

from tests.support.institution import Institution, Json

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROW: Json = {
    "Kode": "QW-1", "Judul": "SIAKBA", "Unit kerja": "A", "Tahun": 2025,
    "B03": 25, "B06": 50, "B09": 75, "B12": 100,
}  # fmt: skip
"""A row of a plan."""


def workbook(rows: Sequence[Mapping[str, Any]], **formats: str) -> bytes:
    """A workbook with a row of headings, then rows by them; number formats by heading."""
    file = io.BytesIO()
    book = Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("Rencana")
    headings = list(dict.fromkeys(name for row in rows for name in row))
    shown = {name: book.add_format({"num_format": form}) for name, form in formats.items()}
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for place, heading in enumerate(headings):
        sheet.write_string(0, place, heading)
    for line, row in enumerate(rows, start=1):
        for place, heading in enumerate(headings):
            value = row.get(heading)
            if isinstance(value, date | datetime):
                sheet.write_datetime(line, place, value, day)
            elif isinstance(value, str):
                sheet.write_string(line, place, value)
            elif value is not None:
                sheet.write_number(line, place, value, shown.get(heading))
    book.close()
    return file.getvalue()


def table(
    rows: Sequence[Mapping[str, Any]], delimiter: str = ";", encoding: str = "utf-8-sig"
) -> bytes:
    """The same as CSV."""
    file = io.StringIO()
    headings = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(file, headings, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode(encoding)


def cells(content: bytes) -> list[list[Any]]:
    """The first sheet of a workbook."""
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


async def send(
    institution: Institution,
    file: bytes,
    mode: str = "apply",
    *,
    client: httpx.AsyncClient | None = None,
    kind: str = XLSX,
    encoding: str = "identity",
) -> httpx.Response:
    """Submit a file."""
    return await (client or institution.operator).post(
        f"{institution.path}/imports",
        params={"mode": mode},
        content=file,
        headers={"Content-Type": kind, "Content-Encoding": encoding},
    )


async def imported(
    institution: Institution, file: bytes, mode: str = "apply", status: str = "applied", **more: Any
) -> Json:
    """Submit a file and insist on what becomes of it."""
    answer = await send(institution, file, mode, **more)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    assert made["status"] == status, made
    return made


def told(made: Json) -> list[tuple[int | None, str | None, str]]:
    """Row, column and code of everything that is wrong."""
    return [(at["row"], at["field"], at["code"]) for at in made["faults"]]
