"""Restoring a backup: checked before, compared and verified after, and not ready until all is well.

On SQLite everything happens in a file beside, which takes the database's name at the end. On
PostgreSQL a table stands in the database from the beginning to the end; servers refuse to start on it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from anyio import to_thread
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app import revisions
from app.db import Database
from app.filing import storage
from app.filing.storage import FilesUnavailable, Storage
from app.keeping import facts, postgres, sqlite
from app.keeping.container import Reader, Refused
from app.keeping.taking import DATABASE, FILES, OTHERS, reading, schema_of, version
from app.keeping.verifying import Verified, verify
from app.schemas.backups import Manifest
from app.settings import Settings

Report = Callable[[str, int, int], None]


class Restored(NamedTuple):
    """What came back, and what was found of it."""

    manifest: Manifest
    is_migrated: bool
    """Whether it was of an older schema, and is of this release's now."""
    verified: Verified


async def restore(settings: Settings, file: Path, *, replace: bool, report: Report) -> Restored:
    """Bring a backup into the database of the settings, which must be empty unless it is to be replaced.

    Raises `Refused`, and then nothing was restored; where something was found that differs, it says
    so and the database is not ready.
    """
    with Reader(file) as backup:
        manifest = backup.manifest
        _accept(manifest, settings)
        await to_thread.run_sync(backup.check)
        if manifest.kind == "sqlite":
            return await _into_sqlite(settings, backup, replace=replace, report=report)
        return await _into_postgresql(settings, backup, replace=replace, report=report)


def _standing(manifest: Manifest) -> revisions.Standing:
    # One that is unknown is refused even where its schema may serve this release: to verify it is the
    # work of a release that knows it.
    return revisions.standing(revisions.Found(manifest.revision, None))


def _accept(manifest: Manifest, settings: Settings) -> None:
    kind = "sqlite" if settings.database_url.startswith("sqlite") else "postgresql"
    if kind != manifest.kind:
        raise Refused(
            f"This is a backup of {manifest.kind}, and the database is {kind}. From one kind to the "
            "other institutions move by `quickwin export` and `quickwin import`."
        )
    if _standing(manifest) == "newer":
        raise Refused(
            f"This backup has a newer schema ({manifest.revision}) than this release knows: restore "
            f"it by Quickwin {manifest.release} or later."
        )


async def _into_sqlite(
    settings: Settings, backup: Reader, *, replace: bool, report: Report
) -> Restored:
    target = sqlite.place(settings)
    if not await to_thread.run_sync(sqlite.is_empty, target):
        if not replace:
            raise Refused(f"{target} is not empty; --replace has the backup take its place.")
        if await to_thread.run_sync(sqlite.is_used, target):
            raise Refused(f"{target} is in use: stop the servers first.")

    with sqlite.replacing(target) as beside:

        def fill() -> facts.Facts:
            with beside.open("wb") as file:
                backup.extract(DATABASE, file)
            with sqlite.opened(beside) as connection:
                return facts.read(connection)

        _compare(backup.manifest, await to_thread.run_sync(fill))
        there = settings.model_copy(update={"database_url": f"sqlite:///{beside}"})
        # Files go where the database will be, not where it is now.
        return await _finish(there, storage.of(settings), backup, report)


async def _into_postgresql(
    settings: Settings, backup: Reader, *, replace: bool, report: Report
) -> Restored:
    async with reading(settings) as connection:
        server, schema = await version(connection), await schema_of(connection)
    if server.major < int(backup.manifest.database.split(".")[0]):
        raise Refused(
            f"This backup is of PostgreSQL {backup.manifest.database}, and the server is of "
            f"{server.name}: an older one does not understand it."
        )
    if schema != backup.manifest.schema_name:
        raise Refused(
            f"This backup is of the schema {backup.manifest.schema_name}, and here it would be {schema}: "
            "have the database's search_path begin with it."
        )
    program = postgres.program(settings, "pg_restore", server.major)

    def fill() -> None:
        with backup.opened(DATABASE) as dump:
            postgres.fill(program, settings.database_url, dump, schema)

    async with _held(settings, replace=replace) as ready:
        await to_thread.run_sync(fill)
        async with reading(settings) as connection:
            _compare(backup.manifest, await connection.run_sync(_without_mark))
        restored = await _finish(settings, storage.of(settings), backup, report)
        await ready()
    return restored


