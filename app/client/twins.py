"""How an operation that is written once is called in two ways: plainly, and with `await`.

A descriptor binds it to the client it is called on. On a `Plain` one it answers T, on a `Waiting` one
an `Awaitable[T]`; what is long is an `Iterator[T]` or an `AsyncIterator[T]`. Type checkers see which.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import httpx
import tenacity

from app.client.calls import Call, Stretch
from app.client.failures import Unreachable
from app.client.retries import Patience
from app.client.transfers import BINARY, pieces, pieces_waiting, replacing

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
            response = self._exchange(call)
        except httpx.RequestError as error:
            raise _unreachable(error) from error
        return call.answer(response)

    def _exchange(self, call: Call[Any]) -> httpx.Response:
        asked = _request(call)
        if call.source is not None:
            asked["content"] = pieces(call.source)
        if call.target is None:
            return self._http.request(**asked)
        with self._http.stream(**asked) as response:
            if not response.is_success:
                response.read()
                return response
            with replacing(call.target) as file:
                for piece in response.iter_bytes():
                    file.write(piece)
        return response


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
            response = await self._exchange(call)
        except httpx.RequestError as error:
            raise _unreachable(error) from error
        return call.answer(response)

    async def _exchange(self, call: Call[Any]) -> httpx.Response:
        asked = _request(call)
        if call.source is not None:
            asked["content"] = pieces_waiting(call.source)
        if call.target is None:
            return await self._http.request(**asked)
        async with self._http.stream(**asked) as response:
            if not response.is_success:
                await response.aread()
                return response
            with replacing(call.target) as file:
                async for piece in response.aiter_bytes():
                    await asyncio.to_thread(file.write, piece)
        return response


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
    elif call.source is not None:
        headers["Content-Type"] = BINARY
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
