"""The cookies of signed-in browsers; nobody else reads or writes them.

Over https their names begin with `__Host-`: browsers then keep them from other hosts, also those of
the same site, and send them over https alone. Where a cookie is for some addresses only, that prefix
cannot be had, and `__Secure-` says the latter. Over http there are sessions on this machine only.
"""

from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.api import origins
from app.settings import is_loopback

_HOST, _SECURE = "__Host-", "__Secure-"


class Cookie(NamedTuple):
    """One of our cookies."""

    name: str
    path: str = "/"
    """Where browsers send it: there, and below."""


SESSION = Cookie("quickwin")


def may_have(connection: HTTPConnection) -> bool:
    """Whether a browser can keep secrets with us: over https, or on this machine."""
    own = urlsplit(origins.own(connection))
    return own.scheme == "https" or is_loopback(own.hostname or "")


def read(connection: HTTPConnection, cookie: Cookie = SESSION) -> str | None:
    """A cookie's value, if there is one that may be believed."""
    return connection.cookies.get(_named(connection, cookie)) if may_have(connection) else None


def keep(
    connection: HTTPConnection,
    response: Response,
    value: str,
    lasting: timedelta,
    cookie: Cookie = SESSION,
) -> None:
    """Give a browser a cookie."""
    _set(connection, response, cookie, value, int(lasting.total_seconds()))


def drop(connection: HTTPConnection, response: Response, cookie: Cookie = SESSION) -> None:
    """Take a cookie from a browser."""
    _set(connection, response, cookie, "", 0)


def _set(
    connection: HTTPConnection, response: Response, cookie: Cookie, value: str, seconds: int
) -> None:
    response.set_cookie(
        _named(connection, cookie),
        value,
        max_age=seconds,
        path=cookie.path,
        secure=_is_secure(connection),
        httponly=True,
        samesite="lax",
    )


def _named(connection: HTTPConnection, cookie: Cookie) -> str:
    if not _is_secure(connection):
        return cookie.name
    return f"{_HOST if cookie.path == '/' else _SECURE}{cookie.name}"


def _is_secure(connection: HTTPConnection) -> bool:
    return origins.own(connection).startswith("https://")
