"""Many rows at once: COPY on PostgreSQL, executemany on SQLite and for a few."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy import Connection, Insert, Table, insert
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from app import faults, slow

_GROWN = "grown"
"""Key of `Session.info`: rows that the transaction has added to a table, and above how many it is
analyzed next."""
_ANALYZED_FROM = 1_000  # a batch of reports adds no more
_COPIED_FROM = 8
"""Rows from which COPY costs less than executing a statement for each."""


def bulk_insert(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, which share their keys.

    A transaction that inserts thousands has PostgreSQL look at the tables again as they double:
    nobody else sees the rows yet, autovacuum neither, and what was planned for a table that was
    all but empty (each check of a foreign key to it, for one) reads more with every row.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite" or len(rows) < _COPIED_FROM:
        connection.execute(_inserting(table), rows)
        return
    _copy(connection, table, rows)
    grown: dict[str, tuple[int, int]] = session.info.setdefault(_GROWN, {})
    added, analyzed_at = grown.get(table.name, (0, _ANALYZED_FROM))
    added += len(rows)
    if added > analyzed_at:
        # Without waiting: another that analyzes the table holds its lock until its own end.
        connection.exec_driver_sql(f'ANALYZE (SKIP_LOCKED) "{table.name}"')
        analyzed_at = 2 * added
    grown[table.name] = added, analyzed_at


@cache
def _inserting(table: Table) -> Insert:
    return insert(table)


def _copy(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    names = list(rows[0])
    columns = []
    for name in names:
        kind = table.c[name].type.dialect_impl(connection.dialect)
        encode = kind.bind_processor(connection.dialect)
        values = [row[name] for row in rows]
        columns.append(map(encode, values) if encode else values)
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  checked out above
    records = zip(*columns, strict=True)
    try:
        with slow.watched(connection, f"COPY {table.name}"):
            await_only(driver.copy_records_to_table(table.name, columns=names, records=records))
    except asyncpg.PostgresError as error:
        raise faults.of_copy(error) from error
