"""One world for all tests that only look, and that leave it as it was where they may not write."""

import itertools
import os
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI

from app.db import Database
from tests.conftest import Clients
from tests.security.world import World
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution

_numbers = itertools.count(1)


class Described(NamedTuple):
    """An operation as the OpenAPI document describes it."""

    method: str
    path: str
    parameters: list[Any]
    body: Any


@pytest.fixture(scope="session")
async def world(
    clients: Clients, checked: CheckedTransport, database: Database
) -> AsyncIterator[World]:
    """The institution in which everybody tries; made once for each database."""
    made = World(f"sec{os.getpid()}-{next(_numbers)}", clients.operator, checked, database)
    await made.create()
    yield made
    await made.close()


@pytest.fixture(scope="session")
def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    return app.openapi()


@pytest.fixture(scope="session")
def operations(document: dict[str, Any]) -> dict[str, Described]:
    """All operations by their ids."""
    return {
        operation["operationId"]: Described(
            method,
            path,
            # What is referred to is a header that all share: no id can stand there.
            [at for at in operation.get("parameters", []) if "$ref" not in at],
            operation.get("requestBody"),
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


@pytest.fixture
async def tree(institution: Institution) -> Institution:
    """Units A ─ A1 ─ A11, A ─ A2, and B; A1 and B have an initiative of their name."""
    for code, parent in (("A", None), ("A1", "A"), ("A11", "A1"), ("A2", "A"), ("B", None)):
        await institution.unit(code, parent)
    plan = [{"title": "Milestone", "due_on": "2022-06-30"}]
    for code in ("A1", "B"):
        await institution.initiative(f"QW-{code}", code, milestones=plan)
    return institution
