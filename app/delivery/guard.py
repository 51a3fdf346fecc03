"""Guarded connections: a name is looked up once, every address is judged, and one of them is called.

Looking a name up to judge it, and again to connect, would leave a moment in which it can be given
another address (DNS rebinding). So the check is where the connection is made, and the connection
goes to the address that was checked; TLS still verifies the name.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any

import httpcore

from app.outbound import Address, Objection, Rules, unmapped

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
_MOST_TRIED = 4


class Refused(Exception):
    """A name leads to an address that is not called."""

    def __init__(self, objection: Objection) -> None:
        self.objection = objection
        super().__init__(objection)


class NameNotFound(Exception):
    """A name leads nowhere."""


async def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name, by the system's resolver."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameNotFound from error
    addresses = (ip_address(str(each[4][0])) for each in found)
    return list(dict.fromkeys(map(unmapped, addresses)))


class Guarded(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses alone, for one scheme."""

    def __init__(self, rules: Rules, scheme: str, resolve: Resolve = resolve) -> None:
        self._rules, self._scheme, self._resolve = rules, scheme, resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the library's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to an address of a name, all of which may be called."""
        addresses = await self._resolve(host, port)
        if not addresses:
            raise NameNotFound
        # All of them: a name that leads inside as well is not to be trusted with either.
        for address in addresses:
            if objection := self._rules.objection(self._scheme, address, port):
                raise Refused(objection)
        failure: Exception | None = None
        for address in addresses[:_MOST_TRIED]:
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError
