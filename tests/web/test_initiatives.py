"""The pages of quick wins: the list by its address, one of them, and one milestone."""

import re
from urllib.parse import urlencode

import httpx
import pytest
from markupsafe import escape

from app.languages import words
from app.schemas.fields import Language
from app.schemas.initiatives import InitiativeFilter
from app.web import initiative, initiatives
from tests.support.institution import API, Institution, Json

PAGE = {"Accept": "text/html", "Accept-Language": "en"}


async def shown(
    institution: Institution,
    path: str,
    status: int = 200,
    client: httpx.AsyncClient | None = None,
    language: str = "en",
) -> str:
    """The page at a path below the institution."""
    answer = await (client or institution.operator).get(
        f"{institution.path.removeprefix(API)}/{path}", headers=PAGE | {"Accept-Language": language}
    )
    assert answer.status_code == status, answer.text
    return answer.text


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """An institution with two units, and three quick wins of one milestone each and one of three."""
    await institution.unit("a")
    await institution.unit("b")
    for code, unit, status in (
        ("A-1", "a", "active"),
        ("A-2", "a", "on_hold"),
        ("B-1", "b", "active"),
    ):
        await institution.initiative(code, unit, status=status, milestones=[
            {"title": "Only step", "due_on": "2022-03-31"},
        ])  # fmt: skip
    await institution.initiative("B-2", "b", title="Three steps", tags=["fast"], milestones=[
        {"title": "First", "due_on": "2022-03-31", "baseline_due_on": "2022-03-01"},
        {"title": "Second", "due_on": "2022-06-30", "weight": 2},
        {"title": "Third", "due_on": "2022-09-30", "weight": 4},
    ])  # fmt: skip
    return institution


def codes(page: str) -> list[str]:
    return re.findall(r'<small class="code">([^<]+)</small>', page)


async def test_the_list_is_what_its_address_says(planned: Institution) -> None:
    assert codes(await shown(planned, "initiatives")) == ["A-1", "A-2", "B-1", "B-2"]
    page = await shown(
        planned, "initiatives?unit=a&status=active&status=on_hold&sort=-code&year=2022"
    )
    assert codes(page) == ["A-2", "A-1"]
    assert "2 initiatives" in page
    for kept in (
        '<option value="a" selected>', 'value="on_hold" checked', 'value="2022"',
        '<option value="-code" selected>',
        f"{planned.path}/exports/initiatives.csv?unit=a&amp;status=active&amp;status=on_hold&amp;year=2022",
    ):  # fmt: skip
        assert kept in page, kept
    assert codes(await shown(planned, "initiatives?q=three&tag=fast&overdue=true")) == ["B-2"]
    assert "No initiative that you may see" in await shown(planned, "initiatives?health=completed")


async def test_what_the_form_has_no_field_for_stays_and_can_be_taken_away(
    planned: Institution,
) -> None:
    since = "updated_since=2022-01-01T00:00:00Z"
    page = await shown(planned, f"initiatives?unit=a&unit=b&{since}&status=active")
    assert '<input type="hidden" name="updated_since" value="2022-01-01T00:00:00Z">' in page
    assert '<input type="hidden" name="unit" value="b">' in page
    assert "Unit: Unit b <span" in page
    address = f"{planned.path.removeprefix(API)}/initiatives"
    kept = "updated_since=2022-01-01T00%3A00%3A00Z"
    assert f'href="{address}?unit=a&amp;unit=b&amp;{kept}"' in page  # without the status
    assert f'href="{address}?unit=a&amp;{kept}&amp;status=active"' in page


