"""Dependencies: ends, cycles, what is late, who sees what, and what becomes of them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db import Database
from tests.api.test_bad_state import alone, sequence, told
from tests.api.test_query_counts import statements
from tests.support.institution import Institution, Json

CYCLE = alone("dependency_cycle")
NOWHERE = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"


def day(offset: int) -> str:
    """So many days from now; far from midnight in any time zone."""
    return str(datetime.now(UTC).date() + timedelta(days=offset))


@pytest.fixture
async def ready(institution: Institution) -> Institution:
    """Initiatives P, Q and R in units of their own; each is due in 30 and in 60 days."""
    for code in ("P", "Q", "R"):
        await institution.unit(f"U{code}")
        plan = [{"title": f"{code} {n}", "due_on": day(30 * n)} for n in (1, 2)]
        await institution.initiative(code, f"U{code}", milestones=plan)
    return institution


def ends(successor: str, predecessor: str) -> tuple[str, Json]:
    """`Q.1` waits for `P`: the address and the body."""
    code, _, number = successor.partition(".")
    body: Json = {"milestone": int(number)} if number else {}
    body["predecessor"], _, before = predecessor.partition(".")
    return f"initiatives/{code}/dependencies", body | (
        {"predecessor_milestone": int(before)} if before else {}
    )


async def tie(
    institution: Institution, successor: str, predecessor: str, status: int = 201, **more: Any
) -> Json:
    path, body = ends(successor, predecessor)
    return await institution.expect(status, "POST", f"{institution.path}/{path}", body | more)


async def pairs(institution: Institution, path: str = "dependencies", **asked: Any) -> list[str]:
    def name(end: Json) -> str:
        return f"{end['initiative']}.{end['milestone']}" if end["milestone"] else end["initiative"]

    items = (await institution.get(path, **asked))["items"]
    return [f"{name(i['predecessor'])}>{name(i['successor'])}" for i in items]


async def test_a_dependency_says_everything(ready: Institution) -> None:
    version = await sequence(ready)
    made = await tie(ready, "Q.1", "P", lag_days=14, reason="Perlu aplikasi")
    assert made == {
        "id": made["id"],
        "predecessor": {
            "initiative": "P", "milestone": None, "title": "Initiative P", "due_on": day(60),
            "over": False,
        },
        "successor": {
            "initiative": "Q", "milestone": 1, "title": "Q 1", "due_on": day(30), "over": False,
        },
        "lag_days": 14, "late": True, "created_at": made["created_at"],
        "created_by": made["created_by"],
    }  # fmt: skip
    path = f"initiatives/Q/dependencies/{made['id']}"
    assert await ready.get(path) == made
    assert await ready.get(path.replace("/Q/", "/P/")) == made
    await ready.expect(404, "GET", f"{ready.path}/{path.replace('/Q/', '/R/')}")
    removal = f"{ready.path}/{path}?reason=Selesai"
    await ready.expect(204, "DELETE", removal)
    await ready.expect(404, "DELETE", removal)
    events = (await ready.get("events", after=version))["items"]
    subject = f"Q/dependencies/{made['id']}"
    assert [(e["type"], e["subject"]) for e in events] == [
        ("dependency.created", subject), ("dependency.deleted", subject),
    ]  # fmt: skip
    assert events[0]["changes"] == {
        "predecessor": {"before": None, "after": "P"}, "lag_days": {"before": None, "after": 14},
        "successor": {"before": None, "after": "Q"},
    }  # fmt: skip
    assert events[1]["data"] == {
        "milestone": 1, "predecessor": "P", "predecessor_milestone": None, "lag_days": 14,
        "reason": "Selesai",
    }  # fmt: skip


CHAINS: list[tuple[list[tuple[str, str]], tuple[str, str], Json | None]] = [
    # What is there (successor, predecessor), what comes, and what is said to it.
    ([], ("P", "P"), CYCLE),
    ([], ("P.1", "P.1"), CYCLE),
    ([], ("P.1", "P"), CYCLE),
    ([], ("P", "P.1"), CYCLE),
    ([], ("P.2", "P.1"), None),
    ([("P.2", "P.1")], ("P.1", "P.2"), CYCLE),
    ([("Q", "P"), ("R", "Q")], ("P", "R"), CYCLE),
    ([("Q", "P"), ("R", "Q")], ("R", "P"), None),
    ([("Q", "P")], ("P.1", "Q.2"), CYCLE),  # Q.2 waits through Q for all of P
    ([("Q", "P.1")], ("P.1", "Q.2"), CYCLE),
    ([("Q", "P.1")], ("P.2", "Q.2"), None),
    ([("Q", "P.1")], ("P", "Q.2"), CYCLE),
    ([("Q.1", "P.1"), ("R", "Q")], ("P.1", "R.2"), CYCLE),  # Q is finished after Q.1
    ([("Q.1", "P.1"), ("R", "Q.2")], ("P.1", "R.2"), None),
    ([("Q", "P")], ("Q", "P"), alone("already_dependent")),
    ([("Q", "P")], ("Q.1", "P"), None),
    ([("Q.1", "P.2")], ("Q.1", "P.2"), alone("already_dependent")),
]


async def test_nothing_waits_for_itself(ready: Institution) -> None:
    for present, new, expected in CHAINS:
        made = [(successor, await tie(ready, successor, before)) for successor, before in present]
        answer = await tie(ready, *new, 201 if expected is None else 409)
        if expected is None:
            made.append((new[0], answer))
        else:
            assert told(answer) == expected, (present, new)
        assert len(await pairs(ready)) == len(made)
        for successor, dependency in made:
            path = f"{ends(successor, '')[0]}/{dependency['id']}"
            await ready.expect(204, "DELETE", f"{ready.path}/{path}")


async def test_two_at_once_close_no_circle(ready: Institution) -> None:
    """Each is right by itself; together they lead round. Of three, two can be."""
    wishes = [ends("Q", "P"), ends("R", "Q"), ends("P", "R")]
    answers = await asyncio.gather(
        *(ready.operator.post(f"{ready.path}/{path}", json=body) for path, body in wishes)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409]
    assert len(await pairs(ready)) == 2


async def test_what_is_late(ready: Institution) -> None:
    """A predecessor that is not over, and overdue or due after the successor with the lag."""
    await tie(ready, "Q.2", "P.1", lag_days=30)  # due in 60 days, as Q.2
    await tie(ready, "R.1", "P.2", lag_days=-30)
    assert await pairs(ready, late=True) == []
    await tie(ready, "Q.2", "P.2", lag_days=1)
    assert await pairs(ready, late=True) == ["P.2>Q.2"]
    assert await pairs(ready, late=False) == ["P.1>Q.2", "P.2>R.1"]
    await ready.patch("initiatives/P/milestones/1", {"due_on": day(31)})
    assert await pairs(ready, late=True, unit="UQ") == ["P.1>Q.2", "P.2>Q.2"]
    assert await pairs(ready, late=True, unit="UR") == []
    assert await pairs(ready, "initiatives/Q/dependencies", late=True) == ["P.1>Q.2", "P.2>Q.2"]
    await ready.patch("initiatives/P/milestones/2", {"due_on": day(-2)})  # overdue
    assert await pairs(ready, late=True) == ["P.1>Q.2", "P.2>R.1", "P.2>Q.2"]
    await ready.report("P", 2, 100)  # over, and so it is not late
    assert await pairs(ready, late=True) == ["P.1>Q.2"]
    await ready.patch("initiatives/Q/milestones/2", {"status": "dropped", "reason": "x"})
    assert await pairs(ready, late=True) == []
    await ready.patch("initiatives/Q/milestones/2", {"status": "pending"})
    assert await pairs(ready, late=True) == ["P.1>Q.2"]
    await ready.patch("initiatives/P", {"status": "cancelled", "reason": "x"})
    assert await pairs(ready, late=True) == []
    # Whole initiatives: the last live milestone, or their own date.
    await ready.initiative("S", due_on=day(-1))
    await ready.initiative("T")
    await tie(ready, "R", "S")
    await tie(ready, "R", "T")
    await tie(ready, "R", "Q", lag_days=1)
    assert await pairs(ready, "initiatives/R/dependencies", late=True) == ["S>R", "Q>R"]
    for number in (1, 2):
        await ready.report("Q", number, 100)
    assert await pairs(ready, "initiatives/R/dependencies", late=True) == ["S>R"]


async def test_lists(ready: Institution) -> None:
    for successor, predecessor in (("Q", "P"), ("Q.1", "R.1"), ("R", "P.1"), ("P.2", "P.1")):
        await tie(ready, successor, predecessor)
    path = "initiatives/Q/dependencies"
    assert await pairs(ready, path) == ["P>Q", "R.1>Q.1"]
    assert await pairs(ready, "initiatives/P/dependencies", side="successor") == [
        "P>Q", "P.1>R", "P.1>P.2",
    ]  # fmt: skip
    assert await pairs(ready, "initiatives/R/dependencies", side="predecessor") == ["P.1>R"]
    assert await pairs(ready, unit=["UQ", "UR"]) == ["P>Q", "R.1>Q.1", "P.1>R"]
    first = await ready.get("dependencies", limit=3, include_total=True)
    assert (len(first["items"]), first["total"]) == (3, 4)
    rest = await ready.get("dependencies", limit=3, cursor=first["next_cursor"])
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)
    for asked in ({"late": "perhaps"}, {"side": "both"}):
        await ready.expect(422, "GET", f"{ready.path}/{path}", parameters=asked)


async def test_costs_do_not_grow(ready: Institution, database: Database) -> None:
    counts = []
    for number in (1, 2):
        await tie(ready, f"Q.{number}", "P")
        await tie(ready, f"R.{number}", "P.1")
        for path in ("dependencies", "initiatives/P/dependencies"):
            with statements(database) as heard:
                await ready.get(path)
            counts.append(len(heard))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 5


async def test_of_what_one_does_not_see_codes_alone_are_told(ready: Institution) -> None:
    planner = await ready.person("planner", "planner", "UQ")
    made = await tie(ready, "Q", "P.2", lag_days=7)
    hidden = await tie(ready, "R", "P")
    path = f"{ready.path}/initiatives/Q/dependencies"
    shown = await ready.expect(200, "GET", f"{path}/{made['id']}", client=planner)
    nothing = dict.fromkeys(("title", "due_on", "over"))
    assert shown["predecessor"] == {"initiative": "P", "milestone": 2, **nothing}
    assert shown == {**made, "predecessor": shown["predecessor"]}
    listed = await ready.expect(200, "GET", f"{ready.path}/dependencies", client=planner)
    assert listed["items"] == [shown]
    # Nobody ties to what they do not see, or changes another's plan.
    body = {"predecessor": "R"}
    content = await ready.expect(422, "POST", path, body, client=planner)
    assert told(content) == alone("invalid", ("/predecessor", "unknown_initiative"))
    back = f"{ready.path}/initiatives/R/dependencies"
    await ready.expect(404, "POST", back, {"predecessor": "Q"}, client=planner)
    await ready.expect(404, "DELETE", f"{back}/{hidden['id']}", client=planner)
    await ready.post("grants", {"person": "planner", "role": "viewer", "unit": "UP"})
    seen = await ready.expect(200, "GET", f"{path}/{made['id']}", client=planner)
    assert seen == made
    # Who sees the predecessor sees who waits for it; that plan is not theirs.
    address = f"{ready.path}/initiatives/P/dependencies"
    both = await ready.expect(200, "GET", address, client=planner)
    assert [item["successor"]["initiative"] for item in both["items"]] == ["Q", "R"]
    await ready.expect(403, "DELETE", f"{address}/{hidden['id']}", client=planner)
    await ready.expect(204, "DELETE", f"{path}/{made['id']}", client=planner)
    await planner.aclose()


BAD: list[tuple[Json, tuple[str, str]]] = [
    ({}, ("/predecessor", "missing")),
    ({"predecessor": "nothing"}, ("/predecessor", "unknown_initiative")),
    ({"predecessor": NOWHERE}, ("/predecessor", "unknown_initiative")),
    ({"predecessor": "P", "milestone": 9}, ("/milestone", "unknown_milestone")),
    ({"predecessor": "P", "predecessor_milestone": 9},
     ("/predecessor_milestone", "unknown_milestone")),
    ({"predecessor": "P", "milestone": 0}, ("/milestone", "greater_than_equal")),
    ({"predecessor": "P", "milestone": "1"}, ("/milestone", "int_type")),
    ({"predecessor": "P", "lag_days": 3661}, ("/lag_days", "less_than_equal")),
    ({"predecessor": "P", "lag_days": -3661}, ("/lag_days", "greater_than_equal")),
    ({"predecessor": "P", "lag_days": 1.5}, ("/lag_days", "int_type")),
    ({"predecessor": "P", "lag_days": None}, ("/lag_days", "int_type")),
    ({"predecessor": "P", "successor": "Q"}, ("/successor", "extra_forbidden")),
]  # fmt: skip


async def test_what_is_not_a_dependency(ready: Institution) -> None:
    before = await sequence(ready)
    for body, place in BAD:
        path = f"{ready.path}/initiatives/Q/dependencies"
        assert told(await ready.expect(422, "POST", path, body))["errors"][0] == place, body
    for path in ("initiatives/nothing/dependencies", f"initiatives/Q/dependencies/{NOWHERE}"):
        assert (await ready.expect(404, "GET", f"{ready.path}/{path}"))["code"] == "not_found"
    assert await sequence(ready) == before


async def delete(institution: Institution, path: str) -> str:
    """Delete an initiative or a milestone; the address where it is restored."""
    await institution.delete(f"initiatives/{path}")
    found = await institution.get("deletions", restored=False, subject=path)
    return f"{institution.path}/deletions/{found['items'][0]['id']}/restoration"


async def test_dependencies_go_and_come_back(ready: Institution) -> None:
    """With either side; those whose other side is gone stay away."""
    await tie(ready, "Q", "P")
    await tie(ready, "R.1", "Q.1")
    for path, left in (("Q", []), ("Q/milestones/1", ["P>Q"]), ("R/milestones/1", ["P>Q"])):
        back = await delete(ready, path)
        assert await pairs(ready) == left
        await ready.expect(201, "POST", back, {})
        assert await pairs(ready) == ["P>Q", "Q.1>R.1"]
    milestone, initiative = await delete(ready, "Q/milestones/1"), await delete(ready, "R")
    for back in (milestone, initiative):
        await ready.expect(201, "POST", back, {})
    assert await pairs(ready) == ["P>Q"]


@pytest.mark.parametrize("path", ["Q", "Q/milestones/1"])
async def test_nothing_comes_back_that_leads_round(ready: Institution, path: str) -> None:
    await tie(ready, "Q.1", "P")
    await tie(ready, "R", "Q.1")
    back = await delete(ready, path)
    between = await tie(ready, "P.1", "R")
    assert told(await ready.expect(409, "POST", back, {})) == CYCLE
    await ready.expect(204, "DELETE", f"{ready.path}/initiatives/P/dependencies/{between['id']}")
    await ready.expect(201, "POST", back, {})
    assert await pairs(ready) == ["P>Q.1", "Q.1>R"]
