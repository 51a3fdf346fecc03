"""Holds every response of the test suite against the application's own OpenAPI 3.1 document.

A client generated from the document trusts it; so what the document does not say, the application
must not answer.

    contract = Contract(app.openapi())
    transport = CheckedTransport(ASGITransport(app), contract)
    async with AsyncClient(transport=transport, base_url="http://test") as client: ...
    transport.seen      # which answers the suite has provoked
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import quote

import httpx
from jsonschema_rs import Draft202012Validator, Registry, ValidationError

DOCUMENT = "urn:openapi"
PROBLEM = "application/problem+json"
PROBLEM_SCHEMA = "#/components/schemas/Problem"
ANYTHING = ""  # instead of a schema's location: content is declared, but no schema for it
BODYLESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
IGNORED = ("/docs", "/redoc", "/openapi.json", "/static", "/assets")
PAGES = ("/institutions", "/sign-in", "/sign-out", "/sessions", "/language", "/errors", "/guides")
METHODS = {"get", "put", "post", "delete", "options", "patch", "trace"}

# RFC 3339; `fromisoformat` alone would also let other forms of ISO 8601 pass.
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _is_timestamp(value: str) -> bool:
    try:
        return bool(TIMESTAMP.fullmatch(value) and datetime.fromisoformat(value.upper()))
    except ValueError:
        return False


class ContractViolation(AssertionError):
    """A response is not what the OpenAPI document promises."""


@dataclass(frozen=True)
class Route:
    """A path template of the document and the methods declared on it (in upper case).

    Whatever answers GET answers HEAD.
    """

    template: str
    methods: frozenset[str]

    @property
    def rank(self) -> tuple[int, ...]:
        """Sort key, segment by segment: literal, then partly, then wholly a parameter."""
        return tuple(
            0 if "{" not in segment else 2 if re.fullmatch(r"\{[^{}]*\}", segment) else 1
            for segment in self.template.split("/")
        )

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What paths of this template look like."""
        pieces = re.split(r"(\{[^{}]*\})", self.template)
        return re.compile(
            "".join("[^/]+" if piece.startswith("{") else re.escape(piece) for piece in pieces)
        )


@dataclass(frozen=True)
class Answer:
    """One response under examination."""

    method: str
    path: str
    status: int
    media_type: str
    body: bytes

    def refuse(self, reason: str) -> NoReturn:
        """Fail, saying which response it is about."""
        message = f"{self.method} {self.path} answered {self.status}: {reason}"
        raise ContractViolation(message)

    def refuse_body(self, why: str) -> None:
        """Fail if there is a body."""
        if self.body:
            kind = self.media_type or "no content type"
            self.refuse(f"{why}, but there are {len(self.body)} bytes ({kind})")

    def json(self) -> object:
        """Return the body read as JSON, strictly: NaN and Infinity are not JSON."""
        try:
            return json.loads(self.body.decode(), parse_constant=_refuse_constant)
        except ValueError as error:
            self.refuse(f"the body is not JSON: {error}")


