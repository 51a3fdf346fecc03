"""Given rows: any number of rows as one parameter, so that a statement is the same for all of them.

    _FOUND = Statement(
        lambda asked: select(Milestone.percent).join(asked, Milestone.id == asked.c.id),
        id=Uuid(),
    )
    _FOUND.run(session, [{"id": milestone_id}, …])

A list that is written out in the statement makes another statement of each length: each is parsed
and planned anew, and stays in the cache of prepared statements of each connection. The rows hold
UUIDs, dates, whole numbers, text, and null. To PostgreSQL they travel as an array of each column, to
SQLite as JSON. PostgreSQL's planner does not see how long the arrays are: else it would take a plan
that is kept for one that costs more, and make one anew each time, which takes longer than most run.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    CursorResult,
    Executable,
    FromClause,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

T = TypeVar("T")

_PARAMETER = "given"


class Statement:
    """A statement over given rows, built once in the form of each database."""

    def __init__(self, build: Callable[[FromClause], Executable], **types: TypeEngine[Any]) -> None:
        self._names = tuple(types)
        self._forms = {
            "postgresql": build(_on_postgresql(types)),
            "sqlite": build(_on_sqlite(types)),
        }

    def run(
        self,
        session: Session,
        rows: Sequence[Mapping[str, Any]],
        **parameters: Any,  # noqa: ANN401  whatever the statement binds
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute it over these rows, with further parameters of the statement."""
        connection = session.connection()
        dialect = connection.dialect.name
        if dialect == "postgresql":
            for name in self._names:
                parameters[f"{_PARAMETER}_{name}"] = [row[name] for row in rows]
        else:
            parameters[_PARAMETER] = json.dumps(rows, default=_plain, separators=(",", ":"))
        return connection.execute(self._forms[dialect], parameters)


def portions(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Items in their order, at most so many at a time: for lists that a statement does write out."""
    return (items[start : start + most] for start in range(0, len(items), most))


def _on_postgresql(types: dict[str, TypeEngine[Any]]) -> FromClause:
    arrays = (
        select(
            bindparam(f"{_PARAMETER}_{name}", type_=ARRAY(type_, dimensions=1))
        ).scalar_subquery()
        for name, type_ in types.items()
    )
    columns = (column(name, type_) for name, type_ in types.items())
    return func.unnest(*arrays).table_valued(*columns, name=_PARAMETER).render_derived()


def _on_sqlite(types: dict[str, TypeEngine[Any]]) -> FromClause:
    rows = func.json_each(bindparam(_PARAMETER, type_=Text())).table_valued("value")
    read = select(
        *(
            func.json_extract(rows.c.value, f"$.{name}", type_=type_).label(name)
            for name, type_ in types.items()
        )
    )
    # A limit keeps SQLite from merging this into the statement around it, where it would read the
    # JSON anew for each row of the institution.
    return read.limit(literal_column("-1")).subquery(_PARAMETER)


def _plain(value: object) -> str:
    """A value that JSON lacks, as both databases read it."""
    if isinstance(value, UUID):
        return value.hex  # how SQLite keeps it; PostgreSQL takes it too
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value))
