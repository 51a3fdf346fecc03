"""Streams show exactly what the feed shows, replayed or live, in bounded memory."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.orm import Session

from app.api.tails import MOST_BYTES, MOST_EVENTS, Tail, frame
from app.db import Database
from app.schemas.events import EventQuery, EventStreamQuery
from app.services import actors, feeds, streams
from app.services.streams import Told
from tests.support.institution import Institution

Json = dict[str, Any]
FILTERS: list[Json] = [
    {},
    {"type": ["unit.moved"]},
    {"type": ["initiative.created", "unit.created"]},
    {"actor": "admin-a"},
    {"actor": "nobody"},
    {"subject": "QW-1"},
    {"subject": "QW"},
    {"subject": "A"},
    {"unit": ["A"]},
    {"unit": ["A1"]},
    {"unit": ["B", "A1"]},
    {"unit": ["gone"]},
    {"unit": ["A"], "type": ["initiative.created"], "actor": "admin-a"},
    {"since": "2199-01-01T00:00:00Z"},
    {"until": "2199-01-01T00:00:00Z"},
]


def events_of(text: str) -> list[Json]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


@pytest.fixture
async def lively(institution: Institution) -> tuple[Institution, dict[str, httpx.AsyncClient]]:
    """Events of several units, one of which moves and one of which goes; and who reads them."""
    for unit, parent in (("A", None), ("A1", "A"), ("B", None), ("gone", "A")):
        await institution.unit(unit, parent)
    people = {
        "operator": institution.operator,
        "everywhere": await institution.person("boss", "admin"),
        "in A": await institution.person("admin-a", "admin", "A"),
        "in A1": await institution.person("admin-a1", "admin", "A1"),
    }
    plan = [{"title": "M", "due_on": "2022-06-30"}]
    await institution.initiative("QW-1", "A1", milestones=plan)
    await institution.report("QW-1", 1, 50, "2022-06-01")
    new = {"code": "QW-10", "title": "T", "unit": "A", "year": 2022}
    path = f"{institution.path}/initiatives"
    await institution.expect(201, "POST", path, new, client=people["in A"])
    body = {"parent": "B"}
    await institution.expect(200, "POST", f"{institution.path}/units/A1/move", body)
    await institution.delete("units/gone")
    return institution, people


async def test_what_is_live_is_what_the_feed_shows(
    lively: tuple[Institution, dict[str, httpx.AsyncClient]], database: Database
) -> None:
    """The same events by the conditions of the database, and by those in memory."""
    institution, people = lively
    shown = set()
    for client in people.values():
        token = client.headers["Authorization"].removeprefix("Bearer ")
        identify = actors.identify(actors.digest(token))

        def compare(session: Session, asked: Json, identify: Any = identify) -> list[int]:
            actor = identify(session)
            query = EventStreamQuery(**asked)
            watch = streams.watch(session, actor, institution.code, query)
            live = [
                told.event
                for told in streams.news(session, watch.institution_id, 0, 1_000)
                if streams.shows(watch, query, told)
            ]
            asked_at_once = EventQuery(**asked, limit=200)
            assert (
                live == feeds.of_institution(session, actor, institution.code, asked_at_once).items
            )
            return [event.sequence for event in live]

        for asked in FILTERS:
            shown.add(tuple(await database.read(compare, asked)))
    assert len(shown) > 10  # or all would see the same


async def test_a_stream_until_now_is_the_feed(
    lively: tuple[Institution, dict[str, httpx.AsyncClient]],
) -> None:
    institution, people = lively
    until = (datetime.now(UTC) + timedelta(milliseconds=300)).isoformat()
    for client in people.values():
        for asked in ({}, {"unit": "A"}, {"type": "unit.created"}):
            parameters = asked | {"until": until, "after": "1"}
            path = f"{institution.path}/events"
            told = await client.get(f"{path}/stream", params=parameters)
            assert told.status_code == 200
            assert told.text.startswith("retry: ")
            listed = await client.get(path, params=parameters | {"limit": "200"})
            assert events_of(told.text) == listed.json()["items"]


async def test_who_names_no_place_is_told_theirs(institution: Institution) -> None:
    last = (await institution.get("events", sort="-sequence", limit=1))["items"][0]["sequence"]
    until = datetime.now(UTC).isoformat()
    path = f"{institution.path}/events/stream"
    told = await institution.operator.get(path, params={"until": until})
    assert f"id: {last}\n" in told.text
    assert events_of(told.text) == []
    headers = {"Last-Event-ID": str(last - 2)}
    again = await institution.operator.get(path, params={"until": until}, headers=headers)
    assert [event["sequence"] for event in events_of(again.text)] == [last - 1, last]


async def test_a_tail_is_bounded_and_knows_what_it_forgot(
    institution: Institution, database: Database
) -> None:
    (found,) = (await institution.get("events", limit=1))["items"]

    def first(session: Session) -> list[Told]:
        return streams.news(session, UUID(found["institution_id"]), 0, 1)

    ((event, above),) = await database.read(first)

    def told(sequence: int, size: int = 0) -> Told:
        changed = {"sequence": sequence, "data": {"x": "x" * size}}
        return Told(event.model_copy(update=changed), above)

    many = Tail(event.institution_id, 0)
    many.add([told(i) for i in range(1, MOST_EVENTS + 3)])
    assert many.behind(0) is None
    assert many.behind(1) is None
    assert [kept.told.event.sequence for kept in many.behind(2) or ()][:2] == [3, 4]
    assert many.behind(many.sequence) == []
    large = Tail(event.institution_id, 0)
    large.add([told(1, 1_000), told(2, MOST_BYTES // 2), told(3, MOST_BYTES // 2)])
    assert large.behind(1) is None
    assert [kept.told.event.sequence for kept in large.behind(2) or ()] == [3]
    huge = told(4, 2 * MOST_BYTES)
    assert len(frame(huge.event)) > MOST_BYTES
    large.add([huge])
    assert large.behind(3) is None  # it is read from the database
    assert large.sequence == 4