async def test_every_filter_has_a_field_and_a_name(planned: Institution) -> None:
    assert set(initiatives.LABELS) == set(InitiativeFilter.model_fields)
    values = {
        "status": "active", "health": "on_track", "rating": "amber_red", "kind": "quick_win",
        "origin": "mandated", "due_after": "2022-01-01", "due_before": "2022-12-31",
        "due_within": "9", "updated_since": "2022-01-01T00:00:00Z", "year": "2022",
        "owner": "reporter", "unit": "a",
    } | dict.fromkeys(("subtree", "overdue", "stale", "rating_differs", "has_verdict"), "false")  # fmt: skip
    asked = {name: values.get(name, "x") for name in initiatives.LABELS}
    for language, shows in (
        (Language.EN, ("Owner&#39;s code: Reporter <", "Judged confidence: Amber-red", "With all units below: No <")),
        (Language.ID, ("Kode penanggung jawab: Reporter <", "Termasuk semua unit kerja di bawahnya: Tidak <")),
    ):  # fmt: skip
        page = await shown(planned, f"initiatives?{urlencode(asked)}", language=language)
        for name, label in initiatives.LABELS.items():
            said = escape(words(language).gettext(label))
            assert f'name="{name}"' in page, name
            if name not in {"q", "unit", "area", "year"}:
                assert f">{said}: " in page, name
        for each in shows:
            assert each in page, each


async def test_pages_of_the_list_lead_onwards_and_back(planned: Institution) -> None:
    first = await shown(planned, "initiatives?limit=3")
    assert codes(first) == ["A-1", "A-2", "B-1"]
    assert "Initiatives found" in first
    onwards = re.search(r'rel="next" href="([^"]+)"', first)
    assert onwards is not None
    following = onwards[1].replace("&amp;", "&").rpartition("/")[2]
    second = await shown(planned, following)
    assert codes(second) == ["B-2"]
    assert 'rel="next"' not in second
    assert f'rel="first" href="{planned.path.removeprefix(API)}/initiatives?limit=3"' in second
    assert "4 initiatives" in await shown(planned, "initiatives?limit=3&include_total=true")


@pytest.mark.parametrize("asked", ["nope=1", "year=late", "sort=colour", "status=gone", "cursor=x"])
async def test_a_wrong_filter_is_named(institution: Institution, asked: str) -> None:
    page = await shown(institution, f"initiatives?{asked}", 422)
    assert f"<code>{asked.partition('=')[0]}</code>" in page


async def test_a_quick_win_is_told_with_the_numbers_of_the_api(planned: Institution) -> None:
    update = await planned.report("B-2", 3, 62.5, "2022-05-05")
    await planned.report("B-2", 2, 50, "2022-05-06")
    await planned.verify(update, note="<b>seen</b>")
    await planned.patch("initiatives/B-2", {"due_on": "2022-12-30", "description": "2023-02-30"})
    await planned.patch("initiatives/B-2/milestones/1", {"due_on": "2022-04-10", "reason": "Rain"})
    await planned.post(
        "obstacles", {"initiative": "B-2", "title": "No server", "decision_asked": "Lend one?"}
    )
    await planned.post("initiatives/B-2/dependencies", {"predecessor": "A-1"})
    await planned.post("initiatives/B-2/publications", {"title": "In the papers"})
    page = await shown(planned, "initiatives/B-2")
    found = await planned.get("initiatives/B-2")
    explained = await planned.get("initiatives/B-2/rollup/explain")
    said = words(Language.EN)
    assert f"<dd>{said.percent(found['percent_complete'])}</dd>" in page
    assert 0 < found["percent_verified"] < found["percent_complete"]
    assert f"<dd>{said.percent(found['percent_verified'])}</dd>" in page
    assert adds_up(page, explained)
    assert "chart-timeline" in page
    for told in (
        "Reporter", "&lt;b&gt;seen&lt;/b&gt;", "No server", "Waits for a decision", "Lend one?", "Waits for",
        "In the papers", '<td class="number">40</td>',  # slippage in days
        "Due on: <del>31 Mar 2022</del> → <ins>10 Apr 2022</ins>", "Rain",
        "Description: <del>–</del> → <ins>2023-02-30</ins>", "Report verified",
    ):  # fmt: skip
        assert told in page, told
    for forbidden in (" style=", "<style", "<script>", "http://", "<b>seen"):
        assert forbidden not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "Asal angka ini" in await shown(planned, "initiatives/B-2", language="id")


