"""Events: one for every write, gap-free, in the order of commits."""

import asyncio
import json
from typing import Any

from tests.support.institution import API, Institution

PLAN = [{"title": "M", "due_on": "2022-06-30"}]


async def feed(institution: Institution, **asked: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await institution.get("events", **{"limit": 200, **asked}))[
        "items"
    ]
    return items


async def test_every_write_is_one_event(institution: Institution) -> None:
    start = len(await feed(institution))
    await institution.unit("32")
    await institution.patch("units/32", {"name": "Jawa Barat"})
    await institution.unit("33")
    body = {"parent": "33"}
    await institution.expect(200, "POST", f"{institution.path}/units/32/move", body)
    await institution.initiative("QW-1", "32", milestones=PLAN)
    await institution.milestone("QW-1", "2022-09-30")
    await institution.patch("initiatives/QW-1/milestones/2", {"weight": 2})
    await institution.delete("initiatives/QW-1/milestones/2")
    update = await institution.report("QW-1", 1, 50, "2022-06-01")
    await institution.verify(update)
    await institution.verify(update, "returned")
    await institution.patch("initiatives/QW-1", {"title": "Baru"})
    await institution.delete("initiatives/QW-1")
    await institution.delete("units/32")
    items = (await feed(institution))[start:]
    assert [(e["type"], e["subject"].split("/updates/")[0]) for e in items] == [
        ("unit.created", "32"),
        ("unit.changed", "32"),
        ("unit.created", "33"),
        ("unit.moved", "32"),
        ("initiative.created", "QW-1"),
        ("milestone.created", "QW-1/milestones/2"),
        ("milestone.changed", "QW-1/milestones/2"),
        ("milestone.deleted", "QW-1/milestones/2"),
        ("update.reported", "QW-1/milestones/1"),
        ("update.verified", "QW-1/milestones/1"),
        ("update.returned", "QW-1/milestones/1"),
        ("initiative.changed", "QW-1"),
        ("initiative.deleted", "QW-1"),
        ("unit.deleted", "32"),
    ]
    assert [e["sequence"] for e in items] == list(range(start + 1, start + 15))
    actors = {e["type"]: e["actor"] for e in items}
    assert (actors["update.reported"], actors["update.verified"]) == ("reporter", "verifier")
    assert actors["unit.created"] == "QUICKWIN_ADMIN_TOKEN"
    assert [e["at"] for e in items] == sorted(e["at"] for e in items)


async def test_the_first_event_is_the_institution(institution: Institution) -> None:
    first = (await feed(institution))[0]
    assert (first["sequence"], first["type"]) == (1, "institution.created")
    assert first["data"]["code"] == institution.code


async def test_data_is_what_was_written(institution: Institution) -> None:
    await institution.initiative("QW-1", milestones=PLAN)
    changes = {"description": None, "weight": 4, "reason": "Arahan pimpinan"}
    await institution.patch("initiatives/QW-1", changes)
    assert (await feed(institution))[-1]["data"] == changes
    await institution.report("QW-1", 1, 12.5, "2022-06-01")
    assert (await feed(institution))[-1]["data"] == {
        "percent_complete": 12.5,
        "effective_on": "2022-06-01",
    }


async def test_a_token_event_keeps_no_secret(institution: Institution) -> None:
    made = await institution.post("tokens", {"person": "reporter", "name": "laptop"})
    event = (await feed(institution))[-1]
    assert (event["type"], event["data"]) == (
        "token.created",
        {"person": "reporter", "name": "laptop"},
    )
    assert made["token"] not in str(await feed(institution))


async def test_what_is_refused_or_repeated_leaves_no_event(institution: Institution) -> None:
    await institution.initiative("QW-1", milestones=PLAN)
    path = f"{institution.path}/initiatives/QW-1/milestones/1/updates"
    body = {"percent_complete": 5, "source": "s", "external_id": "1"}
    await institution.expect(201, "POST", path, body)
    before = await feed(institution)
    await institution.expect(200, "POST", path, body)
    await institution.expect(422, "POST", path, {"percent_complete": 101})
    await institution.expect(
        409, "POST", f"{institution.path}/units", {"code": institution.code, "name": "X"}
    )
    await institution.patch("initiatives/QW-1", {"status": "proposed"}, status=409)
    await institution.expect(
        412, "PATCH", f"{institution.path}/initiatives/QW-1", {"title": "X"}, if_match='"v99"'
    )
    assert await feed(institution) == before


async def test_pages_by_after(institution: Institution) -> None:
    for i in range(7):
        await institution.unit(f"u{i}")
    whole = await feed(institution)
    after, seen = 0, []
    while page := (told := await institution.get("events", after=after, limit=3))["items"]:
        assert told["next_after"] == page[-1]["sequence"]
        seen += page
        after = told["next_after"]
    assert seen == whole
    assert (await institution.get("events", after=after))["next_after"] == after
    await institution.unit("new")
    (event,) = await feed(institution, after=after)
    assert (event["sequence"], event["subject"]) == (after + 1, "new")


async def test_concurrent_writes_leave_no_gap(institution: Institution) -> None:
    for i in range(4):
        await institution.initiative(f"QW-{i}", milestones=PLAN)
    start = len(await feed(institution))
    await asyncio.gather(
        *(institution.report(f"QW-{i % 4}", 1, i, "2022-06-01") for i in range(20))
    )
    items = await feed(institution)
    assert [e["sequence"] for e in items] == list(range(1, start + 21))
    assert len({e["id"] for e in items}) == len(items)
    assert (await institution.rollup())["version"] == start + 20


async def test_feeds_are_apart(institution: Institution) -> None:
    other = f"{institution.code}-b"
    body = {"code": other, "name": "Other"}
    await institution.expect(201, "POST", f"{API}/institutions", body)
    found = await institution.expect(200, "GET", f"{API}/institutions/{other}/events")
    assert [e["sequence"] for e in found["items"]] == [1]
    assert other not in str(await feed(institution))


async def test_who_may_read_events_of_a_subtree_reads_these_alone(
    institution: Institution,
) -> None:
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(unit, parent)
    await institution.initiative("QW-1", "A1")
    admin = await institution.person("admin-a", "admin", "A")
    reporter = await institution.person("reporter-a", "reporter", "A")
    everything = await feed(institution)
    units = {e["code"]: e["id"] for e in (await institution.get("units"))["items"]}
    mine = [event for event in everything if event["unit_id"] in (units["A"], units["A1"])]
    assert [event["type"] for event in mine] == [
        "unit.created", "unit.created", "initiative.created", "person.created", "grant.created",
        "token.created", "person.created", "grant.created", "token.created",
    ]  # fmt: skip
    path = f"{institution.path}/events"
    seen = await institution.expect(200, "GET", path, parameters={"limit": 200}, client=admin)
    assert seen["items"] == mine
    other = await institution.expect(200, "GET", path, parameters={"unit": "B"}, client=admin)
    assert other["items"] == []
    lines = (await admin.get(f"{path}/export")).text.splitlines()
    assert [json.loads(line) for line in lines] == mine
    for client in (institution.reporter, reporter):
        await institution.expect(403, "GET", path, client=client)
        await institution.expect(403, "GET", f"{path}/export", client=client)
    for client in (admin, reporter):
        await client.aclose()
