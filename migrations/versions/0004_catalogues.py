"""Seed the reform catalogues: every scheme with its areas, in both languages."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

_CATALOGUE = Path(__file__).resolve().parent.parent / "data" / "reform_catalogue.json"
# Fixed ids and instants: the same rows in every installation.
_NAMESPACE = UUID("6f1c1c0e-5f0b-5a53-9d5b-2f4f8f1d7a10")
_AT = datetime(2026, 11, 24, tzinfo=UTC)
_CATALOGUE_FEED = UUID(int=0)

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _stamps() -> list[sa.ColumnClause[Any]]:
    return [
        sa.column("created_at", sa.DateTime(timezone=True)),
        sa.column("updated_at", sa.DateTime(timezone=True)),
        sa.column("version", sa.Integer),
    ]


def _named() -> list[sa.ColumnClause[Any]]:
    return [
        sa.column("id", sa.Uuid),
        sa.column("code", sa.String),
        sa.column("code_key", sa.String),
        sa.column("name_id", sa.String),
        sa.column("name_en", sa.String),
    ]


_scheme = sa.table(
    "scheme",
    *_named(),
    sa.column("basis", sa.String),
    sa.column("from_year", sa.Integer),
    sa.column("to_year", sa.Integer),
    *_stamps(),
)
_area = sa.table("reform_area", *_named(), sa.column("aliases", _json), *_stamps())
_place = sa.table(
    "scheme_area",
    sa.column("scheme_id", sa.Uuid),
    sa.column("area_id", sa.Uuid),
    sa.column("position", sa.Integer),
    sa.column("compliance_weight", sa.Numeric),
)
_clock = sa.table(
    "institution_clock", sa.column("institution_id", sa.Uuid), sa.column("sequence", sa.BigInteger)
)


def _identity(kind: str, code: str, name: dict[str, str]) -> dict[str, Any]:
    return {
        "id": uuid5(_NAMESPACE, f"{kind}:{code}"),
        "code": code,
        "code_key": code.lower(),
        "name_id": name["id"],
        "name_en": name["en"],
        "created_at": _AT,
        "updated_at": _AT,
        "version": 1,
    }


def upgrade() -> None:
    """Insert schemes, areas, their places, and the clock of the catalogues' feed."""
    catalogue = json.loads(_CATALOGUE.read_text(encoding="utf-8"))
    schemes = [
        {
            **_identity("scheme", scheme["code"], scheme["name"]),
            "basis": scheme["basis"],
            "from_year": scheme["from"],
            "to_year": scheme["to"],
        }
        for scheme in catalogue["schemes"]
    ]
    areas: list[dict[str, Any]] = []
    places: list[dict[str, Any]] = []
    for scheme, listed in catalogue["areas"].items():
        for position, area in enumerate(listed, start=1):
            # A bare code is an area that another scheme describes.
            code = area if isinstance(area, str) else area["code"]
            if not isinstance(area, str):
                aliases = area.get("aliases", [])
                areas.append({**_identity("area", code, area["name"]), "aliases": aliases})
            places.append(
                {
                    "scheme_id": uuid5(_NAMESPACE, f"scheme:{scheme}"),
                    "area_id": uuid5(_NAMESPACE, f"area:{code}"),
                    "position": position,
                    "compliance_weight": None
                    if isinstance(area, str)
                    else area.get("compliance_weight"),
                }
            )
    clock = {"institution_id": _CATALOGUE_FEED, "sequence": 0}
    for table, key, rows in (
        (_scheme, ("id",), schemes),
        (_area, ("id",), areas),
        (_place, ("scheme_id", "area_id"), places),
        (_clock, ("institution_id",), [clock]),
    ):
        there = {tuple(row) for row in op.get_bind().execute(sa.select(*(table.c[k] for k in key)))}
        op.bulk_insert(table, [row for row in rows if tuple(row[k] for k in key) not in there])


def downgrade() -> None:
    """Leave them: they may be in use or changed, and the tables were there before."""