@asynccontextmanager
async def _held(
    settings: Settings, *, replace: bool
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """An empty database that nobody else begins with meanwhile; servers that start wait, or refuse.

    The lock goes with this process, the mark stays until what is given here is called.
    """
    database = Database(settings)
    assert isinstance(database.engine, AsyncEngine)  # noqa: S101  narrows the type
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": revisions.LOCK})
            await connection.run_sync(_clear, replace=replace)

            async def ready() -> None:
                await connection.exec_driver_sql(f"DROP TABLE {revisions.RESTORING}")

            yield ready
    finally:
        await database.close()


def _clear(connection: Connection, *, replace: bool) -> None:
    """Mark the database, and empty it if it is to be replaced; raises `Refused`."""
    found = facts.tables_of(connection)
    tables = found - {revisions.RESTORING}
    if tables and not replace and revisions.RESTORING not in found:
        raise Refused("The database is not empty; --replace empties it first.")
    others = connection.scalar(OTHERS)
    if tables and others:
        raise Refused(f"{others} others are connected to the database: stop the servers first.")
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {revisions.RESTORING} (id integer)")
    for statement in connection.scalars(text(_EMPTYING)).all():
        connection.exec_driver_sql(statement)


_EMPTYING = f"""
    SELECT format('DROP TABLE %s CASCADE', c.oid::regclass) FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND c.relname <> '{revisions.RESTORING}' AND NOT c.relispartition
    AND NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
    UNION ALL
    SELECT format('DROP FUNCTION %s CASCADE', p.oid::regprocedure) FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""  # noqa: S608  a name of ours


def _without_mark(connection: Connection) -> facts.Facts:
    return facts.read_of(connection, facts.tables_of(connection) - {revisions.RESTORING})


def _compare(manifest: Manifest, found: facts.Facts) -> None:
    if differing := facts.differences(manifest, found):
        raise Refused(
            "What was restored is not what the manifest says: " + "; ".join(differing[:10])
        )


async def _finish(settings: Settings, files: Storage, backup: Reader, report: Report) -> Restored:
    """Migrate what is there, put the files in their places, and verify all of it."""
    manifest = backup.manifest
    is_migrated = _standing(manifest) == "behind"
    if is_migrated:
        await _migrate(settings)
    await to_thread.run_sync(_put_files, files, backup)
    verified = await verify(settings, manifest.heads, report)
    if verified.wrong:
        raise Refused(
            f"What was restored does not hold: {verified.wrong[0]} ({len(verified.wrong)} findings). "
            "It was so when the backup was made, or the backup was tampered with."
        )
    return Restored(manifest, is_migrated, verified)


async def _migrate(settings: Settings) -> None:
    """As a server does at its start, which here would refuse what is not finished."""
    database = Database(settings)
    try:
        if isinstance(database.engine, AsyncEngine):
            async with database.engine.connect() as connection:
                await connection.run_sync(revisions.upgrade, "head", 0)
        else:
            await database.migrate()
    finally:
        await database.close()


def _put_files(files: Storage, backup: Reader) -> None:
    for name, part in backup.manifest.parts.items():
        institution_id, _, digest = name.removeprefix(FILES).partition("/")
        if name.startswith(FILES) and part.sha256 == digest:  # else it was damaged before
            with backup.opened(name) as file:
                try:
                    files.put(UUID(institution_id), digest, file)
                except FilesUnavailable as error:
                    raise Refused(
                        "The storage of files does not answer: restore it anew when it does."
                    ) from error
