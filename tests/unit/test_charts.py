"""Charts: what is drawn is what was told, in words too, and can be seen by everybody."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

import app
from app.charts import comparisons, curves, plans, rollups
from app.charts.letters import ELLIPSIS, fit, measure, wrap
from app.charts.palette import DARK, LIGHT, Ink, page_sheet, sheet, sheet_source
from app.charts.paper import Look
from app.charts.scales import Days, Span, apart, flow
from app.languages import words
from app.schemas import rollups as wire
from app.schemas.charts import NARROWEST, WIDEST, Theme
from app.schemas.comparisons import ComparedRollup, RollupChildren
from app.schemas.curves import Curve, CurvePoint, OnTime
from app.schemas.fields import Health, Interval, Language, MilestoneStatus, Names, Technique
from app.schemas.milestones import Milestone
from app.schemas.stages import Stage

SVG = "{http://www.w3.org/2000/svg}"
ID, EN = words(Language.ID), words(Language.EN)
NOON = datetime(2022, 1, 1, 12, tzinfo=UTC)
HOSTILE = "</title><script>alert(1)</script> & \"'\ufffe"
LONG = "Komisi Independen Pemilihan Kabupaten Aceh Barat Daya " * 6


def curve(**changes: Any) -> Curve:
    """A plan from March to December, as it stands in the middle of June."""
    values = [
        ("2022-03-31", 10.0, 12.5, 8.0), ("2022-04-30", 20.0, 18.25, 8.0),
        ("2022-05-31", 35.0, 30.0, 22.0), ("2022-06-18", 53.17, 44.02, 35.87),
        ("2022-06-30", 60.0, None, None), ("2022-12-31", 100.0, None, None),
    ]  # fmt: skip
    fields: dict[str, Any] = {
        "institution": "kpu", "unit": "32", "unit_name": "Jawa Barat", "year": 2022, "area": None,
        "as_of": "2022-06-18", "version": 7, "interval": Interval.MONTH,
        "points": [
            CurvePoint(on=date.fromisoformat(on), planned=planned, earned=earned, verified=verified)
            for on, planned, earned, verified in values
        ],
        "planned_start_on": "2022-03-20", "planned_finish_on": "2022-12-15", "earned_schedule": 3.5,
        "actual_time": 3.6, "spi_t": 0.9722, "forecast_finish": "2023-01-14", "reason": None,
        "on_time": OnTime(due=3, met=2, percent=66.67),
    }  # fmt: skip
    return Curve(**fields | changes)


def empty(**changes: Any) -> Curve:
    """Where nothing is measurable."""
    nothing = CurvePoint(on=date(2022, 6, 18), planned=None, earned=None, verified=None)
    gone = {"planned_start_on": None, "planned_finish_on": None, "forecast_finish": None}
    return curve(points=[nothing], reason="no_plan", **gone, **changes)


def with_earned(value: float) -> Curve:
    points = [
        point.model_copy(update={"earned": value, "verified": value}) if point.earned else point
        for point in curve().points
    ]
    return curve(points=points)


def rollup(code: str, complete: float | None, **changes: Any) -> dict[str, Any]:
    """Fields of a roll-up."""
    return {
        "institution": "kpu", "unit": code, "unit_name": f"Unit {code}", "year": 2022, "area": None,
        "as_of": date(2022, 6, 18), "version": 7, "percent_complete": complete,
        "percent_verified": None if complete is None else complete / 2,
        "percent_scheduled": None if complete is None else 53.17,
        "schedule_variance": None, "schedule_performance_index": None,
        "health": Health.NOT_MEASURABLE if complete is None else Health.AT_RISK, "weight": 1,
        "coverage": wire.Coverage(initiatives=1, measured=1, percent=100),
        "initiatives": wire.InitiativeTotals(total=1, active=1, on_hold=0, completed=0, unmeasured=0),
        "milestones": wire.MilestoneTotals(total=1, done=0, overdue=0, due_next_30_days=0),
        "reason": None, **changes,
    }  # fmt: skip


PARENT = wire.Rollup(**rollup("32", 44.02, health=Health.ON_TRACK))


def children(*percents: float | None, **changes: Any) -> RollupChildren:
    compared: dict[str, Any] = {
        "share_of_parent": None, "change": None, "comparable": True, "not_comparable": None,
        "rank": None,
    }  # fmt: skip
    return RollupChildren(
        items=[
            ComparedRollup(**rollup(str(place), percent, **changes), **compared)
            for place, percent in enumerate(percents)
        ]
    )


def milestone(number: int, due: str, **changes: Any) -> Milestone:
    fields: dict[str, Any] = {
        "id": UUID(int=number), "number": number, "title": f"Tahap {number}", "description": None,
        "weight": 1, "technique": Technique.PERCENT, "due_on": due, "baseline_due_on": None,
        "first_baseline_due_on": None, "slippage_days": None, "current_slippage_days": None,
        "percent_complete": 0, "percent_verified": 0, "status": MilestoneStatus.PENDING,
        "done_on": None, "share": 25, "overdue_days": 0, "reports": 0, "created_at": NOON,
        "updated_at": NOON, "version": 1,
    }  # fmt: skip
    return Milestone(**fields | changes)


PLAN = [
    milestone(1, "2022-03-31", status=MilestoneStatus.DONE, done_on="2022-04-12",
              baseline_due_on="2022-02-28"),
    milestone(2, "2022-06-01"),
    milestone(3, "2022-09-30", status=MilestoneStatus.IN_PROGRESS, baseline_due_on="2022-09-30"),
    milestone(4, "2022-12-15"),
    milestone(5, "2023-12-15", status=MilestoneStatus.DROPPED),
]  # fmt: skip
STAGES = [
    Stage(id=UUID(int=n), code=code, calendar="pemilu-2024", name=Names(id=f"Masa {code}", en=code),
          starts_on=date.fromisoformat(start), ends_on=date.fromisoformat(end), basis=None,
          source_url=None, created_at=NOON, updated_at=NOON, version=1)
    for n, (code, start, end) in enumerate([
        ("planning", "2022-06-14", "2024-06-14"), ("registration", "2022-07-29", "2022-12-13"),
        ("vote", "2024-02-14", "2024-02-14"),
    ])
]  # fmt: skip
TODAY = date(2022, 6, 18)
DRAWN: dict[str, Callable[..., str]] = {
    "s-curve": lambda said, look: curves.s_curve(curve(), said, look),
    "nothing": lambda said, look: curves.s_curve(empty(), said, look),
    "one point": lambda said, look: curves.s_curve(curve(points=curve().points[3:4]), said, look),
    "finished": lambda said, look: curves.s_curve(with_earned(100.0), said, look),
    "not begun": lambda said, look: curves.s_curve(
        curve(as_of="2021-01-01", points=[
            p.model_copy(update={"earned": None, "verified": None}) for p in curve().points
        ], forecast_finish=None, reason="plan_not_begun"), said, look),
    "in a lifetime": lambda said, look: curves.s_curve(
        curve(forecast_finish="2098-01-01", unit_name=LONG), said, look),
    "hostile": lambda said, look: curves.s_curve(curve(unit_name=HOSTILE), said, look),
    "a century": lambda said, look: curves.s_curve(
        curve(points=[curve().points[0].model_copy(update={"on": date(1900, 1, 1)}),
                      *curve().points]), said, look),
    "children": lambda said, look: comparisons.children(
        PARENT, children(100.0, 44.02, 0.0, None), said, look),
    "long names": lambda said, look: comparisons.children(
        PARENT, children(12.5, 7.0, unit_name=LONG), said, look),
    "many": lambda said, look: comparisons.children(
        PARENT, children(*[n / 6 for n in range(514)]), said, look, 40),
    "childless": lambda said, look: comparisons.children(PARENT, children(), said, look),
    "badge": lambda said, look: rollups.badge(PARENT, said, look),
    "empty badge": lambda said, look: rollups.badge(
        wire.Rollup(**rollup("x", None, unit_name=LONG)), said, look),
    "timeline": lambda said, look: plans.timeline("Judul", PLAN, STAGES, TODAY, said, look),
    "no plan": lambda said, look: plans.timeline("Judul", [], STAGES, TODAY, said, look),
}  # fmt: skip


def each(root: Element, name: str) -> list[Element]:
    return list(root.iter(f"{SVG}{name}"))


def told(root: Element) -> tuple[str, str]:
    """The alternative text: what `aria-labelledby` names."""
    ids = root.attrib["aria-labelledby"].split()
    found = [e.text or "" for key in ids for e in root.iter() if e.get("id") == key]
    title, description = found
    return title, description


def numbers(element: Element) -> Iterator[float]:
    for key in ("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "width", "height", "points"):
        yield from map(float, re.split("[ ,]", element.get(key) or "0"))


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("width", [NARROWEST, 720])
def test_every_chart_is_whole(name: str, width: int) -> None:
    """Well-formed, the same bytes again, told in both languages, nothing outside of the paper."""
    spoken = []
    for said in (ID, EN):
        look = Look(width, Theme.AUTO)
        text = DRAWN[name](said, look)
        assert text == DRAWN[name](said, look)
        root = fromstring(text)
        assert root.tag == f"{SVG}svg"
        assert root.get("role") == "img"
        spoken.append(told(root))
        assert all(spoken[-1])
        assert "<script" not in text
        _, _, wide, high = map(float, root.attrib["viewBox"].split())
        assert (root.get("width"), root.get("height")) == (f"{wide:g}", f"{high:g}")
        for element in root.iter():
            for number in numbers(element):
                assert -1 <= number <= max(wide, high) + 1
        for element in each(root, "text"):
            size, shown = float(element.attrib["font-size"]), element.text or ""
            room = measure(shown, size) / 1.06  # without what is added for safety
            x = float(element.attrib["x"])
            before = {"start": 0.0, "middle": room / 2, "end": room}
            left = x - before[element.get("text-anchor", "start")]
            assert left >= -2, shown
            assert left + room <= wide + 2, shown
    if name not in {"empty badge", "empty bar"}:
        assert spoken[0] != spoken[1]


@pytest.mark.parametrize("name", DRAWN)
def test_a_page_can_hold_every_chart(name: str) -> None:
    """Its policy allows no style of a chart's own, so classes say it all; ids do not collide."""
    rules = set(re.findall(r"\.(chart[a-z-]*)", page_sheet()))
    text = DRAWN[name](ID, Look(inline=True, name="first"))
    root = fromstring(text)
    for element in root.iter():
        assert element.tag != f"{SVG}style"
        assert "style" not in element.attrib
        assert element.get("id", "first").startswith("first")
        if element is not root:
            assert set(element.get("class", "").split()) <= rules
        for key, value in element.attrib.items():
            assert not key.startswith("on")
            assert "url(" not in value
    assert told(root) == told(fromstring(DRAWN[name](ID, Look())))


