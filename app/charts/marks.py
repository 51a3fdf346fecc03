"""Marks that mean the same in every chart: of the three values, and of each health."""

from app.charts.palette import Ink
from app.charts.paper import Paper, Point
from app.schemas.fields import Health

MARK = 4.5
"""How far a mark reaches from its middle."""
HEALTHS = {
    Health.NOT_MEASURABLE: Ink.NOT_MEASURABLE,
    Health.COMPLETED: Ink.COMPLETED,
    Health.NOT_STARTED: Ink.NOT_STARTED,
    Health.ON_TRACK: Ink.ON_TRACK,
    Health.AT_RISK: Ink.AT_RISK,
    Health.OFF_TRACK: Ink.OFF_TRACK,
}


def disc(paper: Paper, at: Point, ink: Ink, size: float = MARK) -> None:
    """A filled circle."""
    paper.disc(at, size, ink)


def diamond(paper: Paper, at: Point, ink: Ink, size: float = MARK) -> None:
    """A square on its corner."""
    (x, y), reach = at, size * 1.25
    paper.shape([(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)], ink)


def triangle(paper: Paper, at: Point, ink: Ink, size: float = MARK) -> None:
    """A triangle that stands on its side."""
    (x, y), reach = at, size * 1.2
    paper.shape([(x, y - reach), (x + reach, y + reach * 0.8), (x - reach, y + reach * 0.8)], ink)


def arrow(paper: Paper, at: Point, ink: Ink, size: float = MARK) -> None:
    """A triangle that points to the right: there is more behind the edge."""
    (x, y), reach = at, size * 1.2
    paper.shape([(x + reach, y), (x - reach * 0.6, y - reach), (x - reach * 0.6, y + reach)], ink)


def square(paper: Paper, at: Point, ink: Ink, size: float = MARK) -> None:
    """A square."""
    paper.rectangle(at[0] - size, at[1] - size, 2 * size, 2 * size, ink)


def check(paper: Paper, at: Point, ink: Ink, size: float = MARK) -> None:
    """A tick, as of something that is done."""
    (x, y) = at
    stroke = [(x - size, y), (x - size * 0.25, y + size * 0.75), (x + size, y - size * 0.85)]
    paper.lines(stroke, ink, 2.2)


def cross(paper: Paper, at: Point, ink: Ink, size: float = MARK) -> None:
    """Two strokes that cross."""
    (x, y), reach = at, size * 0.85
    paper.line((x - reach, y - reach), (x + reach, y + reach), ink, 2.4)
    paper.line((x - reach, y + reach), (x + reach, y - reach), ink, 2.4)


def of_health(
    paper: Paper, at: Point, health: Health, ink: Ink | None = None, size: float = MARK
) -> None:
    """The mark of a health, each of its own shape: in its own ink, or in another one."""
    ink = ink or HEALTHS[health]
    if health is Health.COMPLETED:
        check(paper, at, ink, size)
    elif health is Health.ON_TRACK:
        paper.disc(at, size, ink)
    elif health is Health.AT_RISK:
        triangle(paper, at, ink, size)
    elif health is Health.OFF_TRACK:
        cross(paper, at, ink, size)
    elif health is Health.NOT_STARTED:
        paper.ring(at, size - 0.5, ink)
    else:
        paper.line((at[0] - size, at[1]), (at[0] + size, at[1]), ink, 2.4)
