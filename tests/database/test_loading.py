"""The bulk form of the verbs makes what the single verbs make, and refuses what they refuse."""

from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import text

from app.db import Database
from app.demo import compose
from app.demo.stages import calendar, links
from app.errors import Invalid
from app.schemas.fields import InitiativeStatus, Verdict
from app.schemas.plans import Plan, PlannedReport
from app.schemas.updates import NewUpdate
from app.services import access, loading, rollups
from app.services.actors import SYSTEM
from tests.conftest import CITUS
from tests.support.institution import Institution

TWICE = (("reporter", "accountable"), ("Reporter", "supporting"))
DAYS = ("2022-06-30", "2022-12-31", "2023-08-15", "2024-12-31")


def small(plan: Plan) -> Plan:
    """The plan in the institution of a test: one unit, two people."""
    roles = [
        o.model_copy(update={"person": p})
        for o, p in zip(plan.initiative.owners, ("reporter", "verifier"), strict=False)
    ]
    reports = [
        report._replace(reporter="reporter", verifier="verifier" if report.verdict else None)
        for report in plan.reports
    ]
    return plan._replace(
        initiative=plan.initiative.model_copy(
            update={"unit": "A1", "owners": roles, "stages": [], "decree": None}
        ),
        reports=reports,
    )


@pytest.fixture
def plans() -> list[Plan]:
    """Plans of every state."""
    return [small(plan) for plan in islice(compose.plans(300), 0, 300, 24)]


async def one_by_one(institution: Institution, plan: Plan) -> None:
    """The same plan through the API."""
    new = plan.initiative.model_dump(mode="json", exclude={"milestones"})
    milestones = [m.model_dump(mode="json") for m in plan.initiative.milestones or ()]
    begins = {InitiativeStatus.CANCELLED: InitiativeStatus.ACTIVE}.get(
        plan.initiative.status or InitiativeStatus.PROPOSED, plan.initiative.status
    )
    cancelled_on = new.pop("cancelled_on")
    made = {**new, "status": begins, "milestones": milestones}
    if begins is InitiativeStatus.ACTIVE and not plan.initiative.owners:
        made["status"] = "proposed"
    await institution.post("initiatives", made)
    code = plan.initiative.code
    for report in plan.reports:
        path = f"{institution.path}/initiatives/{code}/milestones/{report.milestone}/updates"
        body = report.update.model_dump(mode="json")
        told = await institution.expect(201, "POST", path, body, client=institution.reporter)
        if report.verdict:
            await institution.verify(told, report.verdict, report.verdict_note or "seen")
    for number, reason in plan.drops.items():
        change = {"status": "dropped", "reason": reason}
        await institution.patch(f"initiatives/{code}/milestones/{number}", change)
    if plan.initiative.status is InitiativeStatus.CANCELLED:
        await institution.patch(
            f"initiatives/{code}",
            {"status": "cancelled", "reason": "No budget", "cancelled_on": cancelled_on},
        )


async def told(institution: Institution) -> Any:
    """All that an institution tells of its initiatives and numbers, without ids and instants."""
    volatile = {"id", "institution", "created_at", "updated_at", "last_reported_at", "version", "reported_at",
                "verified_at", "plan"}  # fmt: skip
    listed = (await institution.get("initiatives", limit=200))["items"]
    found: list[Any] = []
    for item in listed:
        one = await institution.get(f"initiatives/{item['code']}")
        found += [
            {k: v for k, v in part.items() if k not in volatile} for part in (one, *one["plan"])
        ]
    reports = (await institution.get("updates", limit=200))["items"]
    found.append(sorted((r["initiative"], r["milestone"], r["percent_complete"], r["effective_on"],
                         r["previous_percent"], r["verification"]) for r in reports))  # fmt: skip
    for day in DAYS:
        for part in ("", "/areas"):
            rollup = await institution.rollup("A", part, as_of=day)
            rows = rollup.get("items", [rollup])
            found += [{k: v for k, v in row.items() if k not in volatile} for row in rows]
    return found


