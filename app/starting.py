"""What is looked at before anything starts: settings that can be read may yet be of no use here."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import typer
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app import configuration
from app.addresses import address
from app.configuration import Misconfigured, Wrong
from app.console import err
from app.filing import storage
from app.settings import Settings


def settings_or_exit() -> Settings:
    """The settings; or each wrong variable on stderr, and exit status 2. Unknown ones are warned of."""
    for name, meant in configuration.unknown(os.environ):
        hint = f"; did you mean {meant}?" if meant else ""
        err.print(f"[yellow]Warning[/yellow]: {name} is no setting{hint}", soft_wrap=True)
    try:
        return _usable(configuration.read())
    except Misconfigured as error:
        for wrong in error.found:
            told = f"{wrong.variable}: {wrong.problem}" if wrong.variable else wrong.problem
            err.print(told, style="red", markup=False, soft_wrap=True)
            if wrong.allowed:
                err.print(f"    allowed: {wrong.allowed}", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None


def _usable(chosen: Settings) -> Settings:
    if found := tuple(useless(chosen)):
        raise Misconfigured(found)
    return chosen


def useless(chosen: Settings) -> Iterator[Wrong]:
    """Settings that are well-formed and cannot be used on this machine."""
    for name in ("database_url", "database_direct_url", "database_read_url"):
        if not _is_address(getattr(chosen, name)):
            yield Wrong(f"QUICKWIN_{name.upper()}", "this is no address of a database", _DATABASE)
            return
    if configuration.wants_traces() and not configuration.can_trace():
        told = "traces are asked for, and the packages for them are not installed (.[otel])"
        yield Wrong("OTEL_EXPORTER_OTLP_ENDPOINT", told, "none, for no traces")
    if missing := _missing_for_files(chosen):
        yield Wrong("QUICKWIN_FILES_URL", missing, "a folder, or a URL such as s3://BUCKET/FOLDER")
    if problem := _missing_for_counting(chosen.rate_limit_storage.get_secret_value()):
        yield Wrong("QUICKWIN_RATE_LIMIT_STORAGE", problem, "memory:// or redis://HOST:PORT/DB")


_DATABASE = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


def _is_address(url: str | None) -> bool:
    try:
        if url is not None and url.startswith("postgresql"):
            address(url)
        elif url is not None:
            make_url(url)
    except (ArgumentError, ValueError):
        return False
    return True


def _missing_for_files(chosen: Settings) -> str | None:
    try:
        kept = storage.of(chosen)
    except ImportError:
        return "the package for this kind of storage is not installed; for s3:// it is .[s3]"
    except ValueError:
        return "this kind of storage is not known"
    if not kept.is_local:
        return None
    root = Path(kept.root)
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    return None if there.is_dir() and os.access(there, os.W_OK) else "this cannot be written to"


def _missing_for_counting(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        is_shared = parts.scheme != "memory" and parts.port != 0
    except ValueError:
        return "this is no address"
    if is_shared and find_spec("redis") is None:
        return "the package for it is not installed (.[redis])"
    return None
