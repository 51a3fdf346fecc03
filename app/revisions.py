"""The schema's revisions: which ones this release knows, and how a database is brought to one."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
LOCK = 0x51_57
"""Any constant: the advisory lock that keeps migrations one at a time."""

Standing = Literal["current", "behind", "newer"]


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the schema to a revision, in the connection's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def found(session: Session) -> str | None:
    """The revision of the database's schema."""
    revision: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def standing(revision: str | None) -> Standing:
    """How a database's revision stands to this release; one that it does not know is newer."""
    known = _known()
    if revision == known[0]:
        return "current"
    return "behind" if revision is None or revision in known else "newer"


@lru_cache(maxsize=1)
def _known() -> list[str]:
    """All revisions, the newest first, by the names of their files: migrations run only to migrate."""
    files = (_MIGRATIONS / "versions").glob("[0-9]*_*.py")
    return sorted((file.name.partition("_")[0] for file in files), reverse=True)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
