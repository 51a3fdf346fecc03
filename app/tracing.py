"""Traces by OpenTelemetry, where its own environment (`OTEL_…`) asks for them; else nothing of it runs.

FastAPI makes a span of each request. Here each statement gets one below it, and the request its id.
What leaves the process goes through `traces`, which lets nothing out that a client has sent.
"""

import threading
from collections.abc import AsyncIterator, Iterable, MutableMapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from anyio import to_thread
from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import (
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    TracerProvider,
    format_trace_id,
    get_current_span,
)
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Receive, Scope, Send

from app import configuration
from app.db import Database

_SPAN = "quickwin_span"
_LAST_SECONDS = 1.0
"""How long the last spans may take to be sent when the server stops."""
_UNTRACED = ("/health/", "/metrics", "/static/", "/assets/")


def asked_for() -> TracerProvider | None:
    """Who takes the spans, where they are wanted. What it needs is imported only then."""
    if not (configuration.wants_traces() and configuration.can_trace()):
        return None
    made: TracerProvider = import_module("app.traces").provider()
    return made


def telemetry(provider: TracerProvider | None) -> TelemetryConfig:
    """What FastAPI is told: spans of requests; no exporters of its own, for they redact nothing."""
    return {
        "tracer_provider": provider,
        "tracing": provider is not None,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
        "exclude": _is_untraced,
    }


@asynccontextmanager
async def tracing(
    provider: TracerProvider | None, databases: Iterable[Database]
) -> AsyncIterator[None]:
    """Within the block every statement has a span; what was not sent by its end is."""
    if provider is None:
        yield
        return
    for database in databases:
        engine = database.engine
        _watch(
            engine.sync_engine if isinstance(engine, AsyncEngine) else engine,
            provider.get_tracer("quickwin"),
        )
    yield
    await to_thread.run_sync(_shut_down, provider)


def _shut_down(provider: Any) -> None:  # noqa: ANN401  the API has no word for it
    """Send what is left, while there is time: a collector that is away must not hold a stop up."""
    last = threading.Thread(target=provider.shutdown, daemon=True)
    last.start()
    last.join(_LAST_SECONDS)


class Traced:
    """Puts the request's id on its span, and the trace's into the line of the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        span = get_current_span()
        if scope["type"] == "http" and span.get_span_context().is_valid:
            span.set_attribute("quickwin.request_id", scope["state"]["request_id"])
            scope["state"]["trace_id"] = format_trace_id(span.get_span_context().trace_id)
        await self._app(scope, receive, send)


def _is_untraced(scope: MutableMapping[str, Any]) -> bool:
    return bool(scope["path"].startswith(_UNTRACED))


def _watch(engine: Engine, tracer: Tracer) -> None:
    """A span for each statement that belongs to a trace, with its text and never its parameters."""
    system = engine.dialect.name

    def begin(connection: Connection, _: object, statement: str, *__: object) -> None:
        if not get_current_span().get_span_context().is_valid:
            return  # background work
        attributes = {"db.system.name": system, "db.query.text": statement}
        name = statement.lstrip()[:20].partition(" ")[0].upper()
        connection.info[_SPAN] = tracer.start_span(
            name, kind=SpanKind.CLIENT, attributes=attributes
        )

    def end(connection: Connection, *_: object) -> None:
        span: Span | None = connection.info.pop(_SPAN, None)
        if span is not None:
            span.end()

    def fail(context: ExceptionContext) -> None:
        connection = context.connection
        span = None
        if connection is not None and not connection.invalidated:
            span = connection.info.pop(_SPAN, None)
        if span is not None:
            span.set_attribute("error.type", type(context.original_exception).__qualname__)
            span.set_status(StatusCode.ERROR)
            span.end()

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)
