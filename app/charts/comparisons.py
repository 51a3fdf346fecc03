"""Units beside each other: a bar each, with the verified part inside and a tick for the plan."""

from collections.abc import Sequence
from typing import NamedTuple

from app.charts import marks, sentences
from app.charts.letters import measure
from app.charts.palette import Ink
from app.charts.paper import MARGIN, PLAIN, ROW, SMALL, Look, Paper, Point, heading
from app.charts.rollups import draw_bar
from app.charts.scales import GRID, Span
from app.languages import Words
from app.schemas.comparisons import RollupChildren
from app.schemas.rollups import Rollup
from app.terms import term

MOST = 60
_WIDE_ROW, _NARROW_ROW = 30.0, 48.0
_AXIS, _FOOT = 22.0, 26.0
_LONGEST_NAME = 0.36
"""Of the width."""


class _Columns(NamedTuple):
    """Where each part of a row stands, from the left; below each other on a phone."""

    name: float
    bar: Span
    percent: float
    """Its right end."""
    health: float


def children(
    parent: Rollup, found: RollupChildren, words: Words, look: Look, most: int = MOST
) -> str:
    """Bars of a unit's children as SVG, in the order given; of more than `most` the first ones.

    The outer bar is what is complete, the inner one what of it is verified, the tick what is planned.
    """
    items = found.items[:most]
    columns = _columns(items, words, look)
    above = heading(sentences.subject(parent, words), sentences.standing(parent, words), look)
    row = _NARROW_ROW if look.is_narrow else _WIDE_ROW
    first = above.height + ROW + _AXIS
    left_out = len(found.items) - len(items)
    height = round(first + max(len(items), 1) * row + 8 + (_FOOT if left_out else 0))
    title = words.gettext("Units compared: %(subject)s") % {
        "subject": sentences.subject(parent, words)
    }
    told = f"{sentences.standing(parent, words)}. {sentences.children(found.items, words)}"
    paper = Paper(look, height, title, told, "children")
    paper.heading(above)
    _legend(paper, (MARGIN, above.height + ROW / 2), words)
    if items:
        _axis(paper, columns, first - 8, words)
        if not look.is_narrow:
            _grid(paper, columns, Span(first, first + len(items) * row))
    for place, item in enumerate(items):
        _row(paper, columns, first + place * row, item, words)
    if not items:
        text = words.gettext("There are no units below.")
        paper.text((MARGIN, first + 20), text, ink=Ink.QUIET, size=PLAIN)
    if left_out:
        more = words.ngettext("and %(count)s more unit", "and %(count)s more units", left_out)
        at = (MARGIN, first + len(items) * row + 20)
        paper.text(at, more % {"count": words.number(left_out)}, ink=Ink.QUIET, size=PLAIN)
    return paper.svg()


def _columns(items: Sequence[Rollup], words: Words, look: Look) -> _Columns:
    healths = max((measure(term(words, item.health), SMALL) for item in items), default=0)
    percents = max(
        (measure(words.percent(item.percent_complete), SMALL) for item in items), default=0
    )
    if look.is_narrow:
        return _Columns(MARGIN, Span(MARGIN, look.width - 14), look.width - 6, 0)
    names = max((measure(item.unit_name, PLAIN) for item in items), default=0)
    start = MARGIN + min(names, look.width * _LONGEST_NAME) + 14
    health = look.width - healths - 6
    percent = health - 20
    return _Columns(MARGIN, Span(start, percent - percents - 16), percent, health)


def _legend_parts(words: Words) -> list[tuple[str, Ink | None]]:
    return [
        (words.gettext("Complete"), Ink.EARNED),
        (words.gettext("Verified"), Ink.VERIFIED),
        (words.gettext("Scheduled"), None),
    ]


def _legend(paper: Paper, at: Point, words: Words) -> None:
    x, y = at
    for name, ink in _legend_parts(words):
        if ink is Ink.EARNED:
            paper.rectangle(x, y - 6, 18, 12, ink, 2)
        elif ink is Ink.VERIFIED:
            paper.rectangle(x, y - 2.5, 18, 5, ink)
        else:
            paper.rectangle(x + 8, y - 8, 2.5, 16, Ink.TEXT)
        paper.text((x + 24, y + 4), name)
        x += 24 + measure(name, SMALL) + 16


def _axis(paper: Paper, columns: _Columns, y: float, words: Words) -> None:
    for percent in GRID:
        label = words.percent(percent)
        half = measure(label, SMALL) / 2
        x = min(max(columns.bar.percent(percent), half), paper.look.width - half)
        paper.text((x, y), label, ink=Ink.QUIET, anchor="middle")


def _grid(paper: Paper, columns: _Columns, down: Span) -> None:
    for percent in GRID:
        x = columns.bar.percent(percent)
        paper.line((x, down.start), (x, down.end), Ink.EDGE if percent == 0 else Ink.GRID)


def _row(paper: Paper, columns: _Columns, y: float, item: Rollup, words: Words) -> None:
    percent = words.percent(item.percent_complete)
    if paper.look.is_narrow:
        says = term(words, item.health)
        needed = measure(percent, SMALL) + measure(says, SMALL) + 30
        room = paper.look.width - needed - 12
        paper.text((columns.name, y + 18), item.unit_name, size=PLAIN, room=room)
        paper.text((columns.percent, y + 18), percent, anchor="end", bold=True)
        x = columns.percent - measure(percent, SMALL) - 8
        paper.text((x, y + 18), says, anchor="end")
        marks.of_health(paper, (x - measure(says, SMALL) - 9, y + 14), item.health)
        _grid(paper, columns, Span(y + 23, y + 43))
        draw_bar(paper, item, columns.bar, Span(y + 26, y + 40))
        return
    middle = y + _WIDE_ROW / 2
    room = columns.bar.start - columns.name - 14
    paper.text((columns.name, middle + 4.5), item.unit_name, size=PLAIN, room=room)
    draw_bar(paper, item, columns.bar, Span(middle - 8, middle + 8))
    paper.text((columns.percent, middle + 4), percent, anchor="end", bold=True)
    marks.of_health(paper, (columns.health - 9, middle), item.health)
    paper.text((columns.health, middle + 4), term(words, item.health))
