"""Reporting from a page: what waits, the form, its faults, and what is taken once."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.support.documents import PDF
from tests.support.institution import API, Institution, Json

PAGE = {"Accept": "text/html", "Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}
_INPUT = re.compile(r"<input [^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_TODAY = date.today()  # noqa: DTZ011  tests are about days long past or well ahead
SOON = (_TODAY + timedelta(days=10)).isoformat()
LATER = (_TODAY + timedelta(days=90)).isoformat()


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """QW-1 in unit A: two milestones that are late, one soon, one later."""
    await institution.unit("A")
    due = ("2022-03-31", "2022-06-30", SOON, LATER)
    milestones = [{"title": f"Part {n}", "due_on": day} for n, day in enumerate(due, 1)]
    await institution.initiative("QW-1", "A", milestones=milestones)
    return institution


def at(institution: Institution, path: str) -> str:
    """The address of a page below an institution."""
    return f"{institution.path.removeprefix(API)}/{path}"


def form_of(number: int) -> str:
    return f"initiatives/QW-1/milestones/{number}/report"


async def show(
    institution: Institution,
    path: str,
    client: httpx.AsyncClient | None = None,
    status: int = 200,
    **asked: str,
) -> str:
    answer = await (client or institution.reporter).get(
        at(institution, path), headers=PAGE, params=asked or None
    )
    assert answer.status_code == status, answer.text
    return unescape(answer.text)


def typed(page: str) -> Json:
    """What a form's inputs have, by name; of several the first."""
    found: Json = {}
    for tag in _INPUT.findall(page):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if "name" in attributes and attributes.get("type") not in {"radio", "file"}:
            found.setdefault(attributes["name"], attributes.get("value", ""))
    return found


async def send(
    institution: Institution,
    path: str,
    fields: Json,
    files: Sequence[tuple[str, bytes]] = (),
    status: int = 303,
    client: httpx.AsyncClient | None = None,
) -> httpx.Response:
    """Send a form as a browser does: always as multipart."""
    parts: list[tuple[str, Any]] = []
    for name, value in fields.items():
        values = value if isinstance(value, list) else [value]
        parts += [(name, (None, each.encode())) for each in values]
    parts += [("file", (name, content, "application/octet-stream")) for name, content in files]
    answer = await (client or institution.reporter).post(
        at(institution, path), files=parts or [("none", (None, b""))], headers=PAGE
    )
    assert answer.status_code == status, answer.text
    return answer


async def reports(institution: Institution, number: int) -> list[Json]:
    found = await institution.get(f"initiatives/QW-1/milestones/{number}/updates")
    items: list[Json] = found["items"]
    return items


async def test_what_waits_is_sorted_by_how_much_it_presses(planned: Institution) -> None:
    returned = await planned.report("QW-1", 2, 60, "2022-06-01")
    await planned.verify(returned, "returned", "The minutes are missing")
    await planned.report("QW-1", 1, 100, "2022-03-01")
    page = await show(planned, "reporting")
    assert "The minutes are missing" in page
    assert "Part 1" not in page, "it is done"
    order = [page.index(word) for word in ("Returned to you", "Due in 30 days</h2>", "Later</h2>")]
    assert order == sorted(order)
    late = (_TODAY - date(2022, 6, 30)).days
    assert f"{late:,} days late" in page or f"{late + 1:,} days late" in page
    assert "10 days left" in page or "9 days left" in page
    only = await show(planned, "reporting", due="later")
    assert "Part 4" in only
    assert "Part 3" not in only
    await send(planned, form_of(2), {"key": "again", "percent_complete": "60"})
    assert "The minutes are missing" not in await show(planned, "reporting"), "it was answered"


