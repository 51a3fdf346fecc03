"""The OpenAPI document and its pages."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from app.schemas.fields import Shape
from app.web import docs
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
            content = operation["requestBody"]["content"]
            if "application/json" not in content:
                assert all(each["schema"]["format"] == "binary" for each in content.values())
                continue
            reference = content["application/json"]["schema"]["$ref"]
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


async def test_redoc_has_no_logo_from_elsewhere(clients: Clients) -> None:
    ours = await clients.nobody.get(docs.REDOC)
    theirs = await clients.nobody.get(f"{docs.STATIC}/redoc.standalone.js")
    assert docs.LOGO in theirs.content
    assert ours.content == theirs.content.replace(docs.LOGO, b"data:,")
    assert ours.headers["content-type"].startswith("text/javascript")
    assert ours.headers["cache-control"] == theirs.headers["cache-control"]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_pages_name_no_other_host(clients: Clients, page: str) -> None:
    text = (await clients.nobody.get(page)).text
    assert re.findall(r"https?://[^\s\"'<>]+|[\"'(]//[^\s\"'<>]+", text) == []


def test_every_operation_is_found_and_says_what_can_go_wrong(app: FastAPI) -> None:
    document: dict[str, Any] = app.openapi()
    assert all(tag["description"] for tag in document["tags"])
    used: set[str] = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            (tag,) = operation["tags"]
            used.add(tag)
            assert operation["summary"]
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])
            responses = operation["responses"]
            for status, response in responses.items():
                assert response["description"], (path, method, status)
                if status >= "400":
                    assert list(response["content"]) == ["application/problem+json"]
            assert "503" in responses
            if not path.startswith("/api"):
                continue
            if method != "get":
                assert "409" in responses
            if method in ("patch", "delete"):
                assert {"412", "428"} <= responses.keys()
            if method == "patch":
                assert "application/merge-patch+json" in operation["requestBody"]["content"]
    assert used == {tag["name"] for tag in document["tags"]}


def test_every_shape_is_described(app: FastAPI) -> None:
    document: dict[str, Any] = app.openapi()
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description") or name.startswith("Page_"), name
