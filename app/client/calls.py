"""Calls as values: what is asked, and how its answer is read. Nothing here touches a network."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from app.client import failures
from app.client.failures import NotUnderstood, Refused, Unsayable
from app.schemas.pages import Page
from app.schemas.problems import Problem

API = "/api/v1"
T = TypeVar("T")
U = TypeVar("U")
_anything: TypeAdapter[Any] = TypeAdapter(Any)


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request, and how its answer becomes a T."""

    method: str
    path: str
    read: Callable[[bytes], T]
    """Makes a T of the content of an answer of success."""
    query: Mapping[str, Any]
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    recover: Callable[[Refused], T] | None = None
    """Makes a T of a refusal, or raises it again."""
    source: Path | None = None
    """A file that is the body, read while it is sent."""
    target: Path | None = None
    """A file that the content is written to while it comes; `read` gets none then."""

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows what became of it.

        A key makes a POST have its effect once. What names a version has changed it, if it was
        done: sent again it would be refused, and look as if somebody else had been faster.
        """
        if self.method == "POST":
            return "Idempotency-Key" in (self.headers or {})
        return self.method in {"GET", "PUT"} and "If-Match" not in (self.headers or {})

    def then(self, onward: Callable[[T], U]) -> "Call[U]":
        """The same call, whose answer is read further."""
        read = self.read
        return Call(
            self.method, self.path, lambda content: onward(read(content)),
            self.query, self.body, self.headers,
        )  # fmt: skip

    def asking(self, **query: str | int) -> "Call[T]":
        """The same call with other parameters."""
        return replace(self, query={**self.query, **query})

    def answer(self, response: httpx.Response) -> T:
        """What was answered; raises `Refused` or `NotUnderstood`."""
        if not response.is_success:
            failure = _failure(response)
            if self.recover is not None and isinstance(failure, Refused):
                return self.recover(failure)
            raise failure
        try:
            return self.read(b"" if self.target is not None else response.content)
        except ValidationError as error:
            raise NotUnderstood(response.status_code, "this is no answer of Quickwin's") from error


@dataclass(frozen=True)
class Stretch(Generic[T]):
    """A part of something long, and how it goes on."""

    items: Sequence[T]
    onward: Callable[[], Call["Stretch[T]"] | None]
    """The call for the next part, made when it is needed; None at the end."""


def address(*steps: str | int) -> str:
    """A path below the API. Raises `Unsayable` for a step that would lead elsewhere."""
    if any(not str(step).strip(".") for step in steps):
        raise Unsayable("a code needs more than dots")
    try:
        return "/".join((API, *(quote(str(step), safe="") for step in steps)))
    except UnicodeEncodeError as error:
        raise Unsayable("a code needs characters that there are") from error


def get(path: str, shape: type[T], query: Mapping[str, Any] | None = None) -> Call[T]:
    """A reading call."""
    return Call("GET", path, reader(shape), parameters(query or {}))


def post(path: str, shape: type[T], body: object = None, key: str | None = None) -> Call[T]:
    """A call that has its effect once, however often it is sent under its key."""
    headers = {"Idempotency-Key": key or str(uuid4())}
    return Call("POST", path, reader(shape), {}, encoded(body), headers)


def sending(
    path: str, shape: type[T], source: Path, query: Mapping[str, Any], key: str | None = None
) -> Call[T]:
    """A call that sends a file once, however often it is sent under its key.

    Raises `Unsayable` for what is no file that can be read.
    """
    if not source.is_file() or not os.access(source, os.R_OK):
        raise Unsayable(f"{source} is no file that can be read")
    headers = {"Idempotency-Key": key or str(uuid4())}
    return Call("POST", path, reader(shape), parameters(query), None, headers, source=source)


def saving(path: str, target: Path) -> Call[Path]:
    """A reading call whose answer is a file. Raises `Unsayable` where there is no folder for it."""
    if target.is_dir() or not target.parent.is_dir():
        raise Unsayable(f"{target} cannot be a file")
    return Call("GET", path, lambda _: target, {}, target=target)


def put(path: str, shape: type[T], body: object, version: int | None) -> Call[T]:
    """A call that creates or replaces; of the version named, if one is."""
    headers = {} if version is None else matching(version)
    return Call("PUT", path, reader(shape), {}, encoded(body), headers)


def patch(path: str, shape: type[T], changes: object, version: int | None) -> Call[T]:
    """A merge patch of a version, or of whatever is there."""
    return Call("PATCH", path, reader(shape), {}, encoded(changes), matching(version))


def delete(path: str, version: int | None, reason: str | None) -> Call[None]:
    """A deletion of a version, or of whatever is there."""
    query = parameters({"reason": reason})
    return Call("DELETE", path, lambda _: None, query, headers=matching(version))


def listed(call: Call[Page[T]]) -> Call[Stretch[T]]:
    """All pages, from the one that is called for."""

    def stretch(page: Page[T]) -> Stretch[T]:
        cursor = page.next_cursor
        return Stretch(page.items, lambda: listed(call.asking(cursor=cursor)) if cursor else None)

    return call.then(stretch)


def parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Query parameters: None is left out, a list repeats its name, `from_` is called `from`."""
    plain: dict[str, Any] = json.loads(_encoded(given))
    return {name.rstrip("_"): value for name, value in plain.items() if value is not None}


def encoded(body: object) -> bytes | None:
    """A body as JSON, if there is one; of a shape what was set. Raises `Unsayable`."""
    return None if body is None else _encoded(body)


def matching(version: int | None) -> dict[str, str]:
    """`If-Match` of a version; of any, if it is None."""
    return {"If-Match": "*" if version is None else f'"v{version}"'}


def reader(shape: type[T]) -> Callable[[bytes], T]:
    """Reads a shape; fields that a newer server has added are passed over."""
    adapter: TypeAdapter[T] = _adapter(shape)  # type: ignore[arg-type]  # classes are hashable
    return lambda content: adapter.validate_json(content, extra="ignore")


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:  # noqa: ANN401  any shape
    return TypeAdapter(shape)


def _encoded(value: object) -> bytes:
    try:
        return _anything.dump_json(value, exclude_unset=True)
    except PydanticSerializationError as error:
        raise Unsayable("JSON has no words for this") from error


def _failure(response: httpx.Response) -> Refused | NotUnderstood:
    told = response.headers.get("Retry-After")
    if response.headers.get("Content-Type", "").startswith("application/problem+json"):
        try:
            return failures.refused(reader(Problem)(response.content), told)
        except ValidationError:
            pass
    detail = "this is no answer of Quickwin's"
    return NotUnderstood(response.status_code, detail, failures.seconds(told))
