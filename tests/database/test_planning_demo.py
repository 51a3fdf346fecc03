"""What the demo adds of planning: a template in a few units, who waits for whom, a second baseline."""

from itertools import islice

from app.db import Database
from app.demo import compose, planning
from app.services.actors import SYSTEM
from tests.support.institution import Institution

PLAN = [{"title": "M", "due_on": "2024-07-31", "baseline_due_on": "2024-06-30"}]


async def test_the_demo_plans(institution: Institution, database: Database) -> None:
    for code, parent, kind in (
        ("32", None, "provincial"), ("32.73", "32", "city"), ("32.01", "32", "regency"),
    ):  # fmt: skip
        await institution.post(
            "units", {"code": code, "name": code, "parent": parent, "kind": kind}
        )
    await institution.initiative("QW-1", milestones=PLAN)
    before = await institution.rollup(as_of="2024-06-29")
    await database.write(planning.add, SYSTEM, institution.code, "QW-1")
    found = await institution.get("initiatives", template="loket-informasi")
    assert [(i["unit"], i["status"], compose.MARK in i["tags"]) for i in found["items"]] == [
        ("32", "proposed", True), ("32.73", "proposed", True),
    ]  # fmt: skip
    (tie,) = (await institution.get("dependencies"))["items"]
    assert (tie["late"], tie["successor"]["initiative"]) == (True, "LOKET-2024-32.73")
    versions = (await institution.get("initiatives/QW-1/baselines"))["items"]
    assert [(v["number"], v["finish_on"]) for v in versions] == [
        (2, "2024-07-31"), (1, "2024-06-30"),
    ]  # fmt: skip
    after = await institution.rollup(as_of="2024-06-29")
    assert {**after, "version": 0} == {**before, "version": 0}


def test_one_of_the_demo_is_agreed_on_anew() -> None:
    chosen = [plan for plan in islice(compose.plans(), 425) if planning.is_rebaselined(plan)]
    assert chosen
    assert {plan.initiative.year for plan in chosen} == {2024}