def places(root: Element, name: str) -> list[tuple[float, float]]:
    (line,) = [e for e in each(root, "polyline") if e.get("id") == f"chart-{name}"]
    return [
        (float(x), float(y))
        for x, _, y in (p.partition(",") for p in line.attrib["points"].split())
    ]


def labels(root: Element) -> dict[str, tuple[float, float]]:
    return {e.text or "": (float(e.attrib["x"]), float(e.attrib["y"])) for e in each(root, "text")}


@pytest.mark.parametrize("width", [320, 720, 1200])
def test_a_curve_lies_where_its_values_are(width: int) -> None:
    """Read back from the paper by its own axis: percents from its labels, days from its ends."""
    found = curve(points=curve().points, forecast_finish=None)
    root = fromstring(curves.s_curve(found, EN, Look(width)))
    at = labels(root)
    zero, full = at["0%"][1] - 4, at["100%"][1] - 4
    first, last = found.points[0].on, found.points[-1].on
    left, right = places(root, "planned")[0][0], places(root, "planned")[-1][0]
    for name in ("planned", "earned", "verified"):
        values = [(p.on, getattr(p, name)) for p in found.points if getattr(p, name) is not None]
        read = [
            ((x - left) / (right - left) * (last - first).days, (zero - y) / (zero - full) * 100)
            for x, y in places(root, name)
        ]
        assert [days for days, _ in read] == pytest.approx(
            [(day - first).days for day, _ in values], abs=0.1
        )
        assert [percent for _, percent in read] == pytest.approx(
            [value for _, value in values], abs=0.02
        )
    (today,) = [e for e in each(root, "line") if e.get("class") == "chart-line-today"]
    assert float(today.attrib["x1"]) == pytest.approx(places(root, "earned")[-1][0])


