"""One number as a badge, and as a bar among others."""

from datetime import date
from typing import NamedTuple

from app.charts import marks, sentences
from app.charts.letters import fit, measure
from app.charts.palette import Ink
from app.charts.paper import Look, Paper
from app.charts.scales import Span
from app.charts.sentences import Percents
from app.languages import Words
from app.schemas.rollups import Rollup
from app.terms import term

_BADGE, _BADGE_TEXT, _INSIDE, _LONGEST = 20.0, 11.0, 7.0, 260.0


def badge(rollup: Rollup, words: Words, look: Look) -> str:
    """A flat badge as SVG: unit, percent complete, health. As wide as its words."""
    says = term(words, rollup.health)
    if rollup.percent_complete is not None:
        says = f"{words.percent(rollup.percent_complete)} · {says}"
    parts = _Parts(rollup.unit_name, says, marks.HEALTHS[rollup.health])
    return _badge(parts, sentences.row(rollup, words), look)


def public_badge(name: str, percents: Percents, day: date, words: Words, look: Look) -> str:
    """A badge of what anybody may see: a name and what is complete."""
    parts = _Parts(name, words.percent(percents.percent_complete), Ink.COMPLETED)
    return _badge(parts, f"{name}. {sentences.percents(percents, day, words)}.", look)


class _Parts(NamedTuple):
    name: str
    says: str
    ink: Ink


def _badge(parts: _Parts, told: str, look: Look) -> str:
    name = fit(parts.name, _BADGE_TEXT, _LONGEST)
    texts = ((name, Ink.LABEL), (parts.says, parts.ink))
    widths = [round(measure(text, _BADGE_TEXT) + 2 * _INSIDE) for text, _ in texts]
    look = look._replace(width=sum(widths))
    paper = Paper(look, _BADGE, f"{parts.name}: {parts.says}", told, "badge")
    x = 0
    for (text, ink), width in zip(texts, widths, strict=True):
        paper.rectangle(x, 0, width, _BADGE, ink)
        written = paper.text((x + _INSIDE, 14), text, ink=Ink.GROUND, size=_BADGE_TEXT)
        # Whatever the font, the text fills what was measured for it.
        written.set("textLength", str(width - round(2 * _INSIDE)))
        x += width
    return paper.svg()


def draw_bar(paper: Paper, percents: Percents, across: Span, down: Span) -> None:
    """A bar on a paper: nothing where nothing is measurable."""
    complete, verified = percents.percent_complete, percents.percent_verified
    planned = percents.percent_scheduled
    if complete is None:
        middle = down.at(0.5)
        paper.line((across.start, middle), (across.end, middle), Ink.EDGE, 1, "1 5")
        return
    paper.rectangle(
        across.start,
        down.start,
        across.percent(complete) - across.start,
        down.length,
        Ink.EARNED,
        1.5,
    )
    if verified:
        inner = Span(down.at(0.32), down.at(0.68))
        paper.rectangle(
            across.start,
            inner.start,
            across.percent(verified) - across.start,
            inner.length,
            Ink.VERIFIED,
        )
    if planned is not None:
        x = across.percent(planned)
        # Its own edge, so that it is seen on the bar as beside it.
        paper.rectangle(x - 2.25, down.start - 3, 4.5, down.length + 6, Ink.GROUND)
        paper.rectangle(x - 1.25, down.start - 3, 2.5, down.length + 6, Ink.TEXT)
