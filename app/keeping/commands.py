"""`quickwin backup` and `quickwin restore`: a whole service is kept, and comes back."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from app.console import out, progress, warn_of_missing
from app.keeping import retention
from app.keeping.container import Reader
from app.keeping.restoring import restore as restored
from app.keeping.taking import take
from app.models.base import now
from app.schemas.backups import Manifest
from app.terminal import DatabaseUrl, configure, quietly, run


def backup(
    *,
    path: Annotated[
        Path, typer.Argument(help="File that is made, or a folder that gets one by the time.")
    ],
    files: Annotated[bool, typer.Option(help="Uploaded files too.")] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Make none, but read one and verify its checksums.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Back the service up while it goes on, or check a backup that was made."""
    if check:
        _checked(path)
        return
    target = path / f"quickwin-{now():%Y%m%dT%H%M%SZ}.backup" if path.is_dir() else path
    if target.exists():
        raise typer.BadParameter("There is a file of this name already.")
    chosen = quietly(configure(database_url).past_pooler())
    manifest = asyncio.run(take(chosen, target, files=files))
    _print(manifest, f"Backed up to {target}: {target.stat().st_size:,} bytes")
    warn_of_missing(manifest.missing)


def restore(
    *,
    file: Annotated[Path, typer.Argument(help="Backup that `quickwin backup` made.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Even where the database is not empty: it is lost.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Bring a backup back, compare it with what it was, and verify every chain and roll-up."""
    chosen = quietly(configure(database_url).past_pooler())
    with progress() as report:
        found = asyncio.run(restored(chosen, file, replace=replace, report=report))
    _print(found.manifest, f"Restored from {file}")
    if found.is_migrated:
        out.print("It was of an older schema, and was migrated to that of this release.")
    verified = found.verified
    out.print(f"Audit chains: {verified.events:,} events, all in order up to the heads of then.")
    out.print(f"Roll-ups: {verified.initiatives:,} initiatives recomputed, 0 differences.")


def retain(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what is past its time, and remove nothing.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove for good what is past its time, a little at a time, while the service goes on."""
    found = run(configure(database_url), retention.waiting if dry_run else retention.apply)
    for name, number in found.items():
        out.print(f"{name}: {number:,} {'to remove' if dry_run else 'removed'}")


def _checked(file: Path) -> None:
    with Reader(file) as reader:
        reader.check()
    manifest = reader.manifest
    _print(manifest, f"{file} is whole: {len(manifest.parts):,} parts as in the manifest")


def _print(manifest: Manifest, what: str) -> None:
    rows = sum(manifest.tables.values())
    files = len(manifest.parts) - 1
    out.print(f"{what}; {rows:,} rows of {len(manifest.tables)} tables, {files:,} files.")
    out.print(
        f"It is of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC, Quickwin {manifest.release}, schema "
        f"{manifest.revision}, {manifest.kind} {manifest.database}."
    )