def test_the_forecast_has_its_place() -> None:
    """A ring at the day of the finish, on the line of 100 %; far ones are told with their day."""
    root = fromstring(curves.s_curve(curve(), EN, Look()))
    _, ring = [e for e in each(root, "circle") if "chart-line-earned" in e.attrib["class"]]
    x, y = float(ring.attrib["cx"]), float(ring.attrib["cy"])
    assert y == pytest.approx(labels(root)["100%"][1] - 4)
    line = places(root, "planned")
    per_day = (line[-1][0] - line[0][0]) / (date(2022, 12, 31) - date(2022, 3, 31)).days
    assert x - line[-1][0] == pytest.approx(14 * per_day, abs=0.1)
    assert "14 Jan 2023" in labels(root)
    root = fromstring(curves.s_curve(curve(forecast_finish="2041-03-03"), EN, Look()))
    assert "Forecast finish 3 Mar 2041" in labels(root)


def test_what_a_curve_tells() -> None:
    title, finding = told(fromstring(curves.s_curve(curve(), EN, Look())))
    assert title == "S-curve: Jawa Barat, year 2022"
    assert finding == (
        "18 Jun 2022: complete 44.02%, scheduled 53.17%, verified 35.87%. "
        "Planned finish: 15 Dec 2022. Forecast finish: 14 Jan 2023."
    )
    _, finding = told(fromstring(curves.s_curve(empty(), EN, Look())))
    assert finding == "18 Jun 2022: Nothing to measure yet. There is no plan to forecast from."
    _, finding = told(fromstring(curves.s_curve(with_earned(100.0), EN, Look())))
    assert "Finished: 14 Jan 2023." in finding
    _, finding = told(fromstring(curves.s_curve(curve(), ID, Look())))
    assert "44,02%" in finding
    assert "15 Des 2022" in finding