class Contract:
    """The promises of one OpenAPI 3.1 document."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Read the paths of `document`; schemas are compiled when first needed, once each."""
        self._registry = Registry([(DOCUMENT, document)])
        self._resolver = self._registry.resolver(DOCUMENT)
        routes = [Route(template, _methods(item)) for template, item in document["paths"].items()]
        self._routes: defaultdict[int, list[Route]] = defaultdict(list)  # by their slashes
        for route in sorted(routes, key=lambda route: route.rank):
            self._routes[route.template.count("/")].append(route)
        self._validators: dict[str, Draft202012Validator] = {}
        self._locations: dict[tuple[str, str, int, str], str | None] = {}

    def find(self, method: str, path: str) -> Route | None:
        """Find the route of a request; its methods lack `method` if only the path is known.

        A template that knows the method goes before one that does not (Starlette's router goes on
        looking too); then literal segments win over parameters.
        """
        routes = self._routes[path.count("/")]
        matching = [route for route in routes if route.pattern.fullmatch(path)]
        return next((route for route in matching if method in route.methods), None) or next(
            iter(matching), None
        )

    def check(
        self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Raise `ContractViolation` unless the document allows this response.

        `path` is decoded and without the query; `headers` may be in any case; `body` is free of
        any content encoding.
        """
        if any(path == ignored or path.startswith(f"{ignored}/") for ignored in IGNORED):
            return
        answer = Answer(method.upper(), path, status, _media_type(headers), body)
        if _is_page(answer):
            return
        route = self.find(answer.method, path)
        if route is None:
            self._check_problem(answer, HTTPStatus.NOT_FOUND, "the path is not in the document")
        elif answer.method not in route.methods:
            declared = _listed(route.methods)
            reason = f"{route.template} does not declare the method, only {declared}"
            self._check_problem(answer, HTTPStatus.METHOD_NOT_ALLOWED, reason)
        else:
            self._check_declared(answer, route.template)

    def _check_problem(self, answer: Answer, expected: HTTPStatus, reason: str) -> None:
        """Check the answer to a request the document does not know: it must be a refusal."""
        if answer.status != expected:
            answer.refuse(f"{reason}, so {expected.value} was expected")
        if answer.method == "HEAD" and not answer.body:
            return
        if answer.media_type != PROBLEM:
            kind = answer.media_type or "no content type"
            answer.refuse(f"{reason}, so {PROBLEM} was expected, not {kind}")
        self._check_json(answer, PROBLEM_SCHEMA)

    def _check_declared(self, answer: Answer, template: str) -> None:
        key = (answer.method, template, answer.status, answer.media_type)
        # Only what was found is remembered, so that a violation is reported every time.
        if key not in self._locations:
            self._locations[key] = self._locate(answer, template)
        location = self._locations[key]
        if answer.status in BODYLESS:
            answer.refuse_body("this status has no body")
        elif answer.method == "HEAD":
            answer.refuse_body("HEAD has no body")
        elif location is None:
            answer.refuse_body("the document declares no content")
        elif _is_json(answer.media_type):
            self._check_json(answer, location)

    def _locate(self, answer: Answer, template: str) -> str | None:
        """Find the schema declared for an answer; None if no content is declared."""
        method = "get" if answer.method == "HEAD" else answer.method.lower()
        responses = _step("#/paths", template, method, "responses")
        # From the exact to the general, as the specification has it.
        candidates = (str(answer.status), f"{answer.status // 100}XX", "default")
        declared = self._read(responses)
        status = next((name for name in candidates if name in declared), None)
        if status is None:
            answer.refuse(
                f"{answer.method} {template} does not declare this status, only {_listed(declared)}"
            )
        location, response = self._follow(_step(responses, status))
        content = response.get("content", {})
        bodyless = answer.status in BODYLESS or answer.method == "HEAD"
        if not content or (bodyless and not answer.media_type):
            return None
        family = answer.media_type.partition("/")[0]
        ranges = (answer.media_type, f"{family}/*", "*/*")
        # A media type in the document may carry parameters: "text/csv; charset=utf-8".
        names = {_bare(name): name for name in reversed(content)}
        name = next((names[candidate] for candidate in ranges if candidate in names), None)
        if name is None or not answer.media_type:
            kind = answer.media_type or "no content type"
            answer.refuse(
                f"{answer.method} {template} declares {_listed(content)} for it, not {kind}"
            )
        if "schema" in content[name]:
            return _step(location, "content", name, "schema")
        return ANYTHING

    def _check_json(self, answer: Answer, location: str) -> None:
        """Validate the body by the schema at `location`."""
        value = answer.json()
        if location == ANYTHING:
            return
        error = next(self._validator(location).iter_errors(value), None)
        if error is not None:
            told = _innermost(error)
            path = "".join(
                f"[{step}]" if isinstance(step, int) else f".{step}" for step in told.instance_path
            )
            answer.refuse(f"the body breaks {location} at ${path}: {told.message}")

    def _validator(self, location: str) -> Draft202012Validator:
        """Compile the schema at `location`, once.

        It is reached through a reference, so that "#/components/…" within it means the document.
        """
        if location not in self._validators:
            self._validators[location] = Draft202012Validator(
                {"$ref": f"{DOCUMENT}{location}"},
                registry=self._registry,
                validate_formats=True,
                formats={"date-time": _is_timestamp},
            )
        return self._validators[location]

    def _read(self, location: str) -> Any:
        return self._resolver.lookup(location).contents

    def _follow(self, location: str) -> tuple[str, dict[str, Any]]:
        """Return an object of the document and its location, behind any references."""
        part = self._read(location)
        while "$ref" in part:
            location = part["$ref"]
            part = self._read(location)
        return location, part


class CheckedTransport(httpx.AsyncBaseTransport):
    """Passes requests on to another transport and checks each response before handing it out."""

    def __init__(self, transport: httpx.AsyncBaseTransport, contract: Contract) -> None:
        """Wrap `transport`; `seen` collects (method, path template, status) of what passed."""
        self._transport = transport
        self._contract = contract
        self.seen: set[tuple[str, str, int]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the wrapped transport's response; raise `ContractViolation` if it is wrong."""
        response = await self._transport.handle_async_request(request)
        if not isinstance(response.stream, httpx.AsyncByteStream):
            message = "An asynchronous transport answers with an asynchronous stream."
            raise TypeError(message)
        try:
            raw = b"".join([chunk async for chunk in response.stream])
        finally:
            await response.aclose()
        status, headers = response.status_code, response.headers
        # A response made from `content` decodes it on the spot; one made from a `stream` is still
        # unread, as the client expects it.
        decoded = httpx.Response(status, headers=headers, content=raw).content
        method, path = request.method, request.url.path
        self._contract.check(method, path, status, headers, decoded)
        route = self._contract.find(method, path)
        if route is not None and method in route.methods:
            self.seen.add((method, route.template, status))
        return httpx.Response(
            status,
            headers=headers,
            stream=httpx.ByteStream(raw),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._transport.aclose()


def _methods(item: Mapping[str, object]) -> frozenset[str]:
    declared = {name.upper() for name in METHODS & item.keys()}
    return frozenset(declared | {"HEAD"} if "GET" in declared else declared)


def _is_page(answer: Answer) -> bool:
    """Whether a person gets this: the document tells programs what they get."""
    if answer.path.startswith("/api/"):
        return False
    is_known = answer.path == "/" or any(
        answer.path == page or answer.path.startswith(f"{page}/") for page in PAGES
    )
    is_error = answer.status >= HTTPStatus.BAD_REQUEST
    is_html = answer.media_type == "text/html" or answer.status == HTTPStatus.SEE_OTHER
    return is_html and (is_known or is_error)


def _step(location: str, *names: str) -> str:
    """Descend in a JSON pointer that is written as a URI fragment."""
    escaped = (quote(name.replace("~", "~0").replace("/", "~1"), safe="~") for name in names)
    return "/".join((location, *escaped))


def _innermost(error: ValidationError) -> ValidationError:
    """Of several alternatives that all failed, what failed farthest in."""
    alternatives = [e for branch in getattr(error.kind, "context", ()) for e in branch]
    if not alternatives:
        return error
    return max(map(_innermost, alternatives), key=lambda found: len(found.instance_path))


def _media_type(headers: Mapping[str, str]) -> str:
    lowered = {name.lower(): value for name, value in headers.items()}
    return _bare(lowered.get("content-type", ""))


def _bare(content_type: str) -> str:
    """Return a media type in lower case and without parameters such as the charset."""
    return content_type.partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not a JSON number"
    raise ValueError(message)
