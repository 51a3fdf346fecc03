"""Indexes on tables that are there and in use: made beside the work, not in its way.

A plain CREATE INDEX on PostgreSQL lets nobody write to the table until it is done. Made concurrently it
takes two passes outside a transaction, and leaves an invalid index behind when it fails: so whatever
bears the name and is not valid goes first, and a migration that is run again makes it whole.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import context, op

_VALID = sa.text(
    "SELECT i.indisvalid FROM pg_catalog.pg_index AS i "
    "WHERE i.indexrelid = to_regclass(quote_ident(:name))"
)


def create(
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    unique: bool = False,
    where: str | None = None,
) -> None:
    """Make an index; on PostgreSQL concurrently, and not again where it is there and valid.

    It is the last thing that its migration does, or the only one: what went before is committed.
    """
    condition = None if where is None else sa.text(where)
    if op.get_context().dialect.name != "postgresql":
        op.create_index(name, table, columns, unique=unique, sqlite_where=condition)
        return
    with outside_transactions():
        # Without a look at what is there, it may as well be made anew.
        if context.is_offline_mode() or op.get_bind().scalar(_VALID, {"name": name}) is not True:
            op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            name,
            table,
            columns,
            unique=unique,
            if_not_exists=True,
            postgresql_concurrently=True,
            postgresql_where=condition,
        )


def drop(name: str, table: str) -> None:
    """Drop an index, if it is there; on PostgreSQL concurrently."""
    if op.get_context().dialect.name != "postgresql":
        op.drop_index(name, table)
        return
    with outside_transactions():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


@contextmanager
def outside_transactions(*, lock_seconds: int = 0) -> Iterator[None]:
    """Past the migration's own, which is committed before; without limits but the one that is given.

    An index that is made so keeps nobody waiting, and waits itself for every transaction that is open.
    """
    limits = {"lock_timeout": 1_000 * lock_seconds, "statement_timeout": 0}
    with op.get_context().autocommit_block():
        for name, milliseconds in limits.items():
            op.execute(f"SET {name} = {milliseconds}")
        yield
        for name in limits:
            op.execute(f"RESET {name}")
