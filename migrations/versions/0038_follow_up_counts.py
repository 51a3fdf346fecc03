"""Follow-ups in the ledger: how many are open, and from when each is overdue."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

_COUNTS = {"rollup_total": "follow_ups", "rollup_period": "neglected"}
_DAY, _MONTH = 1, 2
# A follow-up counts where its obstacle does: in each area that the initiative serves and once in
# all, or in the unit's own year and no area; and in every unit above.
_OPEN = """
    WITH place AS (
        SELECT o.institution_id, o.id, i.unit_id, :everywhere AS area_id, i.year
        FROM obstacle o
        JOIN initiative i ON i.institution_id = o.institution_id AND i.id = o.initiative_id
        WHERE i.status IN ('active', 'on_hold', 'completed')
        UNION ALL
        SELECT o.institution_id, o.id, i.unit_id, a.area_id, i.year
        FROM obstacle o
        JOIN initiative i ON i.institution_id = o.institution_id AND i.id = o.initiative_id
        JOIN initiative_area a ON a.institution_id = i.institution_id AND a.initiative_id = i.id
        WHERE i.status IN ('active', 'on_hold', 'completed')
        UNION ALL
        SELECT o.institution_id, o.id, o.unit_id, :everywhere AS area_id, o.year
        FROM obstacle o
        WHERE o.unit_id IS NOT NULL
    )
    SELECT f.institution_id, c.ancestor_id AS unit_id, p.area_id, p.year, f.due_on, count(*) AS number
    FROM follow_up f
    JOIN place p ON p.institution_id = f.institution_id AND p.id = f.obstacle_id
    JOIN unit_closure c ON c.institution_id = p.institution_id AND c.descendant_id = p.unit_id
    WHERE f.state = 'open'
    GROUP BY f.institution_id, c.ancestor_id, p.area_id, p.year, f.due_on
"""
_ADD_TOTAL = """
    INSERT INTO rollup_total (
        institution_id, unit_id, area_id, year, bac, active, on_hold, completed, unmeasured, milestones, follow_ups
    ) VALUES (:institution_id, :unit_id, :area_id, :year, 0, 0, 0, 0, 0, 0, :number)
    ON CONFLICT (institution_id, unit_id, area_id, year)
    DO UPDATE SET follow_ups = rollup_total.follow_ups + excluded.follow_ups
"""
_ADD_PERIOD = """
    INSERT INTO rollup_period (
        institution_id, unit_id, area_id, span, starts_on, year,
        planned, earned, verified, due, met, done, overdue, due_soon, neglected
    ) VALUES (
        :institution_id, :unit_id, :area_id, :span, :starts_on, :year, 0, 0, 0, 0, 0, 0, 0, 0, :number
    )
    ON CONFLICT (institution_id, unit_id, area_id, span, starts_on, year)
    DO UPDATE SET neglected = rollup_period.neglected + excluded.neglected
"""
_KEYS = {name: sa.Uuid() for name in ("institution_id", "unit_id", "area_id")}


def upgrade() -> None:
    """Add the counts, and fill them with what is open."""
    for table, count in _COUNTS.items():
        op.add_column(table, sa.Column(count, sa.Integer(), server_default="0", nullable=False))
    everywhere = sa.bindparam("everywhere", UUID(int=0), sa.Uuid())
    open_ones = sa.text(_OPEN).bindparams(everywhere).columns(**_KEYS, due_on=sa.Date())
    totals = [dict(row) for row in op.get_bind().execute(open_ones).mappings()]
    periods = [
        {**row, "span": span, "starts_on": starts_on}
        for row in totals
        if row["due_on"] is not None
        for late_from in [row["due_on"] + timedelta(days=1)]
        for span, starts_on in ((_DAY, late_from), (_MONTH, late_from.replace(day=1)))
    ]
    _add(_ADD_TOTAL, totals, _KEYS)
    _add(_ADD_PERIOD, periods, {**_KEYS, "starts_on": sa.Date()})


def _add(statement: str, rows: list[dict[str, Any]], types: Mapping[str, Any]) -> None:
    if rows:
        typed = [sa.bindparam(name, type_=type_) for name, type_ in types.items()]
        op.get_bind().execute(sa.text(statement).bindparams(*typed), rows)


def downgrade() -> None:
    """Forget the counts."""
    for table, count in _COUNTS.items():
        op.drop_column(table, count)
