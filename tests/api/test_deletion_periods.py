"""Which deletions are there: for whom, how long, and with content that an older schema wrote."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Deletion
from app.models.base import now
from app.services import deletions
from tests.api.test_deletions import assert_clean, deleted, example, refused, restore, stored, told
from tests.api.test_query_counts import statements
from tests.support.institution import Institution, Json

__all__ = ["example"]

FORMAT_1 = Path(__file__).with_name("deletion_format_1.json")
"""An initiative as it was kept when deletions came; it can be restored for ever, whatever the schema."""


async def content_of(database: Database, deletion: Json) -> Json:
    def read(session: Session) -> Any:
        return session.scalars(
            select(Deletion.content).where(Deletion.id == UUID(deletion["id"]))
        ).one()

    content: Json = await database.read(read)
    return content


async def rewrite(database: Database, deletion: Json, **values: Any) -> None:
    of_this = Deletion.id == UUID(deletion["id"])
    await database.write(lambda s: s.execute(update(Deletion).where(of_this).values(**values)))


async def expire(database: Database, deletion: Json) -> None:
    past = {"deleted_at": now() - timedelta(days=31), "restorable_until": now()}
    await rewrite(database, deletion, **past)


async def policy(institution: Institution, status: int, days: Any) -> None:
    body = {"policy": {"restorable_days": days}}
    await institution.expect(status, "PATCH", institution.path, body, if_match="*")


async def purge(database: Database) -> int:
    purged = 0
    while found := await database.write(deletions.purge):
        purged += found
    return purged


async def test_what_can_no_longer_be_restored_is_not_there(
    example: Institution, database: Database
) -> None:
    await example.delete("initiatives/QW-1")
    await example.delete("initiatives/QW-2")
    kept, over = await deleted(example, subject="QW-1"), await deleted(example, subject="QW-2")
    await purge(database)
    await expire(database, over)
    for _ in range(2):  # before the purge, and after it
        assert (await example.get("deletions"))["items"] == [kept]
        await example.expect(404, "GET", f"{example.path}/deletions/{over['id']}")
        assert await refused(example, over, 404) == "not_found"
        await purge(database)
    await restore(example, kept)
    await expire(database, kept)
    assert await purge(database) == 1
    events = [event["type"] for event in (await example.get("events", limit=200))["items"]]
    assert events[-3:] == ["initiative.deleted", "initiative.deleted", "initiative.restored"]


async def test_a_purge_takes_a_little_at_a_time(
    institution: Institution, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await purge(database)
    monkeypatch.setattr(deletions, "PURGED_AT_ONCE", 2)
    for i in range(5):
        await institution.post("people", {"code": f"p{i}", "name": "P"})
        await institution.delete(f"people/p{i}")
        await expire(database, await deleted(institution))
    assert [await database.write(deletions.purge) for _ in range(4)] == [2, 2, 1, 0]


async def test_the_period_is_that_of_the_policy_at_the_deletion(institution: Institution) -> None:
    await institution.post("people", {"code": "p", "name": "P"})
    await policy(institution, 200, 2)
    await institution.delete("people/p")
    before = await deleted(institution)
    await policy(institution, 200, 365)
    assert await deleted(institution) == before
    await restore(institution, before)
    await institution.delete("people/p")
    after = await deleted(institution)
    for one, days in ((before, 2), (after, 365)):
        start, end = (datetime.fromisoformat(one[at]) for at in ("deleted_at", "restorable_until"))
        assert end - start == timedelta(days=days)
    for misfit in (0, 366, 1.5, "30", None):
        await policy(institution, 422, misfit)


async def test_deletions_are_listed(example: Institution) -> None:
    await example.unit("C", "A1")
    await example.post("people", {"code": "p", "name": "P", "unit": "B"})
    await example.post("people", {"code": "q", "name": "Q"})
    for path in ("units/C", "people/p", "people/q", "initiatives/QW-1/milestones/3", "initiatives/QW-1"):  # fmt: skip
        await example.delete(path)

    async def subjects(**asked: Any) -> list[str]:
        return [item["subject"] for item in (await example.get("deletions", **asked))["items"]]

    everything = ["QW-1", "QW-1/milestones/3", "q", "p", "C"]
    assert await subjects() == everything
    assert await subjects(noun="person") == ["q", "p"]
    assert await subjects(noun=["unit", "milestone"]) == ["QW-1/milestones/3", "C"]
    assert await subjects(unit="A") == ["QW-1", "QW-1/milestones/3", "C"]
    assert await subjects(unit=["B", "A1"]) == ["QW-1", "QW-1/milestones/3", "p", "C"]
    assert await subjects(unit=example.code) == ["QW-1", "QW-1/milestones/3", "p", "C"]
    assert await subjects(unit="C") == []
    assert await subjects(subject=["qw-1/MILESTONES/3", "Q"]) == ["QW-1/milestones/3", "q"]
    items = (await example.get("deletions"))["items"]
    assert await subjects(subject=items[0]["subject_id"]) == ["QW-1"]
    assert await subjects(since=items[1]["deleted_at"]) == everything[:2]
    await restore(example, items[0])
    assert await subjects(restored="true") == ["QW-1"]
    assert await subjects(restored="false") == everything[1:]
    paged: list[str] = []
    page: Json = {"next_cursor": None}
    while not paged or page["next_cursor"]:
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = await example.get("deletions", limit=2, include_total=True, **cursor)
        assert page["total"] == 5
        paged += [item["subject"] for item in page["items"]]
    assert paged == everything


async def test_whoever_may_delete_may_restore(example: Institution) -> None:
    await example.unit("C", "A1")
    await example.post("people", {"code": "p", "name": "P", "unit": "A1"})
    await example.post("people", {"code": "q", "name": "Q"})
    for path in ("units/C", "people/p", "people/q", "initiatives/QW-1/milestones/3", "initiatives/QW-1"):  # fmt: skip
        await example.delete(path)
    found = (await example.get("deletions"))["items"]
    plans, of_a = {"QW-1", "QW-1/milestones/3"}, {"p", "C"}
    cases: list[tuple[str, str | None, set[str]]] = [
        ("admin", None, {*plans, *of_a, "q"}), ("admin", "A", plans | of_a), ("admin", "B", set()),
        ("planner", "A1", plans), ("planner", "A2", set()), ("verifier", "A", set()),
        ("reporter", None, set()), ("viewer", None, set()),
    ]  # fmt: skip
    clients: list[httpx.AsyncClient] = []
    for i, (role, unit, expected) in enumerate(cases):
        client = await example.person(f"who{i}", role, unit)
        clients.append(client)
        listed = await example.expect(200, "GET", f"{example.path}/deletions", client=client)
        assert {item["subject"] for item in listed["items"]} == expected, (role, unit)
        for item in found:
            path = f"{example.path}/deletions/{item['id']}"
            if item["subject"] in expected:
                assert await example.expect(200, "GET", path, client=client) == item
            else:
                await example.expect(404, "GET", path, client=client)
                await example.expect(404, "POST", f"{path}/restoration", client=client)
    by_subject = {item["subject"]: f"{example.path}/deletions/{item['id']}" for item in found}
    for subject, client in (("QW-1", clients[3]), ("QW-1/milestones/3", clients[1]), ("C", clients[1])):  # fmt: skip
        await example.expect(201, "POST", f"{by_subject[subject]}/restoration", client=client)
    for client in clients:
        await client.aclose()


async def test_a_milestone_needs_the_right_where_its_initiative_is_by_now(
    example: Institution,
) -> None:
    await example.delete("initiatives/QW-1/milestones/3")
    deletion = await deleted(example)
    planner = await example.person("who", "planner", "A")
    await example.post("grants", {"person": "who", "role": "viewer", "unit": "B"})
    await example.patch("initiatives/QW-1", {"unit": "B"})
    path = f"{example.path}/deletions/{deletion['id']}/restoration"
    await example.expect(404, "POST", path, client=planner)
    await example.patch("initiatives/QW-1", {"unit": "A2"})
    await example.expect(201, "POST", path, client=planner)
    await planner.aclose()


async def test_of_a_unit_that_is_deleted_itself_the_institution_takes_care(
    example: Institution,
) -> None:
    await example.unit("C", "A1")
    await example.initiative("QW-9", "C")
    await example.delete("initiatives/QW-9")
    await example.delete("units/C")
    admin = await example.person("who", "admin", "A")
    listed = await example.expect(200, "GET", f"{example.path}/deletions", client=admin)
    (unit,) = listed["items"]
    assert (await deleted(example, subject="QW-9"))["unit"] is None
    path = f"{example.path}/deletions/{unit['id']}/restoration"
    await example.expect(201, "POST", path, client=admin)
    listed = await example.expect(200, "GET", f"{example.path}/deletions", client=admin)
    assert [item["subject"] for item in listed["items"]] == ["C", "QW-9"]
    await admin.aclose()


async def test_content_of_another_schema(example: Institution, database: Database) -> None:
    """Columns that have come since get their defaults; columns and tables that went are passed over."""
    await example.post("initiatives/QW-1/ratings", {"rating": "red", "reason": "r"})
    numbers = await told(example)
    await example.delete("initiatives/QW-1")
    deletion = await deleted(example)
    content = await content_of(database, deletion)
    for row in content["initiative"]:
        for name in ("rating", "rating_reason", "judged_on", "judged_by", "judged_at"):
            del row[name]
        row["gone"] = {"x": [1]}
    for row in content["progress_update"]:
        del row["verification_note"], row["external_id"]
    content["gone"] = [{"id": 1}]
    await rewrite(database, deletion, content=content)
    restored = await restore(example, deletion)
    assert restored["rating"] is None
    assert len((await example.get("initiatives/QW-1/ratings"))["items"]) == 1
    assert await told(example) == numbers
    await assert_clean(database, example)


async def test_content_of_the_first_format(example: Institution, database: Database) -> None:
    """Whoever adds a column that is never null owes a default to what was kept before."""
    rows = await stored(database, example)
    await example.delete("initiatives/QW-1")
    deletion = await deleted(example)
    content = await content_of(database, deletion)
    first = json.loads(FORMAT_1.read_text())
    tenant, area = (
        content["initiative"][0]["institution_id"],
        content["initiative_area"][0]["area_id"],
    )
    for row in (row for of_table in first.values() for row in of_table):
        row["institution_id"] = tenant
    first["initiative"][0]["unit_id"] = content["initiative"][0]["unit_id"]
    first["initiative_area"][0]["area_id"] = area
    first["initiative_owner"][0]["person_id"] = content["initiative_owner"][0]["person_id"]
    await rewrite(database, deletion, content=first)
    await restore(example, deletion)
    await assert_clean(database, example)
    more = {name: len(first[name]) for name in ("rating", "initiative_tag")}
    counts = {name: len(of_table) for name, of_table in (await stored(database, example)).items()}
    assert counts == {name: len(of_table) for name, of_table in rows.items()} | more


async def test_costs_do_not_grow_with_the_plan(
    institution: Institution, database: Database
) -> None:
    counts = []
    for code, size in (("small", 2), ("large", 200)):
        plan = [
            {"title": f"M {i}", "due_on": "2022-06-30", "weight": 1 + i % 7} for i in range(size)
        ]
        await institution.initiative(code, milestones=plan)
        for i in range(2 * size):
            await institution.report(code, 1 + i % size, i % 101, f"2022-0{1 + i % 5}-1{i % 10}")
        numbers = await institution.rollup(as_of="2022-06-30")
        rows = await stored(database, institution)
        with statements(database) as heard:
            await institution.delete(f"initiatives/{code}")
        counts.append([len(heard)])
        deletion = await deleted(institution)
        with statements(database) as heard:
            await restore(institution, deletion)
        counts[-1].append(len(heard))
        assert await institution.rollup(as_of="2022-06-30") == numbers | {"version": numbers["version"] + 2}  # fmt: skip
        assert await stored(database, institution) == rows
    assert counts[0] == counts[1]
    await assert_clean(database, institution)
