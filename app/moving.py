"""`quickwin export` and `quickwin import`: an institution leaves one database and comes to another."""

from pathlib import Path
from typing import Annotated

import typer

from app import atomic
from app.archive import Reader
from app.console import out, progress, warn_of_missing
from app.db import Database
from app.schemas.archives import Manifest
from app.services import packing, unpacking
from app.services.actors import SYSTEM
from app.services.unpacking import Unpacked
from app.terminal import DatabaseUrl, Institution, codes, configure, run


def export(
    file: Annotated[Path, typer.Argument(help="Archive that is made; it must not be there.")],
    institution: Institution = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Write an institution with all that it consists of to an archive, from one snapshot."""
    if file.exists():
        raise typer.BadParameter("There is a file of this name already.")

    async def work(database: Database) -> Manifest:
        found = await codes(database, institution)
        if len(found) != 1:
            raise typer.BadParameter("Say which institution, with --institution.")
        with atomic.written(file) as target, progress() as report:
            return await database.read(packing.pack, SYSTEM, found[0], target, report)

    manifest = run(configure(database_url), work)
    rows = sum(part.rows for part in manifest.tables.values())
    out.print(f"Exported {manifest.institution}: {rows:,} rows, {file.stat().st_size:,} bytes.")
    out.print(f"Its trail ends at {manifest.sequence}:{manifest.head}")
    warn_of_missing(manifest.missing)


def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    code: Annotated[
        str | None, typer.Option("--as", help="Another code for the institution.")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take an institution in from an archive, all of it or nothing; verified before it is kept."""

    async def work(database: Database) -> Unpacked:
        with Reader(file) as reader, progress() as report:
            return await database.write(unpacking.unpack, SYSTEM, reader, code, report)

    unpacked = run(configure(database_url), work)
    out.print(f"Imported {unpacked.institution}: {unpacked.rows:,} rows; every number verified.")
    if unpacked.is_copy:
        out.print("The original is here too: this is a copy, whose events are chained anew.")
    if unpacked.without_subject:
        out.print(
            f"{unpacked.without_subject:,} people came without their OIDC subject: somebody else "
            "of this service has it."
        )
    out.print("Tokens do not come along: make new ones.")
    warn_of_missing(unpacked.missing)
