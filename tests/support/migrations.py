"""Migrations run step by step, and what of a schema others may rely on."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, event, inspect, types
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import Database

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
VERSIONS = MIGRATIONS / "versions"
_VERSIONED = re.compile(r"(?:UPDATE|INSERT INTO|DELETE FROM) alembic_version\b")
_SHOWN = re.compile(r"(?:ALTER|CREATE|DELETE|DROP|INSERT|RESET|SET|UPDATE)\b")


def scripts() -> list[Script]:
    """All migrations, the oldest first."""
    return list(ScriptDirectory.from_config(_config()).walk_revisions())[::-1]


def alembic(connection: Connection, what: Callable[..., Any], *arguments: str) -> None:
    """Run one of Alembic's commands on a connection."""
    config = _config()
    config.attributes["connection"] = connection
    what(config, *arguments)


async def on_connection(database: Database, work: Callable[..., Any], *arguments: Any) -> Any:
    """Do something on a connection, and commit it."""
    if isinstance(database.engine, AsyncEngine):
        # Alembic begins its own transactions: some steps leave theirs.
        async with database.engine.connect() as connection:
            done = await connection.run_sync(work, *arguments)
            await connection.commit()
            return done
    with database.engine.begin() as connection:
        return work(connection, *arguments)


async def step_to(database: Database, revision: str, *, down: bool = False) -> None:
    """Bring a database to a revision, whatever this release thinks of it."""
    await on_connection(database, alembic, command.downgrade if down else command.upgrade, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


@contextmanager
def executed(database: Database) -> Iterator[list[str]]:
    """What is executed meanwhile: the script of each migration that ends, for PostgreSQL."""
    made, script = list[str](), list[str]()
    engine = database.engine
    engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine

    def see(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        text = statement.strip()
        is_inside = "BEGIN" in script and script[::-1].index("BEGIN") < (
            script[::-1].index("COMMIT") if "COMMIT" in script else len(script)
        )
        if _VERSIONED.match(text):
            made.append(";\n".join([*script, *(["COMMIT"] if is_inside else [])]) + ";\n")
            script.clear()
        elif text.startswith("SET LOCAL lock_timeout") and not is_inside:
            script.extend(["BEGIN", text])
        elif text.startswith("SET lock_timeout") and is_inside:  # it leaves its transaction
            script.extend(["COMMIT", text])
        elif _SHOWN.match(text) and "$1" not in text:
            script.append(text)

    event.listen(engine, "before_cursor_execute", see)
    yield made
    event.remove(engine, "before_cursor_execute", see)


class Column(NamedTuple):
    """What code that writes to a column relies on."""

    type: str
    length: int | None
    nullable: bool
    has_default: bool


Shape = dict[str, dict[str, Column]]
"""Columns by table."""


def shape(connection: Connection) -> Shape:
    """What the database has."""
    found: Shape = {}
    for (_, name), columns in inspect(connection).get_multi_columns().items():
        found[name] = {
            each["name"]: Column(
                type(each["type"]).__name__,
                each["type"].length if isinstance(each["type"], types.String) else None,
                each["nullable"],
                each["default"] is not None or bool(each.get("autoincrement") is True),
            )
            for each in columns
        }
    return found


def contractions(before: Shape, after: Shape) -> list[str]:
    """What code for the schema before can no longer do on the one after."""
    return sorted(_contractions(before, after))


def _contractions(before: Shape, after: Shape) -> Iterator[str]:
    for table, columns in before.items():
        if table not in after:
            yield f"{table} is gone"
            continue
        for name, old in columns.items():
            new = after[table].get(name)
            if new is None:
                yield f"{table}.{name} is gone"
                continue
            if new.type != old.type:
                yield f"{table}.{name} has another type"
            if new.length is not None and (old.length is None or new.length < old.length):
                yield f"{table}.{name} is shorter"
            if old.nullable and not new.nullable:
                yield f"{table}.{name} is owed"
        for name in after[table].keys() - columns.keys():
            if not after[table][name].nullable and not after[table][name].has_default:
                yield f"{table}.{name} is new and owed"
