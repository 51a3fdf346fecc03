"""The checker itself: what it lets pass, and each kind of violation it must catch."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.contract import CheckedTransport, Contract, ContractViolation

JSON = "application/json"
PROBLEM = "application/problem+json"


def content(schema: dict[str, Any], media_type: str = JSON) -> dict[str, Any]:
    """Return a response object of OpenAPI with one kind of content."""
    return {"description": "", "content": {media_type: {"schema": schema}}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Units", "version": "1"},
    "paths": {
        "/units": {
            "get": {
                "responses": {
                    "200": content(
                        {"type": "array", "items": {"$ref": "#/components/schemas/Unit"}}
                    ),
                    "304": {"description": "Not changed"},
                    "4XX": content({"$ref": "#/components/schemas/Problem"}, PROBLEM),
                }
            },
            "post": {"responses": {"201": {"$ref": "#/components/responses/Made"}}},
        },
        "/units/{unit}": {
            "parameters": [],
            "get": {"responses": {"200": content({"$ref": "#/components/schemas/Unit"})}},
            "delete": {"responses": {"204": {"description": "Gone"}}},
        },
        "/units/export": {
            "get": {
                "responses": {
                    "200": {
                        "description": "",
                        "content": {"text/csv; charset=utf-8": {}, JSON: {}},
                    }
                }
            },
        },
        "/units/{unit}.pdf": {"get": {"responses": {"default": content({}, "application/*")}}},
    },
    "components": {
        "responses": {"Made": content({"$ref": "#/components/schemas/Unit"})},
        "schemas": {
            "Unit": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "name": {"type": "string"},
                    "since": {"type": "string", "format": "date"},
                    "seen": {"type": ["string", "null"], "format": "date-time"},
                    "parent": {"anyOf": [{"$ref": "#/components/schemas/Unit"}, {"type": "null"}]},
                },
                "required": ["name"],
                "additionalProperties": False,
            },
            "Problem": {
                "type": "object",
                "properties": {"status": {"type": "integer"}},
                "required": ["status"],
            },
        },
    },
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    """Return the contract of the document above."""
    return Contract(DOCUMENT)


@pytest.mark.parametrize(
    ("method", "path", "status", "media_type", "body"),
    [
        ("GET", "/units", 200, JSON, '[{"name": "a", "parent": {"name": "b"}}]'),
        ("get", "/units", 200, "Application/JSON; charset=utf-8", "[]"),
        ("GET", "/units", 304, None, ""),
        ("GET", "/units", 422, PROBLEM, '{"status": 422}'),
        ("POST", "/units", 201, JSON, '{"name": "a"}'),
        ("GET", "/units/7", 200, JSON, '{"name": "a", "since": "2024-02-29"}'),
        ("GET", "/units/7", 200, JSON, '{"name": "a", "seen": "2024-02-29T23:59:59.5Z"}'),
        ("GET", "/units/7", 200, JSON, '{"name": "a", "seen": null}'),
        ("DELETE", "/units/7", 204, None, ""),
        # A literal segment wins: by the schema of /units/{unit} neither would pass.
        ("GET", "/units/export", 200, "text/csv", "a,b"),
        ("GET", "/units/export", 200, JSON, "[1]"),
        # … but not over a template that alone knows the method.
        ("DELETE", "/units/export", 204, None, ""),
        ("GET", "/units/7.pdf", 200, "application/pdf", "%PDF"),
        # What the document does not know is refused.
        ("GET", "/nowhere", 404, PROBLEM, '{"status": 404}'),
        ("GET", "/units/7/", 404, PROBLEM, '{"status": 404}'),
        ("PATCH", "/units/7", 405, PROBLEM, '{"status": 405}'),
        ("HEAD", "/units/7", 200, JSON, ""),
        # Pages and files are no part of the document.
        ("GET", "/docs", 200, "text/html", "<html>"),
        ("GET", "/static/style.css", 200, "text/css", ""),
        ("GET", "/openapi.json", 200, JSON, "{}"),
    ],
)
def test_a_promised_answer_passes(
    *, contract: Contract, method: str, path: str, status: int, media_type: str | None, body: str
) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}
    contract.check(method, path, status, headers, body.encode())


@pytest.mark.parametrize(
    ("method", "path", "status", "media_type", "body", "message"),
    [
        pytest.param(
            *("DELETE", "/units/7", 200, JSON, "{}"),
            r"^DELETE /units/7 answered 200: DELETE /units/\{unit\} does not declare this status, "
            r"only 204$",
            id="status",
        ),
        pytest.param(
            *("GET", "/units", 200, "text/html", "<html>"),
            r"^GET /units answered 200: GET /units declares application/json for it, "
            r"not text/html$",
            id="content type",
        ),
        pytest.param(
            *("GET", "/units", 200, None, ""),
            "declares application/json for it, not no content type",
            id="no content type",
        ),
        pytest.param(
            *("GET", "/units", 422, JSON, '{"status": 422}'),
            "declares application/problem.json for it, not application/json",
            id="plain JSON for a problem",
        ),
        pytest.param(
            *("GET", "/units", 200, JSON, '[{"name": "a"}, {"name": 5}]'),
            r"the body breaks #/paths/~1units/get/responses/200/content/application~1json/schema "
            r"at \$\[1\]\.name: 5 is not of type \"string\"$",
            id="schema",
        ),
        pytest.param(
            *("POST", "/units", 201, JSON, '{"name": "a", "colour": "red"}'),
            "breaks #/components/responses/Made/.*'colour' was unexpected",
            id="schema behind a reference",
        ),
        pytest.param(
            *("GET", "/units/7", 200, JSON, '{"name": "a", "parent": {"name": "b", "id": "x"}}'),
            '"x" is not a "uuid"',
            id="uuid",
        ),
        pytest.param(
            *("GET", "/units/7", 200, JSON, '{"name": "a", "since": "2023-02-29"}'),
            '"2023-02-29" is not a "date"',
            id="date",
        ),
        pytest.param(
            *("GET", "/units/7", 200, JSON, '{"name": "a", "seen": "2024-02-29T23:59:59"}'),
            'is not a "date-time"',
            id="date-time without offset",
        ),
        pytest.param(
            *("GET", "/units/7", 200, JSON, '{"name": "a", "seen": "2024-02-30T23:59:59Z"}'),
            'is not a "date-time"',
            id="date-time that never was",
        ),
        pytest.param(
            *("GET", "/units/7", 200, JSON, '{"name": '), "the body is not JSON", id="half a body"
        ),
        pytest.param(
            *("GET", "/units/export", 200, JSON, "[NaN]"), "NaN is not a JSON number", id="NaN"
        ),
        pytest.param(
            *("GET", "/units", 304, JSON, "[]"),
            r"this status has no body, but there are 2 bytes \(application/json\)",
            id="body of 304",
        ),
        pytest.param(
            *("HEAD", "/units", 200, JSON, "[]"),
            r"HEAD has no body, but there are 2 bytes",
            id="body of HEAD",
        ),
        pytest.param(
            *("HEAD", "/units/7", 405, PROBLEM, ""),
            r"^HEAD /units/7 answered 405: HEAD /units/.unit. does not declare this status",
            id="HEAD of what GET answers",
        ),
        pytest.param(
            *("DELETE", "/units/7", 204, None, "null"),
            r"this status has no body, but there are 4 bytes \(no content type\)",
            id="body of 204",
        ),
        pytest.param(
            *("GET", "/nowhere", 200, JSON, "{}"),
            "the path is not in the document, so 404 was expected",
            id="unknown path",
        ),
        pytest.param(
            *("GET", "/nowhere", 404, JSON, '{"detail": "Not Found"}'),
            "so application/problem.json was expected, not application/json",
            id="unknown path without a problem",
        ),
        pytest.param(
            *("GET", "/nowhere", 404, PROBLEM, "{}"),
            'breaks #/components/schemas/Problem at .*"status" is a required property',
            id="unknown path with a wrong problem",
        ),
        pytest.param(
            *("PATCH", "/units/7", 404, PROBLEM, '{"status": 404}'),
            r"/units/\{unit\} does not declare the method, only DELETE, GET, HEAD, so 405 was expected",
            id="unknown method",
        ),
        pytest.param(
            *("GET", "/documents", 200, "text/html", ""),
            "the path is not in the document",
            id="a path that only begins like an ignored one",
        ),
    ],
)
def test_a_broken_promise_is_caught(
    *,
    contract: Contract,
    method: str,
    path: str,
    status: int,
    media_type: str | None,
    body: str,
    message: str,
) -> None:
    headers = {} if media_type is None else {"content-type": media_type}
    # Twice: the second time the validator comes from the cache.
    for _ in range(2):
        with pytest.raises(ContractViolation, match=message):
            contract.check(method, path, status, headers, body.encode())


def test_content_without_any_declared_is_caught() -> None:
    paths = {"/units": {"get": {"responses": {"202": {"description": "Accepted"}}}}}
    contract = Contract({"openapi": "3.1.0", "paths": paths})
    contract.check("GET", "/units", 202, {}, b"")
    with pytest.raises(ContractViolation, match="the document declares no content, but there are"):
        contract.check("GET", "/units", 202, {"content-type": JSON}, b"{}")


class Pieces(httpx.AsyncByteStream):
    """A body that arrives in pieces, and once only."""

    def __init__(self, body: bytes) -> None:
        self.pieces = [body[:5], body[5:]]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.pieces:
            yield self.pieces.pop(0)


async def serve(request: httpx.Request) -> httpx.Response:
    """Answer /units properly (compressed, in pieces), and everything else wrongly."""
    if request.url.path == "/units":
        headers = {"content-type": JSON, "content-encoding": "gzip"}
        body = gzip.compress(json.dumps([{"name": "a"}]).encode())
        return httpx.Response(200, headers=headers, stream=Pieces(body))
    return httpx.Response(500, headers={"content-type": "text/plain"}, stream=Pieces(b"Oops"))


async def test_the_transport_checks_and_hands_on(contract: Contract) -> None:
    transport = CheckedTransport(httpx.MockTransport(serve), contract)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/units", params={"page": 1})).json() == [{"name": "a"}]
        async with client.stream("GET", "/units") as response:
            raw = b"".join([piece async for piece in response.aiter_raw()])
            assert json.loads(gzip.decompress(raw)) == [{"name": "a"}]
        with pytest.raises(ContractViolation, match="GET /units/7 answered 500"):
            await client.get("/units/7")
    assert transport.seen == {("GET", "/units", 200)}