def adds_up(page: str, explained: Json) -> bool:
    """Whether the integers of the terms on a page are the API's, and sum up to those of the foot."""
    rows = re.findall(
        r'<th scope="row">[^<]*</th>\s*(?:<td class="number">[^<]*</td>\s*){3}'
        r'<td class="number">([\d,]+)</td>\s*<td class="number">([\d,]+)</td>', page,
    )  # fmt: skip
    numbers = [tuple(int(text.replace(",", "")) for text in row) for row in rows]
    terms = [(each["values"]["bac"], each["values"]["earned_value"]) for each in explained["items"]]
    whole = tuple(map(sum, zip(*terms, strict=True)))
    assert whole == (explained["values"]["bac"], explained["values"]["earned_value"])
    return numbers == [*terms, whole] and whole[1] > 0


async def test_both_baselines_are_shown_and_named(planned: Institution) -> None:
    once = await shown(planned, "initiatives/B-2")
    assert "First agreed day" not in once
    assert "Agreed day</th>" in once
    await planned.post("initiatives/B-2/baselines", {"reason": "Agreed on"})
    await planned.patch("initiatives/B-2/milestones/2", {"due_on": "2022-07-10", "reason": "Rain"})
    await planned.post("initiatives/B-2/baselines", {"reason": "Agreed on anew"})
    await planned.patch("initiatives/B-2/milestones/2", {"due_on": "2022-07-15", "reason": "More"})
    found = (await planned.get("initiatives/B-2"))["plan"][1]
    assert (found["slippage_days"], found["current_slippage_days"]) == (15, 5)
    page = await shown(planned, "initiatives/B-2")
    for told in ("First agreed day</th>", "Newest agreed day</th>", "First agreed day</text>"):
        assert told in page, told
    cells = [
        f'<td class="number">{each}</td>' for each in ("30 Jun 2022", "15", "10 Jul 2022", "5")
    ]
    assert "".join(cells) in re.sub(r">\s+<", "><", page)
    page = await shown(planned, "initiatives/B-2/milestones/2")
    assert "first agreed: 30 Jun 2022; newest: 10 Jul 2022" in page