@pytest.mark.parametrize("width", [320, 720])
def test_bars_are_as_long_as_their_values(width: int) -> None:
    percents = (100.0, 44.02, 0.0, 12.5)
    root = fromstring(comparisons.children(PARENT, children(*percents), EN, Look(width)))
    axis = each(root, "line")
    grid = sorted({float(e.attrib["x1"]) for e in axis if "chart-line-grid" in e.attrib["class"]})
    (zero,) = {float(e.attrib["x1"]) for e in axis if "chart-line-edge" in e.attrib["class"]}
    per_percent = (grid[-1] - zero) / 100
    bars = [e for e in each(root, "rect") if e.get("class") == "chart-fill-earned"][1:]
    inner = [e for e in each(root, "rect") if e.get("class") == "chart-fill-verified"][1:]
    ticks = [e for e in each(root, "rect") if e.get("class") == "chart-fill-text"][1:]
    assert [float(e.attrib["x"]) for e in bars] == [pytest.approx(zero)] * 4
    drawn = [float(e.attrib["width"]) / per_percent for e in bars]
    assert drawn == pytest.approx(percents, abs=0.02)
    drawn = [float(e.attrib["width"]) / per_percent for e in inner]
    assert drawn == pytest.approx([50.0, 22.01, 6.25], abs=0.02)  # and nothing of 0
    middles = [float(e.attrib["x"]) + float(e.attrib["width"]) / 2 for e in ticks]
    assert [(x - zero) / per_percent for x in middles] == pytest.approx([53.17] * 4, abs=0.02)


def test_units_are_told_in_words_too() -> None:
    found = children(100.0, 44.02, None, 0.0, 12.5, 60.0)
    root = fromstring(comparisons.children(PARENT, found, EN, Look(), 4))
    _, finding = told(root)
    assert finding == (
        "18 Jun 2022: complete 44.02%, scheduled 53.17%, verified 22.01%. 6 units. "
        "Highest: Unit 0 100%, Unit 5 60%, Unit 1 44.02%. Lowest: Unit 3 0%, Unit 4 12.5%. "
        "Not measurable: 1."
    )
    shown = list(labels(root))
    assert "and 2 more units" in shown
    assert [text for text in shown if re.fullmatch(r"Unit \d", text)] == [
        f"Unit {n}" for n in range(4)
    ]
    assert {"At risk", "Not measurable"} <= set(shown)
    one = fromstring(comparisons.children(PARENT, found, ID, Look(), 5))
    assert "dan 1 unit kerja lagi" in labels(one)


def test_each_health_has_its_own_shape() -> None:
    """Whoever sees no colours sees as much."""
    shapes = set()
    for health in Health:
        found = children(50.0, health=health)
        drawn = fromstring(comparisons.children(PARENT, found, EN, Look()))
        parts = [
            (e.tag, len((e.get("points") or "").split()), "ground" in e.attrib["class"])
            for e in drawn.iter()
            if e.get("class", "").endswith(f"-{health.value.replace('_', '-')}")
        ]
        assert parts
        shapes.add(tuple(parts))
    assert len(shapes) == len(Health)


