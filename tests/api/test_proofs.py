"""Proofs: kinds of evidence, and what 100 % and completion owe by an institution's policy."""

from typing import Any

import pytest

from tests.support.institution import Institution, Json

LINK = {"title": "SK", "url": "https://kpu.example/sk.pdf"}
DECREE, PHOTO = {**LINK, "kind": "decree"}, {**LINK, "kind": "photo"}
OWED: Json = {"evidence_for_completion": ["decree", "regulation"]}


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """QW-1 with two milestones."""
    plan = [{"title": title, "due_on": "2022-06-30"} for title in ("One", "Two")]
    await institution.initiative("QW-1", milestones=plan)
    return institution


async def decide(institution: Institution, status: int = 200, **policy: Any) -> Json:
    body = {"policy": policy, "reason": "Uji"}
    return await institution.expect(status, "PATCH", institution.path, body, if_match="*")


async def report(
    institution: Institution, percent: float, *evidence: Json, number: int = 1, status: int = 201
) -> Json:
    path = f"{institution.path}/initiatives/QW-1/milestones/{number}/updates"
    body = {"percent_complete": percent, "evidence": evidence}
    return await institution.expect(status, "POST", path, body, client=institution.reporter)


def places(told: Json) -> list[tuple[str, str]]:
    return [(at["pointer"], at["code"]) for at in told["errors"]]


async def test_kinds_are_the_institutions_own(planned: Institution) -> None:
    kinds = (await planned.expect(200, "GET", planned.path))["policy"]["evidence_kinds"]
    assert {"decree", "minutes", "photo", "link"} <= {kind["code"] for kind in kinds}
    told = await report(planned, 10, LINK, PHOTO)
    assert [(e["url"], e["kind"], e["file"]) for e in told["evidence"]] == [
        (LINK["url"], None, None), (LINK["url"], "photo", None),
    ]  # fmt: skip
    mine = {"code": "bast", "name": {"id": "Berita acara", "en": "Handover minutes"}}
    made = await decide(planned, evidence_kinds=[mine])
    assert made["policy"]["evidence_kinds"] == [mine]
    wrong = await report(planned, 20, LINK, PHOTO, status=422)
    assert places(wrong) == [("/evidence/1/kind", "unknown_evidence_kind")]
    await report(planned, 20, {**LINK, "kind": "bast"})
    # What was told under the old catalogue stays as it was told; the standard one comes back.
    assert (await planned.get("updates"))["items"][-1] == told
    assert (await decide(planned))["policy"]["evidence_kinds"] == kinds


@pytest.mark.parametrize(
    ("evidence", "place", "code"),
    [
        ({"title": "t"}, "/evidence/0", "value_error"),
        ({**LINK, "file": "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"}, "/evidence/0", "value_error"),
        ({**LINK, "kind": "Decree"}, "/evidence/0/kind", "string_pattern_mismatch"),
        ({"title": "t", "file": "sk.pdf"}, "/evidence/0/file", "uuid_parsing"),
    ],
)
async def test_evidence_that_is_none(
    planned: Institution, evidence: Json, place: str, code: str
) -> None:
    assert places(await report(planned, 10, evidence, status=422)) == [(place, code)]


@pytest.mark.parametrize(
    "policy",
    [
        {"evidence_for_completion": ["bast"]},
        {"evidence_kinds": [], "evidence_for_completion": ["decree"]},
        {"evidence_kinds": [{"code": "a", "name": {"id": "A", "en": "A"}}] * 2},
    ],
)
async def test_a_policy_names_kinds_that_are_there(planned: Institution, policy: Json) -> None:
    assert places(await decide(planned, 422, **policy)) == [("/policy", "value_error")]


async def test_a_hundred_percent_owes_a_document(planned: Institution) -> None:
    await report(planned, 100, number=2)  # as long as the policy asks for nothing
    await decide(planned, **OWED)
    for evidence in ((), (LINK,), (PHOTO, LINK)):
        told = await report(planned, 100, *evidence, status=422)
        assert (told["code"], places(told)) == ("evidence_owed", [("/evidence", "evidence_owed")])
    await report(planned, 99.99)
    await report(planned, 100, PHOTO, DECREE)
    item: Json = {"initiative": "QW-1", "milestone": 2, "percent_complete": 100}
    proven = {**item, "evidence": [{**LINK, "kind": "regulation"}]}
    batch = await planned.expect(
        207, "POST", f"{planned.path}/updates", {"items": [item, proven]}, client=planned.reporter
    )
    assert [each["status"] for each in batch["results"]] == [422, 201]
    assert batch["results"][0]["problem"]["errors"][0]["pointer"] == "/items/0/evidence"


async def test_completion_owes_a_document_that_stands(planned: Institution) -> None:
    """Plans that were done before the rule came show it too; a returned report shows nothing."""
    for number in (1, 2):
        await report(planned, 100, PHOTO, number=number)
    await decide(planned, **OWED)
    told = await planned.patch("initiatives/QW-1", {"status": "completed"}, 409)
    assert told["code"] == "completion_unproven"
    proven = await report(planned, 100, DECREE)
    await planned.verify(proven, "returned")
    await planned.patch("initiatives/QW-1", {"status": "completed"}, 409)
    await planned.verify(proven)
    done = await planned.patch("initiatives/QW-1", {"status": "completed"})
    assert done["status"] == "completed"
    # What is moved in as it stands is not asked for what it was done with elsewhere.
    await planned.initiative("QW-2", status="completed")
