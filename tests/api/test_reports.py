"""Frozen reports: what was told stays, byte for byte, whatever is written later."""

import asyncio
import base64
import hashlib
import json
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import rfc8785
from openpyxl import load_workbook

from app.api import spreadsheets
from app.db import Database
from app.schemas.reports import ReportContent
from tests.api.test_bad_state import told
from tests.api.test_query_counts import fill, statements
from tests.api.test_worked_example import example
from tests.support.institution import API, Institution, Json

__all__ = ["example"]

NOWHERE = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"
JUNE: Json = {"title": "Laporan Juni", "year": 2022, "as_of": "2022-06-18"}


async def download(institution: Institution, report: Json, what: str = "content") -> httpx.Response:
    answer = await institution.operator.get(f"{institution.path}/reports/{report['id']}/{what}")
    assert answer.status_code == 200
    return answer


async def test_a_report_is_what_the_rollup_says(example: Institution) -> None:
    asked: Json = {"year": 2022, "as_of": "2022-06-18"}
    live = [await example.rollup("A", part, **asked) for part in ("", "/children", "/areas")]
    answer = await example.operator.post(
        f"{example.path}/reports", json={**JUNE, "unit": "a", "note": "Rapat pleno"}
    )
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{example.path}/reports/{made['id']}"
    assert made == made | {
        "title": "Laporan Juni", "note": "Rapat pleno", "unit": "A", "year": 2022,
        "as_of": "2022-06-18", "version": live[0]["version"], "frozen_by": "QUICKWIN_ADMIN_TOKEN",
        "supersedes": None, "superseded_by": None,
    }  # fmt: skip
    whole = await example.expect(200, "GET", answer.headers["location"])
    content = whole.pop("content")
    assert whole == made
    assert [content[part] for part in ("rollup", "children", "areas")] == live
    curve = await example.rollup("A", "/s-curve", **asked, to=content["curve"]["points"][-1]["on"])
    assert content["curve"] == curve | {"version": made["version"]}
    assert curve["points"][-1]["on"] >= curve["planned_finish_on"]
    assert {name: content[name] for name in ("format", "id", "title", "note", "supersedes")} == {
        "format": 1, "id": made["id"], "title": "Laporan Juni", "note": "Rapat pleno",
        "supersedes": None,
    }  # fmt: skip
    assert content["overdue"] == [
        {
            "initiative": "QW-2", "initiative_title": "Initiative QW-2", "unit": "A2",
            "milestone": 2, "milestone_title": "Milestone", "due_on": "2022-06-15",
            "overdue_days": 3, "percent_complete": 90.0,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2022-06-01", []),
        ("2022-06-15", [("QW-4", 1, 14, 25.0)]),
        ("2022-06-18", [("QW-4", 1, 17, 25.0), ("QW-2", 2, 3, 90.0)]),
        ("2022-06-20", [("QW-4", 1, 19, 25.0)]),
        ("2022-07-01", [("QW-4", 1, 30, 25.0), ("QW-1", 2, 1, 50.0)]),
        ("2023-01-01", [("QW-4", 1, 214, 25.0), ("QW-1", 2, 185, 50.0), ("QW-1", 3, 1, 0.0)]),
    ],
)
async def test_overdue_on_a_date(example: Institution, as_of: str, expected: list[Any]) -> None:
    made = await example.post("reports", {"title": "T", "as_of": as_of})
    content = (await example.get(f"reports/{made['id']}"))["content"]
    names = ("initiative", "milestone", "overdue_days", "percent_complete")
    assert [tuple(late[name] for name in names) for late in content["overdue"]] == expected
    assert len(expected) == content["rollup"]["milestones"]["overdue"]


async def test_what_does_not_count_is_not_overdue(example: Institution) -> None:
    await example.patch("initiatives/QW-4", {"status": "cancelled", "reason": "No budget"})
    await example.patch(
        "initiatives/QW-1/milestones/2", {"status": "dropped", "reason": "Not needed"}
    )
    await example.initiative(
        "QW-6", "B", year=2021, milestones=[{"title": "M", "due_on": "2021-06-30"}]
    )
    for year, expected in (
        (2022, ["QW-1"]),
        (2021, ["QW-6"]),
        (2020, []),
        (None, ["QW-6", "QW-1"]),
    ):
        made = await example.post("reports", {"title": "T", "year": year})
        content = (await example.get(f"reports/{made['id']}"))["content"]
        assert [late["initiative"] for late in content["overdue"]] == expected
        assert content["rollup"]["milestones"]["overdue"] == len(expected)


