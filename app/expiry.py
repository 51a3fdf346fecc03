"""Expiry: rows whose time is over are removed a few at a time, while others write."""

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Delete,
    Select,
    Table,
    bindparam,
    delete,
    select,
    tuple_,
)


def removal(table: Table, expires_at: Column[object], *conditions: ColumnElement[bool]) -> Delete:
    """Removes the rows that have expired by `now`, the oldest first and at most `most`.

    Rows that somebody else holds are passed over: nobody waits, and none is taken from them.
    """
    key = list(table.primary_key.columns)
    return delete(table).where(tuple_(*key).in_(over(table, expires_at, *conditions)))


def over(
    table: Table, expires_at: Column[object], *conditions: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """The keys of those rows, which are locked."""
    return (
        select(*table.primary_key.columns)
        .where(expires_at <= bindparam("now"), *conditions)
        .order_by(expires_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
