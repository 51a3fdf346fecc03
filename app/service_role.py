"""What the service needs in PostgreSQL when it does not own the schema: rows, and nothing else.

Whoever owns the tables can drop them. So migrations run as the owner, and the service as a role
that may read and write rows; of what is only ever added to, it may not change what is there.
"""

from collections.abc import Iterator

from sqlalchemy.dialects import postgresql

from app.models import Base, Event, FrozenReport, SchemaFloor
from app.models.base import table

_RIGHTS = {
    table(Event): "SELECT, INSERT",
    table(FrozenReport): "SELECT, INSERT",
    table(SchemaFloor): "SELECT",
}
_quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]


def grants(role: str) -> Iterator[str]:
    """Statements that give a role what the service needs; they may be repeated, as after a migration."""
    name = _quote(role)
    yield f"GRANT USAGE ON SCHEMA public TO {name}"
    yield f"GRANT SELECT ON alembic_version TO {name}"
    for each in Base.metadata.sorted_tables:
        rights = _RIGHTS.get(each, "SELECT, INSERT, UPDATE, DELETE")
        yield f"GRANT {rights} ON {_quote(each.name)} TO {name}"
