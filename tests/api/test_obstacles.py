"""Obstacles: raised, handed up, decided, followed up and resolved; and counted in the roll-up."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db import Database
from app.models import RollupPeriod, RollupTotal
from app.models.base import day_in, now
from app.rollup.audit import Difference
from app.services import rollups
from app.services.actors import SYSTEM
from tests.api.test_query_counts import statements
from tests.support.institution import Institution, Json

TODAY = day_in("Asia/Jakarta", now())
NOWHERE = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"


def day(offset: int) -> str:
    """A day from today on."""
    return str(TODAY + timedelta(days=offset))


async def tree(institution: Institution) -> None:
    """Units A with A1 below, and B; an active initiative in each."""
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(unit, parent)
        await institution.initiative(f"QW-{unit}", unit)


async def raised(institution: Institution, **fields: Any) -> Json:
    return await institution.post("obstacles", {"title": "Server belum tersedia", **fields})


async def say(
    institution: Institution, obstacle: Json, action: str, body: Json, **more: Any
) -> Json:
    path = f"{institution.path}/obstacles/{obstacle['id']}/{action}"
    return await institution.expect(more.pop("status", 200), "POST", path, body, **more)


async def change(
    institution: Institution, obstacle: Json, status: int = 200, **fields: Any
) -> Json:
    return await institution.patch(f"obstacles/{obstacle['id']}", fields, status)


async def counted(institution: Institution, unit: str | None = None, **asked: Any) -> list[int]:
    found = (await institution.rollup(unit, **asked))["obstacles"]
    return [found["open"], found["overdue"], found["waiting"]]


async def owed(institution: Institution, unit: str | None = None, **asked: Any) -> list[int]:
    found = (await institution.rollup(unit, **asked))["follow_ups"]
    return [found["open"], found["overdue"]]


async def listed(institution: Institution, client: Any = None, **asked: Any) -> list[str]:
    path = f"{institution.path}/obstacles"
    found = await institution.expect(200, "GET", path, parameters=asked, client=client)
    return [item["title"] for item in found["items"]]


async def test_its_life(institution: Institution) -> None:
    await tree(institution)
    made = await raised(
        institution, initiative="QW-A1", severity="high", owner="reporter", due_on=day(-3),
        description="Menunggu lelang",
    )  # fmt: skip
    assert (made["unit"], made["initiative"], made["year"]) == ("A1", "QW-A1", 2022)
    assert (made["state"], made["overdue_days"], made["waiting"]) == ("open", 3, False)
    assert (made["owner"], made["raised_by"], made["version"]) == (
        "reporter",
        "QUICKWIN_ADMIN_TOKEN",
        1,
    )
    await change(institution, made, state="in_progress")
    solved = await change(institution, made, state="resolved", resolution="Dipinjamkan pusat")
    assert (solved["overdue_days"], solved["resolution"]) == (0, "Dipinjamkan pusat")
    assert solved["resolved_at"]
    for wrong, code in (
        ({"state": "in_progress"}, "status_conflict"),
        ({"decision_asked": "x"}, "status_conflict"),
    ):
        assert (await change(institution, made, 409, **wrong))["code"] == code
    assert (await say(institution, made, "escalation", {"reason": "x"}, status=409))[
        "code"
    ] == "status_conflict"
    owed = await change(institution, made, 422, state="open")
    assert owed["errors"][0]["code"] == "reason_owed"
    again = await change(institution, made, state="open", reason="Rusak lagi")
    assert (again["state"], again["resolved_at"], again["resolution"]) == ("open", None, None)
    only = await change(institution, made, 422, resolution="x")
    assert only["errors"][0]["code"] == "not_resolved"
    assert (await change(institution, made, owner=None, due_on=None))["owner"] is None
    (event, *_) = (await institution.get("events", type="obstacle.changed"))["items"]
    assert event["changes"] == {"state": {"before": "open", "after": "in_progress"}}
    path = f"{institution.path}/obstacles/{made['id']}"
    await institution.expect(428, "PATCH", path, {"title": "x"})
    await institution.expect(412, "DELETE", path, if_match='"v1"')
    await institution.delete(f"obstacles/{made['id']}")
    await institution.expect(404, "GET", path)
    (gone,) = (await institution.get("events", type="obstacle.deleted"))["items"]
    assert gone["data"]["title"] == "Server belum tersedia"


async def test_a_unit_above_decides(institution: Institution) -> None:
    await tree(institution)
    made = await raised(institution, initiative="QW-A1", decision_asked="Pakai server pusat?")
    assert made["waiting"] is True
    assert made["decision_asked"]["by"] == "QUICKWIN_ADMIN_TOKEN"
    async with (
        await institution.person("local", "planner", "A1") as local,
        await institution.person("chief", "planner", "A") as chief,
        await institution.person("stranger", "admin", "B") as stranger,
    ):
        await say(institution, made, "escalation", {"reason": "x"}, status=404, client=stranger)
        path, unseen = f"{institution.path}/obstacles", {"title": "T", "unit": "A1"}
        told = await institution.expect(422, "POST", path, unseen, client=stranger)
        assert told["errors"][0]["code"] == "unknown_unit"
        up = await say(
            institution, made, "escalation", {"reason": "Di luar wewenang"}, client=local
        )
        assert up["escalation"]["to"] == "A"
        assert up["escalation"]["by"] == "local"
        # Whoever is above has seen it before; nobody else sees it now.
        assert await listed(institution, chief, escalated_to="A") == ["Server belum tersedia"]
        assert await listed(institution, stranger) == []
        await say(institution, made, "decision", {"decision": "Ya"}, status=403, client=local)
        decided = await say(institution, made, "decision", {"decision": "Ya"}, client=chief)
        assert (decided["decision"]["text"], decided["decision"]["by"]) == ("Ya", "chief")
        assert decided["waiting"] is False
        again = await say(
            institution, made, "decision", {"decision": "Tidak"}, status=409, client=chief
        )
        assert again["code"] == "status_conflict"
        # One further up, to the centre, with another question; the decision of before is in its events.
        ask = {"reason": "Anggaran", "decision_asked": "Beli?"}
        up = await say(institution, made, "escalation", ask, client=local)
        assert (up["escalation"]["to"], up["decision"], up["waiting"]) == (
            institution.code,
            None,
            True,
        )
        await say(institution, made, "decision", {"decision": "Ya"}, status=403, client=chief)
        for wrong in ("A1", "B", "nowhere", "QW-A1", None):
            told = await say(
                institution,
                made,
                "escalation",
                {"to": wrong, "reason": "x"},
                status=422,
                client=local,
            )
            assert [(at["pointer"], at["code"]) for at in told["errors"]] == [
                ("/to", "unknown_unit")
            ]
        assert (await change(institution, made, decision_asked=None))["waiting"] is False
        root = await raised(institution, unit=institution.code)
        told = await say(institution, root, "escalation", {"reason": "x"}, status=422)
        assert told["errors"][0]["code"] == "unknown_unit"
    kinds = [kind for kind in await institution.written() if kind.startswith("obstacle.")]
    assert kinds == [
        "obstacle.created", "obstacle.changed", "obstacle.escalated", "obstacle.decided",
        "obstacle.escalated", "obstacle.created",
    ]  # fmt: skip


async def test_actions_against_it(institution: Institution) -> None:
    await tree(institution)
    made = await raised(institution, unit="B")
    actions = f"obstacles/{made['id']}/follow-ups"
    first = await institution.post(
        actions, {"action": "Surati pusat", "owner": "reporter", "due_on": day(-1)}
    )
    assert (first["state"], first["overdue_days"], first["owner"]) == ("open", 1, "reporter")
    second = await institution.post(actions, {"action": "Rapat"})
    counts = (await institution.get(f"obstacles/{made['id']}"))["follow_ups"]
    assert counts == {"open": 2, "overdue": 1, "done": 0}
    done = await institution.patch(f"{actions}/{first['id']}", {"state": "done"})
    assert (done["done_on"], done["overdue_days"]) == (day(0), 0)
    done = await institution.patch(f"{actions}/{first['id']}", {"done_on": day(-1)})
    assert done["done_on"] == day(-1)
    for wrong, code in (({"done_on": day(1)}, "in_future"),):
        told = await institution.patch(f"{actions}/{first['id']}", wrong, 422)
        assert told["errors"][0]["code"] == code
    told = await institution.patch(f"{actions}/{second['id']}", {"done_on": day(0)}, 422)
    assert told["errors"][0]["code"] == "not_done"
    await institution.patch(f"{actions}/{second['id']}", {"state": "cancelled"})
    back = await institution.patch(f"{actions}/{first['id']}", {"state": "open"})
    assert (back["done_on"], back["overdue_days"]) == (None, 1)
    found = await institution.get(actions)
    assert [item["action"] for item in found["items"]] == ["Surati pusat", "Rapat"]
    assert len((await institution.get(actions, state="cancelled"))["items"]) == 1
    assert (await institution.get(f"obstacles/{made['id']}"))["version"] == 7
    other = await raised(institution, unit="B")
    for path in (f"obstacles/{other['id']}/follow-ups/{first['id']}", f"{actions}/{NOWHERE}"):
        await institution.expect(404, "GET", f"{institution.path}/{path}")
        await institution.patch(path, {"state": "done"}, 404)
    assert (await institution.delete("people/reporter", 409))["code"] == "in_use"


async def test_actions_are_listed_over_all(institution: Institution) -> None:
    await tree(institution)
    for n, (noun, body) in enumerate(
        (
            ({"initiative": "QW-A1"}, {"owner": "reporter", "due_on": day(-1)}),
            ({"unit": "A"}, {"owner": "verifier", "due_on": day(2)}),
            ({"unit": "B"}, {"owner": "reporter"}),
            ({"initiative": "QW-B"}, {"owner": "reporter", "due_on": day(-2)}),
        )
    ):
        made = await raised(institution, **noun)
        path = f"obstacles/{made['id']}/follow-ups"
        action = await institution.post(path, {"action": str(n), **body})
    done = await institution.patch(f"{path}/{action['id']}", {"state": "done"})
    listed = (await institution.get("follow-ups"))["items"]
    assert listed[0] == done
    assert (done["obstacle"], done["unit"], done["initiative"]) == (made["id"], "B", "QW-B")
    assert (listed[1]["unit"], listed[1]["initiative"]) == ("B", None)

    async def actions(client: Any = None, **asked: Any) -> str:
        path = f"{institution.path}/follow-ups"
        found = await institution.expect(200, "GET", path, parameters=asked, client=client)
        return "".join(item["action"] for item in found["items"])

    for asked, expected in (
        ({}, "3210"), ({"unit": "A"}, "10"), ({"unit": "A", "subtree": False}, "1"),
        ({"unit": ["A1", "B"]}, "320"), ({"initiative": "QW-B"}, "3"), ({"owner": "reporter"}, "320"),
        ({"state": "done"}, "3"), ({"state": ["open", "cancelled"]}, "210"), ({"overdue": True}, "0"),
        ({"overdue": False}, "321"), ({"owner": "reporter", "overdue": True, "unit": "B"}, ""),
        ({"sort": "due_on"}, "3012"), ({"sort": "created_at"}, "0123"), ({"sort": "-updated_at"}, "3210"),
        ({"unit": "nothing"}, ""), ({"updated_since": "2190-01-01T00:00:00Z"}, ""),
    ):  # fmt: skip
        assert await actions(**asked) == expected, asked
    first = await institution.get("follow-ups", limit=3, sort="due_on", include_total=True)
    rest = await institution.get("follow-ups", limit=3, sort="due_on", cursor=first["next_cursor"])
    assert (first["total"], [item["action"] for item in rest["items"]]) == (4, ["2"])
    # One sees those of the units that one sees.
    viewer = await institution.person("viewer", "viewer", "A")
    assert await actions(viewer) == "10"
    assert await actions(viewer, unit="B") == ""
    assert await actions(await institution.person("below", "viewer", "A1")) == "0"


async def test_they_are_counted_where_they_are(
    institution: Institution, database: Database
) -> None:
    await tree(institution)
    early = await raised(institution, initiative="QW-A1", due_on=day(-10), decision_asked="?")
    await raised(institution, initiative="QW-A", due_on=day(0))
    await raised(institution, unit="A1", year=2021, due_on=day(-1))
    await raised(institution, unit="B")
    await institution.initiative("idea", "B", status="proposed", owners=[])
    await raised(institution, initiative="idea", due_on=day(-10), decision_asked="?")
    assert await counted(institution) == [4, 2, 1]
    assert await counted(institution, "A") == [3, 2, 1]
    assert await counted(institution, "A1", year=2021) == [1, 1, 0]
    assert await counted(institution, "A1", year=2022) == [1, 1, 1]
    assert await counted(institution, "B", year=TODAY.year) == [1, 0, 0]
    assert await counted(institution, area="accountability") == [2, 1, 1]
    # The past is asked of those that are open now.
    assert await counted(institution, as_of=day(-9)) == [4, 1, 1]
    below = {
        c["unit"]: c["obstacles"]["open"]
        for c in (await institution.rollup(part="/children"))["items"]
    }
    assert below == {"A": 3, "B": 1}
    await institution.patch("initiatives/idea", {"status": "active", "owners": [
        {"person": "reporter", "role": "accountable"}]})  # fmt: skip
    assert await counted(institution, "B") == [2, 1, 1]
    await institution.patch("initiatives/idea", {"unit": "A1"})
    assert await counted(institution, "A1") == [3, 3, 2]
    merged = f"{institution.path}/units/A1/merge"
    await say(institution, early, "decision", {"decision": "Ya"})
    await say(institution, early, "escalation", {"to": "A", "reason": "x"})
    await institution.expect(200, "POST", merged, {"into": "B"}, if_match="*")
    assert await counted(institution, "A") == [1, 0, 0]
    assert await counted(institution, "B") == [4, 3, 1]
    assert (await listed(institution, unit="B", overdue="true"))[0]
    deleted = await institution.get("obstacles", unit="B", initiative="QW-A1")
    await institution.delete("initiatives/QW-A1")
    assert await counted(institution) == [4, 2, 1]
    (deletion,) = (await institution.get("deletions", subject="QW-A1"))["items"]
    await institution.post(f"deletions/{deletion['id']}/restoration", {})
    assert await counted(institution) == [5, 3, 1]
    back = await institution.get(f"obstacles/{early['id']}")
    assert back["decision"] == deleted["items"][0]["decision"]
    await change(institution, early, state="resolved")
    assert await counted(institution) == [4, 2, 1]
    assert await audited(institution, database) == []
    assert (await institution.delete("units/B", 409))["code"] == "in_use"


async def test_follow_ups_are_in_the_roll_up(institution: Institution, database: Database) -> None:
    await tree(institution)
    of_initiative = await raised(institution, initiative="QW-A1")
    of_unit = await raised(institution, unit="A", year=2024)

    async def act(obstacle: Json, due_on: str | None) -> str:
        new = {"action": "x", "due_on": due_on}
        made: str = (await institution.post(f"obstacles/{obstacle['id']}/follow-ups", new))["id"]
        return made

    late = f"obstacles/{of_initiative['id']}/follow-ups/{await act(of_initiative, day(-2))}"
    await act(of_initiative, day(0))
    await act(of_unit, None)
    assert await owed(institution) == await owed(institution, "A") == [3, 1]
    assert await owed(institution, "A1") == [2, 1]
    assert await owed(institution, "B") == [0, 0]
    assert await owed(institution, "A", year=2024) == [1, 0]
    assert await owed(institution, "A1", as_of=day(-2)) == [2, 0]
    assert await owed(institution, "A1", as_of=day(-1)) == [2, 1]
    (overdue,) = (await institution.get("follow-ups", overdue="true"))["items"]
    assert overdue["unit"] == "A1"

    await change(institution, of_initiative, state="resolved")
    assert await owed(institution, "A1") == [2, 1]
    await institution.patch(late, {"due_on": day(3)})
    assert await owed(institution, "A1") == [2, 0]
    await institution.patch(late, {"state": "done"})
    assert await owed(institution, "A1") == [1, 0]
    await institution.patch(late, {"state": "open", "due_on": day(-9)})
    assert await owed(institution) == [3, 1]
    await institution.patch("initiatives/QW-A1", {"status": "cancelled", "reason": "x"})
    assert await owed(institution) == [1, 0]
    await institution.delete(f"obstacles/{of_unit['id']}")
    assert await owed(institution) == [0, 0]
    assert await audited(institution, database) == []


async def audited(institution: Institution, database: Database) -> list[Difference]:
    """What the audit finds in the ledger, and mends."""
    asked = (SYSTEM, institution.code)
    found = await database.read(rollups.audit, *asked, lambda _done, _all: None)
    await database.write(rollups.mend, *asked, found)
    return found.differences


async def test_the_audit_counts_them_again(institution: Institution, database: Database) -> None:
    await tree(institution)
    await raised(institution, unit="A1", year=2022, due_on=day(-1), decision_asked="?")
    await raised(institution, initiative="QW-A1", due_on=day(-1))

    mine = UUID((await institution.expect(200, "GET", institution.path))["id"])

    def tamper(session: Session) -> None:
        session.execute(
            update(RollupTotal)
            .where(RollupTotal.institution_id == mine)
            .values(waiting=RollupTotal.waiting + 5)
        )
        session.execute(
            update(RollupPeriod).where(RollupPeriod.institution_id == mine).values(obstructed=0)
        )

    assert await counted(institution, "A") == [2, 2, 1]
    await database.write(tamper)
    assert await counted(institution, "A") != [2, 2, 1]
    units = {difference.unit for difference in await audited(institution, database)}
    assert {"A1", "A", institution.code} <= units
    assert await counted(institution, "A") == [2, 2, 1]
    assert await audited(institution, database) == []


async def test_filters(institution: Institution) -> None:
    await tree(institution)
    await raised(institution, title="a1", initiative="QW-A1", severity="low", due_on=day(-1))
    await raised(
        institution, title="a", unit="A", severity="critical", owner="reporter", due_on=day(1)
    )
    other = await raised(institution, title="b", initiative="QW-B", decision_asked="?")
    await change(
        institution,
        await raised(institution, title="old", unit="B", due_on=day(-1)),
        state="resolved",
    )
    for asked, expected in (
        ({}, ["old", "b", "a", "a1"]), ({"unit": "A"}, ["a", "a1"]),
        ({"unit": "A", "subtree": False}, ["a"]), ({"initiative": "QW-A1"}, ["a1"]),
        ({"severity": ["low", "critical"]}, ["a", "a1"]), ({"state": "resolved"}, ["old"]),
        ({"owner": "reporter"}, ["a"]), ({"overdue": True}, ["a1"]),
        ({"overdue": False}, ["old", "b", "a"]), ({"waiting": True}, ["b"]),
        ({"waiting": False}, ["old", "a", "a1"]), ({"escalated_to": "A"}, []),
        ({"updated_since": "2190-01-01T00:00:00Z"}, []), ({"unit": "nothing"}, []),
        ({"sort": "-severity"}, ["a", "old", "b", "a1"]),
        ({"sort": "due_on,created_at"}, ["a1", "old", "a", "b"]),
        ({"sort": "-updated_at"}, ["old", "b", "a", "a1"]),
    ):  # fmt: skip
        assert await listed(institution, **asked) == expected, asked
    first = await institution.get("obstacles", limit=3, sort="severity", include_total=True)
    rest = await institution.get("obstacles", limit=3, sort="severity", include_total=True,
                                 cursor=first["next_cursor"])  # fmt: skip
    assert (first["total"], [item["title"] for item in rest["items"]]) == (4, ["a"])
    await institution.unit("C")
    assert await listed(institution, unit="C") == []
    assert other["unit"] == "B"


WRONG: list[tuple[Json, str, str]] = [
    ({}, "", "value_error"),
    ({"unit": "A", "initiative": "QW-A"}, "", "value_error"),
    ({"initiative": "QW-A", "year": 2022}, "", "value_error"),
    ({"unit": "nowhere"}, "/unit", "unknown_unit"),
    ({"initiative": "nothing"}, "/initiative", "unknown_initiative"),
    ({"unit": "A", "owner": "nobody"}, "/owner", "unknown_person"),
    ({"unit": "A", "title": " "}, "/title", "string_too_short"),
    ({"unit": "A", "severity": "huge"}, "/severity", "enum"),
    ({"unit": "A", "due_on": "2022-02-30"}, "/due_on", "date_from_datetime_parsing"),
    ({"unit": "A", "year": 22}, "/year", "greater_than_equal"),
    ({"unit": "A", "decision_asked": ""}, "/decision_asked", "string_too_short"),
    ({"unit": "A", "state": "resolved"}, "/state", "extra_forbidden"),
    ({"unit": "closed"}, "/unit", "archived_unit"),
]


async def test_bad_obstacles(institution: Institution) -> None:
    await tree(institution)
    await institution.unit("closed")
    await institution.patch("units/closed", {"archived": True})
    path = f"{institution.path}/obstacles"
    for body, pointer, code in WRONG:
        told = await institution.expect(422, "POST", path, {"title": "T", **body})
        assert (pointer, code) in [(at["pointer"], at["code"]) for at in told["errors"]], body
    made = await raised(institution, unit="A")
    for body, pointer, code in (
        ({"state": None}, "/state", "enum"), ({"state": "closed"}, "/state", "enum"),
        ({"unit": "B"}, "/unit", "extra_forbidden"), ({"title": None}, "/title", "string_type"),
        ({"owner": "nobody"}, "/owner", "unknown_person"),
    ):  # fmt: skip
        told = await change(institution, made, 422, **body)
        assert (pointer, code) in [(at["pointer"], at["code"]) for at in told["errors"]], body
    for action, body, pointer in (
        ("escalation", {"to": "A"}, "/reason"), ("decision", {"decision": " "}, "/decision"),
        ("follow-ups", {"action": ""}, "/action"), ("follow-ups", {"action": "x", "owner": "z"}, "/owner"),
    ):  # fmt: skip
        told = await say(institution, made, action, body, status=422)
        assert pointer in [at["pointer"] for at in told["errors"]]
    assert (await say(institution, made, "decision", {"decision": "Ya"}, status=409))[
        "code"
    ] == "status_conflict"
    for asked, parameter in (
        ("state=shut", "state"), ("sort=title", "sort"), ("overdue=x", "overdue"), ("severity=1", "severity"),
    ):  # fmt: skip
        told = await institution.expect(422, "GET", f"{path}?{asked}")
        assert [at["parameter"] for at in told["errors"]] == [parameter]
    for at in ("", "/follow-ups"):
        await institution.expect(404, "GET", f"{path}/{NOWHERE}{at}")
        await institution.expect(404, "GET", f"{path}/1{at}")


async def test_costs_do_not_grow(institution: Institution, database: Database) -> None:
    await tree(institution)

    async def cost(path: str) -> int:
        with statements(database) as heard:
            await institution.get(path)
        return len(heard)

    paths = ("obstacles", "follow-ups", "rollup", "units/A/rollup/children")
    made = await raised(institution, unit="A", due_on=day(-1))
    await institution.post(f"obstacles/{made['id']}/follow-ups", {"action": "x"})
    few = [await cost(path) for path in paths]
    for n in range(6):
        made = await raised(institution, initiative="QW-A1", due_on=day(n), owner="verifier")
        await institution.post(f"obstacles/{made['id']}/follow-ups", {"action": "x"})
    assert [await cost(path) for path in paths] == few
    assert max(few) <= 5
