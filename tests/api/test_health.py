"""Health: for load balancers, without a token; ready only while the database answers."""

import asyncio
import time

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app import revisions
from app.api import health
from app.db import Database
from app.errors import DatabaseUnavailable
from tests.conftest import Clients


async def test_it_is_well(clients: Clients) -> None:
    answer = await clients.nobody.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    answer = await clients.nobody.get("/health/ready")
    told = {"status": "ok", "database": "reached", "schema_revision": "current"}
    assert (answer.status_code, answer.json()) == (200, told)


async def test_it_is_not_ready_without_its_database(
    clients: Clients, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise DatabaseUnavailable

    database: Database = app.state.database
    monkeypatch.setattr(database, "read", away)
    answer = await clients.nobody.get("/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (await clients.nobody.get("/health/live")).status_code == 200


@pytest.mark.parametrize(
    ("revision", "floor", "expected"),
    [
        ("0001", None, "schema_outdated"),
        (None, None, "schema_outdated"),
        ("9999", "0032", "newer"),
        ("9999", "9998", "schema_ahead"),
    ],
)
async def test_the_schema_is_at_least_ours(
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
    revision: str | None,
    floor: str | None,
    expected: str,
) -> None:
    """It runs on that of the next release, so that servers can be replaced one after another."""
    monkeypatch.setattr(revisions, "found", lambda _session: revisions.Found(revision, floor))
    answer = await clients.nobody.get("/health/ready")
    told = answer.json()
    assert (answer.status_code, told.get("code", told.get("schema_revision"))) == (
        200 if expected == "newer" else 503,
        expected,
    )


async def test_a_database_that_does_not_answer_keeps_nobody_waiting(
    clients: Clients, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "READY_SECONDS", 0.2)

    async def read(*_: object) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(1)  # a connection is left slowly

    monkeypatch.setattr(database, "read", read)
    started = time.monotonic()
    answer = await clients.nobody.get("/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert time.monotonic() - started < 0.9


async def test_a_database_without_tables_is_outdated(
    clients: Clients, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite says that of whatever is wrong with its file")
    monkeypatch.setattr(revisions, "found", lambda session: session.scalar(text("TABLE nothing")))
    answer = await clients.nobody.get("/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "schema_outdated")


@pytest.mark.parametrize("path", ["/health", "/health/other", "/api/v1/health/live"])
async def test_other_addresses_are_not_there(clients: Clients, path: str) -> None:
    answer: httpx.Response = await clients.nobody.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_it_is_only_asked(clients: Clients) -> None:
    answer = await clients.nobody.post("/health/live")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
