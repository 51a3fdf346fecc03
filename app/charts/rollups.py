"""One number as a badge or as a small bar."""

from typing import NamedTuple, Protocol

from app.charts import marks, sentences
from app.charts.letters import fit, measure
from app.charts.palette import Ink
from app.charts.paper import Look, Paper
from app.charts.scales import Span
from app.languages import Words
from app.schemas.fields import Health
from app.schemas.rollups import Rollup
from app.terms import term

_BADGE, _BADGE_TEXT, _INSIDE, _LONGEST = 20.0, 11.0, 7.0, 260.0


class Percents(Protocol):
    """Whatever has the three numbers."""

    @property
    def percent_complete(self) -> float | None:
        """As reported; null where nothing is measurable."""

    @property
    def percent_verified(self) -> float | None:
        """As verified."""

    @property
    def percent_scheduled(self) -> float | None:
        """As planned."""


class Told(NamedTuple):
    """What a badge tells."""

    name: str
    percent: float | None
    health: Health | None
    """None where it is not told."""


def badge(rollup: Rollup, words: Words, look: Look) -> str:
    """A flat badge as SVG: unit, percent complete, health. As wide as its words."""
    told = Told(rollup.unit_name, rollup.percent_complete, rollup.health)
    return badge_of(told, sentences.row(rollup, words), words, look)


def badge_of(told: Told, sentence: str, words: Words, look: Look) -> str:
    """A badge of whatever has a name and a percent; `sentence` is for those who do not see it."""
    name = fit(told.name, _BADGE_TEXT, _LONGEST)
    says, ink = _said(told, words)
    widths = [round(measure(text, _BADGE_TEXT) + 2 * _INSIDE) for text in (name, says)]
    look = look._replace(width=sum(widths))
    paper = Paper(look, _BADGE, f"{told.name}: {says}", sentence, "badge")
    paper.rectangle(0, 0, widths[0], _BADGE, Ink.LABEL)
    paper.rectangle(widths[0], 0, widths[1], _BADGE, ink)
    for text, x, width in ((name, 0, widths[0]), (says, widths[0], widths[1])):
        drawn = paper.text((x + _INSIDE, 14), text, ink=Ink.GROUND, size=_BADGE_TEXT)
        # Whatever the font, the text fills what was measured for it.
        drawn.set("textLength", str(width - round(2 * _INSIDE)))
    return paper.svg()


def _said(told: Told, words: Words) -> tuple[str, Ink]:
    if told.health is None:
        return words.percent(told.percent), Ink.COMPLETED
    ink = marks.HEALTHS[told.health]
    health = term(words, told.health)
    if told.percent is None:
        return health, ink
    return f"{words.percent(told.percent)} · {health}", ink


def bar(percents: Percents, name: str, words: Words, look: Look) -> str:
    """A bar alone as SVG, for a row of a table: complete, the verified part inside, a tick for the plan."""
    told = words.gettext(
        "complete %(complete)s, scheduled %(scheduled)s, verified %(verified)s"
    ) % {
        "complete": words.percent(percents.percent_complete),
        "scheduled": words.percent(percents.percent_scheduled),
        "verified": words.percent(percents.percent_verified),
    }
    paper = Paper(look, 18, name, told, "bar")
    across = Span(1.5, look.width - 1.5)
    paper.line((across.start, 16), (across.end, 16), Ink.GRID)
    draw_bar(paper, percents, across, Span(3, 15))
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
