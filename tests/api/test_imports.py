"""Spreadsheets in: checked, applied as a whole, and the same again changes nothing."""

import io
from itertools import islice
from pathlib import Path

import openpyxl
import pytest

from tests.support.institution import Institution, Json
from tests.support.sheets import ROW, cells, imported, table, told, workbook


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


def amiss(**cells_: object) -> Json:
    return ROW | cells_


AMISS: list[tuple[Json, str, str]] = [
    (amiss(Kode=None), "code", "missing_value"),
    (amiss(Judul="  "), "title", "missing_value"),
    (amiss(Kode="a b"), "code", "string_pattern_mismatch"),
    (amiss(**{"Unit kerja": "Unit AA"}), "unit", "unknown_unit"),
    (amiss(Tahun="tahun"), "year", "not_a_whole_number"),
    (amiss(Tahun=25), "year", "greater_than_equal"),
    (amiss(Bobot=0), "weight", "greater_than_equal"),
    (amiss(Bobot=1.5), "weight", "not_a_whole_number"),
    (amiss(Mulai="31/02/2025"), "start_on", "not_a_date"),
    (amiss(Mulai="besok"), "start_on", "not_a_date"),
    (amiss(Mulai="02/02/2025", Selesai="01/02/2025"), "due_on", "due_before_start"),
    (amiss(Status="entah"), "status", "unknown_status"),
    (amiss(Status="Aktif"), "accountable", "accountable_owner_missing"),
    (amiss(Pelaksana="nobody"), "owners", "unknown_person"),
    (amiss(**{"Area perubahan": "berkebun"}), "areas", "unknown_area"),
    (amiss(B06=10), "B06", "decreasing_target"),
    (amiss(B12=90), "B12", "target_not_full"),
    (amiss(B12=101), "B12", "not_a_percent"),
    (amiss(Label="tak boleh!"), "tags", "string_pattern_mismatch"),
]


async def test_every_fault_is_told_with_its_place(ready: Institution) -> None:
    rows = [
        row if row["Kode"] in (None, "a b") else row | {"Kode": f"QW-{n}"}
        for n, (row, _, _) in enumerate(AMISS)
    ]
    made = await imported(ready, workbook([*rows, ROW | {"Kode": "good"}]), status="refused")
    assert told(made) == [(n, field, code) for n, (_, field, code) in enumerate(AMISS, start=2)]
    assert (await ready.get("initiatives"))["items"] == []
    (unit,) = (at for at in made["faults"] if at["code"] == "unknown_unit")
    assert (unit["column"], unit["suggestion"]) == ("C", "A — Unit A")
    address = f"{ready.path}/imports/{made['id']}/annotated.xlsx"
    annotated = cells((await ready.operator.get(address)).content)
    assert annotated[0][-2:] == ["Hasil", "Catatan"]
    assert annotated[1][-2] == "salah"
    assert annotated[-1][-2] == "dibuat"
    assert "(unknown_unit) → A — Unit A" in annotated[4][-1]


async def test_the_same_plan_as_csv_changes_nothing(ready: Institution) -> None:
    row = ROW | {"Mulai": "2025-02-01", "Uraian": "a;b,c", "Label": "x; y"}
    await imported(ready, workbook([row]))
    comma = row | {"Mulai": "01/02/2025", "B03": "0,25", "B06": "0,5", "B09": "0,75", "B12": "1"}
    for file in (
        table([comma]),
        table([row], ",", "utf-8"),
        table([row | {"B03": "25%", "B06": "50 %"}], "\t"),
        workbook([row | {"B03": 0.25, "B06": 0.5, "B09": 0.75, "B12": 1}], B03="0%"),
        workbook([without(row, "Uraian", "Label", "B03", "B06", "B09", "B12")]),
    ):
        kind = "text/csv" if not file.startswith(b"PK") else "application/octet-stream"
        made = await imported(ready, file, kind=kind)
        assert made["counts"]["unchanged"] == 1, made


async def test_changes_are_made_in_the_order_in_which_batches_lock(ready: Institution) -> None:
    codes = ["QW-2", "QW-1"]
    for code in codes:  # ids go up
        await imported(ready, workbook([ROW | {"Kode": code}]))
    await imported(
        ready, workbook([ROW | {"Kode": code, "Judul": "New"} for code in sorted(codes)])
    )
    asked = {"type": "initiative.changed", "sort": "sequence"}
    changed = (await ready.get("events", **asked))["items"]
    assert [event["subject"] for event in changed] == codes


async def test_codes_that_became_numbers(ready: Institution) -> None:
    await ready.unit("32")
    rows = [ROW | {"Kode": 7, "Unit kerja": 32}, ROW | {"Kode": 8.0, "Unit kerja": "32 — Jabar"}]
    await imported(ready, workbook(rows, Kode="0000"))
    assert [each["code"] for each in (await ready.get("initiatives"))["items"]] == ["0007", "0008"]


