"""Batches: many reports in one transaction, by the rules of a single one."""

import asyncio
import itertools
import json
from typing import Any

import pytest

from app.db import Database
from app.errors import NotFound
from app.languages import words
from app.schemas.fields import Language
from app.services import rollups
from app.services.actors import SYSTEM
from tests.api.test_bad_bodies import JSON, problem
from tests.api.test_query_counts import statements
from tests.support.institution import Institution, Json

PLAN = [
    {"title": "M", "due_on": "2022-06-30"},
    {"title": "M", "due_on": "2022-09-30", "technique": "binary", "weight": 3},
]
VOLATILE = {"id", "created_at", "updated_at", "last_reported_at", "reported_at", "title"}


async def plan(institution: Institution) -> None:
    """QW-0 to QW-3 with two milestones each, in units A (QW-0, QW-2) and B."""
    for unit in ("A", "B"):
        await institution.unit(unit)
    for i in range(4):
        areas = [["accountability"], ["oversight", "accountability"]][i % 2]
        await institution.initiative(f"QW-{i}", "AB"[i % 2], milestones=PLAN, areas=areas)


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """An institution with a plan."""
    await plan(institution)
    return institution


def item(
    initiative: int, milestone: int, percent: Any, day: str = "2022-05-01", **more: Any
) -> Json:
    return {
        "initiative": f"QW-{initiative}", "milestone": milestone, "percent_complete": percent,
        "effective_on": day, **more,
    }  # fmt: skip


async def send(institution: Institution, items: list[Any], status: int = 207, **more: Any) -> Json:
    body = {"items": items, **more}
    path = f"{institution.path}/updates"
    return await institution.expect(status, "POST", path, body, client=institution.reporter)


async def version(institution: Institution) -> int:
    return int((await institution.rollup())["version"])


async def audited(institution: Institution, database: Database) -> None:
    """Insist that every stored number is what the facts say."""
    found = await database.read(rollups.audit, SYSTEM, institution.code, lambda _done, _all: None)
    assert (found.differences, found.derived) == ([], [])


def plain(content: Any) -> Any:
    """Without what differs between two institutions with the same history."""
    if isinstance(content, dict):
        return {name: plain(value) for name, value in content.items() if name not in VOLATILE}
    return [plain(value) for value in content] if isinstance(content, list) else content


_SAME = {"sequence", "type", "actor", "subject", "data", "changes"}


async def told(institution: Institution) -> Json:
    """Everything that reports move, and what is in the feed."""
    paths = [f"initiatives/QW-{i}{part}" for i in range(4) for part in ("", "/milestones")]
    paths += ["updates", "rollup", "rollup/areas", "rollup/children", "rollup/s-curve"]
    events = (await institution.get("events", limit=200))["items"]
    reported = [
        {**event, "subject": event["subject"].rsplit("/", 1)[0]}
        for event in events
        if event["type"] == "update.reported"
    ]
    asked = {"as_of": "2022-08-01"}
    return {
        "events": [{k: v for k, v in e.items() if k in _SAME} for e in reported],
        **{
            path: plain(await institution.get(path, **(asked if path.startswith("rollup") else {})))
            for path in paths
        },
    }  # fmt: skip


HISTORY = [
    item(0, 1, 40), item(1, 1, 30.25, "2022-03-01"), item(0, 2, 90), item(0, 1, 100, "2022-06-01"),
    item(0, 1, 60, "2022-05-15", note="Menyusul", evidence=[{"title": "B", "url": "https://a.b"}]),
    item(3, 2, 100, "2022-07-01"), item(3, 2, 20, "2022-07-01"), item(3, 2, 100, "2022-07-01"),
    item(0, 1, 90, "2022-06-01"), item(1, 1, 10, "2022-02-01", source="s", external_id="1"),
    item(0, 1, 100, "2022-06-01"), item(2, 1, 100, "2022-04-01"), item(2, 1, 100, "2022-03-01"),
]  # fmt: skip


