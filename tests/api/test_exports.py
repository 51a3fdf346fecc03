"""Exports: what the lists say, from the first row to the last, in each form."""

import csv
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from app.api import delimited, exports, spreadsheets
from app.api.tables import Table
from app.schemas.exports import CsvForm
from tests.support.institution import Institution, Json

NOUNS = ("initiatives", "milestones", "updates", "rollups")
TITLE = '=cmd|"/c calc"!A1; é — 選挙'
NOTE = 'Baris satu\r\nbaris "dua", tiga; empat\t\n'
PHONE = "+62 812-3456-7890"


@pytest.fixture(autouse=True)
def _pages_of_two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_INITIATIVES", "_MILESTONES", "_UPDATES", "_ROLLUPS"):
        monkeypatch.setattr(exports, name, getattr(exports, name)._replace(most=2))


@pytest.fixture(scope="module")
async def filled(shared: Institution) -> Institution:
    """Three units with five initiatives, of which some are hard to write."""
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await shared.unit(unit, parent)
    plan = [{"title": TITLE, "due_on": "2022-06-30"}, {"title": PHONE, "due_on": "2022-09-30"}]
    for n, unit in enumerate(["A", "A1", "B", "A", "A1"], start=1):
        await shared.initiative(
            f"QW-{n}", unit, title=f"{TITLE} {n}", milestones=plan, description=NOTE,
            expected_result=PHONE, tags=["a", "b"], areas=["oversight", "accountability"],
            start_on="2022-01-01",
        )  # fmt: skip
    for n in (1, 2, 3):
        path = f"{shared.path}/initiatives/QW-{n}/milestones/1/updates"
        evidence = [{"title": "-1+1", "url": "https://example.org/a?b=c"}] * 2
        body = {"percent_complete": 33.33 * n, "note": NOTE, "evidence": evidence}
        body["effective_on"] = "2022-05-01"
        await shared.expect(201, "POST", path, body, client=shared.reporter)
    await shared.post(
        "initiatives/QW-1/ratings",
        {"rating": "amber", "reason": "@home", "judged_on": "2022-06-01"},
    )
    return shared


