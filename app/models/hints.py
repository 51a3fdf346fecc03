"""What SQLite is told beside the question, for it has no statistics.

It takes an index that begins with the institution for a choice of some ten rows, whatever follows,
and would rather read all of an institution than what a list of ids names.
"""

from typing import Self
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, FromClause, SQLColumnExpression, and_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType


def on_sqlite(condition: SQLColumnExpression[bool]) -> ColumnElement[bool]:
    """A condition that follows from the others, by which SQLite finds the rows.

    PostgreSQL is not told: it counts the rows, and would take one condition for two.
    """
    return _OnSqlite(condition)


def flagged(column: SQLColumnExpression[bool]) -> ColumnElement[bool]:
    """Whether a flag is set, by an index of such rows alone.

    SQLite knows that index by the bare column, which SQLAlchemy compares with 1.
    """
    return and_(column, on_sqlite(column))


def by_given(column: SQLColumnExpression[UUID], asked: FromClause) -> ColumnElement[bool]:
    """Beside a join of given ids to a column: SQLite finds the rows by the ids, not by what is ordered."""
    return on_sqlite(column.in_(select(asked.c.id).correlate(None)))


class _OnSqlite(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002  overridden
        """As it is: compared with 1, as other values are there, no index would be of use."""
        return self


@compiles(_OnSqlite)
def _said(element: _OnSqlite, compiler: SQLCompiler, **kw: object) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(_OnSqlite, "postgresql")
def _not_said(_element: _OnSqlite, _compiler: SQLCompiler, **_kw: object) -> str:
    return "true"
