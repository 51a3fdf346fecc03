"""Pages: who gets them, in which language, and what stands in their addresses."""

import pytest

from app.web.pages import SECURITY
from tests.conftest import Clients
from tests.support.institution import API, Institution, Json

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("header", "language", "word"),
    [("en-GB,en;q=0.9", "en", "Forecast finish"), ("id", "id", "Perkiraan selesai"),
     ("fr", "id", "Perkiraan selesai")],
)  # fmt: skip
async def test_a_page_speaks_the_readers_language(
    institution: Institution, header: str, language: str, word: str
) -> None:
    address = institution.path.removeprefix(API)
    answer = await institution.operator.get(address, headers=PAGE | {"Accept-Language": header})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert word in answer.text


async def test_a_page_runs_nothing_but_our_own_files(institution: Institution) -> None:
    answer = await institution.operator.get(institution.path.removeprefix(API), headers=PAGE)
    assert answer.headers["content-security-policy"] == SECURITY
    assert "unsafe" not in SECURITY
    text = answer.text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    for forbidden in (
        " style=",
        "<style",
        "<script>",
        " onclick=",
        "javascript:",
        "http://",
        "https://",
    ):
        assert forbidden not in text


async def test_what_a_form_leaves_empty_does_not_stay_in_the_address(
    institution: Institution,
) -> None:
    address = institution.path.removeprefix(API)
    answer = await institution.operator.get(f"{address}?year=2022&area=&as_of=", headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{address}?year=2022"


async def test_an_error_is_a_page_for_people_and_a_problem_for_programs(clients: Clients) -> None:
    for path in ("/institutions/none", "/nowhere"):
        page = await clients.operator.get(path, headers=PAGE | {"Accept-Language": "en"})
        assert page.status_code == 404
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "There is nothing at this address that you may see." in page.text
        problem = await clients.operator.get(path, headers={"Accept": "*/*"})
        assert problem.status_code == 404
        assert problem.json()["code"] == "not_found"
    problem = await clients.operator.get(f"{API}/nowhere", headers=PAGE)
    assert problem.json()["code"] == "not_found"


async def test_names_are_text_and_never_markup(institution: Institution) -> None:
    name = '<script>alert(1)</script> & "Sons"'
    made = await institution.operator.post(
        f"{institution.path}/units", json={"code": "odd", "name": name}
    )
    assert made.status_code == 201
    page = await institution.operator.get(
        f"{institution.path.removeprefix(API)}/units/odd", headers=PAGE
    )
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;Sons&#34;" in page.text


async def test_an_overview_shows_the_numbers_of_the_rollup(institution: Institution) -> None:
    await institution.post("units", {"code": "a", "name": "Alpha"})
    await institution.post("people", {"code": "owner", "name": "Owner"})
    await institution.post("initiatives", {
        "code": "qw", "title": "One door", "unit": "a", "year": 2022, "status": "active",
        "areas": ["public-service"], "owners": [{"person": "owner", "role": "accountable"}],
        "milestones": [{"title": "Open it", "due_on": "2022-03-31"},
                       {"title": "Never due", "due_on": "2190-01-01"}],
    })  # fmt: skip
    await institution.post("initiatives/qw/milestones/1/updates", {"percent_complete": 12.5})
    await institution.post("obstacles", {
        "initiative": "qw", "title": "No server", "severity": "high",
        "decision_asked": "Rent one?",
    })  # fmt: skip
    rollup = await institution.get("rollup")
    assert rollup["percent_complete"] == 6.25
    page = await institution.operator.get(
        institution.path.removeprefix(API), headers=PAGE | {"Accept-Language": "id"}
    )
    for shown in (
        "6,25%", ">Alpha</a>", "Open it", "No server", "Rent one?", 'role="img"',
        f"/institutions/{institution.code}/units/a",
    ):  # fmt: skip
        assert shown in page.text, shown
    assert "Never due" not in page.text  # neither late nor soon
    past = await institution.operator.get(
        f"{institution.path.removeprefix(API)}?as_of=2022-01-01&sort=-name", headers=PAGE
    )
    assert "Open it" not in past.text  # lists are of today
    assert 'aria-sort="descending"' in past.text
    unit = await institution.operator.get(
        f"{institution.path.removeprefix(API)}/units/a?year=2022", headers=PAGE
    )
    assert (
        f'<a href="/institutions/{institution.code}/units/{institution.code}?year=2022">'
        in unit.text
    )


async def test_what_waits_is_what_the_figure_counts(institution: Institution) -> None:
    await institution.unit("a")
    await institution.initiative("qw", "a")
    await institution.initiative("idle", "a", status="proposed", owners=[])
    await institution.initiative("late", "a", year=2023, areas=["oversight"])
    asked: list[tuple[str, Json]] = [
        ("No server", {"initiative": "qw"}), ("Too early", {"initiative": "idle"}),
        ("No law", {"initiative": "late"}), ("No room", {"unit": "a", "year": 2022}),
    ]  # fmt: skip
    for title, of in asked:
        await institution.post("obstacles", of | {"title": title, "decision_asked": "Which?"})
    address = f"{institution.path.removeprefix(API)}/units/a"
    views: list[tuple[Json, set[str]]] = [
        ({}, {"No server", "No law", "No room"}),
        ({"year": 2022}, {"No server", "No room"}),
        ({"year": 2023}, {"No law"}),
        ({"area": "accountability"}, {"No server"}),
        ({"area": "oversight"}, {"No law"}),
        ({"year": 2022, "area": "oversight"}, set()),
    ]
    for query, shown in views:
        page = await institution.operator.get(
            address, params=query, headers=PAGE | {"Accept-Language": "en"}
        )
        every = {"No server", "Too early", "No law", "No room"}
        assert {title for title in every if title in page.text} == shown, query
        told = (await institution.rollup("a", **query))["obstacles"]
        assert told["waiting"] == len(shown), query
        assert f"{len(shown)} wait for a decision</small>" in page.text, query
    for number in range(3):
        of = {"unit": "a", "year": 2022, "title": f"More {number}", "decision_asked": "Which?"}
        made = await institution.post("obstacles", of)
    owed = {"action": "Ask for a law", "due_on": "2022-02-01"}
    await institution.post(f"obstacles/{made['id']}/follow-ups", owed)
    page = await institution.operator.get(address, headers=PAGE | {"Accept-Language": "en"})
    assert "6 wait for a decision; open follow-ups: 1, overdue: 1</small>" in page.text
    assert "The first 5 of 6." in page.text
    assert f'href="{address}/report#waiting"' in page.text
    past = await institution.operator.get(
        f"{address}?as_of=2022-01-01", headers=PAGE | {"Accept-Language": "en"}
    )
    assert "6 wait for a decision; on " in past.text


@pytest.mark.parametrize(
    "query", ["as_of=2190-01-01", "as_of=x", "year=1", "area=none", "sort=colour", "colour=red"]
)
async def test_what_cannot_be_asked_is_a_page_that_says_so(
    institution: Institution, query: str
) -> None:
    page = await institution.operator.get(
        f"{institution.path.removeprefix(API)}?{query}", headers=PAGE
    )
    assert page.status_code == 422
    assert f"<code>{query.split('=', maxsplit=1)[0]}</code>" in page.text


@pytest.mark.parametrize(
    ("header", "language", "detail"),
    [("id-ID", "id", "as_of tidak boleh di masa depan."),
     ("en", "en", "as_of cannot be in the future."),
     (None, "en", "as_of cannot be in the future.")],
)  # fmt: skip
async def test_programs_are_answered_in_the_language_that_they_ask_for(
    institution: Institution, header: str | None, language: str, detail: str
) -> None:
    asked = {} if header is None else {"Accept-Language": header}
    answer = await institution.operator.get(
        f"{institution.path}/rollup?as_of=2190-01-01", headers=asked
    )
    assert answer.status_code == 422
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]
    assert answer.json()["errors"] == [
        {"parameter": "as_of", "code": "in_future", "detail": detail}
    ]
