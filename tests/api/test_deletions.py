"""Deleting and restoring: nothing is lost by a DELETE, and every number comes back to the digit."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import AlreadyRestored
from app.models import Base, Institution
from app.rollup.audit import Findings
from app.services import restoring, rollups
from app.services.actors import SYSTEM
from tests.api.test_worked_example import example
from tests.support.institution import Institution as Tenant
from tests.support.institution import Json

__all__ = ["example"]

TIMES = {"version", "updated_at"}
ASIDE = {"event", "institution_clock", "deletion"}


async def deleted(tenant: Tenant, **asked: Any) -> Json:
    """The newest deletion."""
    newest: Json = (await tenant.get("deletions", limit=1, **asked))["items"][0]
    return newest


async def restore(tenant: Tenant, deletion: Json, status: int = 201, **body: Any) -> Json:
    path = f"{tenant.path}/deletions/{deletion['id']}/restoration"
    return await tenant.expect(status, "POST", path, body or None)


async def refused(tenant: Tenant, deletion: Json, status: int = 409) -> str:
    """The code with which a restoration is refused; it leaves no trace."""
    before = (await tenant.rollup())["version"]
    code: str = (await restore(tenant, deletion, status))["code"]
    assert (await tenant.rollup())["version"] == before
    if status == 409:
        assert (await tenant.get(f"deletions/{deletion['id']}")) == deletion
    return code


async def told(tenant: Tenant) -> list[Json]:
    """Roll-ups on two dates, and the curves; `stored` has the rows that all others come from."""
    answers = [
        await tenant.rollup(unit, part, as_of=day)
        for unit in (None, "A1")
        for part in ("", "/children", "/areas", "/explain")
        for day in ("2022-05-10", "2022-06-30")
    ]
    curve = {"from": "2022-01-01", "to": "2022-12-31", "interval": "week"}
    answers.append(await tenant.rollup("A", "/s-curve", **curve))
    for answer in answers:
        for one in (answer, *answer.get("items", ())):
            one.pop("version", None)
    return answers


async def stored(database: Database, tenant: Tenant) -> dict[str, list[Any]]:
    """All rows of an institution, but for its trail; times and versions of changes left out."""

    def read(session: Session) -> dict[str, list[Any]]:
        (tenant_id,) = session.execute(
            select(Institution.id).where(Institution.code == tenant.code)
        ).one()
        found = {}
        for table in Base.metadata.sorted_tables:
            if "institution_id" not in table.c or table.name in ASIDE:
                continue
            names = [column.name for column in table.c if column.name not in TIMES]
            rows = session.execute(
                select(*(table.c[name] for name in names)).where(
                    table.c.institution_id == tenant_id
                )
            )
            kept = [tuple(map(repr, row)) for row in rows]
            if table.name.startswith("rollup_"):
                columns = [n for n in names if n not in table.primary_key.columns]
                places = [names.index(name) for name in columns]
                kept = [row for row in kept if any(row[place] != "0" for place in places)]
            found[table.name] = sorted(kept)
        return found

    return await database.read(read)


async def audit(database: Database, tenant: Tenant) -> Findings:
    return await database.read(rollups.audit, SYSTEM, tenant.code, lambda _done, _all: None)


async def assert_clean(database: Database, tenant: Tenant) -> None:
    found = await audit(database, tenant)
    assert (found.differences, found.derived) == ([], [])


async def furnish(tenant: Tenant) -> None:
    """Everything that can hang on QW-1: dropped milestones, verdicts, ratings, tags, evidence."""
    await tenant.patch(
        "initiatives/QW-1",
        {"tags": ["x", "y"], "areas": ["accountability", "oversight"], "description": 'é"\\\n😀'},
    )
    await tenant.post("people", {"code": "helper", "name": "H"})
    owners = [{"person": p, "role": r} for p, r in (("reporter", "accountable"), ("helper", "supporting"))]  # fmt: skip
    await tenant.patch("initiatives/QW-1", {"owners": owners})
    await tenant.milestone("QW-1", "2022-08-31", baseline_due_on="2022-07-31", weight=7)
    await tenant.report("QW-1", 4, 70.55, "2022-04-01")
    await tenant.patch("initiatives/QW-1/milestones/4", {"status": "dropped", "reason": "Not now"})
    returned = await tenant.report("QW-1", 2, 100, "2022-06-10")
    await tenant.verify(returned, "returned", "no evidence")
    body: Json = {
        "percent_complete": 60, "effective_on": "2022-06-17", "source": "s", "external_id": "1",
        "evidence": [{"title": "t", "url": "https://a.example/1"}], "note": "n",
    }  # fmt: skip
    await tenant.post("initiatives/QW-1/milestones/2/updates", body)
    for rating in ("red", "green"):
        await tenant.post("initiatives/QW-1/ratings", {"rating": rating, "reason": "r"})


async def test_an_initiative_comes_back_whole(example: Tenant, database: Database) -> None:
    await furnish(example)
    paths = ["", "/milestones", "/milestones/2/updates", "/ratings"]
    seen = [await example.get(f"initiatives/QW-1{path}") for path in paths]
    numbers, rows = await told(example), await stored(database, example)
    await example.expect(
        204, "DELETE", f"{example.path}/initiatives/QW-1", parameters={"reason": "Salah"}, if_match="*"
    )  # fmt: skip
    await example.expect(404, "GET", f"{example.path}/initiatives/QW-1")
    assert await told(example) != numbers
    deletion = await deleted(example)
    assert deletion == deletion | {
        "noun": "initiative", "subject": "QW-1", "subject_id": seen[0]["id"], "unit": "A1",
        "name": "Initiative QW-1", "reason": "Salah", "deleted_by": "QUICKWIN_ADMIN_TOKEN",
        "restored_at": None, "restored_by": None,
    }  # fmt: skip
    period = datetime.fromisoformat(deletion["restorable_until"]) - datetime.fromisoformat(
        deletion["deleted_at"]
    )
    assert period == timedelta(days=30)
    assert await example.get(f"deletions/{deletion['id']}") == deletion

    answer = await example.operator.post(
        f"{example.path}/deletions/{deletion['id']}/restoration", json={"reason": "Ternyata benar"}
    )
    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, f'"v{made["version"]}"')
    assert answer.headers["location"] == f"{example.path}/initiatives/QW-1"
    assert made["version"] == seen[0]["version"] + 1
    assert made == await example.get("initiatives/QW-1")
    assert await told(example) == numbers
    assert await stored(database, example) == rows
    for path, before in zip(paths[1:], seen[1:], strict=True):
        after = await example.get(f"initiatives/QW-1{path}")
        for item in (*before["items"], *after["items"]):
            for name in TIMES:
                item.pop(name, None)
        assert after == before
    await assert_clean(database, example)

    kept = await deleted(example)
    assert kept == deletion | {name: kept[name] for name in ("restored_at", "restored_by")}
    assert kept["restored_by"] == "QUICKWIN_ADMIN_TOKEN"
    trail = [e for e in (await example.get("events", limit=200))["items"] if e["subject"] == "QW-1"]
    assert [e["type"] for e in trail[-2:]] == ["initiative.deleted", "initiative.restored"]
    assert (trail[-2]["data"]["reason"], trail[-1]["data"].pop("reason")) == ("Salah", "Ternyata benar")  # fmt: skip
    assert trail[-1]["data"] == made
    assert await refused(example, kept) == "already_restored"

    body: Json = {"percent_complete": 60, "source": "s", "external_id": "1"}
    path = f"{example.path}/initiatives/QW-1/milestones/2/updates"
    await example.expect(200, "POST", path, body)  # the source's report is known again
    await example.report("QW-1", 3, 90, "2022-06-18")
    await assert_clean(database, example)


@pytest.mark.parametrize("status", ["proposed", "on_hold", "cancelled", "completed"])
async def test_initiatives_of_every_status(
    example: Tenant, database: Database, status: str
) -> None:
    code = "QW-2" if status == "completed" else "QW-9"
    if status != "completed":
        await example.initiative(code, "B", status=status, milestones=[{"title": "M", "due_on": "2022-06-30"}])  # fmt: skip
    numbers, rows = await told(example), await stored(database, example)
    await example.delete(f"initiatives/{code}")
    assert (await restore(example, await deleted(example)))["status"] == status
    assert await told(example) == numbers
    assert await stored(database, example) == rows


async def test_deleted_again_it_is_another_deletion(example: Tenant, database: Database) -> None:
    numbers, found = await told(example), []
    for _ in range(2):
        await example.delete("initiatives/QW-1")
        found.append(await deleted(example))
        await restore(example, found[-1])
    assert found[0]["id"] != found[1]["id"]
    assert found[0]["subject_id"] == found[1]["subject_id"]
    assert await told(example) == numbers
    await assert_clean(database, example)


async def test_a_milestone_comes_back(example: Tenant, database: Database) -> None:
    numbers, rows = await told(example), await stored(database, example)
    before = await example.get("initiatives/QW-1")
    await example.delete("initiatives/QW-1/milestones/3")
    assert (await example.get("initiatives/QW-1"))["plan"][0]["share"] == 50
    deletion = await deleted(example, noun="milestone")
    assert deletion == deletion | {"subject": "QW-1/milestones/3", "unit": "A1", "name": "Milestone"}  # fmt: skip
    answer = await example.operator.post(f"{example.path}/deletions/{deletion['id']}/restoration")
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{example.path}/initiatives/QW-1/milestones/3"
    assert answer.json() == await example.get("initiatives/QW-1/milestones/3")
    assert await told(example) == numbers
    assert await stored(database, example) == rows
    after = await example.get("initiatives/QW-1")
    assert after["version"] == before["version"] + 2
    assert [m["version"] for m in after["plan"]] == [
        old["version"] + more for old, more in zip(before["plan"], (2, 2, 1), strict=True)
    ]
    assert (await example.get("events", limit=200))["items"][-1]["type"] == "milestone.restored"
    await assert_clean(database, example)


async def test_a_milestone_finds_no_place(example: Tenant, database: Database) -> None:
    assert (await example.delete("initiatives/QW-1/milestones/1", 409))["code"] == "in_use"
    await example.delete("initiatives/QW-1/milestones/3")
    first = await deleted(example)
    await example.milestone("QW-1", "2022-12-31", number=3)
    assert await refused(example, first) == "number_taken"
    await example.delete("initiatives/QW-1/milestones/3")
    second = await deleted(example)
    await example.delete("initiatives/QW-1")
    assert await refused(example, second) == "missing_reference"
    await restore(example, await deleted(example))
    await restore(example, first)
    assert await refused(example, second) == "number_taken"
    assert len((await example.get("initiatives/QW-1"))["plan"]) == 3
    await assert_clean(database, example)


async def test_a_full_plan_takes_no_milestone_back(institution: Tenant) -> None:
    plan = [{"title": f"M {i}", "due_on": "2022-06-30"} for i in range(200)]
    await institution.initiative("QW-1", milestones=plan)
    await institution.delete("initiatives/QW-1/milestones/200")
    deletion = await deleted(institution)
    await institution.milestone("QW-1", "2022-12-31", number=300)
    assert await refused(institution, deletion) == "conflict"


async def test_what_a_put_leaves_out_can_be_restored(example: Tenant, database: Database) -> None:
    numbers = await told(example)
    whole: Json = {
        "code": "QW-1", "title": "Initiative QW-1", "unit": "A1", "year": 2022, "weight": 3,
        "areas": ["accountability"], "owners": [{"person": "reporter", "role": "accountable"}],
        "reason": "Replanned", "milestones": [
            {"title": "Milestone", "due_on": day, "number": number}
            for number, day in ((1, "2022-03-31"), (2, "2022-06-30"))
        ],
    }  # fmt: skip
    await example.expect(200, "PUT", f"{example.path}/initiatives/QW-1", whole)
    deletion = await deleted(example)
    assert (deletion["subject"], deletion["reason"]) == ("QW-1/milestones/3", "Replanned")
    await restore(example, deletion)
    assert await told(example) == numbers
    await assert_clean(database, example)


async def test_a_unit_comes_back(example: Tenant, database: Database) -> None:
    made = await example.post("units", {"code": "C", "name": "C", "parent": "A1", "kind": "city"})
    await example.post("units/C/ratings", {"rating": "amber", "reason": "r"})
    before = await example.get("units/C")
    numbers, rows = await told(example), await stored(database, example)
    await example.delete("units/C")
    deletion = await deleted(example)
    assert (deletion["unit"], deletion["subject"]) == ("A1", "C")
    restored = await restore(example, deletion)
    assert restored == await example.get("units/C")
    assert restored == before | {name: restored[name] for name in TIMES}
    assert (restored["id"], restored["version"]) == (made["id"], before["version"] + 1)
    assert await told(example) == numbers
    assert await stored(database, example) == rows
    await example.initiative("QW-9", "C", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await example.report("QW-9", 1, 50, "2022-06-01")
    await assert_clean(database, example)


async def test_a_unit_comes_back_where_its_parent_is_by_now(
    example: Tenant, database: Database
) -> None:
    await example.unit("C", "A1")
    await example.delete("units/C")
    moved = {"parent": "B"}
    await example.expect(200, "POST", f"{example.path}/units/A1/move", moved)
    await example.patch("units/A1", {"code": "A-1"})
    assert (await deleted(example))["unit"] == "A-1"
    restored = await restore(example, await deleted(example))
    assert restored["path"] == f"{example.code}/B/A-1/C"
    assert [u["code"] for u in (await example.get("units", under="B"))["items"]] == ["A-1", "B", "C"]  # fmt: skip
    await assert_clean(database, example)


async def test_what_was_deleted_goes_along_when_its_unit_is_merged(
    example: Tenant, database: Database
) -> None:
    await example.unit("C", "A1")
    await example.post("people", {"code": "p", "name": "P", "unit": "A1"})
    for path in ("units/C", "people/p", "initiatives/QW-1"):
        await example.delete(path)
    await example.expect(200, "POST", f"{example.path}/units/A1/merge", {"into": "B"})
    found = (await example.get("deletions"))["items"]
    assert [item["unit"] for item in found] == ["B", "B", "B"]
    for item in found:
        await restore(example, item)
    assert (await example.get("units/C"))["path"] == f"{example.code}/B/C"
    assert (await example.get("people/p"))["unit"] == "B"
    assert (await example.get("initiatives/QW-1"))["unit"] == "B"
    await assert_clean(database, example)


async def test_a_milestone_goes_along_when_its_initiative_moves(
    example: Tenant, database: Database
) -> None:
    planner = await example.person("planner-b", "planner", "B")
    await example.milestone("QW-2", "2022-12-31", number=9)
    for milestone in ("QW-1/milestones/3", "QW-2/milestones/9"):
        await example.delete(f"initiatives/{milestone}")
    elsewhere = await deleted(example, subject="QW-2/milestones/9")
    await example.patch("initiatives/QW-1", {"unit": "B"})
    assert (await deleted(example, subject="QW-1/milestones/3"))["unit"] == "B"
    assert (await deleted(example, subject="QW-2/milestones/9")) == elsewhere
    found = await example.expect(200, "GET", f"{example.path}/deletions", client=planner)
    (deletion,) = [each for each in found["items"] if each["subject"] == "QW-1/milestones/3"]
    path = f"{example.path}/deletions/{deletion['id']}/restoration"
    await example.expect(201, "POST", path, client=planner)
    assert len((await example.get("initiatives/QW-1"))["plan"]) == 3
    await assert_clean(database, example)


async def test_a_merged_unit_comes_back_merged(example: Tenant, database: Database) -> None:
    await example.unit("C", "A")
    await example.unit("D", "A")
    merged = await example.expect(200, "POST", f"{example.path}/units/C/merge", {"into": "D"})
    await example.delete("units/C")
    deletion = await deleted(example)
    await example.delete("units/D")
    assert await refused(example, deletion) == "missing_reference"
    await restore(example, await deleted(example))
    restored = await restore(example, deletion)
    assert restored == merged | {name: restored[name] for name in TIMES}
    assert restored["merged_into"] == "D"
    await assert_clean(database, example)


async def test_a_unit_finds_no_place(example: Tenant) -> None:
    await example.unit("C", "A1")
    await example.unit("D", "C")
    await example.delete("units/D")
    lower = await deleted(example)
    await example.delete("units/C")
    upper = await deleted(example)
    gone = await deleted(example, subject="d")
    assert (gone["unit"], lower["unit"]) == (None, "C")
    assert await refused(example, gone) == "missing_reference"
    await example.unit("c")
    assert await refused(example, upper) == "code_taken"
    await example.delete("units/c")
    await example.patch("units/A1", {"archived": True})
    assert await refused(example, upper) == "unit_archived"
    await example.patch("units/A1", {"archived": False})
    await restore(example, upper)
    assert await deleted(example, subject="D") == lower
    await restore(example, lower)
    assert (await example.get("units/D"))["path"] == f"{example.code}/A/A1/C/D"


async def test_a_person_comes_back(example: Tenant, database: Database) -> None:
    for code, unit in (("p", "A1"), ("q", None)):
        made = await example.post(
            "people", {"code": code, "name": "P", "unit": unit, "email": "p@kpu.example"}
        )
        rows = await stored(database, example)
        await example.delete(f"people/{code}")
        deletion = await deleted(example)
        assert (deletion["noun"], deletion["unit"]) == ("person", unit)
        restored = await restore(example, deletion)
        assert restored == await example.get(f"people/{code}")
        assert restored == made | {"version": 2, "updated_at": restored["updated_at"]}
        assert await stored(database, example) == rows
    assert (await example.delete("people/reporter", 409))["code"] == "in_use"


async def test_a_person_finds_no_place(example: Tenant) -> None:
    await example.unit("C")
    await example.post("people", {"code": "p", "name": "P", "unit": "C"})
    await example.delete("people/p")
    first = await deleted(example)
    await example.post("people", {"code": "P", "name": "P"})
    assert await refused(example, first) == "code_taken"
    await example.delete("people/P")
    await example.delete("units/C")
    first = await example.get(f"deletions/{first['id']}")
    assert await refused(example, first) == "missing_reference"
    await restore(example, await deleted(example))
    await example.patch("units/C", {"archived": True})
    first = await example.get(f"deletions/{first['id']}")
    assert await refused(example, first) == "unit_archived"


async def test_an_initiative_finds_no_place(example: Tenant, database: Database) -> None:
    await example.unit("C")
    await example.post("people", {"code": "p", "name": "P"})
    owners = [{"person": "p", "role": "accountable"}]
    await example.initiative("QW-9", "C", owners=owners)
    await example.delete("initiatives/QW-9")
    deletion = await deleted(example)
    await example.initiative("qw-9", "B")
    assert await refused(example, deletion) == "code_taken"
    await example.delete("initiatives/qw-9")
    await example.delete("people/p")
    assert await refused(example, deletion) == "missing_reference"
    await restore(example, await deleted(example))
    await example.patch("units/C", {"archived": True})
    assert await refused(example, deletion) == "unit_archived"
    await example.patch("units/C", {"archived": False})
    await example.patch("people/p", {"active": False})  # keeps what they have
    assert (await restore(example, deletion))["owners"] == owners
    await assert_clean(database, example)


async def test_of_many_at_once_one_succeeds(example: Tenant, database: Database) -> None:
    for path in ("initiatives/QW-1", "initiatives/QW-2/milestones/9", "units/C", "people/p"):
        if "milestones" in path:
            await example.milestone("QW-2", "2022-06-30", number=9)
        elif "initiatives" not in path:
            await example.post(path.split("/")[0], {"code": path[-1], "name": "N"})

        async def ask(method: str, address: str) -> httpx.Response:
            return await example.operator.request(method, address, headers={"If-Match": "*"})

        answers = await asyncio.gather(*(ask("DELETE", f"{example.path}/{path}") for _ in range(6)))
        assert sorted(a.status_code for a in answers) == [204, *[404] * 5], path
        deletion = await deleted(example)
        address = f"{example.path}/deletions/{deletion['id']}/restoration"
        answers = await asyncio.gather(*(ask("POST", address) for _ in range(6)))
        assert sorted(a.status_code for a in answers) == [201, *[409] * 5], path
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"already_restored"}
    assert (await example.get("deletions", include_total=True))["total"] == 4
    await assert_clean(database, example)


async def test_a_code_is_fought_for(example: Tenant, database: Database) -> None:
    """Whoever comes second is told that the code is taken; nobody gets both, or an error."""
    for turn in range(4):
        code = f"F-{turn}"
        await example.initiative(code, "B", milestones=[{"title": "M", "due_on": "2022-06-30"}])
        await example.delete(f"initiatives/{code}")
        deletion = await deleted(example)
        body = {"code": code, "title": "T", "unit": "B", "year": 2022}
        answers = await asyncio.gather(
            example.operator.post(f"{example.path}/deletions/{deletion['id']}/restoration"),
            example.operator.post(f"{example.path}/initiatives", json=body),
        )
        assert sorted(a.status_code for a in answers) == [201, 409]
        assert [a.json()["code"] for a in answers if a.status_code == 409] == ["code_taken"]
    await assert_clean(database, example)


async def test_restoring_while_units_move(example: Tenant, database: Database) -> None:
    await example.unit("C", "A2")
    await example.delete("units/C")
    plan = [{"title": "M", "due_on": "2022-06-30"}]
    done = asyncio.Event()

    async def move() -> None:
        for target in ("B", "A", "B", example.code, "A"):
            path = f"{example.path}/units/A2/move"
            await example.expect(200, "POST", path, {"parent": target})
        done.set()

    async def cycle(code: str) -> None:
        await example.initiative(code, "A2", milestones=plan)
        for turn in range(50):
            if turn >= 5 and done.is_set():
                return
            await example.report(code, 1, turn, "2022-06-01")
            await example.delete(f"initiatives/{code}")
            await restore(example, await deleted(example, subject=code))

    unit = await deleted(example)
    await asyncio.gather(move(), cycle("R-1"), cycle("R-2"), restore(example, unit))
    assert (await example.get("units/C"))["path"] == f"{example.code}/A/A2/C"
    await assert_clean(database, example)


class Crash(Exception):
    """The process ends in the middle."""


@pytest.mark.parametrize("path", ["initiatives/QW-1", "units/C"])
async def test_half_a_restoration_is_none(example: Tenant, database: Database, path: str) -> None:
    await example.unit("C")
    await example.delete(path)
    deletion = await deleted(example)
    rows, numbers = await stored(database, example), await told(example)

    def crash(session: Session) -> None:
        restoring.restore(session, SYSTEM, example.code, deletion_id)
        session.flush()
        raise Crash

    deletion_id = UUID(deletion["id"])
    with pytest.raises(Crash):
        await database.write(crash)
    assert (await stored(database, example), await told(example)) == (rows, numbers)
    assert await deleted(example) == deletion
    await restore(example, deletion)
    with pytest.raises(AlreadyRestored):
        await database.write(restoring.restore, SYSTEM, example.code, deletion_id)
    await assert_clean(database, example)