async def test_what_waits_is_ones_own_and_that_of_ones_units(planned: Institution) -> None:
    await planned.unit("B")
    owners = [{"person": "boss", "role": "accountable"}]
    due = [{"title": "Elsewhere", "due_on": "2022-01-31"}]
    boss = await planned.person("boss", "viewer")
    clerk = await planned.person("clerk", "reporter", "B")
    await planned.initiative("QW-B", "B", owners=owners, milestones=due)
    owned = await show(planned, "reporting", boss)
    assert "Elsewhere" in owned
    assert "Part 1" not in owned
    assert "You own it, but may not report in this unit." in owned
    assert "/milestones/1/report" not in owned
    of_unit = await show(planned, "reporting", clerk)
    assert "Elsewhere" in of_unit
    assert "Part 1" not in of_unit
    assert "/QW-B/milestones/1/report" in of_unit
    assert "Nothing waits for your report here." in await show(
        planned, "reporting", await planned.person("guest", "viewer")
    )
    await boss.aclose()
    await clerk.aclose()


async def test_a_window_says_what_is_owed(planned: Institution) -> None:
    window = {
        "code": "now", "name": {"id": "Kini", "en": "These days"}, "year": 2022,
        "starts_on": (_TODAY - timedelta(days=20)).isoformat(),
        "ends_on": (_TODAY - timedelta(days=2)).isoformat(),
        "opens_on": (_TODAY - timedelta(days=9)).isoformat(),
        "closes_on": SOON, "all_years": True,
    }  # fmt: skip
    await planned.post("periods", window)
    page = await show(planned, "reporting")
    assert "These days" in page
    assert "1 initiative still owes a report." in page
    assert "report owed" in page
    day = (_TODAY - timedelta(days=5)).isoformat()
    await send(planned, form_of(1), {"key": "k", "percent_complete": "10", "effective_on": day})
    page = await show(planned, "reporting")
    assert "Everything that you owe has been reported." in page
    assert "report owed" not in page


async def test_a_report_is_taken_and_moves_the_numbers(planned: Institution) -> None:
    page = await show(planned, form_of(1))
    fields = typed(page)
    assert fields["percent_complete"] == "0"
    assert fields["effective_on"]
    fields |= {
        "percent_complete": "62,5", "effective_on": "2022-03-01", "note": "Half\r\nand more",
        "link_title": ["Minutes", ""], "link_url": ["https://example.org/minutes", ""],
        "link_kind": ["minutes", ""], "kind": "decree",
    }  # fmt: skip
    answer = await send(planned, form_of(1), fields, [("SK 77.pdf", PDF)])
    receipt = await planned.reporter.get(answer.headers["location"], headers=PAGE)
    assert receipt.status_code == 200, receipt.text
    assert "Your report has been taken." in receipt.text
    assert "From 0% to 62.5%" in receipt.text
    numbers = re.findall(r"<dd>([^<]+?) <small>", receipt.text)
    assert numbers == ["62.5%", "15.63%", "15.63%"], "of the milestone, the initiative, the unit"
    (made,) = await reports(planned, 1)
    assert made["percent_complete"] == 62.5
    assert made["note"] == "Half\nand more"
    assert made["source"] == "web"
    assert made["external_id"] == fields["key"]
    shown = [(each["title"], each["kind"], each["file"] is not None) for each in made["evidence"]]
    assert shown == [("Minutes", "minutes", False), ("SK 77.pdf", "decree", True)]
    assert "report-form" not in await show(planned, "reporting", due="overdue")


