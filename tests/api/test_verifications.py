"""Verification: findings side by side, the queue of what waits, resubmissions, and the gap."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.models import ProgressUpdate
from tests.support.institution import Institution, Json

FINDINGS = ("executed_as_planned", "output_reached", "quality", "on_time")
OPEN: Json = dict.fromkeys(FINDINGS)


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """QW-1 at the root and QW-2 in a unit, with one milestone each."""
    await institution.unit("32")
    for code, unit, area in (("QW-1", None, "accountability"), ("QW-2", "32", "oversight")):
        plan = [{"title": f"M of {code}", "due_on": "2022-06-30"}]
        await institution.initiative(code, unit, areas=[area], milestones=plan)
    return institution


def at(institution: Institution, told: Json, part: str = "") -> str:
    of = f"initiatives/{told['initiative']}/milestones/{told['milestone']}"
    return f"{institution.path}/{of}/updates/{told['id']}{part}"


async def judge(institution: Institution, told: Json, status: int = 200, **body: Any) -> Json:
    path = at(institution, told, "/verification")
    return await institution.expect(status, "POST", path, body, client=institution.verifier)


async def resubmit(institution: Institution, status: int = 201, **body: Any) -> Json:
    path = f"{institution.path}/initiatives/QW-1/milestones/1/updates"
    body = {"percent_complete": 50, **body}
    return await institution.expect(status, "POST", path, body, client=institution.reporter)


async def queue(institution: Institution, **asked: Any) -> list[Json]:
    path = f"{institution.path}/verifications"
    found = await institution.expect(
        200, "GET", path, parameters=asked, client=institution.verifier
    )
    items: list[Json] = found["items"]
    return items


async def test_every_verdict_is_kept_with_its_findings(planned: Institution) -> None:
    told = await planned.report("QW-1", 1, 40)
    assert told["verifications"] == []
    mixed: Json = dict(zip(FINDINGS, (True, False, True, None), strict=True))
    await judge(planned, told, verdict="returned", note="Foto tidak terbaca", **mixed)
    await judge(planned, told, verdict="verified")  # as clients did before there were findings
    found = await judge(planned, told, verdict="verified", on_time=False)
    whole = found["verifications"]
    assert [{name: each[name] for name in FINDINGS} for each in whole] == [
        mixed, OPEN, OPEN | {"on_time": False},
    ]  # fmt: skip
    assert [(each["verdict"], each["note"]) for each in whole] == [
        ("returned", "Foto tidak terbaca"), ("verified", None), ("verified", None),
    ]  # fmt: skip
    assert {each["verified_by"] for each in whole} == {"verifier"}
    assert (whole[-1]["verified_at"], found["verification"]) == (found["verified_at"], "verified")
    assert await planned.expect(200, "GET", at(planned, told)) == found
    (event,) = (await planned.get("events", type="update.returned"))["items"]
    assert event["data"] == {"verdict": "returned", "note": "Foto tidak terbaca", **mixed}
    for wrong in ({"verdict": "returned", **mixed}, {"verdict": "verified", "quality": "yes"}):
        await judge(planned, told, 422, **wrong)
    assert await planned.expect(200, "GET", at(planned, told)) == found


async def test_a_verdict_of_before_stays_the_first_one(planned: Institution) -> None:
    told = await planned.report("QW-1", 1, 40)
    old = (await judge(planned, told, verdict="returned", note="Lama"))["verifications"]

    def forget(session: Session) -> None:
        session.execute(
            update(ProgressUpdate)
            .where(ProgressUpdate.id == UUID(told["id"]))
            .values(verifications=[])
        )

    await planned.database.write(forget)
    assert (await planned.expect(200, "GET", at(planned, told)))["verifications"] == old
    found = await judge(planned, told, verdict="verified", quality=True)
    assert found["verifications"][:-1] == old
    assert [each["quality"] for each in found["verifications"]] == [None, True]


async def test_the_queue_has_what_waits_oldest_first(planned: Institution) -> None:
    one = await planned.report("QW-2", 1, 20, "2022-05-01")
    two = await planned.report("QW-1", 1, 40, "2022-02-01")
    three = await planned.report("QW-1", 1, 70, "2022-03-01")
    four = await planned.report("QW-1", 1, 90, "2022-04-01")
    await planned.verify(two)
    await planned.verify(three, "returned")
    ids = [each["id"] for each in (one, two, three, four)]
    for asked, expected in (
        ({}, [0, 3]),
        ({"state": "verified"}, [1]),
        ({"state": ["returned", "verified"]}, [1, 2]),
        ({"state": ["reported", "returned", "verified"]}, [0, 1, 2, 3]),
        ({"latest": True}, [0, 3]),
        ({"latest": True, "state": ["returned", "verified"]}, []),
        ({"unit": "32"}, [0]),
        ({"unit": planned.code, "subtree": False}, [3]),
        ({"area": "accountability"}, [3]),
        ({"year": 2021}, []),
        ({"year": [2021, 2022]}, [0, 3]),
        ({"initiative": "qw-2"}, [0]),
        ({"owner": "verifier"}, []),
        ({"since": four["reported_at"]}, [3]),
    ):
        found = [ids.index(each["id"]) for each in await queue(planned, **asked)]
        assert found == expected, asked
    back_dated = await planned.report("QW-2", 1, 10, "2022-04-30")
    assert [each["id"] for each in await queue(planned, unit="32")] == [ids[0], back_dated["id"]]
    assert [each["id"] for each in await queue(planned, unit="32", latest=True)] == [ids[0]]
    await planned.verify(back_dated)
    last = (await queue(planned))[-1]
    assert last == last | {
        "initiative": "QW-1", "initiative_title": "Initiative QW-1", "unit": planned.code,
        "milestone_title": "M of QW-1", "due_on": "2022-06-30", "percent_complete": 90.0,
        "previous_percent": 70.0, "milestone_percent_complete": 90.0,
        "milestone_percent_verified": 40.0,
    }  # fmt: skip
    path = f"{planned.path}/verifications"
    first = await planned.expect(
        200, "GET", path, parameters={"limit": 1, "include_total": True}, client=planned.verifier
    )
    assert (first["total"], [each["id"] for each in first["items"]]) == (2, [ids[0]])
    (rest,) = await queue(planned, limit=1, cursor=first["next_cursor"])
    assert rest["id"] == ids[3]
    for wrong in ({"state": ""}, {"state": "waiting"}, {"year": "1_0"}, {"since": "now"}):
        told = await planned.expect(422, "GET", path, parameters=wrong, client=planned.verifier)
        assert told["errors"][0]["parameter"] == next(iter(wrong))


async def test_the_queue_has_what_one_may_verify(planned: Institution) -> None:
    """Not one's own reports, and none of a unit where one may only report or look."""
    await planned.report("QW-1", 1, 20)
    below = await planned.report("QW-2", 1, 30)
    path = f"{planned.path}/verifications"

    async def seen(client: Any) -> list[str]:
        items = (await planned.expect(200, "GET", path, client=client))["items"]
        return [each["id"] for each in items]

    assert await seen(planned.reporter) == []
    await planned.post("grants", {"person": "reporter", "role": "admin"})
    assert await seen(planned.reporter) == []  # they are all their own
    async with await planned.person("auditor", "verifier", "32") as auditor:
        assert await seen(auditor) == [below["id"]]
        await planned.post("grants", {"person": "auditor", "role": "reporter"})
        assert await seen(auditor) == [below["id"]]


