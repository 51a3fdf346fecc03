"""Charts over HTTP: what the JSON says, for whom the JSON is, cached as the JSON is."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from app.charts.palette import DARK, LIGHT, Ink, sheet_source
from app.schemas.charts import Theme
from tests.conftest import Clients
from tests.support.institution import API, Institution

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("s-curve", "children", "badge")
ON: dict[str, Any] = {"as_of": "2022-06-18"}


async def with_a_plan(institution: Institution) -> Institution:
    """A unit with a plan from March to December, some of it earned; and an empty one."""
    await institution.unit("A")
    await institution.unit("B")
    plan = [{"title": "M", "due_on": f"2022-{day}"} for day in ("03-31", "06-30", "12-15")]
    await institution.initiative("QW-1", "A", weight=3, milestones=plan)
    await institution.verify(await institution.report("QW-1", 1, 100, "2022-03-20"))
    await institution.report("QW-1", 2, 50, "2022-06-01")
    return institution


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """An institution of its own for a test that changes it."""
    return await with_a_plan(institution)


@pytest.fixture(scope="module")
async def standing(shared: Institution) -> Institution:
    """An institution that the tests of a module look at."""
    return await with_a_plan(shared)


async def ask(
    institution: Institution, path: str, *, headers: Mapping[str, str] | None = None, **asked: Any
) -> httpx.Response:
    return await institution.operator.get(
        f"{institution.path}/{path}", params=asked, headers=headers or {}
    )


async def draw(institution: Institution, path: str, **asked: Any) -> Element:
    answer = await ask(institution, path, **asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml"
    root: Element = fromstring(answer.text)
    return root


def said(root: Element, part: str) -> str:
    (found,) = [e.text or "" for e in root.iter() if e.get("id") == f"chart-{part}"]
    return found


def points(root: Element, name: str) -> list[tuple[float, float]]:
    (line,) = [e for e in root.iter(f"{SVG}polyline") if e.get("id") == f"chart-{name}"]
    return [(float(x), float(y)) for x, _, y in (p.partition(",") for p in line.attrib["points"].split())]  # fmt: skip


async def test_a_curve_is_drawn_from_what_the_json_says(standing: Institution) -> None:
    root = await draw(standing, "units/A/rollup/s-curve.svg", **ON, language="en")
    told = await standing.rollup("A", "/s-curve", **ON, to="2022-12-15")  # the end of the plan
    assert said(root, "title") == "S-curve: Unit A"
    assert said(root, "desc") == (
        "18 Jun 2022: complete 50%, scheduled 33.33%, verified 33.33%. "
        "Planned finish: 15 Dec 2022. Forecast finish: 24 Dec 2022."
    )
    heights = {
        e.text: float(e.attrib["y"]) - 4
        for e in root.iter(f"{SVG}text")
        if e.text in {"0%", "100%"}
    }
    for name in ("planned", "earned", "verified"):
        values = [point[name] for point in told["points"] if point[name] is not None]
        zero, full = heights["0%"], heights["100%"]
        drawn = [(zero - y) / (zero - full) * 100 for _, y in points(root, name)]
        assert drawn == pytest.approx(values, abs=0.02)
    short = await draw(standing, "units/A/rollup/s-curve.svg", **ON, to="2022-06-18")
    assert len(points(short, "planned")) == 4
    empty = await draw(standing, "units/B/rollup/s-curve.svg", **ON, language="en")
    assert said(empty, "desc").startswith("18 Jun 2022: Nothing to measure yet.")


async def test_children_and_badges_say_what_the_json_says(standing: Institution) -> None:
    root = await draw(
        standing, "rollup/children.svg", **ON, sort="-percent_complete", language="en"
    )
    texts = [e.text for e in root.iter(f"{SVG}text")]
    assert [t for t in texts if t in {"Unit A", "Unit B"}] == ["Unit A", "Unit B"]
    told = (await standing.rollup(None, "/children", **ON))["items"]
    assert [f"{item['percent_complete']:g}%" for item in told if item["percent_complete"]] == [
        "50%"
    ]
    assert "50%" in texts
    assert {"On track", "Not measurable"} <= set(texts)
    one = await draw(standing, "rollup/children.svg", **ON, limit=1, language="id")
    assert "dan 1 unit kerja lagi" in [e.text for e in one.iter(f"{SVG}text")]
    badge = await draw(standing, "units/A/rollup/badge.svg", **ON, language="id")
    assert said(badge, "title") == "Unit A: 50% · Sesuai rencana"
    assert said(badge, "desc") == (
        "Unit A. 18 Jun 2022: capaian 50%, rencana 33,33%, terverifikasi 33,33%. Sesuai rencana."
    )
    childless = await draw(standing, "units/B/rollup/children.svg", **ON, language="en")
    assert "There are no units below." in [e.text for e in childless.iter(f"{SVG}text")]


async def test_a_chart_is_known_until_something_is_written(planned: Institution) -> None:
    for kind in KINDS:
        path = f"rollup/{kind}.svg"
        first = await ask(planned, path, **ON)
        known = {"If-None-Match": first.headers["etag"]}
        again = await ask(planned, path, headers=known, **ON)
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "vary", "content-security-policy", "cache-control"):
            assert again.headers[name] == first.headers[name]
        # Another language, theme or width is another drawing.
        for look in ({"language": "en"}, {"theme": "dark"}):
            other = await ask(planned, path, headers=known, **(ON | look))
            assert other.status_code == 200
        english = known | {"Accept-Language": "en"}
        assert (await ask(planned, path, headers=english, **ON)).status_code == 200
        assert (await ask(planned, path, **ON)).content == first.content
    await planned.report("QW-1", 2, 60, "2022-06-10")
    answer = await ask(planned, path, headers=known, **ON)
    assert answer.status_code == 200
    assert "53,33%" in answer.text


async def test_a_chart_speaks_the_readers_language(standing: Institution) -> None:
    path = "units/A/rollup/badge.svg"
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("en-GB, id;q=0.5", {}, "en"), ("fr", {}, "id"), ("en", {"language": "id"}, "id"),
    )  # fmt: skip
    for header, asked, expected in cases:
        answer = await ask(standing, path, headers={"Accept-Language": header}, **ON, **asked)
        assert answer.headers["content-language"] == expected
        varies = "Accept-Language" in answer.headers.get("vary", "")
        assert varies is not bool(asked)
        assert ("On track" in answer.text) is (expected == "en")


async def test_a_chart_brings_its_colours_and_nothing_else(standing: Institution) -> None:
    for theme in Theme:
        answer = await ask(standing, "rollup/s-curve.svg", theme=theme)
        assert answer.headers["content-security-policy"] == (
            f"default-src 'none'; style-src {sheet_source(theme)}; frame-ancestors 'none'"
        )
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert (LIGHT[Ink.EARNED] in answer.text) is (theme is not Theme.DARK)
        assert (DARK[Ink.EARNED] in answer.text) is (theme is not Theme.LIGHT)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"theme": "blue"}, "theme"), ({"language": "fr"}, "language"), ({"width": 279}, "width"),
        ({"width": "1_000"}, "width"), ({"from": "2022-02-01", "to": "2022-01-01"}, "from"),
        ({"until": "2022"}, "until"),
    ],
)  # fmt: skip
async def test_wrong_parameters_are_named(
    standing: Institution, asked: dict[str, Any], name: str
) -> None:
    answer = await ask(standing, "rollup/s-curve.svg", **asked)
    assert answer.status_code == 422
    assert [error["parameter"] for error in answer.json()["errors"]] == [name]


async def test_a_plan_of_a_lifetime_is_drawn_as_far_as_it_can_be(planned: Institution) -> None:
    await planned.initiative("QW-9", "B", milestones=[{"title": "M", "due_on": "2199-12-31"}])
    root = await draw(planned, "units/B/rollup/s-curve.svg", **ON, language="en")
    assert "Planned finish: 31 Dec 2199." in said(root, "desc")
    assert re.search(r"20[23]\d", " ".join(e.text or "" for e in root.iter(f"{SVG}text")))


async def opened(institution: Institution, public: dict[str, Any]) -> None:
    body = {"policy": {"public": public}}
    await institution.expect(200, "PATCH", institution.path, body, if_match="*")


async def test_any_page_may_show_what_is_public(planned: Institution, clients: Clients) -> None:
    at = f"{API}/public/institutions/{planned.code}"
    paths = [
        f"{at}{unit}/rollup/{kind}.svg"
        for unit in ("", "/units/A")
        for kind in ("s-curve", "badge")
    ]

    async def statuses() -> list[int]:
        return [(await clients.nobody.get(path)).status_code for path in paths]

    assert await statuses() == [404] * 4
    await opened(planned, {"units": True})
    assert await statuses() == [200] * 4
    answer = await clients.nobody.get(paths[0], headers={"Accept-Language": "en"})
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=60, must-revalidate"
    assert answer.headers["content-language"] == "id"  # whatever the header says
    assert "vary" not in answer.headers
    known = {"If-None-Match": answer.headers["etag"]}
    again = await clients.nobody.get(paths[0], headers=known)
    assert again.status_code == 304
    assert again.headers["content-security-policy"] == answer.headers["content-security-policy"]

    whole = await planned.rollup(None, "/s-curve", to="2022-12-15")
    root: Element = fromstring((await clients.nobody.get(paths[0])).text)
    assert len(points(root, "planned")) == len(whole["points"]) or date.today() > date(2022, 12, 15)  # noqa: DTZ011
    badge: Element = fromstring(
        (await clients.nobody.get(paths[3], params={"language": "en"})).text
    )
    assert said(badge, "title") == "Unit A: 50%"
    assert "scheduled 100%, verified 33.33%" in said(badge, "desc")

    await opened(planned, {"units": False})
    assert await statuses() == [200, 200, 404, 404]
    await opened(planned, {"units": True, "rollup": "published"})
    assert await statuses() == [404, 200, 404, 200]  # over time no such number is kept
    await opened(planned, {"units": True, "rollup": "none"})
    assert await statuses() == [404] * 4
    await planned.unit("A1", "A")
    await opened(planned, {"units": True})
    deeper = f"{at}/units/A1/rollup/badge.svg"
    assert (await clients.nobody.get(deeper)).status_code == 404
