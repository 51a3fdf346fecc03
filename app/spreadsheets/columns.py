"""The columns of a plan as teams keep it, in both languages. Templates, imports and exports share them."""

from typing import NamedTuple

from xlsxwriter.utility import xl_col_to_name

from app.schemas.fields import InitiativeStatus, Language


class Column(NamedTuple):
    """One column."""

    id: str
    """Heading in Indonesian."""
    en: str
    """Heading in English."""
    width: int
    hint: tuple[str, str] = ("", "")
    """What to write there, in Indonesian and English."""

    def heading(self, language: Language) -> str:
        """The heading in a language."""
        return self.id if language is Language.ID else self.en


QUARTERS = {"B03": 3, "B06": 6, "B09": 9, "B12": 12}
"""Reporting periods, each named for the month with which it ends."""
_TARGET = (
    "Target kumulatif sampai akhir bulan itu, dalam persen; yang terakhir 100",
    "Target reached by the end of that month, cumulative, in percent; the last one is 100",
)
COLUMNS: dict[str, Column] = {
    "code": Column("Kode", "Code", 16, ("Huruf, angka, . _ -", "Letters, digits, . _ -")),
    "title": Column("Judul", "Title", 44),
    "description": Column("Uraian", "Description", 44),
    "unit": Column("Unit kerja", "Unit", 30, ("Kode, atau pilih", "Code, or choose")),
    "year": Column("Tahun", "Year", 8),
    "areas": Column(
        "Area perubahan", "Reform areas", 30,
        ("Kode atau nama; beberapa dipisah ;", "Codes or names; several by ;"),
    ),
    "accountable": Column(
        "Penanggung jawab", "Accountable owner", 26, ("Kode, atau pilih", "Code, or choose")
    ),
    "owners": Column(
        "Pelaksana", "Other owners", 26, ("Kode; beberapa dipisah ;", "Codes; several by ;")
    ),
    "status": Column("Status", "Status", 14),
    "weight": Column("Bobot", "Weight", 8, ("1-1000", "1-1000")),
    "start_on": Column("Mulai", "Start", 12, ("DD/MM/YYYY", "DD/MM/YYYY")),
    "due_on": Column("Selesai", "Due", 12, ("DD/MM/YYYY", "DD/MM/YYYY")),
    "expected_result": Column("Hasil yang diharapkan", "Expected result", 44),
    "tags": Column("Label", "Tags", 20, ("Dipisah ;", "Separated by ;")),
    **{name: Column(name, name, 8, _TARGET) for name in QUARTERS},
    "reason": Column(
        "Alasan perubahan", "Reason", 30,
        (
            "Bila perubahan memerlukan alasan, misalnya pembatalan",
            "Where a change owes one, such as a cancellation",
        ),
    ),
}  # fmt: skip
"""By the name of the field, in their order."""
OWED = ("code", "title", "unit", "year")
"""Columns without which nothing is imported."""
STATUSES: dict[InitiativeStatus, tuple[str, str]] = {
    InitiativeStatus.PROPOSED: ("Usulan", "Proposed"),
    InitiativeStatus.SHORTLISTED: ("Terpilih", "Shortlisted"),
    InitiativeStatus.ACTIVE: ("Aktif", "Active"),
    InitiativeStatus.ON_HOLD: ("Ditunda", "On hold"),
    InitiativeStatus.COMPLETED: ("Selesai", "Completed"),
    InitiativeStatus.CANCELLED: ("Dibatalkan", "Cancelled"),
}
"""Each status in Indonesian and English."""
BETWEEN = " — "
"""What stands between code and name where a cell shows both."""


def plain(text: str) -> str:
    """How headings and words are compared: without case, stars, colons, and spaces that do not count."""
    return " ".join(text.replace("*", " ").replace(":", " ").replace("_", " ").split()).casefold()


HEADINGS = {
    plain(heading): name
    for name, column in COLUMNS.items()
    for heading in (name, column.id, column.en)
}
"""Which column a heading stands for, however it is written."""
STATUS_WORDS = {
    plain(word): status for status, words in STATUSES.items() for word in (status.value, *words)
}
"""Which status a word stands for."""


def labelled(code: str, name: str) -> str:
    """Code and name in one cell."""
    return f"{code}{BETWEEN}{name}"


def letter(column: int) -> str:
    """The letters of a column that is counted from 1."""
    letters: str = xl_col_to_name(column - 1)
    return letters
