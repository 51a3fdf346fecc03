"""Reports to print: what a unit would report now, and what was frozen."""

import re
from hashlib import sha256
from uuid import UUID

import pytest
import rfc8785
from markupsafe import escape
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.charts import sentences
from app.db import Database
from app.languages import words
from app.models import FrozenReport
from app.models.base import new_id
from app.schemas.curves import Curve
from app.schemas.fields import Language
from app.web import stretches
from tests.support.institution import API, Institution, Json
from tests.web.test_initiatives import PAGE, shown

SAID = words(Language.EN)
ANEW = "The curve is not part of what was frozen"


@pytest.fixture
async def reported(institution: Institution) -> Institution:
    """An institution with two units, of which one is late, and has told more than was confirmed."""
    await institution.unit("a")
    await institution.unit("b")
    await institution.initiative("A-1", "a", milestones=[
        {"title": "Late step", "due_on": "2022-03-31"}, {"title": "Next step", "due_on": "2022-09-30"},
    ])  # fmt: skip
    await institution.initiative(
        "B-1", "b", milestones=[{"title": "Only step", "due_on": "2022-12-31"}]
    )
    await institution.verify(await institution.report("A-1", 1, 40, "2022-03-01"))
    await institution.report("B-1", 1, 30, "2022-04-01")
    await institution.post(
        "obstacles", {"unit": "a", "year": 2022, "title": "No room", "decision_asked": "Rent?"}
    )
    return institution


async def test_a_unit_reports_what_the_api_says_of_the_day(reported: Institution) -> None:
    asked = "year=2022&as_of=2022-06-30"
    page = await shown(reported, f"units/{reported.code}/report?{asked}")
    whole = await reported.rollup(year=2022, as_of="2022-06-30")
    for name in ("percent_complete", "percent_verified", "percent_scheduled"):
        assert f"<dd>{SAID.percent(whole[name])} " in page, name
    assert whole["milestones"]["overdue"] == 1
    gap = f"{SAID.number(whole['verification_gap'])} points are told and not confirmed yet"
    assert gap in page
    for child in (await reported.rollup(part="/children", year=2022, as_of="2022-06-30"))["items"]:
        assert f'<th scope="row">{child["unit_name"]}</th>' in page
        assert f'<td class="number">{SAID.percent(child["percent_complete"])}</td>' in page
    for told in ("year 2022", "as of 30 June 2022", "Late step", '<td class="number">91</td>',
                 "No room", "Rent?", "chart-s-curve"):  # fmt: skip
        assert told in page, told
    assert "which ones waited on 30 June 2022 is not kept" in page
    assert "1 wait for a decision; on " in page
    now = await shown(reported, f"units/{reported.code}/report?year=2022")
    assert "No room" in now
    assert "is not kept" not in now
    assert "1 wait for a decision</small>" in now
    assert "No room" not in await shown(reported, f"units/{reported.code}/report?year=2023")
    assert "Only step" not in page
    assert " style=" not in page
    assert "Nothing is overdue." in await shown(reported, f"units/b/report?{asked}")
    await shown(reported, "units/b/report?as_of=2199-01-01", 422)
    await shown(reported, "units/none/report", 404)


