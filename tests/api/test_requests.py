"""Every request has an id: on its answer, in its problem, and in the log where something broke."""

import logging
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from app.api.requests import AnswerBrokenOff, Failures, RequestIds
from app.db import Database
from app.services import tokens
from tests.conftest import OPERATOR, Clients
from tests.support.institution import API

NAME = "X-Request-ID"
PATHS = [
    ("GET", "/health/live", 200), ("GET", f"{API}/me", 200), ("GET", "/nowhere", 404),
    ("DELETE", f"{API}/me", 405), ("GET", f"{API}/me?colour=red", 422), ("GET", "/docs", 200),
    ("GET", "/openapi.json", 200), ("GET", "/static/swagger-ui.css", 200), ("PUT", "/docs", 405),
    ("POST", f"{API}/institutions", 422), ("PATCH", f"{API}/institutions/x", 428),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status"), PATHS)
async def test_every_answer_has_an_id(
    clients: Clients, method: str, path: str, status: int
) -> None:
    made = await clients.operator.request(method, path)
    assert made.status_code == status
    assert UUID(made.headers[NAME]).version == 7
    given = await clients.operator.request(method, path, headers={NAME: "a-B_3.9"})
    assert given.headers[NAME] == "a-B_3.9"
    if status >= 400:
        assert given.json()["request_id"] == "a-B_3.9"
        assert given.json()["instance"] != made.json()["instance"]


@pytest.mark.parametrize("value", ["", "a b", "a" * 65, "a,b", 'a"', "é", "a%00", "a;b", "<a>"])
async def test_an_ill_formed_id_is_replaced(clients: Clients, value: str) -> None:
    raw = [(NAME.encode(), value.encode())]
    answer = await clients.nobody.get("/health/live", headers=raw)
    assert UUID(answer.headers[NAME]).version == 7
    twice = await clients.nobody.get("/health/live", headers=[(NAME, "a"), (NAME, "b")])
    assert UUID(twice.headers[NAME]).version == 7


async def test_a_failure_is_found_in_the_log(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tokens, "me", broken)
    headers = {"Authorization": f"Bearer {OPERATOR}", NAME: "find-me"}
    # Not checked against the document: it declares no 500, so that every other test finds one.
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with caplog.at_level(logging.ERROR):
            answer = await client.get(f"{API}/me", headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (500, "internal_error")
    assert answer.headers[NAME] == problem["request_id"] == "find-me"
    (line,) = caplog.records
    assert "find-me" in line.getMessage()
    assert problem["instance"] in line.getMessage()
    assert "ZeroDivisionError" in caplog.text


async def test_an_answer_on_its_way_is_broken_off(caplog: pytest.LogCaptureFixture) -> None:
    async def half(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    transport = httpx.ASGITransport(RequestIds(Failures(half)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with pytest.raises(AnswerBrokenOff):
            await client.get("/", headers={NAME: "half"})
    assert "half" in caplog.text


async def test_the_id_is_there_where_the_server_keeps_state(
    app: FastAPI, database: Database
) -> None:
    """A server hands each request a copy of what the application's lifespan left."""
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": f"{API}/me", "raw_path": b"", "query_string": b"",
        "headers": [(b"authorization", f"Bearer {OPERATOR}".encode())], "state": {"kept": 1},
    }  # fmt: skip
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(scope, receive, send)
    assert sent[0]["status"] == 200
    assert scope["state"]["kept"] == 1
    assert UUID(scope["state"]["request_id"]).version == 7