async def test_what_was_told_stays(example: Institution) -> None:
    made = await example.post("reports", JUNE)
    before = await example.get(f"reports/{made['id']}")
    bytes_before = (await download(example, made)).content
    await example.report("QW-4", 1, 100, "2022-05-15")
    await example.patch("units/A1", {"code": "A-1", "name": "New"})
    await example.patch("initiatives/QW-2", {"title": "New"})
    live = await example.rollup(year=2022, as_of="2022-06-18")
    assert (before["content"]["rollup"]["percent_complete"], live["percent_complete"]) == (
        44.44,
        69.44,
    )
    assert await example.get(f"reports/{made['id']}") == before
    assert (await download(example, made)).content == bytes_before


async def test_the_digest_is_of_the_bytes(example: Institution) -> None:
    made = await example.post("reports", {**JUNE, "title": 'Café "Ω" 😀', "note": "a\nb\\"})
    answer = await download(example, made)
    assert hashlib.sha256(answer.content).hexdigest() == made["digest"]
    assert rfc8785.dumps(json.loads(answer.content)) == answer.content
    encoded = base64.b64encode(bytes.fromhex(made["digest"])).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{encoded}:"
    name = f"{example.code}-{example.code}-2022-06-18-{made['digest'][:8]}"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.json"'
    whole = await example.get(f"reports/{made['id']}")
    assert json.loads(answer.content) == whole["content"]
    assert whole["content"]["title"] == made["title"] == 'Café "Ω" 😀'