async def test_it_is_what_single_reports_are(
    planned: Institution, database: Database, clients: Any, checked: Any
) -> None:
    """The same history alone, in one batch, and in several: the same answers everywhere."""
    results = (await send(planned, HISTORY[:4]))["results"]
    results += (await send(planned, HISTORY[4:]))["results"]
    assert [result["status"] for result in results] == [201] * len(HISTORY)
    batched = await told(planned)
    await audited(planned, database)

    alone = Institution(f"{planned.code}-x", clients.operator, checked)
    await alone.create()
    await plan(alone)
    singles = []
    for new in HISTORY:
        body = {k: v for k, v in new.items() if k not in {"initiative", "milestone"}}
        path = f"initiatives/{new['initiative']}/milestones/{new['milestone']}/updates"
        answer = await alone.expect(
            201, "POST", f"{alone.path}/{path}", body, client=alone.reporter
        )
        singles.append(plain(answer))
    assert [plain(result["update"]) for result in results] == singles
    expected = json.loads(json.dumps(await told(alone)).replace(alone.code, planned.code))
    assert batched == expected
    await alone.close()


async def test_each_item_is_answered_in_its_place(planned: Institution) -> None:
    await planned.patch("initiatives/QW-2/milestones/2", {"status": "dropped", "reason": "x"})
    await planned.patch("initiatives/QW-3", {"status": "cancelled", "reason": "x"})
    known = item(1, 1, 5, source="sakti", external_id="7")
    first = (await send(planned, [known]))["results"][0]["update"]
    before = await version(planned)
    answer = await send(
        planned,
        [
            item(0, 1, 10), item(0, 9, 10), item(9, 1, 10), item(2, 2, 10), item(3, 1, 10),
            item(0, 1, 10, "2199-01-01"), item(0, 1, 101), {"percent_complete": 5}, 5, None,
            item(0, 1, 10, colour="red", source="s"), item(0, 1, "10", "2022-5-1"), {**known, "note": "again"},
            item(0, 0, 1), item(1, 1, 20),
        ],
    )  # fmt: skip
    results = answer["results"]
    assert [result["index"] for result in results] == list(range(15))
    assert [result["status"] for result in results] == [
        201, 404, 404, 409, 409, 422, 422, 422, 422, 422, 422, 422, 200, 422, 201,
    ]  # fmt: skip
    assert answer["summary"] == {"created": 2, "replayed": 1, "failed": 12}
    assert results[12]["update"] == first
    places = [
        [(at["pointer"], at["code"]) for at in result["problem"]["errors"]]
        for result in results
        if result["status"] >= 400
    ]
    assert places == [
        [], [], [], [],
        [("/items/5/effective_on", "in_future")],
        [("/items/6/percent_complete", "less_than_equal")],
        [("/items/7/initiative", "missing"), ("/items/7/milestone", "missing")],
        [("/items/8", "model_type")],
        [("/items/9", "model_type")],
        [("/items/10/colour", "extra_forbidden")],
        [("/items/11/percent_complete", "value_error"), ("/items/11/effective_on", "value_error")],
        [("/items/13/milestone", "greater_than_equal")],
    ]  # fmt: skip
    codes = [r["problem"]["code"] for r in results if r["status"] >= 400]
    assert codes == ["not_found"] * 2 + ["not_reportable"] * 2 + ["invalid"] * 8
    instances = {r["problem"]["instance"] for r in results if r["status"] >= 400}
    assert len(instances) == 12
    assert await version(planned) == before + 2
    feed = (await planned.get("updates"))["items"]
    assert [u["id"] for u in feed[:2]] == [results[14]["update"]["id"], results[0]["update"]["id"]]


async def test_items_are_answered_in_the_language_that_is_asked_for(planned: Institution) -> None:
    items = [item(0, 9, 50), item(0, 1, 101), item(0, 1, 50)]
    answers = {
        language: await planned.reporter.post(
            f"{planned.path}/updates",
            json={"items": items},
            headers={"Accept-Language": language} if language else {},
        )
        for language in ("", "en", "id")
    }
    told = {
        language: [each.get("problem") for each in answer.json()["results"]]
        for language, answer in answers.items()
    }
    (missing, over, none), indonesian = told[""], told["id"]
    assert none is None
    assert told["en"][0]["detail"] == missing["detail"] == NotFound().detail
    say = words(Language.ID).say
    assert indonesian[0]["title"] == say("Not found") != "Not found"
    assert indonesian[0]["detail"] == say(NotFound().detail)
    assert [each["code"] for each in indonesian[:2]] == ["not_found", "invalid"]
    place = indonesian[1]["errors"][0]
    assert place["pointer"] == over["errors"][0]["pointer"]
    assert place["detail"] != over["errors"][0]["detail"]


