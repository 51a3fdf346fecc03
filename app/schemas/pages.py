"""Lists: one page of anything, and the parameters that every list takes."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field, StringConstraints

from app.schemas.fields import Digits, Instant, Shape

DEFAULT_LIMIT, MOST = 50, 200

Limit = Annotated[int, Field(ge=1, le=MOST), Digits]
Cursor = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[A-Za-z0-9._-]+$")]
Sort = Annotated[str, StringConstraints(max_length=200, pattern=r"^[a-z_,-]+$")]
Search = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class Paging(Shape):
    """What every list takes."""

    limit: Limit = DEFAULT_LIMIT
    """Most items on a page."""
    cursor: Cursor | None = None
    """`next_cursor` of the page before; belongs to the same filters and sort."""
    include_total: bool = False
    """Also count all items that match."""


class ChangesPaging(Paging):
    """What a list takes of things that change, so that a copy of it can be kept up to date."""

    updated_since: Instant | None = None
    """Changed at or after this instant."""


Item = TypeVar("Item")


class Page(Shape, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None = None
    """For the next page; null on the last one. Also in the `Link` header."""
    total: int | None = None
    """All items that match; only with `include_total=true`."""