async def test_what_is_known_is_not_sent_again(example: Institution) -> None:
    made = await example.post("reports", JUNE)
    address = f"{example.path}/reports/{made['id']}"
    for what in ("", "/content", "/content.xlsx"):
        tag = (await example.operator.get(address + what)).headers["etag"]
        again = await example.operator.get(address + what, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    known = (await example.operator.get(address)).headers["etag"]
    await example.post("reports", {**JUNE, "supersedes": made["id"]})
    for what, status in (("", 200), ("/content", 304), ("/content.xlsx", 304)):
        headers = {"If-None-Match": known if not what else "*"}
        assert (await example.operator.get(address + what, headers=headers)).status_code == status


async def test_a_spreadsheet_of_values(example: Institution) -> None:
    formula = '=HYPERLINK("http://a.b", "c")'
    await example.patch("units/A2", {"name": formula})
    await example.patch("initiatives/QW-2", {"title": "+1"})
    note = "@x\n_x0041_\t<&> {=1}"
    made = await example.post("reports", {**JUNE, "title": "=1+1", "note": note, "unit": "A"})
    answer = await download(example, made, "content.xlsx")
    assert answer.headers["content-type"] == spreadsheets.MEDIA_TYPE
    assert answer.headers["content-disposition"].endswith('.xlsx"')
    assert (await download(example, made, "content.xlsx")).content == answer.content

    book = load_workbook(BytesIO(answer.content))
    assert book.sheetnames == ["summary", "children", "areas", "overdue", "course"]
    assert not [cell for sheet in book for row in sheet for cell in row if cell.data_type == "f"]
    summary = {row[0].value: row[1] for row in book["summary"]}
    assert summary["title"].value == "=1+1"
    assert summary["note"].value == note
    assert summary["percent_complete"].value == 54.17
    assert (summary["year"].value, summary["version"].value) == (2022, made["version"])
    assert summary["as_of"].value == datetime(2022, 6, 18)  # noqa: DTZ001  spreadsheets know no zones
    assert summary["as_of"].is_date
    frozen_at = datetime.fromisoformat(made["frozen_at"]).replace(tzinfo=None)
    assert abs((summary["frozen_at_utc"].value - frozen_at).total_seconds()) < 0.001
    assert book.properties.created == frozen_at.replace(microsecond=0)
    assert summary["sha256_of_json"].value == made["digest"]

    children = [[cell.value for cell in row] for row in book["children"].iter_rows()]
    assert [row[:4] for row in children] == [
        ["unit", "unit_name", "area", "percent_complete"],
        ["A1", "Unit A1", None, 50],
        ["A2", formula, None, 66.67],
    ]
    areas = {row[2].value: row[3].value for row in book["areas"].iter_rows(min_row=2)}
    assert (areas["accountability"], areas["public-service"], areas["oversight"]) == (
        54.17, 66.67, None,
    )  # fmt: skip
    late = list(book["overdue"].iter_rows())
    assert [cell.value for cell in late[0]][:4] == [
        "initiative",
        "initiative_title",
        "unit",
        "milestone",
    ]
    assert [cell.value for cell in late[1]] == [
        "QW-2", "+1", "A2", 2, "Milestone", datetime(2022, 6, 15), 3, 90,  # noqa: DTZ001  as above
    ]  # fmt: skip
    course = {row[0].value: [cell.value for cell in row[1:]] for row in book["course"].iter_rows()}
    assert course["on"] == ["planned", "earned", "verified"]
    on_the_day = datetime(2022, 6, 18)  # noqa: DTZ001  as above
    assert course[on_the_day][1] == 54.17


async def test_nothing_to_tell_is_told(institution: Institution) -> None:
    made = await institution.post("reports", {"title": "Empty"})
    today = date.fromisoformat((await institution.rollup())["as_of"])
    assert (made["unit"], made["year"], made["as_of"]) == (institution.code, None, str(today))
    content = (await institution.get(f"reports/{made['id']}"))["content"]
    assert (content["rollup"]["percent_complete"], content["overdue"]) == (None, [])
    assert content["rollup"]["reason"] == "no_initiatives"
    assert load_workbook(BytesIO((await download(institution, made, "content.xlsx")).content))


async def test_a_report_is_superseded_once(example: Institution) -> None:
    first = await example.post("reports", JUNE)
    second = await example.post("reports", {**JUNE, "supersedes": first["id"]})
    third = await example.post("reports", {"title": "T", "unit": "B", "supersedes": second["id"]})
    found = [await example.get(f"reports/{made['id']}") for made in (first, second, third)]
    assert [(one["supersedes"], one["superseded_by"]) for one in found] == [
        (None, second["id"]), (first["id"], third["id"]), (second["id"], None),
    ]  # fmt: skip
    refused = await example.expect(
        409, "POST", f"{example.path}/reports", {**JUNE, "supersedes": first["id"]}
    )
    assert refused["code"] == "already_superseded"
    events = [
        e for e in (await example.get("events", limit=200))["items"] if e["type"] == "report.frozen"
    ]
    assert [event["data"].get("supersedes") for event in events] == [
        None,
        first["id"],
        second["id"],
    ]
    assert events[2]["subject"] == f"reports/{third['id']}"
    assert events[2]["sequence"] == third["version"] + 1
    assert events[2]["data"] == {
        name: third[name] for name in ("title", "unit", "year", "as_of", "version", "digest", "supersedes")
    }  # fmt: skip


async def test_of_many_that_supersede_at_once_one_wins(institution: Institution) -> None:
    first = await institution.post("reports", {"title": "First"})
    answers = await asyncio.gather(
        *(
            institution.operator.post(
                f"{institution.path}/reports", json={"title": f"T {i}", "supersedes": first["id"]}
            )
            for i in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    (won,) = (answer.json() for answer in answers if answer.status_code == 201)
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"already_superseded"}
    assert (await institution.get(f"reports/{first['id']}"))["superseded_by"] == won["id"]


async def test_all_parts_are_of_one_moment(institution: Institution) -> None:
    """While others report, each frozen report is what its version says, in every part."""
    for code in ("A", "B"):
        await institution.unit(code)
        await institution.initiative(
            f"QW-{code}", code, milestones=[{"title": "M", "due_on": "2022-06-30"}]
        )

    async def report(code: str) -> None:
        for percent in (*range(20, 101, 20), *range(80, -1, -20)):
            await institution.report(f"QW-{code}", 1, percent)

    async def freeze() -> list[Json]:
        return [await institution.post("reports", {"title": f"T {i}"}) for i in range(6)]

    _, _, one, two = await asyncio.gather(report("A"), report("B"), freeze(), freeze())
    for made in (*one, *two):
        content = (await institution.get(f"reports/{made['id']}"))["content"]
        root, (a, b) = content["rollup"], content["children"]["items"]
        parts = [root, a, b, *content["areas"]["items"], content["curve"]]
        assert {part["version"] for part in parts} == {made["version"]}
        assert root["percent_complete"] == (a["percent_complete"] + b["percent_complete"]) / 2
        assert root["milestones"]["overdue"] == len(content["overdue"])
        (today,) = (at for at in content["curve"]["points"] if at["on"] == root["as_of"])
        assert today["earned"] == root["percent_complete"]
        (event,) = (await institution.get("events", after=made["version"], limit=1))["items"]
        assert (event["type"], event["data"]["digest"]) == ("report.frozen", made["digest"])


@pytest.fixture
async def listed(institution: Institution) -> Institution:
    """Reports 1 to 5 on the root, A, A1, and twice B."""
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(unit, parent)
    first: str | None = None
    for title, on, year in (
        ("1", None, None), ("2", "A", 2022), ("3", "A1", 2021), ("4", "B", 2022), ("5", "B", 2022),
    ):  # fmt: skip
        body: Json = {"title": title, "unit": on, "year": year}
        made = await institution.post(
            "reports", body | ({"supersedes": first} if title == "5" else {})
        )
        first = made["id"] if title == "4" else None
    return institution


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "54321"),
        ({"unit": "a"}, "32"),
        ({"unit": "A", "subtree": False}, "2"),
        ({"unit": ["A1", "B"]}, "543"),
        ({"unit": "nowhere"}, ""),
        ({"year": 2022}, "542"),
        ({"year": [2021, 2022]}, "5432"),
        ({"superseded": False}, "5321"),
        ({"superseded": True}, "4"),
        ({"since": "2199-01-01T00:00:00Z"}, ""),
        ({"since": "2020-01-01T00:00:00Z", "unit": "B", "year": 2022, "superseded": True}, "4"),
    ],
)
async def test_lists(listed: Institution, asked: Json, expected: str) -> None:
    found = await listed.get("reports", include_total=True, **asked)
    assert "".join(report["title"] for report in found["items"]) == expected
    assert found["total"] == len(expected)
    assert all("content" not in report for report in found["items"])