async def test_the_same_milestone_in_order(planned: Institution, database: Database) -> None:
    items = [
        item(0, 1, percent, day)
        for percent, day in ((30, "2022-04-01"), (50, "2022-05-01"), (45, "2022-05-01"),
                             (10, "2022-03-01"), (100, "2022-06-01"), (100, "2022-05-20"))
    ]  # fmt: skip
    made = [result["update"] for result in (await send(planned, items))["results"]]
    assert [m["previous_percent"] for m in made] == [0.0, 30.0, 50.0, 0.0, 45.0, 45.0]
    milestone = await planned.get("initiatives/QW-0/milestones/1")
    assert (milestone["done_on"], milestone["reports"]) == ("2022-05-20", 6)
    assert milestone["version"] == 7
    listed = (await planned.get("initiatives/QW-0/milestones/1/updates"))["items"]
    assert listed == made[::-1]
    await audited(planned, database)


async def test_what_was_sent_is_replayed(planned: Institution) -> None:
    items = [item(i % 4, 1, 10 + i, source="s", external_id=f"x{i}") for i in range(8)]
    made = await send(planned, items[:5])
    before = await version(planned)
    repeated = [*items, {**items[6], "percent_complete": 99}, items[0]]
    answer = await send(planned, repeated)
    assert [r["status"] for r in answer["results"]] == [200] * 5 + [201] * 3 + [200] * 2
    assert answer["summary"] == {"created": 3, "replayed": 7, "failed": 0}
    updates = [r["update"] for r in answer["results"]]
    assert updates[:5] == [r["update"] for r in made["results"]]
    assert (updates[8], updates[9]) == (updates[6], updates[0])
    assert await version(planned) == before + 3
    # What was refused is not known: the next with its id counts.
    twice = [item(0, 1, 5, "2199-01-01", source="s", external_id="y"),
             item(0, 1, 6, source="s", external_id="y")]  # fmt: skip
    assert [r["status"] for r in (await send(planned, twice))["results"]] == [422, 201]


async def test_ids_and_codes_name_the_same_milestone(planned: Institution) -> None:
    found = await planned.get("initiatives/QW-1")
    items = [
        {**item(1, 1, percent), "initiative": name}
        for percent, name in ((10, found["id"]), (20, "qw-1"), (30, found["id"].upper()))
    ]
    results = (await send(planned, items))["results"]
    assert [r["update"]["previous_percent"] for r in results] == [0.0, 10.0, 20.0]
    assert {r["update"]["initiative"] for r in results} == {"QW-1"}


async def test_all_or_none(planned: Institution, database: Database) -> None:
    good = [item(i, 1, 10) for i in range(4)]
    before = await told(planned)
    bad = [*good, item(0, 1, 101), item(9, 1, 5), item(1, 2, 5, "2199-01-01")]
    refused = await send(planned, bad, 422, atomic=True)
    assert refused["code"] == "invalid"
    assert [(at["pointer"], at["code"]) for at in refused["errors"]] == [
        ("/items/4/percent_complete", "less_than_equal"),
        ("/items/5", "not_found"),
        ("/items/6/effective_on", "in_future"),
    ]
    assert await told(planned) == before
    taken = await send(planned, good, 201, atomic=True)
    assert [r["status"] for r in taken["results"]] == [201] * 4
    assert taken["summary"] == {"created": 4, "replayed": 0, "failed": 0}
    named = [item(0, 2, 5, source="s", external_id="1")] * 2
    again = await send(planned, named, 201, atomic=True)
    assert [r["status"] for r in again["results"]] == [201, 200]
    await audited(planned, database)


ENVELOPES = [
    pytest.param({"items": []}, "/items", "too_short", id="empty"),
    pytest.param({"items": [5] * 1001}, "/items", "too_long", id="1,001"),
    pytest.param({"items": {"0": item(0, 1, 5)}}, "/items", "list_type", id="object"),
    pytest.param({"items": None}, "/items", "list_type", id="null"),
    pytest.param({}, "/items", "missing", id="missing"),
    pytest.param({"items": [item(0, 1, 5)], "atomic": 1}, "/atomic", "bool_type", id="atomic"),
    pytest.param({"items": [item(0, 1, 5)], "dry": True}, "/dry", "extra_forbidden", id="unknown"),
    pytest.param([item(0, 1, 5)], "", "model_attributes_type", id="array"),
    pytest.param({"items": [item(0, 1, 5), item(0, 1, 5, note="a\0")]}, "/items/1/note",
                 "nul_character", id="nul"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "pointer", "code"), ENVELOPES)
