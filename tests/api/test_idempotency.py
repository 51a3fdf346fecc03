"""Whatever is posted again under its key has no second effect, and gets the first answer."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import time_machine
from fastapi import FastAPI
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import StatusConflict
from app.models import IdempotencyKey, InstitutionClock
from app.schemas.fields import shows_secret
from app.services import idempotency, progress
from tests.api.test_bad_bodies import problem
from tests.support import posts
from tests.support.institution import API, Institution
from tests.support.posts import POSTS, Post

REPORT = "initiatives/QW-1/milestones/1/updates"
TOLD = ("location", "etag", "content-type")


@pytest.fixture
async def ready(institution: Institution) -> Institution:
    """An institution with all that requests need."""
    await posts.ready(institution)
    return institution


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that the test sets; it goes on from there."""
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller


async def send(client: httpx.AsyncClient, post: Post, key: str) -> httpx.Response:
    kind = {} if post.file is None else {"Content-Type": "application/octet-stream"}
    return await client.post(
        post.path, json=post.body, content=post.file, headers={"Idempotency-Key": key, **kind}
    )


def report(institution: Institution, percent: float = 40, **fields: Any) -> Post:
    return Post(f"{institution.path}/{REPORT}", {"percent_complete": percent, **fields})


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """All that the first answer and its replay share."""
    return answer.status_code, answer.content, *(answer.headers.get(name) for name in TOLD)


def is_replay(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("idempotency-replayed") == "true")


async def written(database: Database) -> int:
    """How often anything was written: each effect moves the clock of an institution, or that above."""
    clocks = select(func.sum(InstitutionClock.sequence))
    return await database.read(lambda session: int(session.scalars(clocks).one()))


async def reports_of(institution: Institution) -> int:
    feed = await institution.get("updates", limit=1, include_total=True)
    return int(feed["total"])


