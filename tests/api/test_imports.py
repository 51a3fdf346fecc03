"""Spreadsheets in: checked, applied as a whole, and the same again changes nothing."""

import pytest

from tests.support.institution import Institution, Json
from tests.support.sheets import ROW, imported, workbook


@pytest.fixture
async def ready(institution: Institution) -> Institution:
    await institution.unit("A")
    await institution.unit("B")
    return institution


def without(row: Json, *names: str) -> Json:
    return {name: value for name, value in row.items() if name not in names}


async def test_a_row_becomes_an_initiative_with_its_quarters(ready: Institution) -> None:
    rows = [
        ROW | {
            "Uraian": "Sistem anggota", "Area perubahan": "accountability; Pengawasan",
            "Penanggung jawab": "reporter", "Pelaksana": "verifier", "Status": "Aktif", "Bobot": 3,
            "Mulai": "01/02/2025", "Selesai": "2025-12-15", "Hasil yang diharapkan": "Satu data",
            "Label": "Digital; data",
        }
    ]  # fmt: skip
    checked = await imported(ready, workbook(rows), "check", "checked")
    assert checked["counts"] == {"create": 1, "change": 0, "unchanged": 0, "error": 0}
    before = (await ready.rollup())["version"]
    await ready.expect(404, "GET", f"{ready.path}/initiatives/QW-1")
    made = await imported(ready, workbook(rows))
    assert made["rows"] == [{"row": 2, "code": "QW-1", "fate": "create", "changes": []}]
    found = await ready.get("initiatives/QW-1")
    assert (found["title"], found["unit"], found["year"], found["weight"]) == (
        "SIAKBA",
        "A",
        2025,
        3,
    )
    assert (found["start_on"], found["due_on"]) == ("2025-02-01", "2025-12-15")
    assert found["areas"] == ["accountability", "oversight"]
    assert found["owners"] == [
        {"person": "reporter", "role": "accountable"}, {"person": "verifier", "role": "responsible"},
    ]  # fmt: skip
    assert found["tags"] == ["data", "digital"]
    assert [(m["title"], m["due_on"], m["weight"], m["share"]) for m in found["plan"]] == [
        ("B03", "2025-03-31", 250, 25), ("B06", "2025-06-30", 250, 25),
        ("B09", "2025-09-30", 250, 25), ("B12", "2025-12-31", 250, 25),
    ]  # fmt: skip
    assert (await ready.rollup())["version"] == before + 2
    types = await ready.written()
    assert types[:2] == ["import.applied", "initiative.created"]
    again = await imported(ready, workbook(rows))
    assert again["counts"]["unchanged"] == 1
    assert (await ready.rollup())["version"] == before + 2
