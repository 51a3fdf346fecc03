"""The life of an initiative, step by step, and how lists filter what lives."""

from typing import Any

import pytest

from app.schemas.fields import InitiativeStatus
from app.services.lifecycle import NEXT
from tests.support.institution import Institution

PLAN = [{"title": "M", "due_on": "2022-06-30"}]
STEPS = {
    ("proposed", "shortlisted"), ("proposed", "active"), ("proposed", "cancelled"),
    ("shortlisted", "proposed"), ("shortlisted", "active"), ("shortlisted", "cancelled"),
    ("active", "on_hold"), ("active", "completed"), ("active", "cancelled"),
    ("on_hold", "active"), ("on_hold", "completed"), ("on_hold", "cancelled"),
    ("completed", "active"), ("completed", "cancelled"),
    ("cancelled", "proposed"), ("cancelled", "active"),
}  # fmt: skip


def test_the_published_steps_are_these() -> None:
    assert {(str(a), str(b)) for a, following in NEXT.items() for b in following} == STEPS


@pytest.mark.parametrize("before", [str(status) for status in InitiativeStatus])
async def test_every_step(institution: Institution, before: str) -> None:
    for i, after in enumerate(map(str, InitiativeStatus)):
        code = f"QW-{i}"
        start = "active" if before == "completed" else before
        await institution.initiative(code, status=start, milestones=PLAN)
        if start != "cancelled":
            await institution.report(code, 1, 100, "2022-06-01")
        if before == "completed":
            await institution.patch(f"initiatives/{code}", {"status": "completed"})
        allowed = (before, after) in STEPS or before == after
        body = {"status": after, "reason": "Alasan"}
        told = await institution.patch(f"initiatives/{code}", body, status=200 if allowed else 409)
        assert told.get("code") == (code if allowed else "status_conflict")
        left = (await institution.get(f"initiatives/{code}"))["status"]
        assert left == (after if allowed else before)


@pytest.mark.parametrize(("before", "after"), [("active", "cancelled"), ("cancelled", "active")])
async def test_some_steps_owe_a_reason(institution: Institution, before: str, after: str) -> None:
    await institution.initiative("QW-1", status=before)
    told = await institution.patch("initiatives/QW-1", {"status": after}, status=422)
    assert (told["errors"][0]["pointer"], told["errors"][0]["code"]) == ("/reason", "reason_owed")
    await institution.patch("initiatives/QW-1", {"status": after, "reason": "Anggaran"})
    event = (await institution.get("events", limit=200))["items"][-1]
    assert event["data"] == {"status": after, "reason": "Anggaran"}


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_what_is_created_as_cancelled_owes_a_reason(
    institution: Institution, method: str
) -> None:
    path = f"{institution.path}/initiatives" + ("/QW-1" if method == "PUT" else "")
    new = {
        "code": "QW-1",
        "title": "T",
        "unit": institution.code,
        "year": 2022,
        "status": "cancelled",
    }
    told = await institution.expect(422, method, path, new)
    assert [(at["pointer"], at["code"]) for at in told["errors"]] == [("/reason", "reason_owed")]
    made = await institution.expect(201, method, path, {**new, "reason": "Anggaran"})
    assert (made["status"], made["cancelled_on"] is None) == ("cancelled", False)
    event = (await institution.get("events", limit=200))["items"][-1]
    assert (event["type"], event["data"]["reason"]) == ("initiative.created", "Anggaran")


async def test_completed_needs_every_live_milestone_done(institution: Institution) -> None:
    plan = [*PLAN, {"title": "N", "due_on": "2022-07-31"}]
    await institution.initiative("QW-1", milestones=plan)
    await institution.report("QW-1", 1, 100, "2022-06-01")
    told = await institution.patch("initiatives/QW-1", {"status": "completed"}, status=409)
    assert told["code"] == "status_conflict"
    dropped = {"status": "dropped", "reason": "Digabung"}
    await institution.patch("initiatives/QW-1/milestones/2", dropped)
    done = await institution.patch("initiatives/QW-1", {"status": "completed"})
    assert (done["status"], done["percent_complete"]) == ("completed", 100.0)
    await institution.initiative("QW-2")
    await institution.patch("initiatives/QW-2", {"status": "completed"}, status=409)