async def test_faults_beside_the_items(
    planned: Institution, body: Any, pointer: str, code: str
) -> None:
    before = await version(planned)
    refused = await planned.expect(422, "POST", f"{planned.path}/updates", body)
    assert refused["code"] == "invalid"
    assert (pointer, code) in [(at["pointer"], at["code"]) for at in refused["errors"]]
    assert await version(planned) == before


async def test_duplicate_keys_refuse_the_batch(planned: Institution) -> None:
    content = b'{"items": [{"initiative": "QW-0", "initiative": "QW-1", "milestone": 1}]}'
    answer = await planned.operator.post(f"{planned.path}/updates", content=content, headers=JSON)
    assert problem(answer)["errors"][0]["pointer"] == "/items/0/initiative"


async def test_a_thousand_items_with_notes_fit(planned: Institution, database: Database) -> None:
    items = [
        item(i % 4, 1 + i // 4 % 2, i % 101, f"2022-0{1 + i % 9}-1{i % 10}", note="x" * 500,
             source="sakti", external_id=f"2022/{i}", evidence=[{"title": "BAST", "url": "https://a.b/c"}])
        for i in range(1000)
    ]  # fmt: skip
    assert 700_000 < len(json.dumps({"items": items})) < 1_048_576
    answer = await send(planned, items, 201, atomic=True)
    assert answer["summary"] == {"created": 1000, "replayed": 0, "failed": 0}
    await audited(planned, database)


async def test_statements_do_not_grow_with_the_items(
    planned: Institution, database: Database
) -> None:
    await send(planned, [item(i % 4, 1 + i // 4, 50) for i in range(8)])
    for day in ("2022-06-01", "2022-05-30", "2022-01-01"):  # the last reach back
        counts = []
        for size in (16, 64, 200):
            items = [
                item(
                    i % 4,
                    1 + i // 4 % 2,
                    1 + i % 99,
                    day,
                    source=f"{day}-{size}",
                    external_id=f"{i}",
                )
                for i in range(size)
            ]
            with statements(database) as heard:
                await send(planned, items)
            counts.append(len(heard))
            assert len(set(heard)) == len(heard)
        assert counts[0] == counts[1] == counts[2] <= 15, counts


async def test_nobody_elses_milestones(planned: Institution, clients: Any, checked: Any) -> None:
    other = Institution(f"{planned.code}-x", clients.operator, checked)
    await other.create()
    theirs = await other.initiative("QW-X", milestones=PLAN)
    items = [{**item(0, 1, 5), "initiative": name} for name in ("QW-X", theirs["id"])]
    assert [r["status"] for r in (await send(planned, items))["results"]] == [404, 404]
    path = f"{other.path}/updates"
    body = {"items": [item(0, 1, 5)]}
    await other.expect(404, "POST", path, body, client=planned.reporter)
    await other.close()


async def test_each_item_needs_the_role_on_its_unit(planned: Institution) -> None:
    local = await planned.person("local", "reporter", "A")
    path, body = f"{planned.path}/updates", {"items": [item(0, 1, 5), item(1, 1, 5), item(2, 1, 5)]}
    answer = await planned.expect(207, "POST", path, body, client=local)
    assert [r["status"] for r in answer["results"]] == [201, 404, 201]
    await planned.post("grants", {"person": "local", "role": "viewer", "unit": "B"})
    answer = await planned.expect(207, "POST", path, body, client=local)
    assert [r["status"] for r in answer["results"]] == [201, 403, 201]
    assert answer["results"][1]["problem"]["code"] == "forbidden"
    told = await planned.expect(422, "POST", path, {**body, "atomic": True}, client=local)
    assert [(at["pointer"], at["code"]) for at in told["errors"]] == [("/items/1", "forbidden")]
    assert (await planned.get("initiatives/QW-1/milestones/1"))["reports"] == 0
    await local.aclose()


async def test_overlapping_batches_never_cross(planned: Institution, database: Database) -> None:
    before = await version(planned)
    orders = list(itertools.permutations(range(4)))[:12]
    answers = await asyncio.gather(
        *(
            send(planned, [item(i, 1 + n % 2, 10 + n, f"2022-05-{1 + n:02}") for i in order] * 5)
            for n, order in enumerate(orders)
        )
    )
    assert [a["summary"]["created"] for a in answers] == [20] * 12
    assert await version(planned) == before + 240
    await audited(planned, database)
