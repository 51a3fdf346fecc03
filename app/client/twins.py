"""How an operation that is written once is called in two ways: plainly, and with `await`.

A descriptor binds it to the client it is called on. On a `Plain` one it answers T, on a `Waiting` one
an `Awaitable[T]`; what is long is an `Iterator[T]` or an `AsyncIterator[T]`. Type checkers see which.
"""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import httpx
import tenacity

from app.client.calls import Call, Stretch
from app.client.failures import Unreachable
from app.client.retries import Patience

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")
U = TypeVar("U")

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Plain:
    """Sends calls and waits for what is answered."""

    _http: httpx.Client
    _patience: Patience

    def answer(self, call: Call[T]) -> T:
        """Send a call, again if need be; raises `Failure`."""
        answer: T = tenacity.Retrying(**self._patience.policy(call))(self._send, call)
        return answer

    def each(self, call: Call[Stretch[T]] | None) -> Iterator[T]:
        """The items of all stretches."""
        while call is not None:
            stretch = self.answer(call)
            yield from stretch.items
            call = stretch.onward()

    def _send(self, call: Call[T]) -> T:
        try:
            response = self._http.request(**_request(call))
        except httpx.RequestError as error:
            raise _unreachable(error) from error
        return call.answer(response)


class Waiting:
    """Sends calls and lets others go on until there is an answer."""

    _http: httpx.AsyncClient
    _patience: Patience

    async def answer(self, call: Call[T]) -> T:
        """Send a call, again if need be; raises `Failure`."""
        return await tenacity.AsyncRetrying(**self._patience.policy(call))(self._send, call)

    async def each(self, call: Call[Stretch[T]] | None) -> AsyncIterator[T]:
        """The items of all stretches."""
        while call is not None:
            stretch = await self.answer(call)
            for item in stretch.items:
                yield item
            call = stretch.onward()

    async def _send(self, call: Call[T]) -> T:
        try:
            response = await self._http.request(**_request(call))
        except httpx.RequestError as error:
            raise _unreachable(error) from error
        return call.answer(response)


class operation(Generic[S, P, T]):  # noqa: N801  used like a function
    """Makes a method of a function that answers a call."""

    def __init__(self, make: Callable[Concatenate[S, P], Call[T]]) -> None:
        self._make = make
        functools.update_wrapper(self, make)  # type: ignore[arg-type]

    @overload
    def __get__(self, client: Plain, _: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Waiting, _: type[Any]) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, client: None, _: type[Any]) -> "operation[S, P, T]": ...
    def __get__(self, client: Any, _: type[Any]) -> Any:
        """The operation as a method of a client."""
        return self if client is None else _bound(self._make, client, client.answer)


class listing(Generic[S, P, T]):  # noqa: N801  used like a function
    """Makes a method of a function that answers the first call of something long."""

    def __init__(self, make: Callable[Concatenate[S, P], Call[Stretch[T]] | None]) -> None:
        self._make = make
        functools.update_wrapper(self, make)  # type: ignore[arg-type]

    @overload
    def __get__(self, client: Plain, _: type[Any]) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Waiting, _: type[Any]) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, client: None, _: type[Any]) -> "listing[S, P, T]": ...
    def __get__(self, client: Any, _: type[Any]) -> Any:
        """The operation as a method of a client."""
        return self if client is None else _bound(self._make, client, client.each)


def _bound(
    make: Callable[Concatenate[S, P], T], client: S, follow: Callable[[T], U]
) -> Callable[P, U]:
    method = MethodType(make, client)  # its signature, without the client

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> U:
        return follow(method(*args, **kwargs))

    return call


def _request(call: Call[Any]) -> dict[str, Any]:
    headers = dict(call.headers or {})
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    return {
        "method": call.method,
        "url": call.path,
        "params": call.query,
        "content": call.body,
        "headers": headers,
    }


def _unreachable(error: httpx.RequestError) -> Unreachable:
    url = error.request.url
    detail = f"{url.scheme}://{url.netloc.decode()}: {str(error) or type(error).__name__}"
    return Unreachable(detail, was_sent=not isinstance(error, _NEVER_SENT))