def test_each_line_is_told_without_its_colour() -> None:
    root = fromstring(curves.s_curve(curve(), EN, Look()))
    lines = [e for e in each(root, "polyline") if e.get("id")]
    assert len({e.get("stroke-dasharray") for e in lines}) == 3
    assert {"Complete 44.02%", "Verified 35.87%", "Scheduled 100%"} <= set(labels(root))


def test_a_timeline_lies_where_its_days_are() -> None:
    root = fromstring(plans.timeline("Judul", PLAN, STAGES, TODAY, EN, Look()))
    assert told(root) == (
        "Timeline: Judul",
        "18 Jun 2022: 4 milestones, Done: 1, Overdue: 1, In progress: 1, Pending: 1",
    )
    (line,) = [
        e for e in each(root, "line")
        if e.get("class") == "chart-line-today" and float(e.attrib["y2"]) > 150
    ]  # fmt: skip
    slipped = [e for e in each(root, "line") if e.get("class") == "chart-line-late"]
    assert len(slipped) == 1  # from the agreed day to the present one
    start, end = float(slipped[0].attrib["x1"]), float(slipped[0].attrib["x2"])
    per_day = (end - start) / (date(2022, 3, 31) - date(2022, 2, 28)).days
    today = float(line.attrib["x1"])
    assert today - end == pytest.approx((TODAY - date(2022, 3, 31)).days * per_day, abs=0.1)
    bands = [e for e in each(root, "rect") if e.get("class") == "chart-fill-stage"]
    assert len(bands) == 2  # the vote is far behind the plan
    begins = float(bands[1].attrib["x"])
    assert begins - today == pytest.approx((date(2022, 7, 29) - TODAY).days * per_day, abs=0.1)
    names = set(labels(root))
    assert {"planning", "registration"} <= names
    assert not {"vote", "5. Tahap 5"} & names
    assert "Masa planning" in labels(
        fromstring(plans.timeline("Judul", PLAN, STAGES, TODAY, ID, Look()))
    )


def test_a_timeline_names_both_days_of_what_was_agreed_on_anew() -> None:
    first, newest, due = date(2022, 2, 1), date(2022, 5, 1), date(2022, 7, 1)
    again = milestone(1, due.isoformat(), baseline_due_on=newest, first_baseline_due_on=first)
    once = milestone(2, "2022-09-30", baseline_due_on=newest, first_baseline_due_on=newest)
    root = fromstring(plans.timeline("Judul", [again, once], [], TODAY, EN, Look()))
    assert {"First agreed day", "Newest agreed day"} <= set(labels(root))
    assert "Agreed day" not in labels(root)
    strokes = [
        (float(e.attrib["x1"]), e.get("stroke-dasharray"))
        for e in each(root, "line")
        if e.get("class") == "chart-line-planned" and e.attrib["x1"] == e.attrib["x2"]
    ]
    (_, other), (_, broken), *drawn = strokes  # the legend's, then the plan's
    assert (other, broken is None) == (None, False)
    assert [dashes for _, dashes in drawn] == [broken, None, None]
    slipped = [e for e in each(root, "line") if e.get("class") == "chart-line-late"]
    start, end = float(slipped[0].attrib["x1"]), float(slipped[0].attrib["x2"])
    per_day = (end - start) / (due - newest).days
    assert drawn[1][0] - drawn[0][0] == pytest.approx((newest - first).days * per_day, abs=0.1)
    plain = labels(fromstring(plans.timeline("Judul", [once], [], TODAY, EN, Look())))
    assert "Agreed day" in plain
    assert "First agreed day" not in plain


# Colours


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


