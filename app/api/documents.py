"""The OpenAPI document and its pages, which need no internet."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.api import examples, parameters
from app.api.answers import API
from app.api.idempotency import HEADER, REPLAYED
from app.api.issuer import discovery_url
from app.api.problems import MEDIA_TYPE
from app.schemas.problems import Problem

TAGS = [
    {"name": "tokens", "description": "Who may come in, and what they may do."},
    {"name": "institutions", "description": "Tenants: each with its own units and policy."},
    {"name": "units", "description": "The tree of units that numbers are rolled up through."},
    {"name": "people", "description": "Owners, reporters and verifiers."},
    {"name": "grants", "description": "Who has which role on which unit."},
    {"name": "teams", "description": "The reform team: who was appointed to what, year by year."},
    {"name": "schemes", "description": "Catalogues of reform areas and purposes, shared by all."},
    {
        "name": "choosing",
        "description": "How quick wins are chosen: criteria, scores, candidates and decrees.",
    },
    {"name": "initiatives", "description": "Quick wins and other reform initiatives."},
    {"name": "milestones", "description": "The plan of an initiative."},
    {"name": "templates", "description": "What is wanted in many units, and copies of it."},
    {
        "name": "imports",
        "description": "Plans from spreadsheets: checked, then applied as a whole.",
    },
    {"name": "dependencies", "description": "What waits for what, and for what is late."},
    {"name": "baselines", "description": "Plans as they were agreed on, in versions."},
    {
        "name": "stages",
        "description": "Stages of an election, or of another calendar, that plans make room for.",
    },
    {"name": "updates", "description": "Progress reports, append-only, and their verification."},
    {"name": "files", "description": "Documents that are uploaded, to be named as evidence."},
    {"name": "periods", "description": "Windows in which reports are owed, and who owes one."},
    {"name": "ratings", "description": "What people judge, beside the health that is computed."},
    {"name": "verdicts", "description": "The official words on what became of an initiative."},
    {"name": "obstacles", "description": "What holds things up, who decides, what is done."},
    {"name": "calendars", "description": "Due dates for calendar programs, at secret addresses."},
    {"name": "rollups", "description": "Progress of any unit, exact and fresh on the next read."},
    {
        "name": "index",
        "description": "Scores by year, instrument and assessor; what should lift them.",
    },
    {"name": "indicators", "description": "What is measured: targets and actuals by period."},
    {"name": "programmes", "description": "Led by one institution, carried out in others."},
    {"name": "reports", "description": "What was told: frozen for ever, with a digest."},
    {"name": "exports", "description": "Lists as files, and an institution as a whole."},
    {"name": "publications", "description": "What was told to the public of an initiative."},
    {"name": "public", "description": "What anybody may see, without a token."},
    {"name": "events", "description": "What was written, gap-free, in the order of commits."},
    {"name": "webhooks", "description": "Who is called when something was written."},
    {"name": "deletions", "description": "What was deleted, and can be restored for a while."},
    {"name": "health", "description": "For load balancers and supervisors."},
]
"""In the order of work: who comes in, what is set up, planned, reported, looked at, and told."""
DESCRIPTION = """
Stores quick-win reform initiatives, their milestones and owners, and rolls their progress up
through the tree of units to the institution.

**First five calls**, with your token as `Authorization: Bearer qw_…`:

1. `GET /api/v1/me`: who you are, and what you may do
2. `GET /api/v1/institutions/kpu/rollup`: where the institution stands
3. `GET /api/v1/institutions/kpu/initiatives/QW-2022-014`: one quick win, with its plan
4. `POST /api/v1/institutions/kpu/initiatives/QW-2022-014/milestones/3/updates`: report progress
5. `GET /api/v1/institutions/kpu/rollup` again: the next read has it

Examples are those of the demo (`quickwin serve --demo`). Scripts find the same, with retries, batches
and events, in the guides for curl, Python and TypeScript at `/guides/curl`, `/guides/python` and
`/guides/typescript`.