async def test_a_quarter_has_both_its_ends_and_what_moved_it(
    reported: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reported.post("periods/standard", {"year": 2022, "closes_by_itself": False})
    await reported.report("A-1", 2, 25, "2022-05-31")
    named = await shown(reported, f"units/{reported.code}/report?period=2022-B06")
    asked: Json = {"year": 2022, "from": "2022-03-31", "to": "2022-06-30", "level": "initiative"}
    moved = await reported.rollup(part="/changes", **asked)
    assert moved["items"]
    assert moved["change"]
    since = f"from {SAID.percent(moved['before'])}</small>"
    assert f"<dd>{SAID.points(moved['change'])} <small>points since 31 Mar 2022, {since}" in named
    for told in ("B06 of 2022", "1 April 2022 to 30 June 2022", "as of 30 June 2022", "year 2022",
                 "Complete on 31 Mar 2022", "Complete on 30 Jun 2022"):  # fmt: skip
        assert told in named, told
    section = named[named.index("What moved it") :]
    for each in moved["items"]:
        cells = [
            SAID.percent(each["before"]),
            SAID.percent(each["after"]),
            SAID.points(each["change"]),
        ]
        row = "\n        ".join(f'<td class="number">{cell}</td>' for cell in cells)
        assert row in section, each
    for part in ("/children", "/areas"):
        # The areas tell no change of their own: of both days they tell what was reached.
        then = await reported.rollup(part=part, year=2022, as_of="2022-03-31")
        for before, after in zip(then["items"], (await reported.rollup(
            part=part, year=2022, as_of="2022-06-30"))["items"], strict=True):  # fmt: skip
            first, last = (each["percent_complete"] for each in (before, after))
            change = None if first is None else last - first
            cells = [SAID.percent(first), SAID.points(change), SAID.percent(last)]
            row = r"\s+".join(f'<td class="number">{re.escape(cell)}</td>' for cell in cells)
            assert re.search(row, named), (part, cells)
    # The same days by themselves say the same, of the same year.
    typed = "year=2022&since=2022-03-31&as_of=2022-06-30"
    days = await shown(reported, f"units/{reported.code}/report?{typed}")
    assert f"<dd>{SAID.points(moved['change'])} <small>points since 31 Mar 2022, {since}" in days
    assert "1 April 2022 to" not in days
    back = f"/units/{reported.code}?since=2022-03-31&amp;as_of=2022-06-30&amp;year=2022"
    assert f'{back}"' in named
    of_area = "period=2022-B06&area=accountability"
    served = await shown(reported, f"units/{reported.code}/report?{of_area}")
    assert f'{back}&amp;area=accountability"' in served
    # Without a day: since the last period that was over.
    assert "points since 30 Jun 2022" in await shown(reported, "units/a/report?as_of=2022-08-31")
    said = await shown(reported, "units/a/report?period=2022-B06", language="id")
    assert "Yang mengubahnya" in said
    await shown(reported, "units/a/report?period=2022-B07", 404)
    await shown(reported, "units/a/report?since=2022-07-01&as_of=2022-06-30", 422)
    answer = await reported.operator.get(
        f"{reported.path.removeprefix(API)}/units/a/report?period=2022-B06&since=2022-01-01&year=2022",
        headers=PAGE,
    )
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/report?period=2022-B06&year=2022")
    # Of very many, none is looked at.
    monkeypatch.setattr(stretches, "MOVABLE", 1)
    page = await shown(reported, f"units/{reported.code}/report?period=2022-B06")
    assert "What moved it" not in page
    assert since in page


async def test_a_period_that_has_not_begun_is_not_offered(
    reported: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it take the place of one that has."""
    monkeypatch.setattr(stretches, "_MOST_OFFERED", 4)
    await reported.post("periods", {
        "code": "first", "name": {"id": "Pertama", "en": "First ever"}, "year": 1900,
        "starts_on": "1900-01-01", "ends_on": "1900-03-31", "opens_on": "1900-03-31",
        "closes_on": "1900-04-30", "closes_by_itself": False,
    })  # fmt: skip
    await reported.post("periods/standard", {"year": 2198})
    page = await shown(reported, "units/a/report")
    assert "First ever" in page
    assert "of 2198" not in page
    await shown(reported, "units/a/report?period=2198-B03", 422)
    assert "No report between" in await shown(reported, "units/a/report?period=first")


async def test_a_report_of_an_area_is_of_what_serves_it(reported: Institution) -> None:
    await reported.initiative(
        "A-2", "a", areas=["oversight"], milestones=[{"title": "Watch", "due_on": "2022-02-28"}]
    )
    for day in ("", "&as_of=2022-06-30"):
        for unit in (reported.code, "a"):
            page = await shown(reported, f"units/{unit}/report?year=2022&area=oversight{day}")
            assert "Watch" in page
            assert "Late step" not in page
            assert "No room" not in page  # of the unit as a whole
            assert '<option value="oversight" selected>' in page
            other = await shown(reported, f"units/{unit}/report?year=2022&area=accountability{day}")
            assert "Watch" not in other
            assert "Late step" in other
    overview = await shown(reported, "units/a?year=2022&area=oversight")
    assert "/units/a/report?year=2022&amp;area=oversight" in overview


def _without_curve(session: Session, report_id: UUID, content: Json) -> UUID:
    kept = session.scalars(select(FrozenReport).where(FrozenReport.id == report_id)).one()
    columns = {each.name: getattr(kept, each.name) for each in inspect(FrozenReport).columns
               if each.name != "content"}  # fmt: skip
    made = new_id()
    text = rfc8785.dumps(content | {"id": str(made)})
    digest = sha256(text).hexdigest()
    session.add(FrozenReport(**columns | {"id": made, "digest": digest, "content": text.decode()}))
    return made


async def test_a_frozen_report_tells_what_was_told(
    reported: Institution, database: Database
) -> None:
    new = {"title": "Third <quarter>", "unit": "a", "year": 2022, "as_of": "2022-09-30"}
    first = await reported.post("reports", new)
    await reported.report("A-1", 1, 100, "2022-03-02")
    page = await shown(reported, f"reports/{first['id']}")
    told = (await reported.get(f"reports/{first['id']}"))["content"]["rollup"]
    assert (
        told["percent_complete"]
        != (await reported.rollup("a", year=2022, as_of="2022-09-30"))["percent_complete"]
    )
    assert f"<dd>{SAID.percent(told['percent_complete'])} " in page
    for shows in ("Third &lt;quarter&gt;", first["digest"], "Late step"):
        assert shows in page, shows
    assert ANEW not in page
    content = (await reported.get(f"reports/{first['id']}"))["content"]
    kept = Curve.model_validate(content.pop("curve"))
    asked = {"year": 2022, "as_of": "2022-09-30", "to": kept.points[-1].on.isoformat()}
    live = Curve.model_validate(await reported.rollup("a", "/s-curve", **asked))
    assert escape(sentences.curve(kept, SAID)) in page
    assert escape(sentences.curve(live, SAID)) not in page
    # As releases before kept it.
    older = await database.write(_without_curve, UUID(first["id"]), content)
    page = await shown(reported, f"reports/{older}")
    assert ANEW in page
    assert escape(sentences.curve(live, SAID)) in page
    assert escape(sentences.curve(kept, SAID)) not in page
    second = await reported.post("reports", new | {"supersedes": first["id"]})
    page = await shown(reported, f"reports/{first['id']}")
    assert f'<a href="/institutions/{reported.code}/reports/{second["id"]}">' in page
    assert "superseded" in await shown(reported, "units/a/report")
    await shown(reported, "reports/00000000-0000-0000-0000-000000000000", 404)
    await shown(reported, "reports/third", 404)


async def test_a_report_is_for_those_who_see_its_unit(reported: Institution) -> None:
    viewer = await reported.person("viewer", "viewer", "b")
    whole = await reported.post("reports", {"title": "All"})
    own = await reported.post("reports", {"title": "Own", "unit": "b"})
    await shown(reported, f"reports/{own['id']}", client=viewer)
    await shown(reported, "units/b/report", client=viewer)
    await shown(reported, f"reports/{whole['id']}", 404, viewer)
    await shown(reported, "units/a/report", 404, viewer)
    await viewer.aclose()