GRAPHICS = (Ink.PLANNED, Ink.EARNED, Ink.VERIFIED, Ink.TODAY, Ink.LATE, Ink.EDGE)
HEALTHS = (
    Ink.COMPLETED, Ink.NOT_STARTED, Ink.ON_TRACK, Ink.AT_RISK, Ink.OFF_TRACK, Ink.NOT_MEASURABLE,
)  # fmt: skip


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_have_the_contrast_of_wcag_aa(colours: dict[Ink, str]) -> None:
    assert set(colours) == set(Ink)
    for ground in (Ink.GROUND, Ink.STAGE):
        for ink in (Ink.TEXT, Ink.QUIET):
            assert contrast(colours[ink], colours[ground]) >= 4.5
        for ink in (*GRAPHICS[:-1], *HEALTHS):
            assert contrast(colours[ink], colours[ground]) >= 3, (ink, ground)
    for ink in (*HEALTHS, Ink.LABEL):  # a badge's words stand on them
        assert contrast(colours[Ink.GROUND], colours[ink]) >= 4.5, ink
    assert contrast(colours[Ink.EARNED], colours[Ink.VERIFIED]) >= 3  # one inside the other
    assert contrast(colours[Ink.EDGE], colours[Ink.GROUND]) >= 3


def test_a_style_sheet_is_for_its_theme() -> None:
    assert LIGHT[Ink.EARNED] in sheet(Theme.LIGHT)
    assert DARK[Ink.EARNED] not in sheet(Theme.LIGHT)
    assert "@media" not in sheet(Theme.LIGHT) + sheet(Theme.DARK)
    before, dark = sheet(Theme.AUTO).split("@media screen and (prefers-color-scheme:dark)")
    assert LIGHT[Ink.EARNED] in before
    assert DARK[Ink.EARNED] in dark
    assert len({sheet_source(theme) for theme in Theme}) == 3
    assert all(f"--chart-{ink}:" in page_sheet() for ink in Ink)


# Letters and scales


def test_text_is_cut_to_its_room() -> None:
    assert fit("Jawa Barat", 12, 100) == "Jawa Barat"
    cut = fit(LONG, 12, 100)
    assert cut.endswith(ELLIPSIS)
    assert 80 < measure(cut, 12) <= 100
    assert wrap("satu dua tiga", 12, measure("satu dua", 12), 2) == ["satu dua", "tiga"]
    assert wrap("satu dua tiga", 12, measure("satu", 12), 2)[1].endswith(ELLIPSIS)
    assert measure("中", 12) > measure("m", 12) > measure("i", 12)


@pytest.mark.parametrize(
    ("first", "last", "width", "expected"),
    [
        ("2022-03-01", "2022-12-31", 600, ["Apr 2022", "Jul 2022", "Oct 2022"]),
        ("2022-03-01", "2022-12-31", 200, ["Jul 2022"]),
        ("2022-06-01", "2022-06-05", 600, [f"{n} Jun 2022" for n in range(1, 6)]),
        ("2022-06-01", "2022-06-30", 400, ["6 Jun 2022", "13 Jun 2022", "20 Jun 2022", "27 Jun 2022"]),
        ("2020-02-01", "2030-02-01", 500, [str(year) for year in range(2021, 2031)]),
        ("1900-01-01", "2199-12-31", 500, ["1900", "1950", "2000", "2050", "2100", "2150"]),
    ],
)  # fmt: skip
def test_days_are_labelled_by_what_has_room(
    first: str, last: str, width: int, expected: list[str]
) -> None:
    days = Days(date.fromisoformat(first), date.fromisoformat(last), Span(0, width))
    found = days.ticks(EN, lambda label: measure(label, 12) + 14)
    assert [label for _, label in found] == expected
    assert days.at(days.first) == 0
    assert days.at(days.last) == width


def test_labels_are_moved_apart() -> None:
    assert apart([10, 50], 15, Span(0, 100)) == [10, 50]
    assert apart([50, 50, 49], 15, Span(0, 100)) == [64, 79, 49]
    assert apart([99, 98], 15, Span(0, 100)) == [100, 85]
    assert flow([40, 40, 40], 85) == [(0, 0), (0, 40), (1, 0)]


def test_a_pages_style_sheet_is_kept_as_it_is_made() -> None:
    """`python -c "from app.charts.palette import page_sheet; print(page_sheet(), end='')"` makes it."""
    kept = Path(app.__file__).with_name("web") / "static" / "charts.css"
    assert kept.read_text(encoding="utf-8") == page_sheet()


def test_widest_and_narrowest_charts_differ_in_layout() -> None:
    narrow, wide = (
        fromstring(comparisons.children(PARENT, children(50.0), EN, Look(width)))
        for width in (NARROWEST, WIDEST)
    )
    assert "chart-narrow" in narrow.attrib["class"]
    assert "chart-wide" in wide.attrib["class"]