async def test_sent_twice_it_is_taken_once(planned: Institution) -> None:
    fields = typed(await show(planned, form_of(1))) | {"percent_complete": "30"}
    first = await send(planned, form_of(1), fields)
    again = await send(planned, form_of(1), fields, [("SK.pdf", PDF)])
    assert again.headers["location"] == first.headers["location"]
    assert len(await reports(planned, 1)) == 1
    other = await send(planned, form_of(1), fields | {"percent_complete": "40"}, status=409)
    page = unescape(other.text)
    assert "A report of 30% from this form was taken already" in page
    assert typed(page)["percent_complete"] == "40"
    assert typed(page)["key"] != fields["key"]
    assert len(await reports(planned, 1)) == 1
    await send(planned, form_of(1), typed(page))
    assert [each["percent_complete"] for each in await reports(planned, 1)] == [40, 30]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"percent_complete": "101"}, "percent_complete", "Give a number from 0 to 100"),
        ({"percent_complete": "12.345"}, "percent_complete", "Give a number from 0 to 100"),
        ({"percent_complete": "NaN"}, "percent_complete", "Give a number from 0 to 100"),
        ({"percent_complete": "9" * 400}, "percent_complete", "Give a number from 0 to 100"),
        ({"percent_complete": ""}, "percent_complete", "Give a number from 0 to 100"),
        ({"effective_on": LATER}, "effective_on", "This day has not come yet."),
        ({"effective_on": "soon"}, "effective_on", "Give a day"),
        ({"link_url": "javascript:alert(1)"}, "link-0", "A link begins with https://"),
        ({"note": "n" * 10_001}, "note", "A note has at most"),
        ({"resubmits": "7"}, "form", "answered meanwhile"),
        ({"key": ""}, "form", "This form is not whole"),
        ({"file_id": "7", "file_title": "t", "file_kind": ""}, "files", "not right"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_shown_at_its_field_with_what_was_typed(
    planned: Institution, changes: Json, field: str, said: str
) -> None:
    plain: Json = {
        "key": "k-1", "percent_complete": "30", "effective_on": "2022-03-01", "note": "Typed <b>",
        "link_title": "My link", "link_url": "", "link_kind": "", "resubmits": "",
    }  # fmt: skip
    answer = await send(
        planned, form_of(1), plain | {"link_url": "https://a.b"} | changes, status=422
    )
    found = re.search(rf'<span class="fault" id="fault-{field}-1">([^<]*)<', answer.text)
    assert found, answer.text
    assert said in unescape(found[1])
    kept = typed(unescape(answer.text))
    wanted = plain | {"link_url": "https://a.b"} | changes
    assert kept["percent_complete"] == wanted["percent_complete"]
    assert kept["effective_on"] == wanted["effective_on"]
    assert kept["link_title"] == "My link"
    assert f">{wanted['note'].replace('<', '&lt;').replace('>', '&gt;')}</textarea>" in answer.text
    assert await reports(planned, 1) == []


async def test_a_day_of_a_locked_period_is_refused_at_its_field(planned: Institution) -> None:
    await planned.post(
        "periods",
        {"code": "B03", "name": {"id": "B03", "en": "B03"}, "year": 2022,
         "starts_on": "2022-01-01", "ends_on": "2022-03-31", "opens_on": "2022-03-25",
         "closes_on": "2022-04-10"},
    )  # fmt: skip
    await planned.expect(200, "POST", f"{planned.path}/periods/B03/close", {})
    fields = {"key": "k", "percent_complete": "30", "effective_on": "2022-03-01"}
    answer = await send(planned, form_of(1), fields, status=409)
    assert 'id="fault-effective_on-1">The reporting period of this day is closed' in answer.text


async def test_files_are_judged_and_those_that_are_fit_are_kept(
    planned: Institution, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller = app.state.settings.model_copy(update={"max_file_bytes": 2_000})
    monkeypatch.setitem(app.state._state, "settings", smaller)  # noqa: SLF001  no other way back
    page = await show(planned, form_of(1))
    assert "of at most 0 MB each" in page
    fields = typed(page) | {"percent_complete": "30"}
    sent = [
        ("good.pdf", PDF),
        ("run.pdf", b"MZ\x90\x00" + b"x" * 90),
        ("big.pdf", PDF + b"x" * 3_000),
    ]
    answer = await send(planned, form_of(1), fields, sent, status=422)
    page = unescape(answer.text)
    assert "run.pdf: This is no file that is taken" in page
    assert "big.pdf: This file is larger than may be sent." in page
    kept = typed(page)
    assert kept["file_title"] == "good.pdf"
    assert await reports(planned, 1) == []
    await send(planned, form_of(1), kept | {"file_kind": "", "file_title": "The decree"})
    (made,) = await reports(planned, 1)
    assert [each["title"] for each in made["evidence"]] == ["The decree"]
    # What is far too large is not read to its end; what was typed stays.
    fields = typed(await show(planned, form_of(1))) | {"percent_complete": "44"}
    answer = await send(planned, form_of(1), fields, [("huge.pdf", b"x" * 1_200_000)], status=413)
    assert "This file is larger than may be sent." in answer.text
    assert typed(answer.text)["percent_complete"] == "44"


async def test_a_returned_report_is_answered(planned: Institution) -> None:
    path = f"{planned.path}/initiatives/QW-1/milestones/1/updates"
    body = {"percent_complete": 50, "evidence": [{"title": "Old", "url": "https://a.b/old"}]}
    returned = await planned.expect(201, "POST", path, body, client=planned.reporter)
    await planned.verify(returned, "returned", "Show the minutes")
    page = await show(planned, form_of(1))
    assert "Verifier has returned the report of 50%." in page
    assert "Show the minutes" in page
    fields = typed(page)
    assert fields["resubmits"] == returned["id"]
    assert fields["percent_complete"] == "50"
    assert fields["link_url"] == "https://a.b/old"
    await send(planned, form_of(1), fields | {"link_kind": ""})
    assert (await reports(planned, 1))[0]["resubmits"] == returned["id"]
    late = await send(planned, form_of(1), fields | {"key": "another"}, status=409)
    assert "The returned report was answered meanwhile" in late.text


async def test_whoever_may_not_report_sees_no_form(planned: Institution) -> None:
    page = await show(planned, form_of(1), planned.verifier)
    assert "You may read here, but not report." in page
    assert '<form class="stacked' not in page
    assert ">My milestones</a></li>" not in page, "nor is it in the navigation"
    assert ">Verification</a></li>" in page
    refused = await send(planned, form_of(1), {"key": "k"}, client=planned.verifier, status=403)
    assert refused.headers["content-type"].startswith("text/html")
    outsider = await planned.person("nobody-here")
    await show(planned, form_of(1), outsider, 404)
    await send(planned, form_of(1), {"key": "k"}, client=outsider, status=404)
    await show(planned, form_of(77), status=404)
    await outsider.aclose()


async def test_what_takes_no_report_says_so(planned: Institution) -> None:
    await planned.patch(
        "initiatives/QW-1/milestones/1", {"status": "dropped", "reason": "Not needed"}
    )
    assert "No report is taken here" in await show(planned, form_of(1))
    fields = {"key": "k", "percent_complete": "30"}
    answer = await send(planned, form_of(1), fields, status=409)
    assert "No report is taken here" in answer.text


@pytest.mark.parametrize("path", ["%00", "/units/a%00", "/initiatives/QW-1%00"])
async def test_no_page_has_a_nul_in_its_address(planned: Institution, path: str) -> None:
    address = f"/institutions/{planned.code}{path}"
    assert (await planned.reporter.get(address, headers=PAGE)).status_code == 404


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({"Content-Type": "multipart/form-data"}, b"--x--", 400),
        ({"Content-Type": "multipart/form-data; boundary=x; charset=undefined"}, b"--x--", 415),
        ({"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}, b"--x--", 415),
        ({"Content-Type": "multipart/form-data; boundary=x; charset=utf-8; charset=utf-7"},
         b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n+2AA-\r\n--x--\r\n', 422),
        ({"Content-Type": "multipart/form-data; boundary=x; charset=utf-8; charset=undefined"},
         b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\na\r\n--x--\r\n', 422),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"nothing of it", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"},
         b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\na\x00b\r\n--x--\r\n', 400),
        ({"Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": "k"},
         b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\na\r\n--x--\r\n', 422),
    ],
)  # fmt: skip
async def test_a_form_that_no_browser_sends_is_refused(
    planned: Institution, headers: Json, content: bytes, status: int
) -> None:
    answer = await planned.reporter.post(
        at(planned, form_of(1)), headers=PAGE | headers, content=content
    )
    assert answer.status_code == status, answer.text