async def test_a_returned_report_is_answered_once(planned: Institution) -> None:
    returned = await planned.report("QW-1", 1, 40)
    waiting = await planned.report("QW-1", 1, 45)
    elsewhere = await planned.report("QW-2", 1, 40)
    for each in (returned, elsewhere):
        await planned.verify(each, "returned")
    for wrong, code in (
        (waiting["id"], "not_returned"),
        (elsewhere["id"], "unknown_update"),
        ("01a20d0f-7aff-70b8-9c49-d31eb6a5564a", "unknown_update"),
        ("first", "uuid_parsing"),
    ):
        told = await resubmit(planned, 422, resubmits=wrong)
        assert [(e["pointer"], e["code"]) for e in told["errors"]] == [("/resubmits", code)]
    feed: Json = {"source": "sakti", "external_id": "7"}
    made = await resubmit(planned, resubmits=returned["id"], note="Foto baru", **feed)
    assert made["resubmits"] == returned["id"]
    assert await resubmit(planned, 200, resubmits=returned["id"], **feed) == made
    again = await resubmit(planned, 409, resubmits=returned["id"])
    assert again["code"] == "already_resubmitted"
    # The new one is judged like any other, and may be returned and answered in its turn.
    assert [each["id"] for each in await queue(planned)] == [waiting["id"], made["id"]]
    await planned.verify(made, "returned")
    (event, *_) = (await planned.get("events", type="update.reported", sort="-sequence"))["items"]
    assert event["data"]["resubmits"] == returned["id"]
    item = {"initiative": "QW-1", "milestone": 1, "percent_complete": 55, "resubmits": made["id"]}
    path = f"{planned.path}/updates"
    batch = await planned.expect(207, "POST", path, {"items": [item, item]})
    assert [each["status"] for each in batch["results"]] == [201, 409]
    assert batch["results"][1]["problem"]["code"] == "already_resubmitted"


async def test_the_gap_is_what_nobody_else_has_confirmed(planned: Institution) -> None:
    await planned.verify(await planned.report("QW-1", 1, 33.33, "2022-05-01"))
    told = await planned.report("QW-1", 1, 66.67, "2022-06-01")
    await planned.report("QW-2", 1, 100, "2022-06-01")
    for asked, expected in (
        ({}, (83.34, 16.67, 66.67)),
        ({"as_of": "2022-05-01"}, (16.67, 16.67, 0.0)),
        ({"area": "accountability"}, (66.67, 33.33, 33.34)),
        ({"year": 2021}, (None, None, None)),
    ):
        found = await planned.rollup(**asked)
        numbers = ("percent_complete", "percent_verified", "verification_gap")
        assert tuple(found[name] for name in numbers) == expected, asked
    (child,) = (await planned.rollup(part="/children", sort="-verification_gap"))["items"]
    assert child["verification_gap"] == 100.0
    areas = (await planned.rollup(part="/areas"))["items"]
    gaps = {each["area"]: each["verification_gap"] for each in areas}
    assert (gaps["accountability"], gaps["oversight"]) == (33.34, 100.0)
    # A later report that is returned leaves what was verified before it, and so the gap.
    await planned.verify(told, "returned")
    assert (await planned.rollup())["verification_gap"] == 66.67
    await planned.verify(told)
    assert (await planned.rollup())["verification_gap"] == 50.0