def test_every_post_of_the_document_is_tried(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    assert set(POSTS) == {path for path, methods in paths.items() if "post" in methods}
    for path in POSTS:
        operation = paths[path]["post"]
        assert {"$ref": "#/components/parameters/IdempotencyKey"} in operation["parameters"]
        for status, response in operation["responses"].items():
            declared = "Idempotency-Replayed" in response.get("headers", {})
            assert declared == status.startswith("2")


@pytest.mark.parametrize("address", POSTS)
async def test_every_post_is_answered_again_to_the_byte(
    ready: Institution, database: Database, address: str
) -> None:
    post, key = await POSTS[address](ready), uuid4().hex
    first = await send(ready.operator, post, key)
    assert first.status_code in (200, 201, 207), first.text
    assert not is_replay(first)
    before = await written(database)
    for form in (key, f'"{key}"'):
        again = await send(ready.operator, post, form)
        assert told(again) == told(first)
        assert is_replay(again)
    assert await written(database) == before


@pytest.mark.parametrize("noun", ["units/C", "people/somebody", "initiatives/QW-1/milestones/2"])
async def test_every_noun_that_is_restored_is_answered_again(ready: Institution, noun: str) -> None:
    await ready.unit("C")
    await ready.delete(noun)
    deleted = (await ready.get("deletions", limit=1))["items"][0]
    post = Post(f"{ready.path}/deletions/{deleted['id']}/restoration")
    key = uuid4().hex
    first, again = [await send(ready.operator, post, key) for _ in range(2)]
    assert first.status_code == 201
    assert told(again) == told(first)
    assert is_replay(again)


async def test_an_atomic_batch_is_answered_again(ready: Institution) -> None:
    items = [{"initiative": "QW-1", "milestone": 1, "percent_complete": n} for n in (1, 2.5, 3)]
    post = Post(f"{ready.path}/updates", {"atomic": True, "items": items})
    first, again = [await send(ready.operator, post, "atomic") for _ in range(2)]
    assert first.status_code == 201
    assert told(again) == told(first)
    assert is_replay(again)
    assert await reports_of(ready) == 1 + 3


async def test_fifty_at_once_have_one_effect(ready: Institution) -> None:
    post, before = report(ready), (await ready.rollup())["version"]
    answers = await asyncio.gather(*(send(ready.reporter, post, "once") for _ in range(50)))
    assert len({told(answer) for answer in answers}) == 1
    assert answers[0].status_code == 201
    assert sum(map(is_replay, answers)) == 49
    assert (await ready.rollup())["version"] == before + 1
    assert await reports_of(ready) == 1 + 1


async def test_keys_and_the_tree_do_not_wait_for_each_other(ready: Institution) -> None:
    """Twins of reports, and moves of their unit, all with keys: each ends, each has its effect."""
    moves = [Post(f"{ready.path}/units/A/move", {"parent": to}) for to in ("B", ready.code)] * 3
    sent = [(ready.reporter, report(ready, n), f"report-{n}") for n in range(8)]
    sent += [(ready.operator, move, f"move-{n}") for n, move in enumerate(moves)]
    answers = await asyncio.gather(*(send(*each) for each in sent for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert sum(map(is_replay, answers)) == len(sent) * 4
    assert await reports_of(ready) == 1 + 8


async def test_a_key_stands_for_one_request(ready: Institution) -> None:
    post = report(ready, 40, effective_on="2022-03-01")
    first = await send(ready.reporter, post, "k")
    for other in (
        post._replace(body={"percent_complete": 41, "effective_on": "2022-03-01"}),
        post._replace(body={"percent_complete": 40}),
        post._replace(path=post.path.replace("milestones/1", "milestones/2")),
    ):
        answer = await send(ready.reporter, other, "k")
        assert answer.status_code == 422
        assert problem(answer)["code"] == "idempotency_key_reused"
        assert not is_replay(answer)
    assert await reports_of(ready) == 1 + 1
    # The same payload in another form is the same payload.
    turned = json.dumps(dict(reversed(post.body.items())) if post.body else None, indent=2)
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    again = await ready.reporter.post(post.path, content=turned, headers=headers)
    assert told(again) == told(first)
    assert is_replay(again)


async def test_each_caller_has_keys_of_their_own(ready: Institution) -> None:
    answers = [
        await send(client, report(ready), "k") for client in (ready.reporter, ready.operator)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert not any(map(is_replay, answers))
    # Another token of the same person is the same caller.
    second = await ready.post("tokens", {"person": "reporter", "name": "second"})
    async with ready.client(second["token"]) as client:
        again = await send(client, report(ready), "k")
    assert told(again) == told(answers[0])
    assert is_replay(again)


async def test_a_day_later_a_key_is_new(ready: Institution, clock: time_machine.Traveller) -> None:
    post = report(ready)
    first = await send(ready.reporter, post, "k")
    clock.shift(timedelta(hours=23, minutes=59))
    assert is_replay(await send(ready.reporter, post, "k"))
    clock.shift(timedelta(minutes=2))
    answers = await asyncio.gather(*(send(ready.reporter, post, "k") for _ in range(10)))
    assert sum(map(is_replay, answers)) == 9
    assert {told(answer) for answer in answers}.isdisjoint({told(first)})
    assert len({told(answer) for answer in answers}) == 1
    other = await send(ready.reporter, report(ready, 41), "k")
    assert other.status_code == 422


async def test_what_failed_is_tried_again(ready: Institution) -> None:
    post = report(ready)
    await ready.patch("initiatives/QW-1/milestones/1", {"status": "dropped", "reason": "Moved"})
    for _ in range(2):
        answer = await send(ready.reporter, post, "k")
        assert answer.status_code == 409
        assert problem(answer)["code"] == "not_reportable"
        assert not is_replay(answer)
    # It stands for nothing yet, so it may also become the key of a corrected request.
    assert (await send(ready.reporter, report(ready, 101), "k")).status_code == 422
    await ready.patch("initiatives/QW-1/milestones/1", {"status": "pending"})
    assert (await send(ready.reporter, post, "k")).status_code == 201
    assert is_replay(await send(ready.reporter, post, "k"))


async def test_what_broke_behind_the_effect_is_tried_again(
    ready: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = progress.report

    def breaking(*arguments: Any) -> Any:
        taken(*arguments)
        raise StatusConflict

    breaking.__annotations__ = taken.__annotations__
    with monkeypatch.context() as patched:
        patched.setattr(progress, "report", breaking)
        assert (await send(ready.reporter, report(ready), "k")).status_code == 409
    assert await reports_of(ready) == 1
    assert not is_replay(await send(ready.reporter, report(ready), "k"))
    assert await reports_of(ready) == 2


async def test_a_replay_is_authorised_as_the_effect_was(ready: Institution) -> None:
    planner = await ready.person("planner", "planner", "A")
    granted = await ready.get("grants", person="planner")
    viewing = {"person": "planner", "role": "viewer", "unit": "A"}
    await ready.post("grants", viewing)
    plan = {"title": "M", "due_on": "2022-06-30"}
    post = Post(f"{ready.path}/initiatives/QW-1/milestones", plan)
    first = await send(planner, post, "k")
    assert first.status_code == 201
    await ready.delete(f"grants/{granted['items'][0]['id']}")
    refused = await send(planner, post, "k")
    assert refused.status_code == 403
    assert not is_replay(refused)
    viewer = (await ready.get("grants", person="planner"))["items"][0]
    await ready.delete(f"grants/{viewer['id']}")
    assert (await send(planner, post, "k")).status_code == 404
    await ready.post("grants", {**viewing, "role": "admin"})
    assert told(await send(planner, post, "k")) == told(first)
    token = (await planner.get(f"{API}/me")).json()["token_id"]
    await ready.delete(f"tokens/{token}")
    assert (await send(planner, post, "k")).status_code == 401
    await planner.aclose()


async def test_a_token_that_may_less_gets_no_replay(ready: Institution) -> None:
    assert (await send(ready.reporter, report(ready), "k")).status_code == 201
    reading = {"person": "reporter", "name": "reading", "scopes": ["plans:read"]}
    narrow = await ready.post("tokens", reading)
    async with ready.client(narrow["token"]) as client:
        assert (await send(client, report(ready), "k")).status_code == 403


async def test_a_batch_with_what_was_refused_is_authorised_by_what_was_done(
    ready: Institution,
) -> None:
    await ready.initiative("QW-2", "B", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    both = await ready.person("both", "reporter", "A")
    await ready.post("grants", {"person": "both", "role": "viewer", "unit": "B"})
    items = [
        {"initiative": code, "milestone": 1, "percent_complete": 5} for code in ("QW-1", "QW-2")
    ]
    post = Post(f"{ready.path}/updates", {"items": items})
    first, again = [await send(both, post, "k") for _ in range(2)]
    assert [each["status"] for each in first.json()["results"]] == [201, 403]
    assert told(again) == told(first)
    assert is_replay(again)
    await both.aclose()


async def test_an_answer_with_a_secret_is_sealed(ready: Institution, database: Database) -> None:
    admin = await ready.person("admin", "admin")
    other = await ready.post("tokens", {"person": "admin", "name": "other"})
    post = Post(f"{ready.path}/tokens", {"person": "somebody", "name": "new"})
    first, again = [await send(admin, post, "k") for _ in range(2)]
    assert told(again) == told(first)
    secret = first.json()["token"]
    me = (await ready.get("people/admin"))["id"]

    def kept(session: Session) -> list[IdempotencyKey]:
        return [row for row in session.scalars(select(IdempotencyKey)) if str(row.actor_id) == me]

    (row,) = await database.read(kept)
    assert row.is_sealed
    assert secret.encode() not in row.answer
    assert secret[-10:].encode() not in row.answer
    async with ready.client(other["token"]) as client:
        answer = await send(client, post, "k")
    assert answer.status_code == 409
    assert problem(answer)["code"] == "answer_sealed"
    await admin.aclose()


def test_whatever_looks_like_a_secret_is_one(app: FastAPI) -> None:
    """A secret of a new answer is not forgotten: its field has the type of secrets."""
    assert not shows_secret([{"token": "a"}])
    schemas = app.openapi()["components"]["schemas"]
    words = ("secret", "password", "token")
    named = {
        (name, field)
        for name, schema in schemas.items()
        for field in schema.get("properties", {})
        if field.rsplit("_", 1)[-1] in words
    }
    assert named == {
        ("IssuedToken", "token"),
        ("IssuedWebhook", "secret"),
        ("IssuedWebhookSecret", "secret"),
    }


async def test_the_first_answer_stays_when_the_report_goes_on(ready: Institution) -> None:
    named = {"source": "sakti", "external_id": "2022/78"}
    post = report(ready, 40, **named)
    first = await send(ready.reporter, post, "one")
    assert first.status_code == 201
    await ready.verify(first.json())
    assert told(await send(ready.reporter, post, "one")) == told(first)
    # Another key asks anew: the report that is there, as it is by now, and that again.
    second, again = [await send(ready.reporter, post, "two") for _ in range(2)]
    assert second.status_code == 200
    assert second.json()["verification"] == "verified"
    assert [is_replay(second), is_replay(again)] == [False, True]
    assert told(again) == told(second)
    twins = await asyncio.gather(
        *(
            send(ready.reporter, report(ready, 41, source="sakti", external_id="2022/79"), f"{n}")
            for n in [*range(5)] * 4
        )
    )
    assert len({answer.json()["id"] for answer in twins}) == 1
    assert sum(map(is_replay, twins)) == 15
    assert await reports_of(ready) == 1 + 2


async def test_the_trail_has_one_event(ready: Institution) -> None:
    before = (await ready.rollup())["version"]
    for _ in range(3):
        await send(ready.reporter, report(ready), "k")
    (event,) = (await ready.get("events", after=before))["items"]
    assert (event["type"], event["actor"]) == ("update.reported", "reporter")


BAD = ["", " ", "a b", "x" * 256, '"', '"open', '""', '"a b"', '"a"b', '"a\\x"', "a\tb", "\x7f"]


@pytest.mark.parametrize("key", [*BAD, "clé", "ключ".encode(), b"\xff"])
async def test_other_keys_are_refused(ready: Institution, key: str | bytes) -> None:
    headers = {b"Idempotency-Key": key.encode() if isinstance(key, str) else key}
    path, body, _ = report(ready)
    answer = await ready.reporter.post(path, json=body, headers=headers)
    assert answer.status_code == 422
    (place,) = problem(answer)["errors"]
    assert (place["parameter"], place["code"]) == ("Idempotency-Key", "bad_key")
    assert await reports_of(ready) == 1


async def test_one_key_is_sent(ready: Institution) -> None:
    path, body, _ = report(ready)
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    answer = await ready.reporter.post(path, json=body, headers=headers)
    assert answer.status_code == 400
    assert problem(answer)["code"] == "malformed_request"
    assert await reports_of(ready) == 1


async def test_keys_of_every_visible_character_are_taken(ready: Institution) -> None:
    for key in ("x" * 255, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\\", 'a"b', "é".encode().hex()):
        first = await send(ready.reporter, report(ready), key)
        assert first.status_code == 201
        quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
        again = await send(ready.reporter, report(ready), quoted)
        assert told(again) == told(first)
        assert is_replay(again)


async def test_other_methods_need_no_key(ready: Institution) -> None:
    for method, status in (("PATCH", 200), ("PATCH", 200), ("GET", 200)):
        answer = await ready.operator.request(
            method,
            f"{ready.path}/units/B",
            json={"name": f"New {status}"} if method == "PATCH" else None,
            headers={"Idempotency-Key": "a b", "If-Match": "*"},
        )
        assert answer.status_code == status
        assert not is_replay(answer)


async def test_expired_keys_go_and_others_stay(
    ready: Institution, database: Database, clock: time_machine.Traveller
) -> None:
    def count(session: Session) -> int:
        return session.scalar(select(func.count()).select_from(IdempotencyKey)) or 0

    def clear(session: Session) -> None:
        session.execute(delete(IdempotencyKey))

    await database.write(clear)
    for n in range(5):
        await send(ready.reporter, report(ready, n), f"old-{n}")
    clock.shift(timedelta(hours=25))
    await send(ready.reporter, report(ready), "new")
    assert await database.write(idempotency.forget, 2) == 2
    assert await database.read(count) == 4
    assert await database.write(idempotency.forget) == 3
    assert await database.write(idempotency.forget) == 0
    assert await database.read(count) == 1
    # Enough new requests remove the expired ones by themselves, however many there are.
    clock.shift(timedelta(hours=25))
    for n in range(64):
        await send(ready.reporter, report(ready, n), f"newer-{n}")
    assert await database.read(count) == 64
