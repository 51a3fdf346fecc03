"""Institutions are kept apart by the database itself, whatever the code above it does."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ForeignKeyConstraint, Table, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import Database
from app.distribution import unkept
from app.models import Base
from app.services import sessions
from app.services.sessions import Lifetime
from tests.conftest import CITUS
from tests.support.contract import CheckedTransport
from tests.support.institution import API, Institution
from tests.support.posts import PERIOD

TENANT = "institution_id"
ABOVE = {
    "api_token",
    "browser_session",
}  # an operator's has no institution, and then no person either
OPERATORS = [("calendar_feed", ["token_id"])]  # an operator's token, which is of no institution
REFERENCES = [
    (table, constraint)
    for table in Base.metadata.sorted_tables
    for constraint in sorted(
        table.foreign_key_constraints, key=lambda found: tuple(found.column_keys)
    )
    if TENANT in table.c
    and TENANT in constraint.referred_table.c
    and (table.name, constraint.column_keys) not in OPERATORS
]


def name_of(case: Any) -> str:
    return case.name if isinstance(case, Table) else "-".join(case.column_keys)


@pytest.mark.parametrize(("table", "constraint"), REFERENCES, ids=name_of)
def test_every_reference_names_its_institution(
    table: Table, constraint: ForeignKeyConstraint
) -> None:
    pairs = {element.parent.name: element.column.name for element in constraint.elements}
    assert pairs[TENANT] == TENANT
    assert not table.c[TENANT].nullable or table.name in ABOVE


async def fill(institution: Institution, prefix: str) -> None:
    """One row, at least, of whatever refers to something of the institution."""
    for code, parent in ((f"{prefix}1", None), (f"{prefix}2", None)):
        await institution.unit(code, parent)
    body = {"code": f"{prefix}-ani", "name": "Ani", "unit": f"{prefix}1"}
    await institution.post("people", body)
    await institution.post("grants", {"person": f"{prefix}-ani", "role": "viewer"})
    issued = await institution.post("tokens", {"person": f"{prefix}-ani", "name": "laptop"})
    lifetime = Lifetime(timedelta(hours=1), timedelta(hours=1))
    await institution.database.write(sessions.begin_with_token, issued["token"], lifetime)
    async with institution.client(issued["token"]) as ani:
        path = f"{institution.path}/calendars"
        await institution.expect(201, "POST", path, {"name": "Mine"}, client=ani)
    await institution.initiative(f"{prefix}-QW", f"{prefix}1", tags=["t"])
    await fill_purpose(institution, f"initiatives/{prefix}-QW")
    await institution.milestone(f"{prefix}-QW", "2022-03-01")
    await institution.report(f"{prefix}-QW", 1, 10, "2022-01-01")
    await institution.post(f"initiatives/{prefix}-QW/ratings", {"rating": "green", "reason": "r"})
    await institution.post(f"units/{prefix}1/ratings", {"rating": "green", "reason": "r"})
    tie = {"milestone": 1, "predecessor": f"{prefix}-QW", "predecessor_milestone": 2}
    await institution.milestone(f"{prefix}-QW", "2022-04-01")
    await institution.post(f"initiatives/{prefix}-QW/dependencies", tie)
    await institution.post(f"initiatives/{prefix}-QW/baselines", {"reason": "r"})
    template = {"code": prefix, "title": "T", "areas": ["oversight"]}
    await institution.post("templates", template)
    names = {"id": "n", "en": "n"}
    for noun in ("criteria", "team-roles"):
        await institution.post(noun, {"code": prefix, "name": names})
    decree = {"number": "1", "issued_on": "2022-01-17", "signer": "s", "title": "t"}
    await institution.post("decrees", {"code": prefix, **decree})
    await institution.initiative(f"{prefix}-idea", status="proposed", owners=[])
    scores = f"{institution.path}/initiatives/{prefix}-idea/scores"
    await institution.expect(200, "PUT", f"{scores}/{prefix}", {"score": 1})
    await institution.patch(f"initiatives/{prefix}-QW", {"decree": prefix})
    why = {"status": "cancelled", "reason": "r"}
    await institution.patch(f"initiatives/{prefix}-idea", why)
    verdict = {"verdict": "absent", "note": "n", "decree": prefix}
    await institution.post(f"initiatives/{prefix}-idea/verdicts", verdict)
    member = {"person": f"{prefix}-ani", "role": prefix, "year": 2022, "decree": prefix}
    await institution.post("appointments", member)
    await fill_programme(institution, prefix)
    first = await institution.post("reports", {"title": "First"})
    await institution.post("reports", {"title": "Second", "supersedes": first["id"]})
    webhook = await institution.post("webhooks", {"url": "https://hooks.invalid/"})
    await institution.post(f"webhooks/{webhook['id']}/test", {})
    path = f"{institution.path}/units/{prefix}2/merge"
    await institution.expect(200, "POST", path, {"into": f"{prefix}1"})


async def fill_purpose(institution: Institution, initiative: str) -> None:
    """What an initiative is for, an assessment, and an indicator with a period."""
    names = {"id": "Nama", "en": "Name"}
    led = {"code": institution.code, "name": names, "lead": institution.code, "from_year": 2022}
    await institution.expect(201, "POST", f"{API}/programmes", led)
    lift = {"instrument": "permenpan-26-2020", "component": "results", "points": 1}
    serves = {"level": "micro", "programme": institution.code, "expected_lift": [lift]}
    await institution.patch(initiative, serves)
    score = {"instrument": "permenpan-26-2020", "score_year": 2022, "assessor": "self", "score": 70}
    parts = {"scores": [{"component": "results", "score": 30}]}
    await institution.post("assessments", score | parts)
    await institution.post("indicators", {"code": "ikm", "name": names, "unit_of_measure": "%"})
    path = f"{institution.path}/indicators/ikm/values/2022"
    period = {"starts_on": "2022-01-01", "ends_on": "2022-12-31"}
    await institution.expect(201, "PUT", path, period)


async def fill_programme(institution: Institution, prefix: str) -> None:
    """The same of what stands around the plans."""
    initiative, code = f"initiatives/{prefix}-QW", prefix
    await institution.post("stages", {
        "code": code, "calendar": "c", "name": {"id": "n", "en": "n"}, "starts_on": "2022-01-01",
        "ends_on": "2022-12-31",
    })  # fmt: skip
    link = {"stage": code, "relation": "runs_during"}
    await institution.patch(initiative, {"stages": [link]})
    await institution.post(f"{initiative}/publications", {"title": "t"})
    copies = {"units": [f"{code}1"], "year": 2022, "code": "copy-{unit}"}
    await institution.post(f"templates/{code}/copies", copies)
    file = await institution.operator.post(
        f"{institution.path}/files?name=a.pdf", content=f"%PDF-1.7\n%{prefix}\n%%EOF\n".encode(),
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    updates = f"{initiative}/milestones/1/updates"
    report = {"percent_complete": 20, "evidence": [{"title": "t", "file": file.json()["id"]}]}
    returned = await institution.post(updates, report)
    verdict = {"verdict": "returned", "note": "n"}
    path = f"{institution.path}/{updates}/{returned['id']}/verification"
    await institution.expect(200, "POST", path, verdict, client=institution.verifier)
    await institution.post(updates, {"percent_complete": 20, "resubmits": returned["id"]})
    obstacle = {"title": "t", "owner": f"{code}-ani"}
    await institution.post("obstacles", {**obstacle, "unit": f"{code}1"})
    hindered = await institution.post("obstacles", {**obstacle, "initiative": f"{code}-QW"})
    above = {"to": institution.code, "reason": "r"}
    escalation = f"{institution.path}/obstacles/{hindered['id']}/escalation"
    await institution.expect(200, "POST", escalation, above)
    step = {"action": "a", "owner": f"{code}-ani"}
    await institution.post(f"obstacles/{hindered['id']}/follow-ups", step)
    quarter = {**PERIOD, "code": code}
    await institution.post("periods", quarter)
    await institution.expect(
        200, "POST", f"{institution.path}/periods/{code}/close", {"reason": "r"}
    )


async def test_no_row_can_be_made_to_refer_across(
    institution: Institution, database: Database, checked: CheckedTransport
) -> None:
    """Each reference of a row is turned to a row of another institution: the database refuses."""
    other = Institution(f"{institution.code}-b", institution.operator, checked)
    other.database = database
    await other.create()
    await fill(institution, "x")
    await fill(other, "y")
    mine, theirs = [
        UUID((await tenant.expect(200, "GET", tenant.path))["id"])
        for tenant in (institution, other)
    ]

    def steal(session: Session, table: Table, constraint: ForeignKeyConstraint) -> bool:
        own = table.c[TENANT] == mine
        columns = {e.parent: e.column for e in constraint.elements if e.parent.name != TENANT}
        given = [column.is_not(None) for column in columns]
        target = constraint.referred_table
        stolen = session.execute(
            select(*columns.values()).where(target.c[TENANT] == theirs).limit(1)
        ).one()
        row = session.execute(select(*table.primary_key.columns).where(own, *given).limit(1)).one()
        key = [c == v for c, v in zip(table.primary_key.columns, row, strict=True)]
        changed = dict(zip((c.name for c in columns), stolen, strict=True))
        with pytest.raises(IntegrityError, match=r"(?i)foreign key"), session.begin_nested():
            session.execute(update(table).where(*key).values(changed))
        return True

    held_by_nobody = set(unkept()) if CITUS else set()
    for table, constraint in REFERENCES:
        if (table, constraint.name) not in held_by_nobody:
            done = await database.write(steal, table, constraint)
            assert done, (table.name, constraint.column_keys)
    await other.close()
