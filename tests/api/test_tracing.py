"""Spans of requests and statements, and that nothing a client sends leaves with them."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import configuration as environment
from app import starting, traces, tracing
from app.main import create_app
from app.services import tokens
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support.application import document
from tests.support.institution import API, Institution

CANARY = "canary-71aa0c"
Traced = tuple[httpx.AsyncClient, InMemorySpanExporter]


@pytest.fixture
async def traced(configuration: Settings) -> AsyncIterator[Traced]:
    """A client of an application of its own, whose spans are kept."""
    kept = InMemorySpanExporter()
    app = create_app(
        configuration, traces=traces.provider(SimpleSpanProcessor(traces.Redacted(kept)))
    )
    app.openapi_schema = document()
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with app.router.lifespan_context(app):
        kept.clear()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://{CANARY}.example", headers=headers
        ) as client:
            yield client, kept


def requests(spans: tuple[ReadableSpan, ...]) -> list[ReadableSpan]:
    return [span for span in spans if span.kind is SpanKind.SERVER]


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_request_and_its_statements_are_one_trace(
    traced: Traced, institution: Institution
) -> None:
    client, kept = traced
    answer = await client.get(f"{institution.path}/units/{institution.code}/rollup")
    assert answer.status_code == 200
    spans = kept.get_finished_spans()
    (request,) = requests(spans)
    route = f"{API}/institutions/{{institution}}/units/{{unit}}/rollup"
    assert request.name == f"GET {route}"
    assert attributes(request) | {"network.protocol.version": "1.1"} == {
        "http.request.method": "GET", "http.route": route, "http.response.status_code": 200,
        "url.scheme": "http", "network.protocol.version": "1.1",
        "quickwin.request_id": answer.headers["x-request-id"],
    }  # fmt: skip
    statements = [span for span in spans if span.kind is SpanKind.CLIENT]
    assert len(statements) >= 3
    assert request.context is not None
    for span in statements:
        assert span.context is not None
        assert span.context.trace_id == request.context.trace_id
        assert set(attributes(span)) == {"db.system.name", "db.query.text"}
    assert any("rollup_total" in attributes(span)["db.query.text"] for span in statements)
    assert any(span.name == "SELECT" for span in statements)


async def test_what_a_client_sends_leaves_with_no_span(
    traced: Traced, institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, kept = traced

    def broken(*_: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(tokens, "me", broken)
    headers = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": f"x={CANARY}", "baggage": f"x={CANARY}", "Cookie": CANARY, "User-Agent": CANARY,
    }  # fmt: skip
    for method, path in (
        ("GET", f"{API}/me"), ("GET", f"{API}/institutions/{CANARY}/units/{CANARY}?x={CANARY}"),
        ("POST", f"{institution.path}/units"), ("POST", f"{institution.path}/units"),
        (CANARY.upper(), f"/{CANARY}"),
    ):  # fmt: skip
        body = {"code": CANARY, "name": CANARY} if method == "POST" else None
        await client.request(method, path, params={"key": CANARY}, json=body, headers=headers)
        await client.request(method, path, json=body, headers=headers)
    spans = kept.get_finished_spans()
    told = "".join(span.to_json() for span in spans)
    assert CANARY not in told.lower()
    assert OPERATOR not in told
    failed = [span for span in requests(spans) if span.status.status_code is StatusCode.ERROR]
    assert [span.name for span in failed] == [f"GET {API}/me"]
    assert all(span.status.description is None for span in spans)
    found = {format(span.context.trace_id, "032x") for span in spans if span.context is not None}
    assert found == {"0af7651916cd43dd8448eb211c80319c"}


async def test_statements_that_fail_are_told_to_have(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, kept = traced

    def fail(session: Session, *_: object) -> None:
        session.execute(text("SELECT * FROM nothing WHERE secret = :secret"), {"secret": CANARY})

    monkeypatch.setattr(tokens, "me", fail)
    assert (await client.get(f"{API}/me")).status_code >= 500
    (failed,) = [
        span for span in kept.get_finished_spans()
        if span.kind is SpanKind.CLIENT and span.status.status_code is StatusCode.ERROR
    ][:1]  # fmt: skip
    assert "Error" in attributes(failed)["error.type"]
    assert CANARY not in failed.to_json()


async def test_machines_that_ask_again_and_again_are_not_traced(traced: Traced) -> None:
    client, kept = traced
    for path in ("/health/live", "/health/ready", "/metrics"):
        await client.get(path)
    assert requests(kept.get_finished_spans()) == []


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
    ],
)
def test_the_environment_asks_for_them(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, wanted: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment.wants_traces() == wanted
    assert tracing.telemetry(None)["tracing"] is False
    monkeypatch.setattr(environment, "can_trace", lambda: False)
    assert tracing.asked_for() is None
    missing = [each.variable for each in starting.useless(Settings(database_url="sqlite://"))]
    assert missing == (["OTEL_EXPORTER_OTLP_ENDPOINT"] if wanted else [])