async def fetch(institution: Institution, file: str, **asked: Any) -> httpx.Response:
    answer = await institution.operator.get(f"{institution.path}/exports/{file}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer


async def listed(institution: Institution, noun: str, **asked: Any) -> list[Json]:
    """What the list says on all of its pages, in the order of the export."""
    if noun == "rollups":
        units = sorted(u["code"] for u in await listed(institution, "units"))
        return [await institution.rollup(unit, **asked) for unit in units]
    items: list[Json] = []
    sort = {"milestones": {"sort": "initiative"}}.get(noun, {})
    page: Json = {"next_cursor": None}
    while not items or page["next_cursor"]:
        more = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = await institution.get(noun, limit=2, **sort, **more, **asked)
        items += page["items"]
    return items


def unmarked(text: str) -> str:
    return text[1:] if delimited.is_marked(text) else text


@pytest.mark.parametrize("noun", NOUNS)
async def test_json_lines_are_the_list(filled: Institution, noun: str) -> None:
    answer = await fetch(filled, f"{noun}.jsonl")
    lines = answer.text.split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == await listed(filled, noun)
    assert answer.headers["content-type"].startswith("application/jsonl")
    assert answer.headers["cache-control"] == "no-store"
    name = f"{filled.code}-{noun}-{datetime.now(UTC):%Y-}"
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{name}')


@pytest.mark.parametrize("noun", NOUNS)
async def test_csv_and_spreadsheet_are_the_list(filled: Institution, noun: str) -> None:
    """The same cells in both, and each number, date and text what the list says."""
    items = await listed(filled, noun)
    text = (await fetch(filled, f"{noun}.csv")).text
    rows = list(csv.DictReader(StringIO(text, newline="")))
    sheet = load_workbook(BytesIO((await fetch(filled, f"{noun}.xlsx")).content))[noun]
    names, *cells = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert names == list(rows[0])
    assert len(rows) == len(cells) == len(items)
    for item, row, line in zip(items, rows, cells, strict=True):
        values = dict(zip(names, line, strict=True))
        for name in names:
            expected = item.get(name)
            if isinstance(expected, dict | list):
                continue
            told, value = row[name], values[name]
            if isinstance(expected, str):
                assert unmarked(told) == expected, name
                if isinstance(value, datetime):
                    assert expected.startswith(value.strftime("%Y-%m-%d")), name
                else:
                    assert value.replace("_x000D_", "\r") == expected, name
            elif expected is None and name in item:
                assert (told, value) == ("", None), name
            elif isinstance(expected, bool):
                assert (told, value) == (str(expected).lower(), expected), name
            elif expected is not None:
                assert float(told) == float(value) == expected, name
    assert not any(cell.data_type == "f" or cell.hyperlink for line in sheet for cell in line)


async def test_what_has_parts_is_several_columns(filled: Institution) -> None:
    rows = list(csv.DictReader(StringIO((await fetch(filled, "initiatives.csv")).text)))
    row, item = rows[0], await filled.get("initiatives/QW-1")
    assert row["areas"] == "accountability; oversight"
    assert (row["tags"], row["accountable"], row["responsible"]) == ("a; b", "reporter", "")
    assert (row["rating"], row["rating_judged_on"]) == ("amber", "2022-06-01")
    assert row["rating_reason"] == "'@home"
    assert int(row["milestones"]) == item["milestones"]["total"] == 2
    assert rows[1]["rating"] == rows[1]["rating_judged_at"] == ""
    reports = list(csv.DictReader(StringIO((await fetch(filled, "updates.csv")).text)))
    link = "-1+1 <https://example.org/a?b=c>"
    assert reports[0]["evidence"] == f"'{link}; {link}"
    rollups = list(csv.DictReader(StringIO((await fetch(filled, "rollups.csv", unit="A")).text)))
    assert [each["unit"] for each in rollups] == ["A", "A1"]
    whole = await filled.rollup("A")
    assert float(rollups[0]["percent_complete"]) == whole["percent_complete"]
    assert int(rollups[0]["initiatives_active"]) == whole["initiatives"]["active"]
    assert float(rollups[0]["coverage_percent"]) == 100.0


async def test_filters_are_those_of_the_list(filled: Institution) -> None:
    for noun, asked in (
        ("initiatives", {"unit": "A", "q": "QW"}),
        ("initiatives", {"unit": "A", "subtree": "false", "overdue": "true"}),
        ("milestones", {"unit": "B", "status": "in_progress"}),
        ("updates", {"initiative": ["QW-1", "QW-3"], "verification": "reported"}),
        ("updates", {"unit": "A1"}),
    ):
        answer = await fetch(filled, f"{noun}.jsonl", **asked)
        expected = await listed(filled, noun, **asked)
        assert [json.loads(line) for line in answer.text.splitlines()] == expected
        assert 0 < len(expected) < len(await listed(filled, noun))
    past = await fetch(filled, "rollups.jsonl", as_of="2022-04-30", year=2022, area="oversight")
    expected = await listed(filled, "rollups", as_of="2022-04-30", year=2022, area="oversight")
    assert [json.loads(line) for line in past.text.splitlines()] == expected
    assert (await fetch(filled, "initiatives.jsonl", q="nothing")).content == b""
    empty = (await fetch(filled, "initiatives.csv", q="nothing")).text
    assert empty.startswith("id,code,title,")
    assert empty.count("\r\n") == 1


async def test_only_what_one_sees(filled: Institution) -> None:
    viewer = await filled.person("viewer-a1", "viewer", "A1")
    for noun, units in (("initiatives", {"A1"}), ("milestones", {"A1"}), ("updates", {"QW-2"})):
        answer = await viewer.get(f"{filled.path}/exports/{noun}.jsonl")
        key = "initiative" if noun == "updates" else "unit"
        assert {json.loads(line)[key] for line in answer.text.splitlines()} == units
    mine = await viewer.get(f"{filled.path}/exports/rollups.jsonl", params={"unit": "A1"})
    assert [json.loads(line)["unit"] for line in mine.text.splitlines()] == ["A1"]
    for unit in ({}, {"unit": "A"}, {"unit": "B"}, {"unit": "nowhere"}):
        answer = await viewer.get(f"{filled.path}/exports/rollups.csv", params=unit)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    await viewer.aclose()


async def test_what_cannot_be_exported(filled: Institution) -> None:
    for path, parameter in (
        ("initiatives.csv?delimiter=x", "delimiter"), ("initiatives.csv?sort=code", "sort"),
        ("milestones.jsonl?limit=5", "limit"), ("updates.csv?cursor=x", "cursor"),
        ("rollups.xlsx?as_of=2099-01-01", "as_of"), ("rollups.csv?area=gardening", "area"),
        ("initiatives.xlsx?bom=perhaps", "bom"), ("initiatives.csv?year=22", "year"),
    ):  # fmt: skip
        told = await filled.expect(422, "GET", f"{filled.path}/exports/{path}")
        assert [place["parameter"] for place in told["errors"]] == [parameter]
    for path in ("initiatives", "initiatives.ods", "people.csv", "initiatives.csv.gz", ".csv"):
        assert (await filled.expect(404, "GET", f"{filled.path}/exports/{path}"))["code"]


async def test_a_sheet_has_its_limit(filled: Institution, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the count at the beginning, and by rows that come while it is made."""
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 4)
    told = await filled.expect(422, "GET", f"{filled.path}/exports/initiatives.xlsx")
    assert (told["code"], told["title"]) == ("too_many_rows", "Too many rows")
    await fetch(filled, "initiatives.csv")
    await fetch(filled, "updates.xlsx")
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 2)

    async def more(self: Any, *_: Any) -> AsyncIterator[list[Any]]:
        yield []
        yield [None, None, None]

    monkeypatch.setattr(exports._Export, "_items", more)  # noqa: SLF001
    asked = {"q": "QW-1"}
    answer = await filled.operator.get(f"{filled.path}/exports/initiatives.xlsx", params=asked)
    assert answer.json()["code"] == "too_many_rows"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", '"=1', "'=1",
        "''=1", "“=1”", "\uff1d1+1", "\uff0d1", "\uff0b1", "\uff20x", "\u22121", "\u200b=1", "\ufeff@x", PHONE, "-",
        "\t", "- butir",
    ],
)  # fmt: skip
def test_a_formula_is_marked_and_comes_back(text: str) -> None:
    written = delimited.Writer(CsvForm()).lines([(text, -5, -5.5, None)]).decode()
    (row,) = csv.reader(StringIO(written, newline=""))
    assert row == [f"'{text}", "-5", "-5.5", ""]
    assert unmarked(row[0]) == text


@pytest.mark.parametrize(
    "text", ["32.10", "0812 3456", "a=b", "O'Brien", "'quoted'", "1-2", "é", ""]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    written = delimited.Writer(CsvForm()).lines([(text, "x")]).decode()
    (row,) = csv.reader(StringIO(written, newline=""))
    assert row == [text, "x"]
    assert unmarked(text) == text


async def test_csv_for_excel(filled: Institution) -> None:
    plain = await fetch(filled, "initiatives.csv")
    assert plain.content.startswith(b"id,code,")
    assert plain.headers["content-type"] == "text/csv; charset=utf-8"
    excel = await fetch(filled, "initiatives.csv", delimiter=";", bom="true")
    assert excel.content.startswith(b"\xef\xbb\xbfid;code;")
    text = excel.content.decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(text, newline=""), delimiter=";"))
    assert rows == list(csv.DictReader(StringIO(plain.text, newline="")))


def test_long_text_is_cut_visibly(tmp_path: Path) -> None:
    table = Table[str]("long", {"text": lambda item: item})
    with spreadsheets.Book(tmp_path / "book.xlsx", table) as book:
        book.add(["x" * 40_000, "y"])
        book.close()
    sheet = load_workbook(tmp_path / "book.xlsx")["long"]
    assert [len(cell.value) for cell in sheet["A"]] == [4, 32_767, 1]
    assert sheet["A2"].value.endswith("x […]")
    assert list(tmp_path.iterdir()) == [tmp_path / "book.xlsx"]
