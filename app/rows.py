"""Rows as JSON and back: one row with all that hangs on it, whatever the tables are.

What hangs on a row is what the database removes with it: the rows whose foreign keys cascade, and
what hangs on these. It is read from the mapped tables, so a table that comes later is kept too.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import JSON, Column, ColumnElement, ForeignKey, Table, insert, or_, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from app.models import Base

Rows = dict[str, list[dict[str, Any]]]
"""Rows by the names of their tables; values as the database has them, or JSON-ready."""

_TENANT = "institution_id"


def gather(
    session: Session, institution_id: UUID, root: Table, row_id: UUID, *links: Column[Any]
) -> Rows:
    """A row and all that hangs on it, also by `links`: columns that refer to it without a cascade."""
    found: Rows = {root.name: _read(session, root, institution_id, root.c.id == row_id)}
    for table in Base.metadata.sorted_tables:
        hangs: list[ColumnElement[bool]] = [
            key.parent.in_([row[key.column.name] for row in found[key.column.table.name]])
            for key in _references(table)
            if key.ondelete == "CASCADE" and key.column.table.name in found
        ]
        hangs += [link == row_id for link in links if link.table is table]
        if hangs and (rows := _read(session, table, institution_id, or_(*hangs))):
            found[table.name] = rows
    return found


def dangling(session: Session, institution_id: UUID, rows: Rows) -> set[str]:
    """Names of the tables of which these rows need some that are not there any more."""
    missing = set()
    for name, of_table in rows.items():
        for key in _references(Base.metadata.tables[name]):
            target = key.column.table
            own = {row[key.column.name] for row in rows.get(target.name, ())}
            needed = {row[key.parent.name] for row in of_table} - own - {None}
            there = select(key.column).where(key.column.in_(needed))
            if _TENANT in target.c:
                there = there.where(target.c[_TENANT] == institution_id)
            if needed and needed - set(session.scalars(there)):
                missing.add(target.name)
    return missing


def put(session: Session, rows: Rows) -> None:
    """Insert rows, those first that others refer to."""
    for table in Base.metadata.sorted_tables:
        if of_table := rows.get(table.name):
            session.connection().execute(insert(table), of_table)


def to_json(rows: Rows) -> Rows:
    """JSON-ready: ids and dates are text, enums their values."""
    return {
        name: [
            {
                column: _codec(Base.metadata.tables[name].c[column]).dump_python(value, mode="json")
                for column, value in row.items()
            }
            for row in of_table
        ]
        for name, of_table in rows.items()
    }


def from_json(content: Rows) -> Rows:
    """What `to_json` was given, perhaps by an older schema.

    Columns that have come since are left out, so that they get their defaults; what the tables no
    longer have is passed over.
    """
    tables = Base.metadata.tables
    return {
        name: [
            {
                column: _codec(tables[name].c[column]).validate_python(value)
                for column, value in row.items()
                if column in tables[name].c
            }
            for row in of_table
        ]
        for name, of_table in content.items()
        if name in tables
    }


def line(table: Table, row: dict[str, Any]) -> bytes:
    """A row as JSON."""
    return _whole(table).dump_json(row)


def from_line(table: Table, text: bytes) -> dict[str, Any]:
    """What `line` was given, perhaps by an older schema; as `from_json`. Raises `ValueError`."""
    return _whole(table).validate_json(text)


def _read(
    session: Session, table: Table, institution_id: UUID, condition: ColumnElement[bool]
) -> list[dict[str, Any]]:
    of_tenant = table.c[_TENANT] == institution_id
    statement = select(table).where(of_tenant, condition).order_by(*table.primary_key.columns)
    return [row._asdict() for row in session.execute(statement)]


def _references(table: Table) -> Iterator[ForeignKey]:
    """The columns that refer to other rows; the institution, which all share, is none of them."""
    yield from (key for key in table.foreign_keys if key.parent.name != _TENANT)


@cache
def _whole(table: Table) -> TypeAdapter[dict[str, Any]]:
    """A codec of whole rows, which is several times as fast as one of each cell."""
    kinds = {name: _kind(column) for name, column in table.c.items()}
    return TypeAdapter(TypedDict(table.name, kinds, total=False))  # type: ignore[operator]


@cache
def _codec(column: Column[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(_kind(column))


def _kind(column: Column[Any]) -> Any:  # noqa: ANN401  a type
    return Any if isinstance(column.type, JSON) else column.type.python_type | None
