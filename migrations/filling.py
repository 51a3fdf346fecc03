"""New columns of tables that are there and in use: filled beside the work, not in its way.

Within the transaction that adds a column nobody reads the table until it is filled. So on PostgreSQL the
column is committed first, and then filled some rows at a time, each portion for itself; a migration that
was cut off there fills again, where it adds its columns as `may_be_there` says.
"""

import sqlalchemy as sa
from alembic import context, op
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_fixed

from app import faults
from migrations.indexes import outside_transactions

AT_ONCE = 500
_TRIES = Retrying(
    retry=retry_if_exception(faults.is_transient),
    wait=wait_fixed(0.5),
    stop=stop_after_attempt(20),
    reraise=True,
)


def may_be_there() -> bool | None:
    """For `if_not_exists` of a column: only PostgreSQL knows it, and only there it can be so."""
    return op.get_context().dialect.name == "postgresql" or None


def fill(table: str, **values: str) -> None:
    """Set columns of all rows of an institution's table, each to what a query of SQL answers.

    What went before it in its migration is committed. A portion waits a second for a row that somebody
    holds, lets others pass, and is tried again. Rows that a server of the release before writes
    meanwhile are its own, as after the migration.
    """
    keys = [sa.column(name, sa.Uuid()) for name in ("institution_id", "id")]
    target = sa.table(table, *keys, *map(sa.column, values))
    every = sa.update(target).values(
        {name: sa.text(f"({query})") for name, query in values.items()}
    )
    if op.get_context().dialect.name != "postgresql" or context.is_offline_mode():
        op.execute(every)
        return
    institutions = sa.select(target.c.institution_id).distinct()
    # Who holds one row must not have all others wait who want one of its portion.
    with outside_transactions(lock_seconds=1):
        connection = op.get_bind()
        for institution_id in connection.scalars(institutions).all():
            own = target.c.institution_id == institution_id
            ids = connection.scalars(sa.select(target.c.id).where(own).order_by(target.c.id)).all()
            for start in range(0, len(ids), AT_ONCE):
                portion = ids[start : start + AT_ONCE]
                _TRIES(connection.execute, every.where(own, target.c.id.in_(portion)))
