"""Templates, dependencies, and baselines in versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
_KINDS = ("quick_win", "action_plan", "innovation")
_ORIGINS = ("self_selected", "mandated")
_ENDS = ("predecessor", "successor")
_INDEXED = [f"{end}{noun}_id" for end in _ENDS for noun in ("", "_milestone")]
_ADDED = (
    ("initiative", "baseline", sa.Integer()),
    ("initiative", "template_id", sa.Uuid()),
    ("milestone", "first_baseline_due_on", sa.Date()),
)


def upgrade() -> None:
    """Create the tables, and room on initiatives and milestones."""
    op.create_table(
        "template",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("kind", _choice("initiativekind", _KINDS), nullable=False),
        sa.Column("origin", _choice("origin", _ORIGINS), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("expected_result", sa.Text(), nullable=True),
        sa.Column("tags", _JSON, nullable=False),
        sa.Column("milestones", _JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_template_version")),
        sa.CheckConstraint("weight BETWEEN 1 AND 1000", name=op.f("ck_template_weight")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_template_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_template")),
        sa.UniqueConstraint(
            "institution_id", "code_key", name=op.f("uq_template_institution_id_code_key")
        ),
    )
    op.create_table(
        "template_area",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"], ["reform_area.id"], name=op.f("fk_template_area_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "template_id"],
            ["template.institution_id", "template.id"],
            name=op.f("fk_template_area_institution_id_template_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "template_id", "area_id", name=op.f("pk_template_area")
        ),
    )
    op.create_table(
        "baseline",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.String(length=500), nullable=False),
        sa.Column("milestones", sa.Integer(), nullable=False),
        sa.Column("finish_on", sa.Date(), nullable=True),
        sa.Column("plan", _JSON, nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_baseline_number")),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_baseline_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_baseline")),
        sa.UniqueConstraint(
            "institution_id",
            "initiative_id",
            "number",
            name=op.f("uq_baseline_institution_id_initiative_id_number"),
        ),
    )
    op.create_table(
        "dependency",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("predecessor_id", sa.Uuid(), nullable=False),
        sa.Column("predecessor_milestone_id", sa.Uuid(), nullable=True),
        sa.Column("successor_id", sa.Uuid(), nullable=False),
        sa.Column("successor_milestone_id", sa.Uuid(), nullable=True),
        sa.Column("lag_days", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=500), nullable=False),
        sa.CheckConstraint("lag_days BETWEEN -3660 AND 3660", name=op.f("ck_dependency_lag_days")),
        *(
            sa.ForeignKeyConstraint(
                ["institution_id", column],
                [f"{noun}.institution_id", f"{noun}.id"],
                name=op.f(f"fk_dependency_institution_id_{column}"),
                ondelete="CASCADE",
            )
            for end in _ENDS
            for column, noun in (
                (f"{end}_id", "initiative"),
                (f"{end}_milestone_id", "milestone"),
            )
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_dependency")),
    )
    for column in _INDEXED:
        op.create_index(
            op.f(f"ix_dependency_institution_id_{column}"),
            "dependency",
            ["institution_id", column],
            unique=False,
        )
    for table, name, kind in _ADDED:
        op.add_column(table, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Drop the columns and the tables."""
    for table, name, _ in reversed(_ADDED):
        op.drop_column(table, name)
    for column in reversed(_INDEXED):
        op.drop_index(op.f(f"ix_dependency_institution_id_{column}"), table_name="dependency")
    for table in ("dependency", "baseline", "template_area", "template"):
        op.drop_table(table)


def _choice(name: str, words: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=20)
