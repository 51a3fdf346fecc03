"""The ledger's statements, in the form of each database: increments, and rows carried to others."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Insert, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.given import Statement
from app.models import RollupPeriod, RollupTotal
from app.models.base import table as table_of
from app.rollup.contribution import Change, Totals
from app.seen import LEDGER_ROWS


class Upserts(NamedTuple):
    """The statements of one database, built once so that their compiled form is reused."""

    total: Insert | Statement
    period: Insert | Statement
    moved_total: Insert
    moved_period: Insert


def add(session: Session, statement: Insert | Statement, rows: Sequence[dict[str, Any]]) -> None:
    """Add to rows of the ledger, in their order; those that are not there begin with 0."""
    if not rows:
        return
    session.info[LEDGER_ROWS] = session.info.get(LEDGER_ROWS, 0) + len(rows)
    if isinstance(statement, Statement):
        statement.run(session, rows)
    else:
        session.connection().execute(statement, rows)


def _adding(dialect: Any, table: Table, source: Any = None) -> Insert:  # noqa: ANN401  the two dialects' modules share no type
    statement = dialect.insert(table)
    if source is not None:
        statement = statement.from_select(list(table.c.keys()), source)
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=list(table.primary_key.columns),
        set_={name: table.c[name] + statement.excluded[name] for name in _NUMBERS[table]},
    )


def _moved(table: Table) -> Any:  # noqa: ANN401  as above
    numbers = _NUMBERS[table]
    replaced = {"unit_id": bindparam("target", type_=table.c.unit_id.type)}
    sign = bindparam("sign", type_=table.c[numbers[0]].type)
    return select(
        *(
            (column * sign).label(name) if name in numbers else replaced.get(name, column)
            for name, column in table.c.items()
        )
    ).where(
        table.c.institution_id == bindparam("institution"),
        table.c.unit_id == bindparam("moved"),
    )


def _given(table: Table) -> Statement:
    """All rows in one statement: executing it for each costs as much again."""
    types = {name: column.type for name, column in table.c.items()}
    return Statement(lambda rows: _adding(postgresql, table, select(rows)), **types)


_TOTAL, _PERIOD = table_of(RollupTotal), table_of(RollupPeriod)
_NUMBERS = {_TOTAL: Totals._fields, _PERIOD: Change._fields}
OF = {
    "sqlite": Upserts(
        _adding(sqlite, _TOTAL),
        _adding(sqlite, _PERIOD),
        _adding(sqlite, _TOTAL, _moved(_TOTAL)),
        _adding(sqlite, _PERIOD, _moved(_PERIOD)),
    ),
    "postgresql": Upserts(
        _given(_TOTAL),
        _given(_PERIOD),
        _adding(postgresql, _TOTAL, _moved(_TOTAL)),
        _adding(postgresql, _PERIOD, _moved(_PERIOD)),
    ),
}