async def test_bulk_equals_single(
    institution: Institution, database: Database, plans: list[Plan]
) -> None:
    other = Institution(f"{institution.code}-b", institution.operator, institution._transport)  # noqa: SLF001
    await other.create()
    for each in (institution, other):
        await each.unit("A")
        await each.unit("A1", "A")
        known = calendar().model_dump(mode="json")
        await each.expect(200, "POST", f"{each.path}/stages/standard", known)
    for i, plan in enumerate(plans):
        linked = {"stages": links(i, plan.initiative.year)}
        plans[i] = plan._replace(initiative=plan.initiative.model_copy(update=linked))
    loaded = await database.write(loading.add_plans, SYSTEM, other.code, plans)
    assert loaded.initiatives == len(plans)
    for plan in plans:
        await one_by_one(institution, plan)
    assert await told(institution) == await told(other)
    for each in (institution, other):
        findings = await database.read(rollups.audit, SYSTEM, each.code, lambda _d, _t: None)
        assert not findings.differences
        assert not findings.derived
    await other.close()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"unit": "nowhere"}, "unknown_unit"),
        ({"areas": ["gardening"]}, "unknown_area"),
        ({"owners": []}, "accountable_owner_missing"),
        ({"owners": [{"person": p, "role": r} for p, r in TWICE]}, "repeated_owner"),
        ({"milestones": [{"title": "M", "due_on": "2022-06-30", "number": 7}] * 2}, "number_taken"),
        ({"start_on": "2022-06-02", "due_on": "2022-06-01"}, "due_before_start"),
        ({"code": "QW-TAKEN"}, "code_taken"),
    ],
)
async def test_bulk_refuses_what_single_refuses(
    institution: Institution,
    database: Database,
    plans: list[Plan],
    change: dict[str, Any],
    code: str,
) -> None:
    await institution.unit("A")
    await institution.unit("A1", "A")
    await institution.initiative("QW-TAKEN", "A")
    plan = next(p for p in plans if p.initiative.status is InitiativeStatus.ACTIVE)
    broken = plan.initiative.model_validate(plan.initiative.model_dump() | change)
    before = (await institution.rollup())["version"]
    batch = [plans[0], plan._replace(initiative=broken)]
    with pytest.raises(Invalid) as refused:
        await database.write(loading.add_plans, SYSTEM, institution.code, batch)
    assert refused.value.errors[0].code == code
    assert (await institution.rollup())["version"] == before
    assert (await institution.get("initiatives"))["items"][0]["code"] == "QW-TAKEN"


NUMBERED = [
    {"title": "M", "due_on": "2022-06-30", "number": number} for number in (5, None, 2, None)
]
UPDATE = NewUpdate(percent_complete=Decimal(40), effective_on=date(2022, 6, 1))


def numbered(plan: Plan, *reports: PlannedReport, **drops: Any) -> Plan:
    """The plan with four numbered milestones and these reports."""
    new = plan.initiative.model_validate(plan.initiative.model_dump() | {"milestones": NUMBERED})
    return plan._replace(initiative=new, reports=list(reports), drops=drops.get("drops", {}))