async def test_active_needs_one_accountable_owner(institution: Institution) -> None:
    await institution.initiative("QW-1", status="proposed", owners=[])
    told = await institution.patch("initiatives/QW-1", {"status": "active"}, status=409)
    assert told["code"] == "status_conflict"
    two = [{"person": who, "role": "accountable"} for who in ("reporter", "verifier")]
    body = {"status": "active", "owners": two}
    told = await institution.patch("initiatives/QW-1", body, status=422)
    assert told["errors"][0]["code"] == "two_accountable_owners"
    await institution.patch("initiatives/QW-1", {**body, "owners": two[:1]})
    told = await institution.patch("initiatives/QW-1", {"owners": []}, status=422)
    assert told["errors"][0]["code"] == "accountable_owner_missing"


async def test_only_some_count_in_the_rollup(institution: Institution) -> None:
    for status, counted in (
        ("proposed", 0), ("shortlisted", 0), ("cancelled", 0), ("active", 1), ("on_hold", 2),
    ):  # fmt: skip
        await institution.initiative(f"QW-{status}", status=status, milestones=PLAN)
        assert (await institution.rollup())["initiatives"]["total"] == counted
    await institution.patch("initiatives/QW-active", {"status": "cancelled", "reason": "x"})
    assert (await institution.rollup())["initiatives"] == {
        "total": 1, "active": 0, "on_hold": 1, "completed": 0, "unmeasured": 0,
    }  # fmt: skip


@pytest.fixture(scope="module")
async def portfolio(shared: Institution) -> Institution:
    """Four initiatives that differ in every filter."""
    for unit, parent in (("32", None), ("32.73", "32"), ("33", None)):
        await shared.unit(unit, parent)
    verifier = [{"person": "verifier", "role": "accountable"}]
    await shared.initiative(
        "A", "32", tags=["x", "y"], due_on="2022-06-30", milestones=PLAN, kind="action_plan"
    )
    await shared.initiative("B", "32.73", tags=["y"], year=2023, owners=verifier)
    await shared.initiative(
        "C", "33", areas=["oversight", "accountability"], status="on_hold", due_on="2022-07-01"
    )
    await shared.initiative("D", "33", areas=[], status="proposed", title="Layanan 50%")
    return shared


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"unit": "32"}, "AB"),
        ({"unit": "32", "subtree": False}, "A"),
        ({"unit": ["32.73", "33"]}, "BCD"),
        ({"area": "accountability"}, "ABC"),
        ({"area": ["oversight", "OVERSIGHT"]}, "C"),
        ({"year": [2022, 2023]}, "ABCD"),
        ({"year": 2023}, "B"),
        ({"status": ["on_hold", "proposed"]}, "CD"),
        ({"kind": "action_plan"}, "A"),
        ({"origin": "mandated"}, ""),
        ({"health": "off_track"}, "A"),
        ({"health": "not_measurable"}, "BCD"),
        ({"owner": "VERIFIER"}, "B"),
        ({"owner": ["verifier", "reporter"]}, "ABCD"),
        ({"tag": "y"}, "AB"),
        ({"tag": ["x", "y"], "year": 2022}, "A"),
        ({"overdue": True}, "A"),
        ({"overdue": False}, "BCD"),
        ({"due_before": "2022-07-01"}, "A"),
        ({"due_after": "2022-06-30"}, "C"),
        ({"due_after": "2022-06-29", "due_before": "2022-07-02"}, "AC"),
        ({"updated_since": "2000-01-01T00:00:00Z", "unit": "33"}, "CD"),
        ({"updated_since": "2199-01-01T00:00:00Z"}, ""),
        ({"q": "50%"}, "D"),
        ({"q": "layanan"}, "D"),
        ({"area": "accountability", "unit": "33", "status": "on_hold"}, "C"),
        ({"unit": "nowhere"}, ""),
    ],
)
async def test_filters_join(portfolio: Institution, asked: dict[str, Any], expected: str) -> None:
    found = await portfolio.get("initiatives", **asked, include_total=True)
    assert "".join(item["code"] for item in found["items"]) == expected
    assert found["total"] == len(expected)
