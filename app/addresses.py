"""Addresses of PostgreSQL, as libpq writes them: with several hosts, of which one takes writes.

`postgresql://USER:PASSWORD@A:5432,B:5432/DATABASE?target_session_attrs=read-write`; what stands behind
the `?` is libpq's too (`connect_timeout`, `sslmode`, `sslrootcert`, `application_name` …), and asyncpg reads it.
"""

import socket
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
from sqlalchemy import URL, make_url

HOST_SECONDS, ONLY_HOST_SECONDS = 5.0, 60.0
"""How long a host may take to let us in: one that is gone answers nothing, and others wait."""
_SILENCE = {
    "TCP_USER_TIMEOUT": 10_000,  # milliseconds in which what was sent must have arrived
    "TCP_KEEPIDLE": 5,
    "TCP_KEEPINTVL": 2,
    "TCP_KEEPCNT": 5,
}
_PORT = 5432
_NOT_NOW = (
    OSError,  # TimeoutError is one
    asyncpg.TargetServerAttributeNotMatched,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
)


class Host(NamedTuple):
    """One server of several."""

    name: str
    port: int


class Address(NamedTuple):
    """Where a database is."""

    dsn: str
    """As asyncpg takes it."""
    hosts: tuple[Host, ...]
    """Those that are tried one after the other; empty where there is one."""
    seconds: float
    """How long each may take to let us in."""
    url: URL
    """As SQLAlchemy takes it; of several hosts the first."""


def address(database_url: str) -> Address:
    """Read a `postgresql://` URL; raises `ValueError` or SQLAlchemy's `ArgumentError`."""
    parts = urlsplit(database_url)
    query = dict(parse_qsl(parts.query))
    if "ssl" in query:  # as SQLAlchemy's URLs call it
        query["sslmode"] = query.pop("ssl")
    account, at, hosts = parts.netloc.rpartition("@")
    found = tuple(map(_host, hosts.split(",")))
    if len(found) > 1:
        # libpq takes whichever answers first; one that takes no writes is of no use to us.
        query.setdefault("target_session_attrs", "read-write")
        hosts = hosts.split(",")[0]
    usual = HOST_SECONDS if len(found) > 1 else ONLY_HOST_SECONDS
    seconds = float(query.pop("connect_timeout", usual))  # libpq's, which asyncpg does not know
    settings = urlencode(query)
    dsn = urlunsplit(("postgresql", parts.netloc, parts.path, settings, ""))
    kept = urlunsplit(("postgresql+asyncpg", account + at + hosts, parts.path, "", ""))
    return Address(dsn, found if len(found) > 1 else (), seconds, make_url(kept))


async def connect(
    address: Address,
    hosts: list[Host],
    **arguments: Any,  # noqa: ANN401  asyncpg's
) -> asyncpg.Connection:
    """Connect to the first of several hosts that can be used, which is then the first to be tried.

    Raises `ConnectionError` where none can.

    asyncpg goes over several hosts by itself, but with one time limit for all of them: a first one
    that swallows packets would leave nothing to the others.
    """
    connection = await _connect(address, hosts, arguments | {"timeout": address.seconds})
    _notice_silence(connection)
    return connection


async def _connect(
    address: Address, hosts: list[Host], arguments: dict[str, Any]
) -> asyncpg.Connection:
    if not hosts:
        try:
            return await asyncpg.connect(address.dsn, **arguments)
        except (asyncpg.TargetServerAttributeNotMatched, OSError) as error:
            if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
                raise
            raise ConnectionError(_reason(error)) from error
    reasons = []
    for host in tuple(hosts):
        try:
            made = await asyncpg.connect(address.dsn, host=host.name, port=host.port, **arguments)
        except _NOT_NOW as error:
            reasons.append(f"{host.name}:{host.port}: {_reason(error)}")
        else:
            hosts.sort(key=lambda each: each != host)
            return made
    raise ConnectionError("; ".join(reasons))


def _notice_silence(connection: asyncpg.Connection) -> None:
    """Have connections to a machine that is gone fail in seconds; by itself Linux tries for 15 minutes."""
    # asyncpg tells nobody its socket.
    sock = connection._transport.get_extra_info("socket")  # noqa: SLF001
    if sock is None or sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SILENCE.items():
        if (option := getattr(socket, name, None)) is not None:  # as far as the system has them
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _host(written: str) -> Host:
    name, colon, port = written.rpartition(":")
    if not colon or port.endswith("]"):  # an IPv6 address without a port
        name, port = written, ""
    return Host(name.strip("[]"), int(port) if port else _PORT)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return "not the one that takes writes"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