async def test_headings_that_are_not_those_of_a_plan(ready: Institution) -> None:
    made = await imported(
        ready, workbook([without(ROW, "Tahun") | {"Anggaran": 5}]), status="refused"
    )
    assert told(made) == [(None, "year", "missing_column"), (1, None, "unknown_column")]
    made = await imported(ready, workbook([ROW, ROW]), status="refused")
    assert told(made) == [(2, "code", "repeated_code"), (3, "code", "repeated_code")]


async def test_targets_change_weights_and_keep_what_a_sheet_cannot_say(ready: Institution) -> None:
    await imported(ready, workbook([ROW]))
    await ready.patch("initiatives/QW-1/milestones/2", {"due_on": "2025-07-15"})
    await imported(ready, workbook([ROW]))
    made = await imported(ready, workbook([ROW | {"B03": None, "B06": 60}]))
    assert made["rows"][0]["changes"] == ["B03", "B06"]
    plan = (await ready.get("initiatives/QW-1"))["plan"]
    assert [(m["title"], m["due_on"], m["share"]) for m in plan] == [
        ("B06", "2025-07-15", 60), ("B09", "2025-09-30", 15), ("B12", "2025-12-31", 25),
    ]  # fmt: skip


async def test_what_is_agreed_on_owes_a_reason(ready: Institution) -> None:
    """An initiative's own weight and date, and its targets, once there is a baseline."""
    row = ROW | {"Penanggung jawab": "reporter"}
    await imported(ready, workbook([row]))
    await ready.patch("initiatives/QW-1", {"status": "active"})
    after: list[Json] = [{"Bobot": 4}, {"Selesai": "16/12/2025"}, {"B03": None, "B06": 60}]
    for given in after:
        made = await imported(ready, workbook([row | given]), "check", "refused")
        assert told(made) == [(2, "reason", "reason_owed")], given
    for given, changed in zip(after, (["weight"], ["due_on"], ["B03", "B06"]), strict=True):
        made = await imported(ready, workbook([row | given | {"Alasan perubahan": "Rapat"}]))
        assert made["rows"][0]["changes"] == changed


async def test_rows_land_where_one_may_change(ready: Institution) -> None:
    async with await ready.person("planner", "planner", "A") as planner:
        await ready.initiative("TAKEN", "B", status="proposed")
        rows = [ROW, ROW | {"Kode": "QW-2", "Unit kerja": "B"}, ROW | {"Kode": "taken"}]
        made = await imported(ready, workbook(rows), status="refused", client=planner)
        assert told(made) == [(3, "unit", "unknown_unit"), (4, "code", "code_taken")]
        assert made["faults"][0]["suggestion"] in (None, "A — Unit A")
        await imported(ready, workbook([ROW]), client=planner)
        assert len((await planner.get(f"{ready.path}/imports")).json()["items"]) == 2
    assert (await ready.reporter.get(f"{ready.path}/imports")).json()["items"] == []


async def test_the_template_takes_its_own_form(ready: Institution) -> None:
    for language, first in (("id", "Kode"), ("en", "Code")):
        answer = await ready.operator.get(
            f"{ready.path}/imports/template.xlsx", params={"language": language, "unit": "A"}
        )
        head = cells(answer.content)[0]
        assert head[0] == first
        row = dict.fromkeys(head) | dict(
            zip(head[:5], (f"T-{language}", "Judul", None, "A — Unit A", 2025), strict=True)
        )
        assert (await imported(ready, workbook([row])))["counts"]["create"] == 1


async def test_what_libreoffice_made(ready: Institution) -> None:
    """Saved by LibreOffice 7.4: a date, percents, a formula, rows left empty, merged cells, #REF!."""
    file = (Path(__file__).parent.parent / "support" / "libreoffice.xlsx").read_bytes()
    made = await imported(ready, file, status="refused")
    assert [(row["row"], row["fate"]) for row in made["rows"]] == [
        (2, "create"), (6, "error"), (7, "error"),
    ]  # fmt: skip
    assert [(at["row"], at["column"], at["code"]) for at in made["faults"]] == [
        (6, "C", "merged_cells"), (7, "C", "merged_cells"), (7, "C", "missing_value"),
        (7, "D", "formula_error"),
    ]  # fmt: skip
    assert (await ready.get("initiatives"))["items"] == []
    sheet = openpyxl.load_workbook(io.BytesIO(file), data_only=True).worksheets[0]
    headings, first = (list(row) for row in islice(sheet.iter_rows(values_only=True), 2))
    mended = await imported(ready, workbook([dict(zip(headings, first, strict=True))]))
    assert mended["counts"]["create"] == 1
    found = await ready.get("initiatives/QW-1")
    assert found["start_on"] == "2025-02-01"
    assert [(m["title"], m["share"]) for m in found["plan"]] == [
        ("B03", 25), ("B06", 25), ("B12", 50),
    ]  # fmt: skip
