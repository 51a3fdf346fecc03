"""The schema's revisions: which ones this release knows, and how a database is brought to one.

A schema says which releases run on it: `schema_floor` holds the revision that a release must know
at least. So a release knows of a schema that came after it whether it may go on.
"""

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

from app.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
LOCK = 0x51_57
"""Any constant: the advisory lock that keeps migrations one at a time."""

RESTORING = "restore_unfinished"
"""A table that is there while a database is restored: nothing else is done with it meanwhile."""

Standing = Literal["current", "behind", "newer", "ahead"]
_REVISION = text("SELECT version_num FROM alembic_version")
_FLOOR = text("SELECT revision FROM schema_floor")


class SchemaAhead(DatabaseUnavailable):
    """The database's schema no longer serves this release: run a newer one."""

    code, title = "schema_ahead", "Schema is ahead"


class Found(NamedTuple):
    """What a database says of its schema."""

    revision: str | None
    floor: str | None
    """What a release must know to run on it; asked for only where the revision is unknown."""


def upgrade(connection: Connection, revision: str, lock_seconds: float) -> None:
    """Bring the schema to a revision.

    In the connection's transaction, or, where it has none, each migration in one of its own, on
    PostgreSQL with `lock_timeout`.
    """
    config = _config()
    config.attributes["connection"] = connection
    config.attributes["lock_seconds"] = lock_seconds
    import_module("alembic.command").upgrade(config, revision)


def is_due(connection: Connection, revision: str) -> bool:
    """Whether there is something to migrate; raises `SchemaAhead` where nothing may run on it.

    Nor may it where a restore was not finished, which is `DatabaseUnavailable`.
    """
    tables = inspect(connection)
    if tables.has_table(RESTORING):
        raise DatabaseUnavailable(
            "A restore into this database was begun and has not ended: restore it anew."
        )
    found: str | None = None
    if tables.has_table("alembic_version"):
        found = connection.scalar(_REVISION)
    known = _known()
    if found is None or found in known:
        return revision != "head" or found != known[0]
    if standing(Found(found, connection.scalar(_FLOOR))) == "ahead":
        raise SchemaAhead
    return False


def found(session: Session) -> Found:
    """The revision of the database's schema, and whom it still serves."""
    revision: str | None = session.scalar(_REVISION)
    is_strange = revision is not None and revision not in _known()
    return Found(revision, session.scalar(_FLOOR) if is_strange else None)


def standing(found: Found) -> Standing:
    """How a database's schema stands to this release; one that it does not know came after it.

    `newer` serves this release still, `ahead` no longer.
    """
    known = _known()
    if found.revision == known[0]:
        return "current"
    if found.revision is None or found.revision in known:
        return "behind"
    return "newer" if found.floor is None or found.floor <= known[0] else "ahead"


@lru_cache(maxsize=1)
def _known() -> list[str]:
    """All revisions, the newest first, by the names of their files: migrations run only to migrate."""
    files = (_MIGRATIONS / "versions").glob("[0-9]*_*.py")
    return sorted((file.name.partition("_")[0] for file in files), reverse=True)


def _config() -> "Config":
    # Most processes find nothing to migrate, and need no Alembic for it.
    config: Config = import_module("alembic.config").Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
