"""The command line: serve, migrate, load the demo, make tokens, audit; and what `remote` has."""

import asyncio
import logging.config
import signal
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Annotated

import typer
import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine

from app import auditing, distribution, doctor, logs, moving, recomputing, serving, worker
from app.console import err, out, progress
from app.db import Database
from app.demo import load as demo_loader
from app.keeping import retention
from app.keeping.commands import backup, restore, retain
from app.remote.commands import commands as remote
from app.services import deletions, operators
from app.services.actors import SYSTEM
from app.terminal import FAILURES, DatabaseUrl, configure, end, run

CONNECTION = "app.api.connections:Connection"
"""The protocol of a server, named and not imported: no other command needs what speaks HTTP."""

app = typer.Typer(
    help="Quick-win reform initiatives, rolled up exactly through a tree of units.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_db = typer.Typer(help="The database's schema.", no_args_is_help=True)
_demo = typer.Typer(help="Synthetic data of a real institution.", no_args_is_help=True)
_token = typer.Typer(help="Who may come in.", no_args_is_help=True)
_deletions = typer.Typer(help="What was deleted and can be restored.", no_args_is_help=True)
app.add_typer(_db, name="db")
app.add_typer(_demo, name="demo")
app.add_typer(_token, name="token")
app.add_typer(recomputing.commands, name="rollups")
app.add_typer(_deletions, name="deletions")
app.add_typer(auditing.commands, name="audit")
app.add_typer(remote)
app.command("doctor")(doctor.doctor)
app.command("export")(moving.export)
app.command("import")(moving.import_)
app.command()(backup)
app.command()(restore)
app.command("retention")(retain)


def main() -> None:
    """Entry point of `quickwin`; what stands in its way is one line, and the exit status."""
    try:
        app()
    except FAILURES as failure:
        end(failure)


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
    chosen = configure(database_url)

    async def prepare(database: Database) -> str | None:
        if demo and not await database.read(demo_loader.is_loaded):
            with progress() as report:
                await demo_loader.load_once(database, report)
        if demo and not await database.read(demo_loader.is_whole):
            err.print(
                "Demo:      a part is missing, as after a load that was interrupted; "
                "a new database gets all of it",
                soft_wrap=True,
            )
        # Last: who interrupts the load has not seen a token, and gets it from the next start.
        secret = chosen.admin_token.get_secret_value() if chosen.admin_token else None
        return await database.write(operators.first_start, secret)

    made = run(chosen, prepare)
    out.print(f"Quickwin:  http://{host}:{port}/")
    out.print(f"API:       http://{host}:{port}/docs")
    if made is not None:
        out.print(f"Operator token, shown this once:  {made}")
    elif chosen.admin_token is not None:
        out.print("Operator token:  the one in QUICKWIN_ADMIN_TOKEN")
    else:
        out.print("Operator token:  shown at first start; another: quickwin token create NAME")
    config = uvicorn.Config(
        serving.APPLICATION,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        lifespan="on",
        http=CONNECTION,
        h11_max_incomplete_event_size=chosen.max_head_bytes,
        timeout_graceful_shutdown=chosen.shutdown_seconds,
        ws="none",
        proxy_headers=bool(chosen.trusted_proxies),
        forwarded_allow_ips=",".join(chosen.trusted_proxies),
        server_header=False,
        access_log=False,  # its lines have the query in them; ours come from `api/access_log`
        log_config=logs.configuration(chosen),
        log_level=chosen.log_level,
    )
    raise typer.Exit(serving.serve(config))


@app.command("worker")
def work(
    metrics_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port on 127.0.0.1 that shows /metrics; none without."),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Do the background work in a process of its own, for servers with QUICKWIN_BACKGROUND=false."""
    chosen = configure(database_url)

    async def go(database: Database) -> None:
        logging.config.dictConfig(logs.configuration(chosen))
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        out.print("Working; stop with Ctrl+C.")
        async with AsyncExitStack() as running:
            if metrics_port is not None:
                meters = import_module("app.api.meters")
                try:
                    running.enter_context(meters.exposed(metrics_port))
                except OSError as error:
                    told = f"Nothing can listen on this port: {error.strerror}."
                    raise typer.BadParameter(told, param_hint="--metrics-port") from error
                await running.enter_async_context(meters.sampling(database))
            await running.enter_async_context(database.wakes.listening())
            await worker.work(database, chosen, stop)

    run(chosen, go, is_service=True)


@_db.command("upgrade")
def upgrade(
    service_role: Annotated[
        str | None,
        typer.Option(help="PostgreSQL role that the service runs as; it gets rows, not tables."),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Bring the schema to the newest revision, as its owner."""

    async def go() -> None:
        database = Database(configure(database_url))
        if service_role is not None and database.is_sqlite:
            raise typer.BadParameter("SQLite has no roles.")
        try:
            await database.migrate(service_role=service_role)
        finally:
            await database.close()

    asyncio.run(go())
    out.print("The schema is up to date.")


@_db.command("distribute")
def distribute(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be executed, and execute nothing.")
    ] = False,
    shards: Annotated[
        int, typer.Option(min=1, max=1_024, help="Parts of each table.")
    ] = distribution.SHARDS,
    database_url: DatabaseUrl = None,
) -> None:
    """Lay the tables out over the machines of a Citus cluster, as the owner; may be repeated."""

    async def go() -> list[str]:
        database = Database(configure(database_url))
        if not isinstance(database.direct, AsyncEngine):
            raise typer.BadParameter("SQLite is one file: this is for PostgreSQL with Citus.")
        if not dry_run:
            await database.migrate()
        try:
            return await distribution.lay_out(database.direct, shards, dry_run=dry_run)
        finally:
            await database.close()

    try:
        executed = asyncio.run(go())
    except distribution.NoCitus as error:
        err.print(f"[red]No Citus[/red]: {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    if dry_run:
        out.print("\n".join(f"{statement};" for statement in executed), markup=False)
    else:
        out.print("The tables are laid out." if executed else "Nothing is left to lay out.")


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
        with progress() as report:
            loaded = await demo_loader.load(database, initiatives, milestones, report)
        out.print(
            f"Loaded {loaded.initiatives:,} initiatives, {loaded.milestones:,} milestones "
            f"and {loaded.updates:,} reports."
        )

    run(configure(database_url), work)


@_token.command("create")
def create_token(name: str, database_url: DatabaseUrl = None) -> None:
    """Make an operator's token and print it, this once."""

    async def work(database: Database) -> str:
        return await database.write(operators.create, SYSTEM, name)

    out.print(run(configure(database_url), work))


@_token.command("revoke")
def revoke_token(name: str, database_url: DatabaseUrl = None) -> None:
    """Make the operators' tokens of a name worthless from the next request on."""

    async def work(database: Database) -> int:
        return await database.write(operators.revoke, SYSTEM, name)

    out.print(f"Revoked: {run(configure(database_url), work)}")


@_deletions.command("purge")
def purge(database_url: DatabaseUrl = None) -> None:
    """Remove for good what can no longer be restored, a little at a time, while the service goes on."""
    purged = run(
        configure(database_url), lambda database: retention.exhaust(database, deletions.purge)
    )
    out.print(f"Purged: {purged:,}")


if __name__ == "__main__":
    main()
