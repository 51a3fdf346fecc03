"""Expiry: rows whose time is over are removed a few at a time, while others write."""

from sqlalchemy import Column, Delete, Table, bindparam, delete, select, tuple_


def removal(table: Table, expires_at: Column[object]) -> Delete:
    """Removes the rows that have expired by `now`, the oldest first and at most `most`.

    Rows that somebody else holds are passed over: nobody waits, and none is taken from them.
    """
    key = list(table.primary_key.columns)
    over = (
        select(*key)
        .where(expires_at <= bindparam("now"))
        .order_by(expires_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    return delete(table).where(tuple_(*key).in_(over))
