"""Lists: sorts, totals and cursors of others show nothing, and count nothing, that is hidden."""

import re
from typing import Any

import httpx
import pytest

from tests.security.conftest import Described
from tests.security.operations import TABLE
from tests.security.world import Actor, World

Json = dict[str, Any]
_ACTORS = ("admin parent", "viewer descendant", "without roles")
_FIELDS = re.compile(r"[a-z]+(?:_[a-z]+)*")


async def ask(
    world: World, actor: Actor, described: Described, operation_id: str, parameters: Json
) -> httpx.Response:
    """One page, as somebody asks for it."""
    return await world.send(
        actor.client, described.method, described.path, TABLE[operation_id],
        world.things["A1"], parameters=parameters,
    )  # fmt: skip


def lists(operations: dict[str, Described], parameter: str) -> list[str]:
    """The operations that take a parameter; but for what is public, since here nothing is."""
    return [
        operation_id
        for operation_id, described in operations.items()
        if any(found["name"] == parameter for found in described.parameters)
        and TABLE[operation_id].on != "public"
    ]


@pytest.mark.parametrize("name", _ACTORS)
async def test_totals_count_what_is_seen(
    world: World, operations: dict[str, Described], name: str
) -> None:
    actor, wrong = world.actors[name], []
    for operation_id in lists(operations, "include_total"):
        answer = await ask(
            world, actor, operations[operation_id], operation_id,
            {"include_total": "true", "limit": 200},
        )  # fmt: skip
        if answer.status_code == 200 and answer.json()["total"] != len(answer.json()["items"]):
            wrong.append(f"{operation_id}: {answer.json()['total']}")
    assert not wrong, wrong


@pytest.mark.parametrize("name", _ACTORS)
async def test_cursors_of_others_show_nothing(
    world: World, operations: dict[str, Described], name: str
) -> None:
    """A cursor grants nothing: it is a place in an order, and the rows behind it are one's own."""
    actor, operator, wrong, used = world.actors[name], world.actors["operator"], [], 0
    for operation_id in lists(operations, "cursor"):
        described = operations[operation_id]
        page = await ask(world, operator, described, operation_id, {"limit": 1})
        cursor = page.json()["next_cursor"]
        if cursor is None:
            continue
        parameters = {"limit": 200, "cursor": cursor, "include_total": "true"}
        answer = await ask(world, actor, described, operation_id, parameters)
        used += answer.status_code == 200
        if answer.status_code not in {200, 404, 422}:
            wrong.append(f"{operation_id}: {answer.status_code} {answer.text[:200]}")
        wrong += [f"{operation_id}: shows {text}" for text in actor.leaks(answer)]
    assert used >= 8, "Too few lists have a second page to try."
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", _ACTORS)
async def test_sorts_and_searches_show_nothing(
    world: World, operations: dict[str, Described], name: str
) -> None:
    """Every field by which a list is sorted, and a search for what stands in hidden texts."""
    actor, wrong = world.actors[name], []
    for operation_id in lists(operations, "sort"):
        described = operations[operation_id]
        refused = await ask(world, world.actors["operator"], described, operation_id, {"sort": "x"})
        detail = refused.json()["errors"][0]["detail"]
        fields = _FIELDS.findall(detail.rpartition(":")[2])
        assert fields, detail
        for field in fields:
            answer = await ask(world, actor, described, operation_id, {"sort": f"-{field}"})
            wrong += [f"{operation_id} by {field}: shows {text}" for text in actor.leaks(answer)]
    searched = set(lists(operations, "q")) & set(lists(operations, "include_total"))
    for operation_id in sorted(searched):
        answer = await ask(
            world,
            actor,
            operations[operation_id],
            operation_id,
            {"q": "text", "include_total": "1"},
        )
        wrong += [f"{operation_id}: shows {text}" for text in actor.leaks(answer)]
        hidden = await ask(
            world,
            actor,
            operations[operation_id],
            operation_id,
            {"q": "qzbzq", "include_total": "1"},
        )
        if (hidden.json()["items"], hidden.json()["total"]) != ([], 0):
            wrong.append(f"{operation_id}: finds what is hidden")
    assert not wrong, "\n".join(wrong)
