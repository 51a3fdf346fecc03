"""Colours by what they mean, for light and for dark, and the style sheets that give them.

After Okabe and Ito's: blue, bluish green, vermilion; moved in lightness until each holds WCAG's
contrast (3:1 for shapes, 4.5:1 for text) and a print in grey still tells them apart. What a colour
says, a dash, a shape or a word says too.
"""

import hashlib
from base64 import b64encode
from enum import StrEnum
from functools import cache

from app.schemas.charts import Theme


class Ink(StrEnum):
    """What something is drawn for; its colour follows from the theme."""

    GROUND = "ground"
    TEXT = "text"
    QUIET = "quiet"
    """Text that is less important."""
    LABEL = "label"
    """Behind a name, on a badge."""
    GRID = "grid"
    STAGE = "stage"
    """Behind everything: a stage of the election."""
    EDGE = "edge"
    """Where a band ends."""
    PLANNED = "planned"
    EARNED = "earned"
    VERIFIED = "verified"
    TODAY = "today"
    LATE = "late"
    COMPLETED = "completed"
    NOT_STARTED = "not-started"
    ON_TRACK = "on-track"
    AT_RISK = "at-risk"
    OFF_TRACK = "off-track"
    NOT_MEASURABLE = "not-measurable"


LIGHT = {
    Ink.GROUND: "#ffffff", Ink.TEXT: "#1b2430", Ink.QUIET: "#55616e", Ink.LABEL: "#3f4a55", Ink.GRID: "#d9dee3",
    Ink.STAGE: "#eef1f4", Ink.EDGE: "#87929d", Ink.PLANNED: "#5f6b76", Ink.EARNED: "#3d8fc4",
    Ink.VERIFIED: "#003d33", Ink.TODAY: "#1b2430", Ink.LATE: "#c2410c", Ink.COMPLETED: "#0a5c99",
    Ink.NOT_STARTED: "#55616e", Ink.ON_TRACK: "#0b6e4f", Ink.AT_RISK: "#8a5000",
    Ink.OFF_TRACK: "#b3261e", Ink.NOT_MEASURABLE: "#55616e",
}  # fmt: skip
DARK = {
    Ink.GROUND: "#12171c", Ink.TEXT: "#e8edf2", Ink.QUIET: "#a9b4bf", Ink.LABEL: "#c3ccd5", Ink.GRID: "#333c46",
    Ink.STAGE: "#1c232b", Ink.EDGE: "#6f7b87", Ink.PLANNED: "#9aa7b3", Ink.EARNED: "#3b82b8",
    Ink.VERIFIED: "#b8f2d8", Ink.TODAY: "#e8edf2", Ink.LATE: "#ff9a5c", Ink.COMPLETED: "#7cc4ff",
    Ink.NOT_STARTED: "#a9b4bf", Ink.ON_TRACK: "#4fd0a0", Ink.AT_RISK: "#f0b84a",
    Ink.OFF_TRACK: "#ff8a80", Ink.NOT_MEASURABLE: "#a9b4bf",
}  # fmt: skip
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Arial, sans-serif"

_PAIR = (
    ".chart-pair .chart-narrow{display:none}"
    "@media screen and (max-width:40rem){"
    ".chart-pair .chart-narrow{display:block}.chart-pair .chart-wide{display:none}}"
)
"""Of two drawings of one chart in a page, the one that fits the reader's screen."""


def filled(ink: Ink) -> str:
    """The class of what is filled with an ink."""
    return f"chart-fill-{ink}"


def drawn(ink: Ink) -> str:
    """The class of what is drawn with an ink, as a line."""
    return f"chart-line-{ink}"


@cache
def sheet(theme: Theme) -> str:
    """The style sheet of a chart that stands alone.

    Colours are written out: programs that print or convert know classes, but not custom properties.
    """
    if theme is Theme.DARK:
        return _font() + _rules(DARK)
    light = _font() + _rules(LIGHT)
    if theme is Theme.LIGHT:
        return light
    return f"{light}@media screen and (prefers-color-scheme:dark){{{_rules(DARK)}}}"


@cache
def sheet_source(theme: Theme) -> str:
    """The source by which a Content-Security-Policy allows that style sheet and no other."""
    digest = hashlib.sha256(sheet(theme).encode()).digest()
    return f"'sha256-{b64encode(digest).decode()}'"


def page_sheet() -> str:
    """The rules that a page needs for charts inside it: colours are its custom properties.

    `--chart-earned` and so on, light and dark; a page may set its own. In an element of the class
    `chart-pair`, of a narrow and a wide drawing the one is shown that fits the screen.
    """
    named = {ink: f"var(--chart-{ink})" for ink in Ink}
    return "".join(
        f"{rule}}}\n"
        for rule in (
            f":where(:root){{{_properties(LIGHT)}}}"
            f"@media screen and (prefers-color-scheme:dark){{:where(:root){{{_properties(DARK)}}}}}"
            f".chart{{max-width:100%;height:auto;font-family:{FONT}}}{_rules(named)}{_PAIR}"
        ).split("}")[:-1]
    )


def _font() -> str:
    return f".chart{{font-family:{FONT}}}"


def _properties(colours: dict[Ink, str]) -> str:
    return "".join(f"--chart-{ink}:{colour};" for ink, colour in colours.items())


def _rules(colours: dict[Ink, str]) -> str:
    return "".join(
        f".{filled(ink)}{{fill:{colour}}}.{drawn(ink)}{{stroke:{colour}}}"
        for ink, colour in colours.items()
    )
