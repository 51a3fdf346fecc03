"""Health: for load balancers, without a token; ready only while the database answers."""

import httpx
import pytest
from fastapi import FastAPI

from app.db import Database
from app.errors import DatabaseUnavailable
from tests.conftest import Clients


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_it_is_well(clients: Clients, path: str) -> None:
    answer = await clients.nobody.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


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


@pytest.mark.parametrize("path", ["/health", "/health/other", "/api/v1/health/live"])
async def test_other_addresses_are_not_there(clients: Clients, path: str) -> None:
    answer: httpx.Response = await clients.nobody.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_it_is_only_asked(clients: Clients) -> None:
    answer = await clients.nobody.post("/health/live")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
