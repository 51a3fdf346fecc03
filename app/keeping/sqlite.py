"""SQLite as a file: copied while it is written to, and put in its place."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

from app import atomic
from app.keeping.container import Refused
from app.settings import Settings

_BESIDE = ("-wal", "-shm", "-journal")
_IN_USE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def place(settings: Settings) -> Path:
    """The file of the database."""
    named = make_url(settings.database_url).database
    if not named or named == ":memory:" or named.startswith("file:"):
        raise Refused("Only a database in a file of its own can be kept: sqlite:///FILE.")
    return Path(named)


@contextmanager
def copied(source: Path, copy: Path) -> Iterator[Path]:
    """A copy of a database as it is at one moment, until the block ends; writers go on meanwhile.

    All pages are copied in one step, which is one reading transaction: readers hold up nobody in WAL
    mode. In several steps the copy would begin anew whenever somebody writes.
    """
    if not source.is_file():
        raise Refused(f"There is no database {source}.")
    _remove(copy)
    try:
        copy.touch(mode=0o600)
        with closing(_connect(source)) as here, closing(_connect(copy)) as there:
            here.backup(there)
        _close(copy)
        yield copy
    finally:
        _remove(copy)


@contextmanager
def opened(file: Path) -> Iterator[Connection]:
    """A connection to a file that nobody else uses."""
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool, hide_parameters=True)
    with engine.connect() as connection:
        yield connection


def is_empty(file: Path) -> bool:
    """Whether there is no table, or no file at all; raises `Refused` for what is no database."""
    if not file.exists():
        return True
    try:
        with closing(_connect(file)) as found:
            return not found.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.Error as error:
        raise Refused(f"{file} is no database, or cannot be read: {error}.") from error


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Another file, which takes the place of the database once the block has ended well.

    Until then the old one is as it was, and what a killed process leaves has another name. Raises
    `Refused` while anybody has the old one open, and `OSError` while another process does the same.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic.claimed(target) as (unfinished, _):
        _remove_beside(unfinished)
        try:
            yield unfinished
            _close(unfinished)
            atomic.settle(unfinished)
            if target.exists():
                _close(target)
            _remove_beside(target)  # of a database that is gone: it would be taken for this one's
            unfinished.rename(target)
            atomic.settle(target.parent)
        finally:
            _remove_beside(unfinished)


def is_used(file: Path) -> bool:
    """Whether another process has the database open."""
    if not file.exists():
        return False
    try:
        _close(file)
    except Refused:
        return True
    return False


def _close(file: Path) -> None:
    """Bring all into the one file; who is alone with it can, and nobody else."""
    try:
        with closing(_connect(file)) as alone:
            alone.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _IN_USE:
            raise
        raise Refused(f"{file} is in use: stop the servers first.") from error


def _connect(file: Path) -> sqlite3.Connection:
    # Not created where it is missing, and no transaction but those that are asked for.
    return sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, isolation_level=None)


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
    _remove_beside(file)


def _remove_beside(file: Path) -> None:
    for ending in _BESIDE:
        file.with_name(file.name + ending).unlink(missing_ok=True)
