"""What a report writes on PostgreSQL: no entry for a name that it has not, and rows with room to change."""

from alembic import op

from migrations import indexes

revision = "0034"
down_revision = "0033"

_TABLE = "progress_update"
_COLUMNS = ("institution_id", "milestone_id", "source", "external_id")
_NAMED = "uq_progress_update_named"
_UNIQUE = "uq_progress_update_institution_id_milestone_id_source_external_id"
_CHANGED = ("milestone", "initiative")
"""Each report changes a row of them: a new version in the same page leaves their indexes alone."""


def upgrade() -> None:
    """Index reports that scripts have named instead of all; SQLite would have to make the table anew."""
    if op.get_context().dialect.name != "postgresql":
        return
    for table in _CHANGED:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 85)")
    indexes.create(_NAMED, _TABLE, _COLUMNS, unique=True, where="source IS NOT NULL")
    op.drop_constraint(op.f(_UNIQUE), _TABLE)


def downgrade() -> None:
    """Index all of them again."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.create_unique_constraint(op.f(_UNIQUE), _TABLE, _COLUMNS)
    for table in _CHANGED:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    indexes.drop(_NAMED, _TABLE)
