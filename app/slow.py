"""Statements that take longer than is right are told: their text, and never what they were given.

On SQLite a statement's time goes to its first row; what sorts or sums has done its work by then.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from app import logs
from app.seen import COUNTS, REQUEST_ID

MILLISECONDS = "quickwin_slow_ms"
"""Execution option of an engine: from how long on a statement is slow; 0 or none for never."""
_BEGUN = "quickwin_begun"
_LONGEST_TEXT = 2_000
_log = logging.getLogger(__name__)


def watch(engine: Engine) -> None:
    """Tell of an engine's slow statements, those that fail or are ended too."""
    if engine.get_execution_options().get(MILLISECONDS):
        event.listen(engine, "before_cursor_execute", _begin)
        event.listen(engine, "after_cursor_execute", _end)
        event.listen(engine, "handle_error", _fail)


@contextmanager
def watched(connection: Connection, statement: str) -> Iterator[None]:
    """Around what goes past SQLAlchemy."""
    connection.info[_BEGUN] = perf_counter()
    try:
        yield
    finally:
        _look(connection, statement)


def _begin(connection: Connection, *_: object) -> None:
    connection.info[_BEGUN] = perf_counter()


def _end(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
    _look(connection, statement)


def _fail(context: ExceptionContext) -> None:
    connection = context.connection
    if connection is not None and context.statement is not None and not connection.invalidated:
        _look(connection, context.statement, failed=True)


def _look(connection: Connection, statement: str, *, failed: bool = False) -> None:
    most = connection.get_execution_options().get(MILLISECONDS)
    begun = connection.info.pop(_BEGUN, None)
    if not most or begun is None:
        return
    taken = (perf_counter() - begun) * 1_000
    if taken < most:
        return
    COUNTS.slow_statements += 1
    fields = {
        "event": "slow statement",
        "request_id": REQUEST_ID.get(),
        "duration_ms": round(taken, 1),
        "failed": failed,
        "statement": " ".join(statement.split())[:_LONGEST_TEXT],
    }
    logs.entry(_log, logging.WARNING, fields)
