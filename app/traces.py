"""What leaves the process as traces, by the SDK of OpenTelemetry (`.[otel]`), without what clients sent.

Attributes are kept by their names: an instrument that says more tomorrow says no more for it.
"""

import os
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import SpanContext, Status

from app import __version__

KEPT = frozenset({
    "http.request.method", "http.route", "http.response.status_code", "url.scheme", "network.protocol.version",
    "error.type", "db.system.name", "db.query.text", "quickwin.request_id",
})  # fmt: skip
"""Not the address, its query and its host: all that is told of these is the route."""


class Redacted(SpanExporter):
    """Hands spans on with what may be told."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send some spans."""
        return self._exporter.export([_redacted(span) for span in spans])

    def shutdown(self) -> None:
        """Send no more."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._exporter.force_flush(timeout_millis)


def provider(processor: SpanProcessor | None = None) -> TracerProvider:
    """Who takes spans and sends them where the environment says, or to a processor."""
    named = {"service.version": __version__}
    if "OTEL_SERVICE_NAME" not in os.environ:
        named["service.name"] = "quickwin"
    made = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    made.add_span_processor(processor or BatchSpanProcessor(Redacted(_exporter())))
    return made


def _exporter() -> SpanExporter:
    is_console = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "console"
    return ConsoleSpanExporter() if is_console else OTLPSpanExporter()


def _redacted(span: ReadableSpan) -> ReadableSpan:
    kept = {name: value for name, value in (span.attributes or {}).items() if name in KEPT}
    return ReadableSpan(
        name=span.name,
        context=_bare(span.context),
        parent=_bare(span.parent),
        resource=span.resource,
        attributes=kept,
        kind=span.kind,
        status=Status(span.status.status_code),  # its description may be an error's message
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bare(context: SpanContext | None) -> SpanContext | None:
    """The ids alone: the rest of `tracestate` is whatever a client likes."""
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)
