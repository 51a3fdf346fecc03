"""What the demo adds to its plans: a template in a few units, who waits for whom, a second baseline.

And what holds up, what it is for, how it is judged, and a report that came late.
"""

from decimal import Decimal
from itertools import islice

from app.db import Database
from app.demo import compose, late, obstacles, papers, planning, purpose
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


async def test_the_demo_fills_its_rooms(institution: Institution, database: Database) -> None:
    """Each verb takes what it is given, and no number of a past day changes."""
    await institution.unit("kpu")
    await institution.unit("32", "kpu")
    for person, unit in (("sek-32", "32"), ("ops-32", "32"), ("apip-1", "kpu")):
        await institution.post("people", {"code": person, "name": person, "unit": unit})
    plan = [{"title": "M", "due_on": "2022-12-20"}]
    await institution.initiative(compose.GUIDED_CODE, "32", milestones=plan)
    last = [{"title": "M", "due_on": "2024-11-30"}]
    await institution.initiative("QW-2024-001", "32", milestones=last, year=2024)
    await institution.report("QW-2024-001", 1, 40, "2024-11-01")
    await institution.expect(
        201,
        "POST",
        f"{institution.path}/periods/standard",
        {"year": 2024, "closes_by_itself": False},
    )
    before = await institution.rollup(as_of="2022-11-30")
    place = late.Place("QW-2024-001", "32", 1, Decimal(45))
    await late.add(database, institution.code, place)
    await database.write(obstacles.add, SYSTEM, institution.code)
    await database.write(purpose.add, SYSTEM, institution.code)
    after = await institution.rollup(as_of="2022-11-30")
    counts = {"open": 3, "overdue": 0, "waiting": 1}
    assert after == {
        **before,
        "version": after["version"],
        "obstacles": counts,
        "follow_ups": {"open": 2, "overdue": 0},
    }
    assert after["version"] == before["version"] + 18
    reports = (await institution.get("updates", late=True))["items"]
    assert [(at["verification"], at["reported_by"]) for at in reports] == [
        ("reported", "ops-32"), ("returned", "ops-32"),
    ]  # fmt: skip
    assert reports[0]["resubmits"] == reports[1]["id"]
    assert reports[1]["verified_by"] == "apip-1"
    ((evidence,), ()) = reports[0]["evidence"], reports[1]["evidence"]
    sent = await institution.operator.get(
        f"{institution.path}/files/{evidence['file']['id']}/content"
    )
    assert (sent.status_code, sent.content) == (200, papers.document())
    assert evidence["file"]["name"] == "Berita acara (data sintetis).pdf"
    decided = (await institution.get("obstacles", escalated_to="kpu"))["items"]
    assert [(at["unit"], at["waiting"]) for at in decided] == [("32", False)]
    assert decided[0]["decision"]["text"]
    actions = (await institution.get("follow-ups"))["items"]
    assert sorted(at["state"] for at in actions) == ["done", "open", "open"]
    guided = await institution.get(f"initiatives/{compose.GUIDED_CODE}")
    assert (guided["programme"], len(guided["strategies"])) == ("layanan-digital", 2)
    assert [lift["points"] for lift in guided["expected_lift"]] == [0.5]
    given = (await institution.get("assessments"))["items"]
    assert sorted((at["assessor"], at["score_year"]) for at in given) == [
        ("internal_auditor", 2022), ("self", 2021), ("self", 2022),
    ]  # fmt: skip
