"""Obstacles with their follow-ups, and their counts in the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_INSTANT = sa.DateTime(timezone=True)
_COUNTS = {"rollup_total": ("obstacles", "waiting"), "rollup_period": ("obstructed",)}
_INDEXES = {
    "obstacle": (["initiative_id"], ["unit_id"], ["escalated_to_id"], ["owner_id"]),
    "follow_up": (["obstacle_id", "id"], ["owner_id"]),
}


def upgrade() -> None:
    """Create the tables, and add the counts in place: there is nothing to count yet."""
    _create_obstacle()
    _create_follow_up()
    for table, indexes in _INDEXES.items():
        for columns in indexes:
            names = ["institution_id", *columns]
            op.create_index(op.f(f"ix_{table}_{'_'.join(names)}"), table, names)
    for table, counts in _COUNTS.items():
        for name in counts:
            op.add_column(table, sa.Column(name, sa.Integer(), server_default="0", nullable=False))


def _create_obstacle() -> None:
    op.create_table(
        "obstacle",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("year", sa.SmallInteger(), nullable=True),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "severity", _choice("severity", "low", "medium", "high", "critical"), nullable=False
        ),
        sa.Column(
            "state",
            _choice("obstaclestate", "open", "in_progress", "resolved"),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("escalated_to_id", sa.Uuid(), nullable=True),
        sa.Column("escalated_by", sa.String(length=500), nullable=True),
        sa.Column("escalated_at", _INSTANT, nullable=True),
        sa.Column("escalation_reason", sa.Text(), nullable=True),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.String(length=500), nullable=True),
        sa.Column("asked_at", _INSTANT, nullable=True),
        sa.Column("decided", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=500), nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("resolved_at", _INSTANT, nullable=True),
        sa.Column("raised_by", sa.String(length=500), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(initiative_id IS NULL) <> (unit_id IS NULL)", name=op.f("ck_obstacle_noun")
        ),
        sa.CheckConstraint("(unit_id IS NULL) = (year IS NULL)", name=op.f("ck_obstacle_year")),
        sa.CheckConstraint(
            "decided_at IS NULL OR asked_at IS NOT NULL", name=op.f("ck_obstacle_decision")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_obstacle_version")),
        _refers("obstacle", "initiative_id", "initiative", ondelete="CASCADE"),
        _refers("obstacle", "unit_id", "unit"),
        _refers("obstacle", "escalated_to_id", "unit"),
        _refers("obstacle", "owner_id", "person"),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_obstacle")),
    )


def _create_follow_up() -> None:
    op.create_table(
        "follow_up",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("obstacle_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", _choice("followupstate", "open", "done", "cancelled"), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'done') = (done_on IS NOT NULL)", name=op.f("ck_follow_up_done")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_follow_up_version")),
        _refers("follow_up", "obstacle_id", "obstacle", ondelete="CASCADE"),
        _refers("follow_up", "owner_id", "person"),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_follow_up")),
    )


def _refers(
    table: str, column: str, target: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["institution_id", column],
        [f"{target}.institution_id", f"{target}.id"],
        name=op.f(f"fk_{table}_institution_id_{column}"),
        ondelete=ondelete,
    )


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def downgrade() -> None:
    """Drop the counts and the tables."""
    for table, columns in _COUNTS.items():
        for name in columns:
            op.drop_column(table, name)
    op.drop_table("follow_up")
    op.drop_table("obstacle")
