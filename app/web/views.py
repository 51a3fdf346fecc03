"""What an overview was asked for, carried through the pages that one reaches from it."""

from app.schemas.fields import Day
from app.schemas.pages import Paging
from app.schemas.rollups import RollupQuery


class View(RollupQuery):
    """What the overview shows to which a page leads back; the page itself is of today."""

    since: Day | None = None
    """From the end of which day the overview counts change."""


class PagedView(View, Paging):
    """The same beside a page of a list."""
