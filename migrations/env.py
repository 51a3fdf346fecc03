"""How Alembic reaches the database: on the connection it is handed, or by the settings."""

import asyncio
from collections.abc import Collection, Mapping

import sqlalchemy as sa
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import SchemaItem

from app.db import Database
from app.models import Base, SchemaFloor
from app.models.base import ONLY_ON, table
from app.settings import settings

FLOORED = "0033"
"""From here on the schema says which releases it serves."""


def run(connection: Connection, lock_seconds: float) -> None:
    """Run the migrations that the command asks for.

    On a connection that is in a transaction they run in it. Else, on PostgreSQL, each has one of its
    own, so that it holds its locks for itself alone, and may leave it to make an index concurrently.
    """
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:
        limit(connection, lock_seconds)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=not is_postgresql,
        transaction_per_migration=is_postgresql,
        on_version_apply=say_whom_it_serves,
        include_object=lambda item, *_: is_of(connection.dialect.name, item),
    )
    with context.begin_transaction():
        context.run_migrations()


def is_of(dialect: str, item: SchemaItem) -> bool:
    """Whether something of the models, or of a database, is there on this kind of database."""
    return bool(item.info.get(ONLY_ON, dialect) == dialect)


def limit(connection: Connection, lock_seconds: float) -> None:
    """Wait for locks as long as is said, and let work that has begun take its time.

    For each transaction anew: what runs outside of them keeps nobody waiting, and has no limits.
    """

    @event.listens_for(connection, "begin")
    def set_limits(begun: Connection) -> None:
        if begun.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            return
        begun.exec_driver_sql(f"SET LOCAL lock_timeout = '{round(lock_seconds * 1_000)}ms'")
        begun.exec_driver_sql("SET LOCAL statement_timeout = 0")
        begun.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def say_whom_it_serves(
    ctx: MigrationContext,
    step: MigrationInfo,  # noqa: ARG001  Alembic's names
    heads: Collection[str],
    run_args: Mapping[str, object],  # noqa: ARG001  as above
) -> None:
    """Keep the oldest revision whose release runs on the schema: the highest that a migration names."""
    if not heads:
        return
    scripts = list(context.script.walk_revisions("base", ",".join(heads)))
    if FLOORED not in {script.revision for script in scripts}:
        return
    named = (getattr(script.module, "oldest_release", None) for script in scripts)
    floor = table(SchemaFloor)
    ctx.impl.execute(
        sa.update(floor).where(floor.c.id == 1).values(revision=max(filter(None, named)))
    )


async def connect() -> None:
    """Run on a connection of our own, for `alembic` on the command line."""
    database = Database(settings())
    seconds = settings().migration_lock_seconds
    try:
        engine = database.direct
        if isinstance(engine, AsyncEngine):
            async with engine.connect() as connection:
                await connection.run_sync(run, seconds)
        else:
            with engine.begin() as connection:
                run(connection, seconds)
    finally:
        await database.close()


if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        target_metadata=Base.metadata,
        literal_binds=True,
        transaction_per_migration=True,
        on_version_apply=say_whom_it_serves,
    )
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    run(given, context.config.attributes.get("lock_seconds", settings().migration_lock_seconds))
else:
    asyncio.run(connect())
