"""The ledger's statements, in the form of each database: increments, and rows carried to others."""

from typing import Any, NamedTuple

from sqlalchemy import Insert, MetaData, Table, bindparam, select, text, true
from sqlalchemy.dialects import postgresql, sqlite

from app.models import RollupPeriod, RollupTotal
from app.models.base import table as table_of
from app.rollup.contribution import Change, Totals


class Upserts(NamedTuple):
    """The statements of one database, built once so that their compiled form is reused."""

    total: Insert
    period: Insert
    moved_total: Insert
    moved_period: Insert
    staged_period: Insert


def _upserts(dialect: Any) -> Upserts:  # noqa: ANN401  the two dialects' modules share no type
    def adding(table: Table, numbers: tuple[str, ...], source: Any = None) -> Insert:  # noqa: ANN401
        statement = dialect.insert(table)
        if source is not None:
            statement = statement.from_select(list(table.c.keys()), source)
        return statement.on_conflict_do_update(  # type: ignore[no-any-return]
            index_elements=list(table.primary_key.columns),
            set_={name: table.c[name] + statement.excluded[name] for name in numbers},
        )

    def moved(table: Table, numbers: tuple[str, ...]) -> Any:  # noqa: ANN401
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

    total, period = table_of(RollupTotal), table_of(RollupPeriod)
    return Upserts(
        adding(total, Totals._fields),
        adding(period, Change._fields),
        adding(total, Totals._fields, moved(total, Totals._fields)),
        adding(period, Change._fields, moved(period, Change._fields)),
        # SQLite reads "SELECT … ON CONFLICT" as a join unless there is a WHERE.
        adding(period, Change._fields, select(STAGED).where(true())),
    )


STAGED = table_of(RollupPeriod).to_metadata(MetaData(), name="rollup_period_staged")
STAGE = text("CREATE TEMPORARY TABLE rollup_period_staged (LIKE rollup_period) ON COMMIT DROP")
UNSTAGE = text("DROP TABLE rollup_period_staged")
OF = {"sqlite": _upserts(sqlite), "postgresql": _upserts(postgresql)}
