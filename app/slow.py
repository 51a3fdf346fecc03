"""Statements that take longer than is right are told: their text, and never what they were given.

On SQLite a statement's time goes to its first row; what sorts or sums has done its work by then.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from app import logs
from app.seen import COUNTS, REQUEST_ID

MILLISECONDS = "quickwin_slow_ms"
"""Execution option of an engine: from how long on a statement is slow; 0 or none for never."""
_LONGEST_TEXT = 2_000
_log = logging.getLogger(__name__)


def watch(engine: Engine) -> None:
    """Tell of an engine's slow statements, those that fail or are ended too."""
    most: float = engine.get_execution_options().get(MILLISECONDS, 0) / 1_000
    if not most:
        return

    # Each statement comes by here: nothing is asked of the connection, and nothing is left on it.
    def begin(*called: Any) -> tuple[Any, Any]:  # noqa: ANN401  connection, cursor, text, parameters, context
        called[4].quickwin_begun = perf_counter()
        return called[2], called[3]

    def end(*called: Any) -> None:  # noqa: ANN401  as above
        taken = perf_counter() - called[4].quickwin_begun
        if taken >= most:
            _tell(called[2], taken)

    def fail(error: ExceptionContext) -> None:
        begun: float | None = getattr(error.execution_context, "quickwin_begun", None)
        if begun is not None and error.statement is not None and perf_counter() - begun >= most:
            _tell(error.statement, perf_counter() - begun, failed=True)

    event.listen(engine, "before_cursor_execute", begin, retval=True)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)


@contextmanager
def watched(connection: Connection, statement: str) -> Iterator[None]:
    """Around what goes past SQLAlchemy."""
    most: float = connection.get_execution_options().get(MILLISECONDS, 0) / 1_000
    begun = perf_counter()
    try:
        yield
    finally:
        if most and perf_counter() - begun >= most:
            _tell(statement, perf_counter() - begun)


def _tell(statement: str, seconds: float, *, failed: bool = False) -> None:
    COUNTS.slow_statements += 1
    fields = {
        "event": "slow statement",
        "request_id": REQUEST_ID.get(),
        "duration_ms": round(seconds * 1_000, 1),
        "failed": failed,
        "statement": " ".join(statement.split())[:_LONGEST_TEXT],
    }
    logs.entry(_log, logging.WARNING, fields)
