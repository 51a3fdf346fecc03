"""The OpenAPI document and its pages."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from app.schemas.fields import Shape
from tests.conftest import Clients

BODIES = {"post", "put", "patch"}


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_pages_need_no_internet(clients: Clients, page: str) -> None:
    answer = await clients.nobody.get(page)
    assert answer.status_code == 200
    assets = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert assets
    for asset in assets:
        assert asset.startswith("/"), asset
        assert (await clients.nobody.get(asset)).status_code == 200


async def test_the_document_describes_every_operation(clients: Clients) -> None:
    document = (await clients.nobody.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    tags = {tag["name"] for tag in document["tags"]}
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations:
        assert set(operation["tags"]) <= tags
        assert operation["description"]
        assert "HTTPValidationError" not in str(operation)
        if path.startswith("/api"):
            assert {"401", "404", "422", "503"} <= operation["responses"].keys()
        if method in BODIES and "requestBody" in operation:
            assert {"400", "413", "415"} <= operation["responses"].keys()
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            name = reference.rsplit("/", 1)[1]
            assert document["components"]["schemas"][name]["examples"], name


def models(kind: type[BaseModel]) -> list[type[BaseModel]]:
    return [kind, *(m for child in kind.__subclasses__() for m in models(child))]


def test_examples_are_valid(app: FastAPI) -> None:
    document: dict[str, Any] = app.openapi()
    shapes = {model.__name__: model for model in models(Shape)}
    checked = 0
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            shapes[name].model_validate(example)
            checked += 1
    assert checked >= 15


async def test_health(clients: Clients) -> None:
    for path in ("/health/live", "/health/ready"):
        answer = await clients.nobody.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