async def test_history_is_for_those_who_may_read_events_and_goes_back(
    planned: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(initiative, "_EVENTS", 2)
    for weight in (2, 3, 4):
        await planned.patch("initiatives/A-1", {"weight": weight})
    page = await shown(planned, "initiatives/A-1")
    assert "Weight: <del>3</del> → <ins>4</ins>" in page
    assert "<del>1</del>" not in page
    older = re.search(r'href="[^"]*/(initiatives/A-1\?history=\d+)#history"', page)
    assert older is not None
    page = await shown(planned, older[1])
    assert "Weight: <del>1</del> → <ins>2</ins>" in page
    assert "<ins>4</ins>" not in page
    assert "Back to the newest" in page


async def test_a_page_has_what_its_reader_may_see(planned: Institution) -> None:
    viewer = await planned.person("viewer", "viewer", "a")
    await planned.verify(await planned.report("A-1", 1, 40, "2022-02-01"), note="Seen there")
    rating = {"rating": "red", "reason": "No server"}
    await planned.post("initiatives/A-1/ratings", rating)
    await planned.patch("initiatives/A-1", {"weight": 7})
    page = await shown(planned, "initiatives/A-1", client=viewer)
    assert (await viewer.get(f"{planned.path}/events")).status_code == 403
    history = re.sub(r"\s+", " ", page.partition('id="history"')[2])
    order = [
        "Confidence judged</strong> Red: appears unachievable",
        "No server</p>",
        "Report verified</strong> Milestone 1 40% <small>verifier · ",
        "Seen there</p>",
        "Progress reported</strong> Milestone 1 40% <small>reporter · ",
        "Initiative created</strong>",
    ]
    assert [each for each in order if each not in history] == []
    assert sorted(order, key=history.index) == order
    assert "to those who may read events" in history
    assert "<ins>" not in history, "what changed otherwise is for those who may read events"
    assert "to those who may read events" not in await shown(planned, "initiatives/A-1")
    assert "Test</a>" not in page  # the root, which they do not see
    await shown(planned, "initiatives/B-1", 404, viewer)
    await shown(planned, "initiatives/B-1/milestones/1", 404, viewer)
    assert codes(await shown(planned, "initiatives", client=viewer)) == ["A-1", "A-2"]
    await viewer.aclose()


async def test_the_way_back_keeps_what_the_overview_was_asked_for(planned: Institution) -> None:
    base = planned.path.removeprefix(API)
    view = "year=2022&area=accountability&as_of=2022-06-30&since=2022-03-31"
    kept = view.replace("&", "&amp;")
    top = await shown(planned, f"units/{planned.code}?{view}")
    assert f'href="{base}/units/a?{kept}"' in top
    assert 'name="since" value="2022-03-31"' in top
    assert ">Since 31 Mar 2022</a>" in top
    assert f'href="{base}/units/{planned.code}?{kept}"' in await shown(planned, f"units/a?{view}")
    page = await shown(planned, f"initiatives/A-1?{view}")
    for way in (f"units/{planned.code}", "units/a", "initiatives/A-1/milestones/1"):
        assert f'href="{base}/{way}?{kept}"' in page, way
    page = await shown(planned, f"initiatives/A-1/milestones/1?{view}")
    for way in ("units/a", "initiatives/A-1"):
        assert f'href="{base}/{way}?{kept}"' in page, way
    assert "This page is of today, " in page
    assert "is of 30 June 2022." in page
    assert "This page is of today" not in await shown(planned, "initiatives/A-1/milestones/1")
    page = await shown(planned, "initiatives?year=2022&status=active")
    for way in ("units/a", "initiatives/A-1"):
        assert f'href="{base}/{way}?year=2022"' in page, way
    page = await shown(planned, "initiatives?year=2022&year=2023&area=accountability")
    assert f'href="{base}/units/a?area=accountability"' in page, "no overview is of two years"
    due = await shown(planned, "units/a?year=2022&since=2022-03-31")
    assert f'href="{base}/initiatives/A-1?year=2022&amp;since=2022-03-31"' in due
    await shown(planned, "initiatives/A-1?as_of=soon", 422)


async def test_change_is_headed_by_the_period_or_the_day(planned: Institution) -> None:
    top = f"units/{planned.code}"
    assert ">Since " not in await shown(planned, top)
    await planned.post("periods", {
        "code": "B03", "name": {"id": "B03", "en": "B03"}, "year": 2022, "starts_on": "2022-01-01",
        "ends_on": "2022-03-31", "opens_on": "2022-03-25", "closes_on": "2022-04-10",
    })  # fmt: skip
    assert ">Since B03</a>" in await shown(planned, top)
    page = await shown(planned, f"{top}?since=2022-05-31")
    assert ">Since 31 May 2022</a>" in page
    assert ">Since B03" not in page


async def test_a_milestone_has_all_its_reports_the_newest_first(planned: Institution) -> None:
    returned = await planned.report("A-1", 1, 20, "2022-02-01")
    await planned.verify(returned, "returned", "Where is the list?")
    await planned.report("A-1", 1, 40, "2022-02-02")
    page = await shown(planned, "initiatives/A-1/milestones/1")
    reports = re.findall(r'<p class="line"><strong>([^<]+)</strong>', page)
    assert reports == ["40%", "20%"]
    assert "Where is the list?" in page
    assert f'href="{planned.path.removeprefix(API)}/initiatives/A-1/milestones/1/report"' in page
    onwards = await shown(planned, "initiatives/A-1/milestones/1?limit=1")
    assert re.findall(r'<p class="line"><strong>([^<]+)</strong>', onwards) == ["40%"]
    assert 'rel="next"' in onwards
    await shown(planned, "initiatives/A-1/milestones/2", 404)
    await shown(planned, "initiatives/nothing", 404)
