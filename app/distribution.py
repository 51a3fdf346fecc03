"""How the tables lie on several machines: what Citus is told, and why.

A table of an institution lies with all others of its institution, by `institution_id`; what all
institutions share lies whole on every machine; what only this service needs stays on the first one.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import (
    ApiToken,
    Base,
    BrowserSession,
    CalendarFeed,
    ClosingVerdict,
    IdempotencyKey,
    Institution,
    Instrument,
    InstrumentComponent,
    Person,
    Programme,
    Purpose,
    ReformArea,
    SchemaFloor,
    Scheme,
    SchemeArea,
    SchemePurpose,
    ServiceSecret,
)
from app.models.base import table as table_of

Kind = Literal["distributed", "reference", "local"]
COLUMN = "institution_id"
SHARDS = 32
"""Parts of each table, unless somebody says otherwise."""
_SHARED = "one catalogue for all institutions"
_WHOLE: dict[type[Base], str] = {
    Institution: "found by its code, which is unique over all; few rows, few changes",
    Scheme: _SHARED,
    ReformArea: _SHARED,
    SchemeArea: _SHARED,
    Purpose: _SHARED,
    SchemePurpose: _SHARED,
    Instrument: _SHARED,
    InstrumentComponent: _SHARED,
    ClosingVerdict: _SHARED,
    Programme: "joins institutions",
    ApiToken: "found by its digest, before anybody knows whose it is; an operator's is of no institution",
    BrowserSession: "as tokens",
    CalendarFeed: "as tokens",
}
_LOCAL: dict[type[Base], str] = {
    IdempotencyKey: "by who asks, who may be an operator; gone after a day",
    SchemaFloor: "of the schema; one row",
    ServiceSecret: "of the service; some rows, read once",
}
UNIQUE_APART: dict[type[Base], tuple[str, ...]] = {Person: ("oidc_subject",)}
"""Unique over all institutions, which no shard can see: these become plain indexes."""
_quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]


class Place(NamedTuple):
    """Where a table lies, and why."""

    table: Table
    kind: Kind
    reason: str


def places() -> Iterator[Place]:
    """Every table, those that others refer to first."""
    whole = {table_of(model): reason for model, reason in _WHOLE.items()}
    local = {table_of(model): reason for model, reason in _LOCAL.items()}
    later = []
    for table in Base.metadata.sorted_tables:
        if table in local:
            yield Place(table, "local", local[table])
        elif table in whole:
            yield Place(table, "reference", whole[table])
        else:
            later.append(Place(table, "distributed", "of an institution"))
    yield from later


def statements(
    database: str, done: frozenset[str] = frozenset(), shards: int = SHARDS
) -> Iterator[str]:
    """What lays the tables out; `done` names those that are. One transaction holds them all."""
    todo = [place for place in places() if place.kind != "local" and place.table.name not in done]
    if not todo:
        return
    # For ever: what is told to all machines at once cannot be followed by a change of what they share.
    yield f"ALTER DATABASE {_quote(database)} SET citus.multi_shard_modify_mode = 'sequential'"
    yield "SET LOCAL citus.multi_shard_modify_mode = 'sequential'"
    yield "SET LOCAL citus.enable_local_reference_table_foreign_keys = off"
    # Those of `event` and `frozen_report` refuse, and touch nothing.
    yield "SET LOCAL citus.enable_unsafe_triggers = on"
    names = {place.table.name for place in todo}
    yield from _made_fit(names)
    first = next(place.table for place in places() if place.kind == "distributed")
    for place in todo:
        name = place.table.name
        if place.kind == "reference":
            yield f"SELECT create_reference_table('{_quote(name)}')"
        else:
            how = f"shard_count => {shards}, colocate_with => 'none'"
            if place.table is not first:
                how = f"colocate_with => '{_quote(first.name)}'"
            yield f"SELECT create_distributed_table('{_quote(name)}', '{COLUMN}', {how})"


def unkept() -> Iterator[tuple[Table, str]]:
    """Foreign keys that lead from what is everywhere into one shard: no database can hold them."""
    kinds = {place.table: place.kind for place in places()}
    for table, kind in kinds.items():
        for key in table.foreign_key_constraints:
            if kind != "distributed" and kinds[key.referred_table] == "distributed":
                yield table, str(key.name)


def _made_fit(names: set[str]) -> Iterator[str]:
    for table, key in unkept():
        if table.name in names:
            yield f"ALTER TABLE {_quote(table.name)} DROP CONSTRAINT IF EXISTS {_quote(key)}"
    for model, columns in UNIQUE_APART.items():
        table = table_of(model)
        if table.name in names:
            index = f"ix_{table.name}_{'_'.join(columns)}"
            yield f"DROP INDEX {_quote(index)}"
            yield f"CREATE INDEX {_quote(index)} ON {_quote(table.name)} ({', '.join(columns)})"


class NoCitus(Exception):
    """The extension is not there."""


async def lay_out(engine: AsyncEngine, shards: int, *, dry_run: bool = False) -> list[str]:
    """Lay out what is not laid out yet, and answer what was executed, or would be.

    Raises `NoCitus` where the database has no such extension; what would be is told all the same.
    """
    async with engine.begin() as connection:
        if not await connection.scalar(_HAS_CITUS):
            if not dry_run:
                raise NoCitus(_NO_CITUS)
            return list(statements("DATABASE", shards=shards))
        found = await connection.scalars(_LAID_OUT)
        database: str = await connection.scalar(text("SELECT current_database()")) or ""
        executed = list(statements(database, frozenset(found), shards))
        if not dry_run:
            for statement in executed:
                await connection.exec_driver_sql(statement)
    return executed


def is_laid_out(connection: Connection) -> bool:
    """Whether the tables of a PostgreSQL database lie on several machines, or may."""
    return bool(connection.scalar(_HAS_CITUS) and connection.scalar(_IS_LAID_OUT))


_HAS_CITUS = text("SELECT true FROM pg_extension WHERE extname = 'citus'")
_LAID_OUT = text(
    "SELECT c.relname FROM pg_dist_partition AS p JOIN pg_class AS c ON c.oid = p.logicalrelid"
)
_IS_LAID_OUT = text("SELECT EXISTS (SELECT FROM pg_dist_partition)")
_NO_CITUS = (
    "the extension is not in this database: its owner says CREATE EXTENSION citus, on every machine, "
    "once shared_preload_libraries has it"
)
