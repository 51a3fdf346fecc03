"""What may not be seen answers exactly like what is not there, wherever it is named.

The admin of A tries, who may do nearly everything there: so nothing but the one key that is hidden
from them stands between them and success.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.db import Database
from tests.security.conftest import Described
from tests.security.operations import TABLE
from tests.security.test_matrix import written
from tests.security.world import World, placeholders

Json = dict[str, Any]
Told = tuple[Any, ...]
Ask = Callable[[str], Awaitable[httpx.Response]]
_EACH_TIME = {"content-length", "date", "ratelimit", "ratelimit-policy", "x-request-id"}
"""Headers that differ from request to request, as ids in problems do."""
_NAMES_OF_NOBODY = {
    "new", "number", "scheme", "area", "format", "purpose", "programme", "period", "assessment", "label",
    "instrument", "template", "verdict",
}  # fmt: skip
"""What is new, a number within something, in a public catalogue, or of the institution as a whole."""
_ATTEMPTED = {
    operation_id: operation
    for operation_id, operation in TABLE.items()
    if operation.on in {"unit", "above", "root", "institution", "somewhere", "member"}
}


def told(answer: httpx.Response) -> Told:
    """An answer without what differs each time."""
    body: Any = answer.text
    if answer.headers.get("content-type", "").endswith("json"):
        body = answer.json()
        for each_time in ("instance", "request_id"):
            body.pop(each_time, None)
    headers = {name: value for name, value in answer.headers.items() if name not in _EACH_TIME}
    return answer.status_code, body, headers


def hidden(world: World, name: str, unit: str) -> list[str]:
    """The keys of a unit's thing, and of that which is its like: a code, an id, or both."""
    keys = [world.things[unit].get(name), world.ids[unit].get(name)]
    return [str(key) for key in keys if key is not None]


def is_id(key: str) -> bool:
    """Whether a key is an id."""
    return re.fullmatch(r"[0-9a-f-]{36}", key) is not None


@pytest.mark.parametrize("operation_id", _ATTEMPTED)
async def test_the_hidden_is_like_the_absent(
    world: World, database: Database, operations: dict[str, Described], operation_id: str
) -> None:
    """In each place of a path, a body or a filter; by code and by id; from each hidden unit."""
    actor, operation = world.actors["admin parent"], TABLE[operation_id]
    described, wrong, before = operations[operation_id], [], await written(database)
    noun = "unit rating" if "/units/" in described.path else "initiative rating"
    things = {**world.things["A1"], "rating": world.things["A1"][noun]}
    like = {"rating": noun, "above": "unit"}
    in_path = placeholders(described.path) - _NAMES_OF_NOBODY - set(operation.claims)
    in_body = placeholders(operation.body) - _NAMES_OF_NOBODY - set(operation.claims)

    async def compare(place: str, name: str, units: Sequence[str], ask: Ask) -> None:
        absent: dict[str, Told] = {}
        for unit in units:
            for key in hidden(world, like.get(name, name), unit):
                nothing = str(uuid4()) if is_id(key) else "nowhere"
                kind = "id" if is_id(key) else "code"
                if kind not in absent:
                    absent[kind] = told(await ask(nothing))
                answer = await ask(key)
                if told(answer) != absent[kind]:
                    wrong.append(f"{place} of {unit}: {told(answer)} unlike {absent[kind]}")
                if not place.startswith("?") and answer.status_code not in {404, 422}:
                    wrong.append(f"{place} of {unit}: {answer.status_code}")
                wrong.extend(f"{place} of {unit}: shows {text}" for text in actor.leaks(answer))

    # A client that claims to know it all must not learn by 304 that there is something to know; and
    # a body is read with any version, since a stale one is refused before its references.
    headers = {"If-None-Match": "*"} if described.method == "get" else {"If-Match": "*"}

    async def named(name: str, key: str) -> httpx.Response:
        return await send({**things, name: key}, {})

    async def filtered(parameter: str, key: str) -> httpx.Response:
        return await send(things, {parameter: key})

    async def send(filled_in: Json, parameters: Json) -> httpx.Response:
        return await world.send(
            actor.client, described.method, described.path, operation, filled_in,
            parameters=parameters, headers={} if parameters else headers,
        )  # fmt: skip

    for name in sorted(in_path | in_body):
        units = ("X",) if name == "institution" else ("R", "B", "X")
        await compare(name, name, units, partial(named, name))
    for parameter, template in operation.filters.items():
        (name,) = placeholders(template)
        await compare(f"?{parameter}=", name, ("B", "X"), partial(filtered, parameter))
    assert await written(database) == before, f"{operation_id} has written something"
    assert not wrong, "\n".join(wrong)
