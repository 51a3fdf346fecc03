"""What the service's own commands share: their options, the way to the database, how they fail."""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from socket import gaierror
from typing import Annotated, NoReturn, TypeVar

import asyncpg
import typer
from sqlalchemy.exc import DBAPIError

from app import faults
from app.console import err
from app.db import Database
from app.errors import QuickwinError
from app.keeping.container import Refused
from app.opening import open_database
from app.schemas.pages import MOST, ChangesPaging
from app.services import institutions
from app.services.actors import SYSTEM
from app.settings import Settings, settings
from app.starting import settings_or_exit

T = TypeVar("T")

DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."),
]
Institution = Annotated[
    str | None, typer.Option(help="Code of one institution; all of them if left out.")
]

_OF_DATABASE = (
    DBAPIError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError,
    ConnectionError, TimeoutError, gaierror,
)  # fmt: skip
FAILURES = (QuickwinError, Refused, *_OF_DATABASE, OSError)
"""What may stand in the way of a command, and is no fault of it."""
_REFUSED, _MISUSED = 1, 2


def end(failure: BaseException) -> NoReturn:
    """Say in one line what stands in the way, and exit: with 2 where a file is wrong, else with 1."""
    status = _REFUSED
    if isinstance(failure, QuickwinError):
        told = f"{failure.title}: {failure.detail}"
    elif isinstance(failure, _OF_DATABASE):
        told = f"The database cannot be reached, or refuses: {faults.reason(failure)}"
    elif isinstance(failure, OSError):
        told = failure.strerror or str(failure) or type(failure).__name__
        if failure.filename is not None:
            told = f"{failure.filename}: {told}"
            status = _REFUSED if faults.is_full(failure) else _MISUSED  # it may pass
    else:
        told = str(failure)
    err.print(told, style="red", markup=False, soft_wrap=True)
    raise SystemExit(status) from failure


def configure(database_url: str | None) -> Settings:
    """Settings of this run, looked at; child processes of the server read them from the environment."""
    if database_url is not None:
        os.environ["QUICKWIN_DATABASE_URL"] = database_url
        settings.cache_clear()
    return settings_or_exit()


def quietly(chosen: Settings) -> Settings:
    """Settings of a command, which takes the time that it takes: services tell of slow statements."""
    return chosen.model_copy(update={"slow_query_ms": 0})


def run(
    chosen: Settings, work: Callable[[Database], Awaitable[T]], *, is_service: bool = False
) -> T:
    """Work on a database whose schema is up to date."""
    if not is_service:
        chosen = quietly(chosen)

    async def go() -> T:
        bare = Database(chosen)
        try:
            await bare.migrate()
        finally:
            await bare.close()
        database = await open_database(chosen)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(go())


async def codes(database: Database, institution: str | None) -> list[str]:
    """The codes of all institutions, or the one that is named."""
    if institution is not None:
        return [institution]
    codes: list[str] = []
    paging = ChangesPaging(limit=MOST)
    while True:
        page = await database.read(institutions.page, SYSTEM, paging)
        codes += [item.code for item in page.items]
        if page.next_cursor is None:
            return codes
        paging = ChangesPaging(limit=MOST, cursor=page.next_cursor)
