"""S-curves: planned, complete and verified value over time, with today and the forecast finish."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from app.charts import marks, sentences
from app.charts.letters import measure
from app.charts.palette import Ink
from app.charts.paper import MARGIN, PLAIN, ROW, SMALL, Anchor, Look, Paper, Point, heading
from app.charts.scales import FULL, GRID, Days, Span, apart, flow
from app.languages import Words, noted
from app.schemas.curves import Curve, CurvePoint

_SAMPLE, _BETWEEN = 26.0, 18.0
"""The line beside a legend's word, and what separates it from the next."""
_GAP = 15.0
"""Between the baselines of two labels."""
_EDGE = 14.0
_AROUND_ONE_DAY = timedelta(days=15)
_LAST_DRAWN = 1
"""A forecast is drawn up to so many lengths of the curve behind its end; a later one is told."""


class Line(NamedTuple):
    """One of the three values: what it is called, and how it is told from the others."""

    name: str
    value: Callable[[CurvePoint], float | None]
    ink: Ink
    width: float
    dashes: str
    mark: Callable[[Paper, Point, Ink], object]


COMPLETE = Line(noted("Complete"), lambda point: point.earned, Ink.EARNED, 3, "", marks.disc)
VERIFIED = Line(
    noted("Verified"), lambda point: point.verified, Ink.VERIFIED, 2.5, "2 3", marks.diamond
)
PLANNED = Line(noted("Scheduled"), lambda point: point.planned, Ink.PLANNED, 2, "8 4", marks.square)
LINES = (COMPLETE, VERIFIED, PLANNED)


class _Plot(NamedTuple):
    """Where the curve is drawn, and with what words."""

    paper: Paper
    words: Words
    is_narrow: bool
    days: Days
    up: Span
    labelled_from: date

    def at(self, day: date, percent: float) -> Point:
        return self.days.at(day), self.up.percent(percent)


def s_curve(curve: Curve, words: Words, look: Look) -> str:
    """An S-curve as SVG: a line each for complete, verified and planned, through the curve's points.

    `as_of` is an upright line; a ring on top shows the forecast finish, or the day of completion.
    """
    entries = _entries(curve, words)
    lines = flow([_SAMPLE + measure(name, SMALL) + _BETWEEN for name, _ in entries], look.width)
    above = heading(sentences.subject(curve, words), sentences.standing(curve, words), look)
    top = above.height + ROW * (1 + lines[-1][0]) + 16
    tall = min(max(look.width * 0.42, 190), 440)
    height = round(top + tall + 30)
    paper = Paper(look, height, _title(curve, words), sentences.curve(curve, words), "s-curve")
    paper.heading(above)
    for (name, line), (row, x) in zip(entries, lines, strict=True):
        _legend(paper, (MARGIN + x, above.height + ROW * (row + 0.5)), name, line)

    first, last = _range(curve)
    left = measure(words.percent(FULL), SMALL) + 8
    widest, whole = _widest(curve, words, look), look.width - left - _EDGE
    per_day = (whole - widest) / (last - first).days
    start = _labelled_from(curve, per_day, widest, last)
    right = look.width - max(_EDGE, widest - (last - start).days * per_day)
    days = Days(first, last, Span(left, right))
    plot = _Plot(paper, words, look.is_narrow, days, Span(round(top + tall), top), start)
    _grid(plot)
    _uprights(plot, curve)
    for line in reversed(LINES):
        _draw(plot, curve, line)
    _forecast(plot, curve)
    _labels(plot, curve)
    if _is_empty(curve):
        middle = plot.days.across.at(0.5), plot.up.at(0.5)
        paper.text(
            middle,
            sentences.unmeasured(words),
            size=PLAIN,
            anchor="middle",
            ink=Ink.QUIET,
            over=True,
        )
    return paper.svg()


def _title(curve: Curve, words: Words) -> str:
    return words.gettext("S-curve: %(subject)s") % {"subject": sentences.subject(curve, words)}


def _is_empty(curve: Curve) -> bool:
    return all(line.value(point) is None for point in curve.points for line in LINES)


# The legend


def _entries(curve: Curve, words: Words) -> list[tuple[str, Line | None]]:
    found: list[tuple[str, Line | None]] = [(words.gettext(line.name), line) for line in LINES]
    if curve.forecast_finish is not None:
        found.append((sentences.finish(curve, words), None))
    return found


def _legend(paper: Paper, at: Point, name: str, line: Line | None) -> None:
    x, y = at
    if line is None:
        paper.lines([(x, y), (x + 8, y)], Ink.EARNED, 1.5, "1.5 3")
        paper.ring((x + 13, y), marks.MARK, Ink.EARNED)
    else:
        paper.line((x, y), (x + 20, y), line.ink, line.width, line.dashes)
        line.mark(paper, (x + 10, y), line.ink)
    paper.text((x + _SAMPLE, y + 4), name)


# The frame


def _range(curve: Curve) -> tuple[date, date]:
    """The days that are shown: those of the points, and the forecast where it is not far behind."""
    first, last = curve.points[0].on, curve.points[-1].on
    if first == last:
        first, last = first - _AROUND_ONE_DAY, last + _AROUND_ONE_DAY
    finish = curve.forecast_finish
    if finish is not None and last < finish <= last + (last - first) * _LAST_DRAWN:
        last = finish
    return first, last


def _widest(curve: Curve, words: Words, look: Look) -> float:
    """How much room the labels at the ends of lines need."""
    here = sentences.present(curve)
    if here is None:
        return 0
    endings = (_ending(line, here, words, look.is_narrow) for line in LINES)
    return max(measure(ending, SMALL) for ending in endings) + _EDGE


