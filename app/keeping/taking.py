"""Taking a backup: everything of one moment, while the service goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, NamedTuple
from uuid import UUID

from anyio import to_thread
from sqlalchemy import Connection, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app import __version__, distribution
from app.db import Database
from app.filing import storage
from app.filing.storage import FilesUnavailable, Storage
from app.keeping import facts, postgres, sqlite
from app.keeping.container import Refused, Writer, written
from app.keeping.facts import Facts
from app.models.base import now
from app.schemas.backups import Kind, Manifest
from app.settings import Settings

DATABASE = "database"
"""The name of the part that is the database itself: SQLite's file, or `pg_dump`'s."""
FILES = "files/"
OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid() "
    "AND application_name NOT LIKE 'citus%'"
)
"""How many others are connected; the connections that Citus keeps by itself are nobody's."""
_NO_LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout")


class _Snapshot(NamedTuple):
    """What is known of the moment that a backup is of."""

    facts: Facts
    files: list[tuple[UUID, str]]
    kind: Kind
    database: str
    schema: str


async def take(settings: Settings, target: Path, *, files: bool) -> Manifest:
    """Write a backup of the database, and of the uploaded `files`; raises `Refused`, `OSError`."""
    with written(target) as writer:
        if settings.database_url.startswith("sqlite"):
            taken_at = now()
            snapshot = await to_thread.run_sync(_of_sqlite, settings, target, writer)
        else:
            taken_at = now()
            snapshot = await _of_postgresql(settings, writer)
        kept = storage.of(settings)
        missing = await to_thread.run_sync(_add_files, writer, kept, snapshot) if files else []
        manifest = Manifest(
            release=__version__,
            revision=snapshot.facts.revision,
            kind=snapshot.kind,
            database=snapshot.database,
            schema_name=snapshot.schema,
            taken_at=taken_at,
            tables=snapshot.facts.tables,
            heads=snapshot.facts.heads,
            rollups=snapshot.facts.rollups,
            has_files=files,
            missing=missing,
            parts=writer.parts,
        )
        writer.finish(manifest)
    return manifest


def _of_sqlite(settings: Settings, target: Path, writer: Writer) -> _Snapshot:
    beside = target.with_name(f"{target.name}.copy.unfinished")
    with sqlite.copied(sqlite.place(settings), beside) as copy:
        with sqlite.opened(copy) as connection:
            snapshot = _seen(connection, "sqlite", _sqlite_version(connection), "public")
        with copy.open("rb") as file:
            writer.add(DATABASE, file, compressed=False)
    return snapshot


async def _of_postgresql(settings: Settings, writer: Writer) -> _Snapshot:
    """The dump and the facts are of one snapshot, which a transaction of ours holds for `pg_dump`.

    On Citus it is one of the first machine alone: there nobody may write, and that nobody has is seen.
    """
    async with reading(settings) as connection:
        is_apart = await connection.run_sync(distribution.is_laid_out)
        if is_apart and await connection.scalar(OTHERS):
            raise Refused(_NO_MOMENT)
        server = await version(connection)
        dump = postgres.program(settings, "pg_dump", server.major)
        snapshot = await connection.scalar(text("SELECT pg_export_snapshot()"))
        schema = await schema_of(connection)

        def write() -> None:
            with postgres.dumping(dump, settings.database_url, schema, snapshot) as made:
                writer.add(DATABASE, made, compressed=True)

        # First of all, for what there is to be seen refuses a database that is none of ours.
        seen = await connection.run_sync(_seen, "postgresql", server.name, schema)
        await to_thread.run_sync(write)
    if is_apart:
        async with reading(settings) as connection:
            if await connection.run_sync(facts.read) != seen.facts:
                raise Refused(_NO_MOMENT)
    return seen


_NO_MOMENT = (
    "The tables lie on several machines (Citus), and no snapshot is of one moment on all of them: stop "
    "whatever is connected to the database and back it up then. For backups beside the service copy "
    "each machine (`pg_basebackup`) with its log, up to one point of all (`citus_create_restore_point`)."
)


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A connection to PostgreSQL with one snapshot, which may take as long as it likes."""
    database = Database(settings)
    assert isinstance(database.engine, AsyncEngine)  # noqa: S101  narrows the type
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        async with database.engine.execution_options(**options).connect() as connection:
            for limit in _NO_LIMITS:
                await connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
            yield connection
    finally:
        await database.close()


class Server(NamedTuple):
    """The version of a PostgreSQL server."""

    name: str
    major: int


async def version(connection: AsyncConnection) -> Server:
    """Of the server at the other end."""
    name = str(await connection.scalar(text("SHOW server_version")))
    number = int(str(await connection.scalar(text("SHOW server_version_num"))))
    return Server(name, number // 10_000)


async def schema_of(connection: AsyncConnection) -> str:
    """The name of the schema that our tables are in; others may have theirs in the same database."""
    name: str | None = await connection.scalar(text("SELECT current_schema()"))
    if name is None:
        raise Refused("No schema of the database's search_path is there.")
    return name


def _seen(connection: Connection, kind: Kind, database: str, schema: str) -> _Snapshot:
    found = facts.read(connection)
    return _Snapshot(found, _files(connection, found), kind, database[:64], schema)


def _sqlite_version(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT sqlite_version()")))


def _files(connection: Connection, found: Facts) -> list[tuple[UUID, str]]:
    """The contents that files have, which are the ones that somebody expects."""
    if "uploaded_file" not in found.tables:
        return []
    files = table("uploaded_file", column("institution_id"), column("digest"))
    rows = connection.execute(
        select(files.c.institution_id, files.c.digest).distinct().order_by(*files.c)
    )
    return [(_uuid(row.institution_id), row.digest) for row in rows]


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _add_files(writer: Writer, kept: Storage, snapshot: _Snapshot) -> list[str]:
    """Add the files; answers those that are not there, or not whole."""
    missing = []
    for institution_id, digest in snapshot.files:
        name = f"{FILES}{institution_id}/{digest}"
        try:
            file: IO[bytes] = kept.open(institution_id, digest)
        except FilesUnavailable as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise Refused(
                    "The storage of files does not answer; --no-files leaves them out."
                ) from error
            missing.append(name)
            continue
        with file:
            if writer.add(name, file, compressed=True).sha256 != digest:
                missing.append(name)
    return missing
