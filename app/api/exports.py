"""Exports over HTTP: lists as files, made a page at a time while they are sent.

What goes wrong once the file is on its way breaks the connection off: a file that has its end is
complete. A spreadsheet is made on the disk first, since its end must be known before its beginning.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from anyio import to_thread
from fastapi import Path as InPath
from fastapi import Query, Request, Response
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect

from app.api import delimited, spreadsheets
from app.api.calls import Call, InstitutionPath, router
from app.api.downloads import Download, pieces_of
from app.api.events import JSON_LINES
from app.api.refusals import TooManyRows
from app.api.tables import INITIATIVES, MILESTONES, MISSING, ROLLUPS, UPDATES, Table
from app.schemas.attention import MilestonesQuery
from app.schemas.exports import (
    CsvForm,
    Format,
    InitiativeExport,
    MilestoneExport,
    MissingExport,
    MissingOfPeriodQuery,
    RollupExport,
    RollupsQuery,
    UpdateExport,
)
from app.schemas.fields import Shape
from app.schemas.initiatives import InitiativeQuery
from app.schemas.pages import MOST, Page, Paging
from app.schemas.updates import UpdateQuery
from app.services import attention, exporting, portfolio, updates
from app.services.actors import Actor
from app.services.exporting import Heading

ITEM = TypeVar("ITEM", bound=Shape)
Items = AsyncIterator[list[ITEM]]

routes = router("/institutions/{institution}/exports", "exports")
FormatPath = Annotated[
    Format, InPath(alias="format", description="Form of the file.", examples=["csv"])
]
_UNITS_AT_ONCE = 2_000
"""Units whose roll-ups are of one moment: nearly every institution has fewer."""
_TYPES = {
    Format.CSV: delimited.MEDIA_TYPE,
    Format.XLSX: spreadsheets.MEDIA_TYPE,
    Format.JSONL: JSON_LINES,
}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            delimited.MEDIA_TYPE: {"schema": {"type": "string"}},
            spreadsheets.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
            JSON_LINES: {"schema": {"type": "string"}},
        }
    }
}


class _Listing(NamedTuple, Generic[ITEM]):
    """A list that can be had as a file."""

    table: Table[ITEM]
    query: type[Paging]
    page: Callable[[Session, Actor, str, Any], Page[ITEM]]
    """One page of the list; its verb."""
    most: int = MOST
    """Items of a page."""
    order: Mapping[str, Any] = MappingProxyType({})
    """What the query asks for, whatever is exported."""


class _Export(NamedTuple, Generic[ITEM]):
    """A list that is sent as a file."""

    listing: _Listing[ITEM]
    form: Format
    csv: CsvForm
    read: Callable[..., Awaitable[Page[ITEM]]]
    """One page of the list, by the fields of `Paging`."""

    async def download(self, request: Request, heading: Heading) -> Download:
        """The file. Raises what the first page raises, and `TooManyRows`."""
        is_book = self.form is Format.XLSX
        first = await self.read(limit=self.listing.most, include_total=is_book)
        items = self._items(request, first)
        if is_book:
            if (first.total or 0) > spreadsheets.MOST_ROWS:
                raise TooManyRows
            pieces = self._book(items)
            await anext(pieces)
        else:
            pieces = self._csv(items) if self.form is Format.CSV else _lines(items)
        name = f"{heading.institution}-{self.listing.table.name}-{heading.today}.{self.form}"
        return Download(pieces, name, _TYPES[self.form])

    async def _items(self, request: Request, page: Page[ITEM]) -> AsyncGenerator[list[ITEM], None]:
        while True:
            if await request.is_disconnected():
                raise ClientDisconnect
            yield page.items
            if page.next_cursor is None:
                return
            page = await self.read(limit=self.listing.most, cursor=page.next_cursor)

    async def _csv(self, items: Items[ITEM]) -> AsyncGenerator[bytes, None]:
        writer = delimited.Writer(self.csv)
        yield writer.head(self.listing.table.columns)
        async for some in items:
            yield writer.lines(map(self.listing.table.row, some))

    async def _book(self, items: Items[ITEM]) -> AsyncGenerator[bytes, None]:
        """The pieces of a workbook; before them an empty one, once it is made."""
        with TemporaryDirectory(prefix="quickwin-") as folder:
            file = Path(folder) / "book.xlsx"
            with spreadsheets.Book(file, self.listing.table) as book:
                async for some in items:
                    await to_thread.run_sync(book.add, some)
                await to_thread.run_sync(book.close)
            yield b""
            with file.open("rb") as made:
                async for piece in pieces_of(made):
                    yield piece


async def _lines(items: Items[ITEM]) -> AsyncGenerator[bytes, None]:
    async for some in items:
        yield b"".join(item.model_dump_json().encode() + b"\n" for item in some)


_INITIATIVES = _Listing(INITIATIVES, InitiativeQuery, portfolio.page)
_MILESTONES = _Listing(
    MILESTONES, MilestonesQuery, attention.milestones, order={"sort": "initiative"}
)
_UPDATES = _Listing(UPDATES, UpdateQuery, updates.feed)
_MISSING = _Listing(MISSING, MissingOfPeriodQuery, exporting.missing)
_ROLLUPS = _Listing(ROLLUPS, RollupsQuery, exporting.subtree, _UNITS_AT_ONCE)


async def _download(
    call: Call,
    request: Request,
    institution: str,
    listing: _Listing[ITEM],
    form: Format,
    query: CsvForm,
) -> Download:
    """A list as a file, of what is asked for apart from its form."""
    filters = {name: value for name, value in query if name not in CsvForm.model_fields}

    async def read(**paging: Any) -> Page[ITEM]:  # noqa: ANN401  fields of `Paging`
        asked = listing.query.model_construct(**filters, **listing.order, **paging)
        return await call.read(listing.page, institution, asked)

    heading = await call.read(exporting.heading, institution)
    return await _Export(listing, form, query, read).download(request, heading)


@routes.get("/initiatives.{format}", response_class=Response, responses=_FILES)
async def export_initiatives(
    call: Call,
    institution: InstitutionPath,
    form: FormatPath,
    query: Annotated[InitiativeExport, Query()],
    request: Request,
) -> Response:
    """Initiatives with their numbers of today, filtered; by code."""
    return await _download(call, request, institution, _INITIATIVES, form, query)


@routes.get("/milestones.{format}", response_class=Response, responses=_FILES)
async def export_milestones(
    call: Call,
    institution: InstitutionPath,
    form: FormatPath,
    query: Annotated[MilestoneExport, Query()],
    request: Request,
) -> Response:
    """The milestones of all initiatives, filtered; by initiative and number."""
    return await _download(call, request, institution, _MILESTONES, form, query)


@routes.get("/updates.{format}", response_class=Response, responses=_FILES)
async def export_updates(
    call: Call,
    institution: InstitutionPath,
    form: FormatPath,
    query: Annotated[UpdateExport, Query()],
    request: Request,
) -> Response:
    """Every report of the institution, filtered; newest first."""
    return await _download(call, request, institution, _UPDATES, form, query)


@routes.get("/missing.{format}", response_class=Response, responses=_FILES)
async def export_missing_reports(
    call: Call,
    institution: InstitutionPath,
    form: FormatPath,
    query: Annotated[MissingExport, Query()],
    request: Request,
) -> Response:
    """Whom to ask for a report on a period: the list of `…/periods/{period}/missing`, in its order."""
    return await _download(call, request, institution, _MISSING, form, query)


@routes.get("/rollups.{format}", response_class=Response, responses=_FILES)
async def export_rollups(
    call: Call,
    institution: InstitutionPath,
    form: FormatPath,
    query: Annotated[RollupExport, Query()],
    request: Request,
) -> Response:
    """The roll-ups of a unit and of all units below it, a row each; by code.

    Up to 2,000 units are of one moment; beyond them, `version` says which moment each row is of.
    """
    return await _download(call, request, institution, _ROLLUPS, form, query)
