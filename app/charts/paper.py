"""A sheet to draw on, and its SVG: everything is escaped by the library, coordinates are rounded."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from app.charts.letters import fit, wrap
from app.charts.palette import Ink, drawn, filled, sheet
from app.markup import writable
from app.schemas.charts import USUAL, Theme

NARROW_BELOW = 480
SMALL, PLAIN, LARGE = 12.0, 13.0, 16.0
"""Sizes of text in pixels."""
MARGIN = 4.0
ROW = 20.0
"""How high a row of a legend is, or a line of text."""
_LINES = 2
"""Of a finding, at most."""
_NAMESPACE = "http://www.w3.org/2000/svg"
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


class Look(NamedTuple):
    """How a chart is drawn, whatever it shows."""

    width: int = USUAL
    theme: Theme = Theme.AUTO
    inline: bool = False
    """For the middle of an HTML page, whose style sheet has the rules of `palette.page_sheet`: without
    a style sheet, a heading and a background of its own."""
    name: str = "chart"
    """Begins the ids of its elements: each chart of a page has another one."""

    @property
    def is_narrow(self) -> bool:
        """Whether it is laid out for a phone."""
        return self.width < NARROW_BELOW


class Heading(NamedTuple):
    """What stands above a chart; inside a page, which has headings of its own, nothing."""

    subject: str
    lines: list[str]
    height: float


def heading(subject: str, finding: str, look: Look) -> Heading:
    """A heading that fits on a paper."""
    if look.inline:
        return Heading(subject, [], 0)
    lines = wrap(finding, SMALL, look.width - 2 * MARGIN, _LINES)
    return Heading(subject, lines, 35 + 17 * len(lines))


class Paper:
    """A drawing of a width and height, with what it tells in words for those who do not see it."""

    def __init__(self, look: Look, height: float, title: str, told: str, kind: str) -> None:
        self.look = look
        ids = f"{look.name}-title", f"{look.name}-desc"
        self.root = Element(
            "svg",
            {
                "xmlns": _NAMESPACE,
                "class": f"chart chart-{kind} chart-{'narrow' if look.is_narrow else 'wide'}",
                "width": _number(look.width),
                "height": _number(height),
                "viewBox": f"0 0 {_number(look.width)} {_number(height)}",
                "role": "img",
                "aria-labelledby": " ".join(ids),
            },
        )
        for name, key, text in zip(("title", "desc"), ids, (title, told), strict=True):
            SubElement(self.root, name, {"id": key}).text = writable(text)
        if not look.inline:
            SubElement(self.root, "style").text = sheet(look.theme)
            self.rectangle(0, 0, look.width, height, Ink.GROUND)

    def svg(self) -> str:
        """What has been drawn."""
        return tostring(self.root, encoding="unicode")

    def heading(self, heading: Heading) -> None:
        """What it is of, and what it shows, at the top."""
        if heading.lines:
            size = PLAIN if self.look.is_narrow else LARGE
            room = self.look.width - 2 * MARGIN
            self.text((MARGIN, 20), heading.subject, size=size, bold=True, room=room)
        for place, line in enumerate(heading.lines):
            self.text((MARGIN, 40 + 17 * place), line, ink=Ink.QUIET)

    def rectangle(
        self, x: float, y: float, width: float, height: float, ink: Ink, corner: float = 0
    ) -> Element:
        """A filled rectangle."""
        place = {"x": x, "y": y, "width": width, "height": height}
        if corner:
            place["rx"] = corner
        return self._shape("rect", place, filled(ink))

    def line(
        self, start: Point, end: Point, ink: Ink, width: float = 1, dashes: str = ""
    ) -> Element:
        """A straight line."""
        place = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
        return self._stroke(self._shape("line", place, drawn(ink)), width, dashes)

    def lines(
        self, points: Iterable[Point], ink: Ink, width: float = 2, dashes: str = ""
    ) -> Element:
        """Straight lines from point to point."""
        found = self._shape("polyline", {}, drawn(ink))
        found.set("points", " ".join(f"{_number(x)},{_number(y)}" for x, y in points))
        found.set("fill", "none")
        found.set("stroke-linejoin", "round")
        return self._stroke(found, width, dashes)

    def shape(self, corners: Sequence[Point], ink: Ink) -> Element:
        """A filled shape with corners."""
        found = self._shape("polygon", {}, filled(ink))
        found.set("points", " ".join(f"{_number(x)},{_number(y)}" for x, y in corners))
        return found

    def disc(self, at: Point, radius: float, ink: Ink) -> Element:
        """A filled circle."""
        return self._shape("circle", {"cx": at[0], "cy": at[1], "r": radius}, filled(ink))

    def ring(self, at: Point, radius: float, ink: Ink) -> Element:
        """An empty circle."""
        place = {"cx": at[0], "cy": at[1], "r": radius}
        found = self._shape("circle", place, f"{filled(Ink.GROUND)} {drawn(ink)}")
        return self._stroke(found, 2, "")

    def text(
        self,
        at: Point,
        text: str,
        *,
        ink: Ink = Ink.TEXT,
        size: float = SMALL,
        anchor: Anchor = "start",
        bold: bool = False,
        room: float | None = None,
        over: bool = False,
    ) -> Element:
        """Text with its baseline at a point; cut to a `room`; `over` lines, which it keeps off."""
        colours = filled(ink) + (f" {drawn(Ink.GROUND)}" if over else "")
        found = self._shape("text", {"x": at[0], "y": at[1], "font-size": size}, colours)
        shown = text if room is None else fit(text, size, room, bold=bold)
        found.text = writable(shown)
        if anchor != "start":
            found.set("text-anchor", anchor)
        if bold:
            found.set("font-weight", "600")
        if over:
            found.set("paint-order", "stroke")
            found.set("stroke-linejoin", "round")
            found.set("stroke-width", "4")
        return found

    def _stroke(self, element: Element, width: float, dashes: str) -> Element:
        element.set("stroke-width", _number(width))
        if dashes:
            element.set("stroke-dasharray", dashes)
        return element

    def _shape(self, name: str, place: dict[str, float], colours: str) -> Element:
        written = {key: _number(value) for key, value in place.items()}
        return SubElement(self.root, name, {"class": colours, **written})


def _number(value: float) -> str:
    """Two decimals at most: less than any screen shows, and the same bytes everywhere."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"
