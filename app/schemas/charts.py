"""How charts are asked for."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.schemas.comparisons import ChildrenQuery
from app.schemas.curves import CurveQuery
from app.schemas.fields import Digits, Language, Shape
from app.schemas.rollups import RollupQuery

NARROWEST, WIDEST, USUAL = 280, 1600, 720


class Theme(StrEnum):
    """Which colours a chart has: `auto` follows the reader's choice of light or dark."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class BadgeLook(Shape):
    """How a badge is drawn."""

    theme: Theme = Theme.AUTO
    language: Language | None = None
    """Of its words, numbers and dates; if left out by `Accept-Language` and the account, else Indonesian."""


class ChartLook(BadgeLook):
    """How a chart is drawn."""

    width: Annotated[int, Field(ge=NARROWEST, le=WIDEST), Digits] = USUAL
    """In pixels, where it is shown as large as it is; below 480 it is laid out for a phone."""


class CurveChartQuery(CurveQuery, ChartLook):
    """What S-curve is drawn, and how; without `to` up to the end of the plan."""


class ChildrenChartQuery(ChildrenQuery, ChartLook):
    """Which units are compared in a chart, and how it is drawn."""

    limit: Annotated[int, Field(ge=1, le=600), Digits] = 60
    """Bars at most; how many more there are is told below them."""


class BadgeQuery(RollupQuery, BadgeLook):
    """Of what number a badge is drawn, and how."""


class PublicCurveChartQuery(ChartLook):
    """How a public S-curve is drawn. It looks at no header: Indonesian if `language` is left out."""


class PublicBadgeQuery(BadgeLook):
    """How a public badge is drawn. It looks at no header: Indonesian if `language` is left out."""