async def test_pages(listed: Institution) -> None:
    titles = ""
    cursor: str | None = None
    for _ in range(3):
        page = await listed.get("reports", limit=2, **({"cursor": cursor} if cursor else {}))
        titles += "".join(report["title"] for report in page["items"])
        cursor = page["next_cursor"]
    assert (titles, cursor) == ("54321", None)
    since = (await listed.get("reports"))["items"][1]["frozen_at"]
    assert [r["title"] for r in (await listed.get("reports", since=since))["items"]] == ["5", "4"]


@pytest.mark.parametrize("what", ["", "/content", "/content.xlsx", "/difference"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_nothing_changes_a_report(institution: Institution, method: str, what: str) -> None:
    made = await institution.post("reports", {"title": "T"})
    answer = await institution.operator.request(
        method, f"{institution.path}/reports/{made['id']}{what}", headers={"If-Match": "*"}
    )
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_unit_that_was_reported_on_stays(institution: Institution) -> None:
    await institution.unit("A")
    await institution.post("reports", {"title": "T", "unit": "A"})
    assert (await institution.delete("units/A", 409))["code"] == "in_use"
    await institution.patch("units/A", {"archived": True})
    await institution.post("reports", {"title": "T", "unit": "A"})


BODIES: list[tuple[Json, str, str]] = [
    ({}, "/title", "missing"),
    ({"title": ""}, "/title", "string_too_short"),
    ({"title": "a\nb"}, "/title", "value_error"),
    ({"title": "a\0b"}, "/title", "nul_character"),
    ({"title": "x" * 501}, "/title", "string_too_long"),
    ({"title": "T", "note": "a\0"}, "/note", "nul_character"),
    ({"title": "T", "unit": "nowhere"}, "/unit", "unknown_unit"),
    ({"title": "T", "unit": NOWHERE}, "/unit", "unknown_unit"),
    ({"title": "T", "unit": "a b"}, "/unit", "string_pattern_mismatch"),
    ({"title": "T", "unit": "A\0"}, "/unit", "nul_character"),
    ({"title": "T", "year": 1899}, "/year", "greater_than_equal"),
    ({"title": "T", "year": 2**63}, "/year", "less_than_equal"),
    ({"title": "T", "year": "2022"}, "/year", "int_type"),
    ({"title": "T", "as_of": "2199-12-31"}, "/as_of", "in_future"),
    ({"title": "T", "as_of": "2022-02-30"}, "/as_of", "date_from_datetime_parsing"),
    ({"title": "T", "as_of": "0001-01-01"}, "/as_of", "greater_than_equal"),
    ({"title": "T", "supersedes": NOWHERE}, "/supersedes", "unknown_report"),
    ({"title": "T", "supersedes": "x"}, "/supersedes", "uuid_parsing"),
    ({"title": "T", "colour": "red"}, "/colour", "extra_forbidden"),
    ({"title": "T", "version": 1}, "/version", "extra_forbidden"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), BODIES, ids=lambda value: str(value)[:40])
async def test_bad_bodies(institution: Institution, body: Json, pointer: str, code: str) -> None:
    before = (await institution.rollup())["version"]
    content = await institution.expect(422, "POST", f"{institution.path}/reports", body)
    assert told(content) == {"code": "invalid", "errors": [(pointer, code)]}
    assert (await institution.rollup())["version"] == before
    assert (await institution.get("reports"))["items"] == []


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("unit=a%00b", "unit"), ("year=1_0", "year"), ("year=x", "year"), ("since=today", "since"),
        ("cursor=x", "cursor"), ("colour=red", "colour"), ("superseded=perhaps", "superseded"),
        ("limit=0", "limit"), ("since=2022-01-01T00:00:00Z&since=2022-01-01T00:00:00Z", "since"),
    ],
)  # fmt: skip
async def test_bad_parameters(institution: Institution, asked: str, name: str) -> None:
    content = await institution.expect(422, "GET", f"{institution.path}/reports?{asked}")
    assert [at["parameter"] for at in content["errors"]] == [name]


