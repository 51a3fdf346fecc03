"""What every answer tells browsers and caches; and which pages of others may call."""

import base64
import hashlib
import re

import httpx
import pytest
from pydantic import ValidationError

from app.api import headers
from app.main import create_app
from app.settings import Settings
from tests.conftest import OPERATOR, Clients
from tests.support.institution import API, Institution

ANSWERS = [
    ("GET", "/health/live", 200), ("GET", f"{API}/me", 200), ("GET", f"{API}/institutions", 200),
    ("GET", "/nowhere", 404), ("PUT", f"{API}/me", 405), ("GET", f"{API}/me?colour=red", 422),
    ("GET", "/openapi.json", 200), ("GET", "/docs", 200), ("GET", "/redoc", 200),
    ("GET", "/static/redoc.standalone.js", 200), ("PATCH", f"{API}/institutions/x", 428),
    ("OPTIONS", f"{API}/me", 405), ("HEAD", "/docs", 200),
]  # fmt: skip
PAGE = "https://app.kpu.go.id"


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
async def test_every_answer_is_guarded(
    clients: Clients, method: str, path: str, status: int
) -> None:
    answer = await clients.operator.request(method, path)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy or path in headers.PAGES
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers


async def test_transport_security_is_asked_for_behind_tls_alone(clients: Clients) -> None:
    answer = await clients.operator.get(f"https://test{API}/me")
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("path", sorted(headers.PAGES))
async def test_pages_run_their_own_scripts_alone(clients: Clients, path: str) -> None:
    answer = await clients.nobody.get(path)
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert policy["script-src"].split() == ["'self'", *(f"'sha256-{d}'" for d in digests)]
    own = re.findall(r'<script src="/(?:static|assets)/', answer.text)
    assert len(re.findall(r"<script", answer.text)) == len(scripts) + len(own)
    assert not re.findall(r"\son\w+=", answer.text)


async def test_head_answers_as_get_does_without_its_content(
    clients: Clients, institution: Institution
) -> None:
    client, page = institution.operator, institution.path.removeprefix(API)
    tag = (await client.get(institution.path)).headers["etag"]
    for path, known in (
        ("/", {}), ("/docs", {}), ("/health/live", {}), (page, {"Accept": "text/html"}),
        (institution.path, {}), (institution.path, {"If-None-Match": tag}),
        (f"{institution.path}/units", {}), (f"{institution.path}/exports/updates.csv", {}),
        (f"{institution.path}/rollup/badge.svg", {}), (f"{institution.path}/units/nowhere", {}),
    ):  # fmt: skip
        got, told = [
            await client.request(method, path, headers=known) for method in ("GET", "HEAD")
        ]
        assert (told.status_code, told.content) == (got.status_code, b""), path
        for each in (got, told):
            del each.headers["x-request-id"]
        own = "ratelimit", "last-modified"
        assert {k: v for k, v in told.headers.items() if k not in own} == {
            k: v for k, v in got.headers.items() if k not in own
        }, path
    refused = await client.head(f"{institution.path}/units/any/move")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (await clients.nobody.head(f"{API}/me")).status_code == 401


async def test_caches_keep_what_they_may(institution: Institution) -> None:
    client = institution.operator
    resource = await client.get(institution.path)
    known = await client.get(institution.path, headers={"If-None-Match": resource.headers["etag"]})
    assert known.status_code == 304
    for answer in (resource, known):
        assert answer.headers["cache-control"] == "private, no-cache"
    made = await client.post(
        f"{institution.path}/tokens", json={"person": "reporter", "name": "another"}
    )
    assert made.status_code == 201
    listed = await client.get(f"{institution.path}/units")
    missing = await client.get(f"{institution.path}/units/nowhere")
    for answer in (made, listed, missing, await client.get(f"{API}/me")):
        assert answer.headers["cache-control"] == "no-store"
    asset = await client.get("/static/swagger-ui.css")
    assert asset.headers["cache-control"] == "public, max-age=86400"


def browser(*origins: str) -> httpx.AsyncClient:
    """A client of an application that these origins may call; no database is needed for it."""
    app = create_app(Settings(database_url="sqlite://", cors_origins=origins))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_methods_are_named_without_the_document() -> None:
    """To make it takes a process seconds, and anybody may ask for a method that is not there."""
    app = create_app(Settings(database_url="sqlite://"))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as client:
        for path, methods in (
            ("/me", "GET, HEAD"),
            ("/institutions/kpu/units/32", "DELETE, GET, HEAD, PATCH"),
            ("/institutions/kpu/periods/standard", "POST"),
        ):
            answer = await client.put(f"{API}{path}")
            assert (answer.status_code, answer.headers["allow"]) == (405, methods)
        page = await client.put("/sign-in", headers={"Sec-Fetch-Site": "same-origin"})
        assert (page.status_code, page.headers["allow"]) == (405, "GET, HEAD, POST")
    assert app.openapi_schema is None


async def test_no_other_page_may_call_by_default(clients: Clients) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    for client in (clients.nobody, browser()):
        answer = await client.options(f"{API}/me", headers=asked)
        assert answer.status_code == 405
        answers = (answer, await client.get("/health/live", headers=asked))
        assert not [name for a in answers for name in a.headers if name.startswith("access-")]


async def test_named_pages_may_call() -> None:
    async with browser(PAGE) as client:
        for method in headers.METHODS:
            allowed = await client.options(
                f"{API}/me",
                headers={
                    "Origin": PAGE, "Access-Control-Request-Method": method,
                    "Access-Control-Request-Headers": ", ".join(headers.ALLOWED),
                },
            )  # fmt: skip
            assert allowed.status_code == 200
            assert allowed.headers["access-control-allow-origin"] == PAGE
        # An error can be read by the page as well.
        refused = await client.get("/nowhere", headers={"Origin": PAGE})
        assert refused.status_code == 404
        assert refused.headers["access-control-allow-origin"] == PAGE
        assert "access-control-allow-credentials" not in refused.headers
        assert refused.headers["vary"] == "Accept-Language, Origin, Accept-Encoding"
        exposed = set(refused.headers["access-control-expose-headers"].split(", "))
        assert exposed == {
            "ETag", "Idempotency-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy",
            "Retry-After", "X-Request-ID",
        }  # fmt: skip


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{PAGE}.evil.example", "http://app.kpu.go.id"]
)
async def test_other_pages_may_not(origin: str) -> None:
    async with browser(PAGE) as client:
        asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        refused = await client.options(f"{API}/me", headers=asked)
        assert refused.status_code == 400
        for answer in (refused, await client.get("/health/live", headers=asked)):
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origins", ["*", "https://*.kpu.go.id", f"{PAGE}/", "null", "kpu.go.id"])
def test_origins_are_named_one_by_one(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    monkeypatch.setenv("QUICKWIN_CORS_ORIGINS", origins)
    with pytest.raises(ValidationError):
        Settings()


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUICKWIN_CORS_ORIGINS", f"{PAGE}, http://localhost:5173")
    monkeypatch.setenv("QUICKWIN_TRUSTED_PROXIES", "10.0.0.0/8,::1")
    chosen = Settings()
    assert chosen.cors_origins == (PAGE, "http://localhost:5173")
    assert chosen.trusted_proxies == ("10.0.0.0/8", "::1")
    monkeypatch.setenv("QUICKWIN_TRUSTED_PROXIES", "*")
    with pytest.raises(ValidationError):
        Settings()


async def test_a_token_is_needed_whatever_the_page(clients: Clients) -> None:
    answer = await clients.nobody.get(f"{API}/me", headers={"Cookie": f"token={OPERATOR}"})
    assert answer.status_code == 401