Every error is `application/problem+json` with a stable `code`, explained at `/errors`; its `title` and
`detail` are Indonesian or English by `Accept-Language` and the account. Single resources carry an `ETag`;
PATCH and DELETE want it back in `If-Match`. Lists are paged by `cursor`. Enums may get new values
in answers. Every answer has an `X-Request-ID`, and `RateLimit` says what is left of your requests.
""".strip()

_MEANING = {
    400: "Unreadable",
    401: "No valid token",
    403: "Not allowed",
    404: "Nothing there that you may see",
    408: "The request did not arrive in time",
    409: "The present state forbids it",
    412: "Changed since the version in If-Match",
    413: "Body too large",
    414: "Address too long",
    415: "Not JSON in UTF-8",
    422: "Invalid, with the places",
    428: "If-Match is missing",
    429: "Too many requests; wait as long as Retry-After says",
    431: "Header fields too large",
    503: "Database or token issuer unavailable, or out of time; try again",
}
_ANY = (400, 408, 414, 422, 431, 503)
_ALWAYS = (*_ANY, 401, 403, 404, 429)
_WITH_BODY = (409, 413, 415)
_BY_METHOD = {
    "GET": _ALWAYS,
    "POST": (*_ALWAYS, *_WITH_BODY, 412),
    "PUT": (*_ALWAYS, *_WITH_BODY, 412),
    "PATCH": (*_ALWAYS, *_WITH_BODY, 412, 428),
    "DELETE": (*_ALWAYS, 409, 412, 428),
}
_REF = "#/components/schemas/"
_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Your name for this request, such as a UUID; bare or in double quotes. Sent again within 24 "
        "hours with the same payload, the request has no second effect and gets the first answer "
        "with `Idempotency-Replayed: true`, if you may still do it. With another payload it gets "
        "422 `idempotency_key_reused`. What failed is not kept: it is tried again."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
}
_IS_REPLAY = {
    "description": "`true` where this is the first answer again, and nothing was done now.",
    "schema": {"type": "string", "const": "true"},
}


def install(app: FastAPI, issuer: str | None) -> None:
    """Let the application describe every answer of every route, and how one signs in."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            parameters.describe(app)
            document = generate()
            _declare_problems(document)
            _declare_keys(document)
            _declare_public(document)
            examples.declare(document)
            if issuer is not None:
                _declare_issuer(document, issuer)
            app.openapi_schema = document
        return app.openapi_schema

    # FastAPI's documented way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]


def operation_id(route: APIRoute) -> str:
    """The function's name: short, unique, and what client generators call the method."""
    return route.name


def _declare_public(document: dict[str, Any]) -> None:
    """What needs no token says so."""
    for operations in document["paths"].values():
        for operation in operations.values():
            operation.setdefault("security", [])


def _declare_issuer(document: dict[str, Any], issuer: str) -> None:
    document["components"]["securitySchemes"]["oidc"] = {
        "type": "openIdConnect",
        "openIdConnectUrl": discovery_url(issuer),
        "description": "An access token (JWT) of this issuer for this service.",
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            if operation["security"]:
                operation["security"].append({"oidc": []})


def _declare_problems(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template=_REF + "{model}", mode="serialization")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            statuses = _ANY if path.startswith("/health") else _BY_METHOD[method.upper()]
            for status in sorted(statuses):
                operation["responses"][str(status)] = {
                    "description": _MEANING[status],
                    "content": {MEDIA_TYPE: {"schema": {"$ref": _REF + "Problem"}}},
                }
            if method == "get" and "{" in path:
                operation["responses"]["304"] = {"description": "You have this version already"}
            if method == "patch":
                content = operation["requestBody"]["content"]
                content["application/merge-patch+json"] = content["application/json"]


def _declare_keys(document: dict[str, Any]) -> None:
    """Every POST may be sent again."""
    components = document["components"]
    components.setdefault("parameters", {})["IdempotencyKey"] = _KEY
    components.setdefault("headers", {})["IdempotencyReplayed"] = _IS_REPLAY
    for path, operations in document["paths"].items():
        operation = operations.get("post")
        if operation is None or not path.startswith(API):
            continue
        operation.setdefault("parameters", []).append(
            {"$ref": "#/components/parameters/IdempotencyKey"}
        )
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                response.setdefault("headers", {})[REPLAYED] = {
                    "$ref": "#/components/headers/IdempotencyReplayed"
                }