async def test_other_institutions_reports_do_not_exist(institution: Institution) -> None:
    other = Institution(f"{institution.code}-x", institution.operator, institution._transport)  # noqa: SLF001
    await other.create()
    theirs = (await other.post("reports", {"title": "T"}))["id"]
    for report in (theirs, NOWHERE, "x", "a%00b"):
        for what in ("", "/content", "/content.xlsx", "/difference"):
            for client in (institution.operator, institution.reporter):
                path = f"{institution.path}/reports/{report}{what}"
                assert (await institution.expect(404, "GET", path, client=client))[
                    "code"
                ] == "not_found"
    body = {"title": "T", "supersedes": theirs}
    refused = await institution.expect(422, "POST", f"{institution.path}/reports", body)
    assert told(refused)["errors"] == [("/supersedes", "unknown_report")]
    path = f"{API}/institutions/{other.code}/reports"
    await other.expect(404, "GET", path, client=institution.reporter)
    await other.expect(404, "POST", path, {"title": "T"}, client=institution.reporter)
    await other.close()


async def test_a_person_freezes_in_their_name(institution: Institution) -> None:
    await institution.post("grants", {"person": "reporter", "role": "planner"})
    path = f"{institution.path}/reports"
    made = await institution.expect(201, "POST", path, {"title": "T"}, client=institution.reporter)
    assert made["frozen_by"] == "reporter"


async def test_costs_do_not_grow_with_the_tree(
    institution: Institution, database: Database
) -> None:
    counts = []
    await fill(institution, 0, 2)
    for start, end in ((2, 3), (3, 30)):
        await fill(institution, start, end)
        with statements(database) as heard:
            made = await institution.post("reports", {"title": "T", "unit": "top"})
        frozen = len(heard)
        with statements(database) as heard:
            for path in (
                "",
                f"/{made['id']}",
                f"/{made['id']}/content",
                f"/{made['id']}/content.xlsx",
            ):
                await institution.operator.get(f"{institution.path}/reports{path}")
            await institution.get(f"reports/{made['id']}/difference")
        counts.append((frozen, len(heard)))
    assert counts[0] == counts[1]
    assert counts[0][0] <= 24


def test_the_first_format_is_read_for_ever() -> None:
    """What was frozen by an earlier release is still answered: new fields need a default."""
    first = (Path(__file__).parent / "report_format_1.json").read_text(encoding="utf-8").strip()
    content = ReportContent.model_validate_json(first)
    assert rfc8785.dumps(content.model_dump(mode="json", exclude_unset=True)).decode() == first
    assert load_workbook(BytesIO(spreadsheets.render(content, "0" * 64)))
