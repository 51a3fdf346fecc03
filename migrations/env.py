"""How Alembic reaches the database: on the connection it is handed, or by the settings."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import Database
from app.models import Base
from app.settings import settings


def run(connection: Connection) -> None:
    """Run the migrations that the command asks for, in the connection's transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect() -> None:
    """Run on a connection of our own, for `alembic` on the command line."""
    database = Database(settings())
    try:
        engine = database.direct
        if isinstance(engine, AsyncEngine):
            async with engine.begin() as connection:
                await connection.run_sync(run)
        else:
            with engine.begin() as connection:
                run(connection)
    finally:
        await database.close()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    asyncio.run(connect())
