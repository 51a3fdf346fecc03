"""The command line: serve, migrate, load the demo, make tokens, audit the roll-up."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

import typer
import uvicorn
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.api.connections import Connection
from app.db import Database
from app.demo import load as demo_loader
from app.errors import QuickwinError
from app.main import open_database
from app.rollup.audit import Findings
from app.schemas.pages import MOST, Paging
from app.services import institutions, rollups, tokens
from app.settings import Settings, settings

T = TypeVar("T")
Report = Callable[[str, int, int], None]

app = typer.Typer(
    help="Quick-win reform initiatives, rolled up exactly through a tree of units.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_db = typer.Typer(help="The database's schema.", no_args_is_help=True)
_demo = typer.Typer(help="Synthetic data of a real institution.", no_args_is_help=True)
_token = typer.Typer(help="Who may come in.", no_args_is_help=True)
_rollups = typer.Typer(help="The roll-up against its facts.", no_args_is_help=True)
app.add_typer(_db, name="db")
app.add_typer(_demo, name="demo")
app.add_typer(_token, name="token")
app.add_typer(_rollups, name="rollups")

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False)

DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."),
]
Institution = Annotated[
    str | None, typer.Option(help="Code of one institution; all of them if left out.")
]


def main() -> None:
    """Entry point of `quickwin`; a failure is one line and exit status 1."""
    try:
        app()
    except QuickwinError as error:
        _err.print(f"[red]{error.title}[/red]: {error.detail}")
        raise SystemExit(1) from error


@app.command()
def serve(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="Load the demo if it is not there.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    database_url: DatabaseUrl = None,
) -> None:
    """Migrate the database and serve the API."""
    chosen = _configure(database_url)

    async def prepare(database: Database) -> str | None:
        secret = chosen.admin_token.get_secret_value() if chosen.admin_token else None
        made = await database.write(tokens.first_start, secret)
        if demo and not await database.read(demo_loader.is_loaded):
            with _progress() as report:
                await demo_loader.load(database, demo_loader.INITIATIVES, None, report)
        return made

    made = _run(chosen, prepare)
    _out.print(f"Quickwin:  http://{host}:{port}/docs")
    if made is not None:
        _out.print(f"Operator token, shown this once:  {made}")
    elif chosen.admin_token is not None:
        _out.print("Operator token:  the one in QUICKWIN_ADMIN_TOKEN")
    else:
        _out.print("Operator token:  shown at first start; another: quickwin token create NAME")
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http=Connection,
        h11_max_incomplete_event_size=chosen.max_head_bytes,
        ws="none",
        proxy_headers=bool(chosen.trusted_proxies),
        forwarded_allow_ips=",".join(chosen.trusted_proxies),
        server_header=False,
        access_log=False,  # its lines have the query in them
        log_level="info",
    )


@_db.command("upgrade")
def upgrade(database_url: DatabaseUrl = None) -> None:
    """Bring the schema to the newest revision."""

    async def nothing(_: Database) -> None:
        """Whatever runs finds the schema up to date."""

    _run(_configure(database_url), nothing)
    _out.print("The schema is up to date.")


@_demo.command("load")
def load(
    initiatives: Annotated[int, typer.Option(min=100, max=1_000_000)] = demo_loader.INITIATIVES,
    milestones: Annotated[
        int | None, typer.Option(min=1, help="Total; 4-8 for each initiative if left out.")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Load KPU's 561 units and people with synthetic quick wins of 2022-2024."""

    async def work(database: Database) -> None:
        with _progress() as report:
            loaded = await demo_loader.load(database, initiatives, milestones, report)
        _out.print(
            f"Loaded {loaded.initiatives:,} initiatives, {loaded.milestones:,} milestones "
            f"and {loaded.updates:,} reports."
        )

    _run(_configure(database_url), work)


@_token.command("create")
def create_token(name: str, database_url: DatabaseUrl = None) -> None:
    """Make an operator's token and print it, this once."""

    async def work(database: Database) -> str:
        return await database.write(tokens.create_operator, tokens.SYSTEM, name)

    _out.print(_run(_configure(database_url), work))


@_token.command("revoke")
def revoke_token(name: str, database_url: DatabaseUrl = None) -> None:
    """Make the operators' tokens of a name worthless from the next request on."""

    async def work(database: Database) -> int:
        return await database.write(tokens.revoke_operator, tokens.SYSTEM, name)

    _out.print(f"Revoked: {_run(_configure(database_url), work)}")


@_rollups.command("verify")
def verify(institution: Institution = None, database_url: DatabaseUrl = None) -> None:
    """Recompute every roll-up from the facts; print each difference and exit 1 if there is one."""

    async def work(database: Database) -> bool:
        clean = True
        for code in await _codes(database, institution):
            findings = await _audit(database, code)
            clean = _print_findings(code, findings) and clean
        return clean

    if not _run(_configure(database_url), work):
        raise typer.Exit(1)


@_rollups.command("rebuild")
def rebuild(institution: Institution = None, database_url: DatabaseUrl = None) -> None:
    """Mend every difference that `verify` finds, while the service goes on."""

    async def work(database: Database) -> None:
        for code in await _codes(database, institution):
            findings = await _audit(database, code)
            if not _print_findings(code, findings):
                await database.write(rollups.mend, tokens.SYSTEM, code, findings)
                _out.print(f"{code}: mended")

    _run(_configure(database_url), work)


async def _codes(database: Database, institution: str | None) -> list[str]:
    if institution is not None:
        return [institution]
    codes: list[str] = []
    paging = Paging(limit=MOST)
    while True:
        page = await database.read(institutions.page, tokens.SYSTEM, paging)
        codes += [item.code for item in page.items]
        if page.next_cursor is None:
            return codes
        paging = Paging(limit=MOST, cursor=page.next_cursor)


async def _audit(database: Database, code: str) -> Findings:
    with _progress() as report:
        return await database.read(
            rollups.audit, tokens.SYSTEM, code, lambda done, total: report(code, done, total)
        )


def _print_findings(code: str, findings: Findings) -> bool:
    for difference in findings.differences:
        _out.print(f"{code}: {difference}")
    for found in findings.derived:
        _out.print(f"{code}: {found.address}: stored {found.stored}, expected {found.expected}")
    wrong = len(findings.differences) + len(findings.derived)
    _out.print(f"{code}: {findings.initiatives:,} initiatives recomputed, {wrong} differences")
    return not wrong


def _configure(database_url: str | None) -> Settings:
    """Settings of this run; child processes of the server read them from the environment."""
    if database_url is not None:
        os.environ["QUICKWIN_DATABASE_URL"] = database_url
        settings.cache_clear()
    return settings()


def _run(chosen: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Work on a database whose schema is up to date."""

    async def go() -> T:
        bare = Database(chosen)
        await bare.migrate()
        await bare.close()
        database = await open_database(chosen)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(go())


@contextmanager
def _progress() -> Iterator[Report]:
    """A progress bar on stderr for each stage of a long work."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_err) as bars:
        tasks = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report


if __name__ == "__main__":
    main()