def _labelled_from(curve: Curve, per_day: float, widest: float, last: date) -> date:
    """Where labels begin: at the ends of lines, or behind the forecast where they would hide it."""
    here, finish = sentences.present(curve), curve.forecast_finish
    if here is None:
        return last
    hides = finish is not None and here.on < finish <= last
    if hides and finish and (finish - here.on).days * per_day < widest + marks.MARK:
        return finish
    return here.on


def _ending(line: Line, point: CurvePoint, words: Words, is_narrow: bool) -> str:  # noqa: FBT001
    value = words.percent(line.value(point))
    return value if is_narrow else f"{words.gettext(line.name)} {value}"


def _grid(plot: _Plot) -> None:
    """A line for every quarter of the whole, and the days below."""
    left, right = plot.days.across
    for percent in GRID:
        y = plot.up.percent(percent)
        plot.paper.line((left, y), (right, y), Ink.EDGE if percent == 0 else Ink.GRID)
        label = plot.words.percent(percent)
        plot.paper.text((left - 6, y + 4), label, ink=Ink.QUIET, anchor="end")
    for day, label in plot.days.ticks(plot.words, lambda label: measure(label, SMALL) + 14):
        x, y = plot.at(day, 0)
        plot.paper.line((x, y), (x, y + 5), Ink.EDGE)
        half = measure(label, SMALL) / 2
        if left - half >= 0 and x + half <= plot.paper.look.width:
            plot.paper.text((x, y + 19), label, ink=Ink.QUIET, anchor="middle")


def _uprights(plot: _Plot, curve: Curve) -> None:
    """The day that it is of."""
    if not plot.days.holds(curve.as_of):
        return
    x, y = plot.at(curve.as_of, 0)
    plot.paper.line((x, y), (x, plot.up.end - 8), Ink.TODAY, 1.25)
    finish = curve.forecast_finish
    is_next = finish is not None and curve.as_of < finish <= plot.days.last
    limit = plot.days.at(finish) if finish and is_next else plot.paper.look.width
    _beside(plot, (x, y - 8), plot.words.day(curve.as_of), limit)


def _beside(plot: _Plot, at: Point, text: str, limit: float) -> None:
    """Text behind an upright line, where the curves have left; before it if that would reach a limit."""
    (x, y), needed = at, measure(text, SMALL) + 6
    is_behind = x + needed <= limit or x - needed < plot.days.across.start
    anchor: Anchor = "start" if is_behind else "end"
    plot.paper.text((x + 6 if is_behind else x - 6, y), text, anchor=anchor, over=True)


# The lines


def _known(curve: Curve, line: Line) -> list[tuple[date, float]]:
    found = ((point.on, line.value(point)) for point in curve.points)
    return [(day, value) for day, value in found if value is not None]


def _draw(plot: _Plot, curve: Curve, line: Line) -> None:
    places = [plot.at(*each) for each in _known(curve, line)]
    if places:
        plot.paper.lines(places, line.ink, line.width, line.dashes).set(
            "id", f"{plot.paper.look.name}-{line.ink}"
        )
        line.mark(plot.paper, places[-1], line.ink)


def _forecast(plot: _Plot, curve: Curve) -> None:
    """From where it stands to where it will be finished, by its pace up to now."""
    here, finish = sentences.present(curve), curve.forecast_finish
    if here is None or here.earned is None or finish is None or finish < plot.days.first:
        return
    y = plot.up.start - 8 - _GAP
    if finish > plot.days.last:
        text = f"{sentences.finish(curve, plot.words)} {plot.words.day(finish)}"
        right = plot.paper.look.width - 16
        marks.arrow(plot.paper, (right + 6, y - 4), Ink.EARNED)
        plot.paper.text((right - 4, y), text, anchor="end", over=True)
        return
    top = plot.at(finish, FULL)
    if finish > here.on:
        plot.paper.lines([plot.at(here.on, here.earned), top], Ink.EARNED, 1.5, "1.5 3")
    plot.paper.line(top, (top[0], plot.up.start), Ink.EARNED, 1, "1.5 3")
    plot.paper.ring(top, marks.MARK, Ink.EARNED)
    if finish != curve.as_of:
        _beside(plot, (top[0], y), plot.words.day(finish), plot.paper.look.width)


def _labels(plot: _Plot, curve: Curve) -> None:
    """The values at the ends of lines, moved apart where they would stand on each other."""
    here = sentences.present(curve)
    ends: list[tuple[Point, str]] = []
    for line in LINES:
        known = _known(curve, line)
        if not known:
            continue
        day, value = known[-1]
        if here is not None and day == here.on:
            ends.append((plot.at(day, value), _ending(line, here, plot.words, plot.is_narrow)))
        elif here is None or day > here.on:
            _planned_end(plot, plot.at(day, value), value)
    lowest = plot.up.start - 2 * _GAP - 8  # below are the days
    heights = apart([y + 4 for (_, y), _ in ends], _GAP, Span(plot.up.end, lowest))
    x = plot.days.at(plot.labelled_from)
    for (_, text), y in zip(ends, heights, strict=True):
        plot.paper.rectangle(x + 8, y - 11, measure(text, SMALL) + 2, 14, Ink.GROUND)
        plot.paper.text((x + 9, y), text)


def _planned_end(plot: _Plot, at: Point, value: float) -> None:
    """Above the line's end, where nothing else is."""
    text = f"{plot.words.gettext(PLANNED.name)} {plot.words.percent(value)}"
    anchor: Anchor = "end" if at[0] - measure(text, SMALL) > plot.days.across.start else "start"
    plot.paper.text((at[0] + (5 if anchor == "end" else 0), at[1] - 9), text, anchor=anchor)
