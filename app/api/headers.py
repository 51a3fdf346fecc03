"""What every answer tells browsers and caches (OWASP ASVS 5.0, 3.4 and 14.3)."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.answers import API, PUBLIC

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ALLOWED = (
    "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match",
    "Last-Event-ID", "X-Request-ID",
)  # fmt: skip
EXPOSED = (
    "ETag", "Idempotency-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy",
    "Retry-After", "X-Request-ID",
)  # fmt: skip
PAGES = frozenset({"/docs", "/docs/oauth2-redirect", "/redoc"})
ASSETS = ("/static/", "/assets/")
ALWAYS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""For answers that are data and errors; they hold for a page until its scripts are known."""
_TRANSPORT = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
_REVALIDATED, _KEPT = "private, no-cache", "public, max-age=86400"
_SHARED = "public, max-age=60, must-revalidate"
"""Short, so that what is made private is gone from caches too."""
_OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "ETag, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"
    ),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "If-None-Match, X-Request-ID",
    "Access-Control-Max-Age": "86400",
}
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


class SecurityHeaders:
    """Puts the security headers on each answer, those that an endpoint has set excepted.

    Pages may connect to this server, and to an `issuer` to sign in there.
    """

    def __init__(self, app: ASGIApp, issuer: str | None = None) -> None:
        self._app = app
        self._peers = "'self'"
        if issuer is not None:
            address = urlsplit(issuer)
            self._peers += f" {address.scheme}://{address.netloc}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _guard(MutableHeaders(scope=message), scope, message["status"])
            await send(message)

        if scope["path"] in PAGES:
            await self._app(scope, receive, _page(send_guarded, self._peers))
        else:
            await self._app(scope, receive, send_guarded)


class OpenToAll:
    """Lets any page read what is public, and any cache keep it for a minute; the rest goes on to `others`.

    No answer depends on a header of the request, so none says `Vary`: the headers are the same for
    a page, a program and a cache between them.
    """

    def __init__(self, app: ASGIApp, others: ASGIApp) -> None:
        self._app, self._others = app, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(PUBLIC):
            await self._others(scope, receive, send)
            return

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_OPEN)
                if message["status"] in {200, 304}:
                    headers["Cache-Control"] = _SHARED
            await send(message)

        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send_open)
        else:
            await self._app(scope, receive, send_open)


def cross_origin(origins: tuple[str, ...]) -> Callable[[ASGIApp], ASGIApp]:
    """Lets any page read what is public, and pages of these origins call the API; a layer.

    Credentials are not allowed: a token is sent by the page itself, never by the browser alone.
    """

    def layer(app: ASGIApp) -> ASGIApp:
        if not origins:
            return OpenToAll(app, app)
        named = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=ALLOWED,
            expose_headers=EXPOSED,
        )
        return OpenToAll(app, named)

    return layer


def _guard(headers: MutableHeaders, scope: Scope, status: int) -> None:
    is_read = scope["method"] in {"GET", "HEAD"} and status in {200, 304}
    if is_read and scope["path"].startswith(ASSETS):
        headers.setdefault("Cache-Control", _KEPT)
    elif is_read and "etag" in headers:
        headers.setdefault("Cache-Control", _REVALIDATED)
    if scope["path"].startswith(f"{API}/") and not scope["path"].startswith(PUBLIC):
        headers.add_vary_header("Cookie")
    for name, value in ALWAYS.items():
        headers.setdefault(name, value)
    if scope.get("scheme") == "https":
        headers.setdefault(*_TRANSPORT)


def _page(send: Send, peers: str) -> Send:
    """Let an HTML page run its own inline scripts, known by their hashes, and our assets.

    Styles may be inline: ReDoc makes them as it goes. Its search runs in a worker from a blob.
    """
    start: Message = {}

    async def send_page(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        if start:
            hashes = "".join(
                f" 'sha256-{b64encode(hashlib.sha256(script).digest()).decode()}'"
                for script in _INLINE_SCRIPT.findall(message.get("body", b""))
            )
            MutableHeaders(scope=start)["Content-Security-Policy"] = (
                f"default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
                f"img-src 'self' data:; font-src 'self'; connect-src {peers}; worker-src blob:; "
                "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            )
            await send(dict(start))
            start.clear()
        await send(message)

    return send_page
