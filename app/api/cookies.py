"""The cookies of signed-in browsers; nobody else reads or writes them.

Over https their names begin with `__Host-`: browsers then keep them from other hosts, also those of
the same site, and send them over https alone. Over http there are sessions on this machine only.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.api import origins
from app.settings import is_loopback

SESSION = "quickwin"
_HOST = "__Host-"


def may_have(connection: HTTPConnection) -> bool:
    """Whether a browser can keep secrets with us: over https, or on this machine."""
    own = urlsplit(origins.own(connection))
    return own.scheme == "https" or is_loopback(own.hostname or "")


def read(connection: HTTPConnection, name: str = SESSION) -> str | None:
    """A cookie's value, if there is one that may be believed."""
    return connection.cookies.get(_named(connection, name)) if may_have(connection) else None


def keep(
    connection: HTTPConnection,
    response: Response,
    value: str,
    lasting: timedelta,
    name: str = SESSION,
) -> None:
    """Give a browser a cookie."""
    _set(connection, response, name, value, int(lasting.total_seconds()))


def drop(connection: HTTPConnection, response: Response, name: str = SESSION) -> None:
    """Take a cookie from a browser."""
    _set(connection, response, name, "", 0)


def _set(
    connection: HTTPConnection, response: Response, name: str, value: str, seconds: int
) -> None:
    response.set_cookie(
        _named(connection, name),
        value,
        max_age=seconds,
        path="/",
        secure=_is_secure(connection),
        httponly=True,
        samesite="lax",
    )


def _named(connection: HTTPConnection, name: str) -> str:
    return f"{_HOST}{name}" if _is_secure(connection) else name


def _is_secure(connection: HTTPConnection) -> bool:
    return origins.own(connection).startswith("https://")
