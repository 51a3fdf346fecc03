"""What is true of a database, whatever its schema: its revision, rows, chains and ledger.

Read from the tables as they stand and never through the models, for a backup is most wanted before a
migration, and what was restored is compared before it is migrated.
"""

import json
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Inspector, Result, column, func, inspect, select, table, text

from app.keeping.container import Refused
from app.revisions import RESTORING
from app.schemas.backups import ChainHead, Manifest

_LEDGER = ("rollup_total", "rollup_period")
_AT_ONCE = 2_000


class Facts(NamedTuple):
    """Of one snapshot."""

    revision: str
    tables: dict[str, int]
    heads: list[ChainHead]
    rollups: dict[str, str]


def read(connection: Connection) -> Facts:
    """The facts of a database; raises `Refused` where there is none of ours."""
    tables = tables_of(connection)
    if RESTORING in tables:
        raise Refused("A restore into this database was not finished: restore it anew.")
    return read_of(connection, tables)


def tables_of(connection: Connection) -> set[str]:
    """The tables of a database, without those that an extension has brought (as PostGIS does)."""
    found = set(inspect(connection).get_table_names())
    is_postgresql = connection.dialect.name == "postgresql"
    return found.difference(connection.scalars(_OF_EXTENSIONS)) if is_postgresql else found


_OF_EXTENSIONS = text(
    "SELECT c.relname FROM pg_class AS c JOIN pg_depend AS d "
    "ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' "
    "WHERE c.relnamespace = current_schema()::regnamespace"
)


def read_of(connection: Connection, tables: set[str]) -> Facts:
    """The facts of some tables."""
    inspector = inspect(connection)
    if "alembic_version" not in tables:
        raise Refused("There is nothing here: the database has no schema of Quickwin.")
    revision = connection.scalar(
        select(column("version_num")).select_from(table("alembic_version"))
    )
    if revision is None:
        raise Refused("The database has no revision: its migration was not finished.")
    return Facts(
        revision=revision,
        tables={
            name: connection.scalar(select(func.count()).select_from(table(name))) or 0
            for name in sorted(tables)
        },
        heads=_heads(connection),
        rollups={name: _digest(connection, inspector, name) for name in _LEDGER if name in tables},
    )


def differences(wanted: Manifest, found: Facts) -> list[str]:
    """What of a restored database is not as the manifest has it, each in a line."""
    lines = [
        f"{name}: {found.tables.get(name, 0):,} rows, not {rows:,}"
        for name, rows in wanted.tables.items()
        if found.tables.get(name) != rows
    ]
    lines += [
        f"{name} is not in the manifest" for name in found.tables if name not in wanted.tables
    ]
    heads = {head.institution_id: head for head in found.heads}
    lines += [
        f"the chain of {head.institution or 'the catalogues'} does not end at {head.sequence}"
        for head in wanted.heads
        if heads.get(head.institution_id) != head
    ]
    lines += [
        f"{name}: other roll-ups"
        for name, digest in wanted.rollups.items()
        if found.rollups.get(name) != digest
    ]
    if found.revision != wanted.revision:
        lines.append(f"its schema is {found.revision}, not {wanted.revision}")
    return lines


def _heads(connection: Connection) -> list[ChainHead]:
    clock = table("institution_clock", *map(column, ("institution_id", "sequence", "digest")))
    institution = table("institution", *map(column, ("id", "code")))
    rows = connection.execute(
        select(clock.c.institution_id, institution.c.code, clock.c.sequence, clock.c.digest)
        .outerjoin(institution, institution.c.id == clock.c.institution_id)
        .order_by(clock.c.institution_id)
    )
    return [
        ChainHead(
            institution=row.code,
            institution_id=row.institution_id,
            sequence=row.sequence,
            digest=row.digest,
        )
        for row in rows
    ]


def _digest(connection: Connection, inspector: Inspector, name: str) -> str:
    columns = sorted(each["name"] for each in inspector.get_columns(name))
    keys = inspector.get_pk_constraint(name)["constrained_columns"]
    rows: Result[Any] = connection.execution_options(yield_per=_AT_ONCE).execute(
        select(*map(column, columns)).select_from(table(name)).order_by(*map(column, keys))
    )
    digest = sha256(json.dumps(columns).encode())
    for some in rows.partitions():
        digest.update(json.dumps([tuple(row) for row in some], default=_plain).encode())
    return digest.hexdigest()


def _plain(value: Any) -> str:  # noqa: ANN401  any column
    return value.hex if isinstance(value, UUID) else str(value)
