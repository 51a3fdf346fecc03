"""What an error of a database means, whichever database it is."""

from errno import ENOSPC
from sqlite3 import SQLITE_FULL

import asyncpg
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    StatementError,
)

_DISK_FULL = "53100"
_REFUSED_STATES = ("22", "23")  # data exception; integrity constraint violation
_LOST_STATES = ("08", "57P")  # connection exception; shutting down, crashed, starting
_AWAY_STATES = ("25006", "53", "58")  # read-only; out of something; its own input or output
_LOCKED = "55P03"  # lock not available
_RETRY_STATES = {"40001", "40P01", _LOCKED}  # serialization failure, deadlock


class Overtaken(Exception):
    """What this transaction rests on was changed before it could commit; a second try sees it."""


def of_copy(error: asyncpg.PostgresError) -> DBAPIError:
    """What COPY met, which goes past SQLAlchemy, as any other statement tells it."""
    is_integrity = isinstance(error, asyncpg.IntegrityConstraintViolationError)
    # Citus tells what one of its machines refused with that machine's words, and a state of its own.
    is_integrity |= isinstance(error, asyncpg.InternalServerError) and "violates" in str(error)
    return (IntegrityError if is_integrity else DBAPIError)(
        "COPY", None, error, hide_parameters=True
    )


def is_refused(error: BaseException) -> bool:
    """Whether the database refused a row: by a constraint, or a value that it cannot keep."""
    if isinstance(error, DBAPIError):
        refused = isinstance(error, IntegrityError | DataError)
        return refused or (sqlstate(error) or "").startswith(_REFUSED_STATES)
    state = getattr(error, "sqlstate", None) or ""
    return isinstance(error, StatementError) or state.startswith(_REFUSED_STATES)


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed when it is tried again.

    A constraint that a concurrent request made us violate counts: the second try sees its row and
    gives the proper answer.
    """
    if isinstance(error, IntegrityError | Overtaken):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return sqlstate(error) in _RETRY_STATES or "database is locked" in str(error.orig)


def is_locked(error: DBAPIError) -> bool:
    """Whether a lock was waited for as long as `lock_timeout` allows."""
    return sqlstate(error) == _LOCKED


def is_lost(error: DBAPIError) -> bool:
    """Whether the connection ended, so that nobody knows what became of the last statement."""
    return error.connection_invalidated or (sqlstate(error) or "").startswith(_LOST_STATES)


def is_away(error: DBAPIError) -> bool:
    """Whether the database cannot serve now, whatever was asked."""
    return (
        is_lost(error)
        or isinstance(error, InterfaceError | OperationalError)
        or (sqlstate(error) or "").startswith(_AWAY_STATES)
    )


def is_full(error: BaseException | None) -> bool:
    """Whether there is no space left where the data is."""
    return (
        getattr(error, "sqlstate", None) == _DISK_FULL
        or getattr(error, "sqlite_errorcode", None) == SQLITE_FULL
        or getattr(error, "errno", None) == ENOSPC
    )


def sqlstate(error: DBAPIError) -> str | None:
    """SQLSTATE of an error, where the database has such."""
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)


def reason(error: BaseException) -> str:
    """Why a database cannot be reached, for its operator; the errors of a connection have no values."""
    driver: BaseException | None = getattr(error, "orig", None)
    # What the adapter of asyncpg says begins with the name of a class.
    cause = error if driver is None else driver.__cause__ or driver
    return getattr(cause, "strerror", None) or str(cause).partition("\n")[0] or type(cause).__name__