async def test_bulk_keeps_the_numbers_of_a_plan(
    institution: Institution, database: Database, plans: list[Plan]
) -> None:
    await institution.unit("A1")
    plan = numbered(plans[0], PlannedReport(6, UPDATE, "reporter"), drops={2: "Not needed"})
    await database.write(loading.add_plans, SYSTEM, institution.code, [plan])
    one = await institution.get(f"initiatives/{plan.initiative.code}")
    told = {row["number"]: (row["percent_complete"], row["status"]) for row in one["plan"]}
    assert told == {
        2: (0.0, "dropped"), 5: (0.0, "pending"), 6: (40.0, "in_progress"), 7: (0.0, "pending"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("report", "drops", "code"),
    [
        (PlannedReport(4, UPDATE, "reporter"), {}, "unknown_milestone"),
        (PlannedReport(5, UPDATE, "reporter"), {3: "Not needed"}, "unknown_milestone"),
        (PlannedReport(5, UPDATE, "reporter", Verdict.VERIFIED, "REPORTER"), {}, "own_report"),
        (
            PlannedReport(5, UPDATE, "reporter", Verdict.RETURNED, "verifier", " \t"),
            {},
            "note_owed",
        ),
        (PlannedReport(5, UPDATE, "nobody"), {}, "unknown_person"),
        (
            PlannedReport(5, UPDATE.model_copy(update={"effective_on": date.max}), "reporter"),
            {},
            "in_future",
        ),
    ],
)
async def test_bulk_refuses_reports_that_single_refuses(
    institution: Institution,
    database: Database,
    plans: list[Plan],
    report: PlannedReport,
    drops: dict[int, str],
    code: str,
) -> None:
    await institution.unit("A1")
    plan = numbered(plans[0], report, drops=drops)
    with pytest.raises(Invalid) as refused:
        await database.write(loading.add_plans, SYSTEM, institution.code, [plan])
    assert refused.value.errors[0].code == code
    assert (await institution.get("initiatives"))["items"] == []


async def test_damage_is_found_and_mended(
    institution: Institution, database: Database, plans: list[Plan]
) -> None:
    """One damaged row of each kind: found by name, mended while others write."""
    await institution.unit("A")
    await institution.unit("A1", "A")
    await database.write(loading.add_plans, SYSTEM, institution.code, plans)
    before = await told(institution)

    def damage(session: Any) -> None:
        scope = access.institution(session, SYSTEM, institution.code)
        run = session.connection().exec_driver_sql
        key = scope.id.hex if database.is_sqlite else str(scope.id)
        for table, column in (("rollup_total", "bac"), ("rollup_period", "earned")):
            run(f"UPDATE {table} SET {column} = {column} + 7 WHERE institution_id = '{key}'")
        run(f"DELETE FROM rollup_total WHERE institution_id = '{key}' AND year = 2023")
        run(f"UPDATE initiative SET earned = earned + 1 WHERE institution_id = '{key}'")
        run(
            f"UPDATE milestone SET share = share + 1, percent = 1 WHERE institution_id = '{key}' AND number = 1"
        )

    await database.write(damage)
    findings = await database.read(rollups.audit, SYSTEM, institution.code, lambda _d, _t: None)
    assert findings.differences
    assert findings.derived
    assert "bac" in str(findings.differences[0])
    await database.write(rollups.mend, SYSTEM, institution.code, findings)
    again = await database.read(rollups.audit, SYSTEM, institution.code, lambda _d, _t: None)
    assert not again.differences
    assert not again.derived
    assert await told(institution) == before


async def test_a_table_is_analyzed_as_a_transaction_fills_it(
    institution: Institution, database: Database, plans: list[Plan]
) -> None:
    """Else each foreign key to a new row would be looked for as in a table with no rows."""
    bare = plans[0].initiative.model_copy(update={"milestones": (), "owners": ()})
    await institution.unit("A")
    await institution.unit("A1", "A")

    def fill(session: Any) -> int:
        for part in range(5):
            some = [
                Plan(bare.model_copy(update={"code": f"N-{part}-{i}", "status": None}), [], {})
                for i in range(250)
            ]
            loading.add_plans(session, SYSTEM, institution.code, some)
        rows = "SELECT reltuples FROM pg_class WHERE oid = 'initiative'::regclass"
        if CITUS:  # of each part, where that lies
            of_part = rows.replace("'initiative'", "''%s''")
            told = f"run_command_on_shards('initiative', '{of_part}')"
            rows = f"SELECT max(result::float) FROM {told}"
        return 1_250 if database.is_sqlite else session.execute(text(rows)).scalar_one()

    assert await database.write(fill) >= 1_000
