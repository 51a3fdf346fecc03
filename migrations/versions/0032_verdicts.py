"""Closing verdicts in the official words, and which of them were given on initiatives."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

_CATALOGUE = Path(__file__).resolve().parent.parent / "data" / "reform_catalogue.json"
# Fixed ids and instants: the same rows in every installation.
_NAMESPACE = UUID("6f1c1c0e-5f0b-5a53-9d5b-2f4f8f1d7a10")
_AT = datetime(2026, 11, 29, tzinfo=UTC)
_SOURCE = (
    "Lembar kerja evaluasi RB, Manajemen Perubahan, Road Map: quick win; as told by the KPPU's "
    "Laporan Kinerja (text-id.123dok.com/document/ky6mgk4gq)"
)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables and fill the catalogue."""
    _create_closing_verdict()
    _create_judgement()
    rows = json.loads(_CATALOGUE.read_text(encoding="utf-8"))["quick_win_verdicts"]
    op.bulk_insert(
        _closing_verdict,
        [
            {
                "id": uuid5(_NAMESPACE, f"verdict:{row['code']}"),
                "code": row["code"],
                "code_key": row["code"].lower(),
                "name_id": row["name"]["id"],
                "name_en": row["name"]["en"],
                "position": position,
                "source": _SOURCE,
                "created_at": _AT,
                "updated_at": _AT,
                "version": 1,
            }
            for position, row in enumerate(rows, start=1)
        ],
    )


def _create_closing_verdict() -> None:
    op.create_table(
        "closing_verdict",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("name_id", sa.String(length=500), nullable=False),
        sa.Column("name_en", sa.String(length=500), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("retired_at", _INSTANT, nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_closing_verdict_position")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_closing_verdict_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_verdict")),
        sa.UniqueConstraint("code_key", name=op.f("uq_closing_verdict_code_key")),
    )


def _create_judgement() -> None:
    op.create_table(
        "judgement",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("initiative_id", sa.Uuid(), nullable=False),
        sa.Column("verdict_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("judged_on", sa.Date(), nullable=False),
        sa.Column("decree_id", sa.Uuid(), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("judged_by", sa.String(length=500), nullable=False),
        sa.Column("judge_id", sa.Uuid(), nullable=False),
        sa.Column("judged_at", _INSTANT, nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["verdict_id"], ["closing_verdict.id"], name=op.f("fk_judgement_verdict_id")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "initiative_id"],
            ["initiative.institution_id", "initiative.id"],
            name=op.f("fk_judgement_institution_id_initiative_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "decree_id"],
            ["decree.institution_id", "decree.id"],
            name=op.f("fk_judgement_institution_id_decree_id"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_judgement")),
    )
    for columns in (["initiative_id", "id"], ["decree_id"]):
        names = ["institution_id", *columns]
        op.create_index(op.f(f"ix_judgement_{'_'.join(names)}"), "judgement", names)
    op.create_index(
        op.f("uq_judgement_stands"),
        "judgement",
        ["institution_id", "initiative_id"],
        unique=True,
        postgresql_where=sa.text("stands"),
        sqlite_where=sa.text("stands = 1"),
    )


_closing_verdict = sa.table(
    "closing_verdict",
    sa.column("id", sa.Uuid),
    *(sa.column(name, sa.String) for name in ("code", "code_key", "name_id", "name_en", "source")),
    sa.column("position", sa.Integer),
    sa.column("created_at", _INSTANT),
    sa.column("updated_at", _INSTANT),
    sa.column("version", sa.Integer),
)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("judgement")
    op.drop_table("closing_verdict")
