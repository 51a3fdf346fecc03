"""Choosing: criteria, scores side by side, candidates by rank, and the decrees that decide."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.db import Database
from app.schemas import criteria as wire
from app.services import rollups
from app.services.actors import SYSTEM
from tests.api.test_bad_state import alone, sequence, told
from tests.api.test_query_counts import statements
from tests.support.institution import Institution, Json
from tests.support.sheets import imported, table
from tests.support.sheets import told as imported_faults

ZONE = ZoneInfo("Asia/Jakarta")  # the default time zone of an institution
OWNERS = [{"person": "reporter", "role": "accountable"}]
DECREE = {
    "code": "SK-17", "number": "17/2022", "issued_on": "2022-01-17",
    "signer": "Sekretaris Jenderal", "title": "Penetapan quick wins",
}  # fmt: skip


def names(text: str) -> Json:
    return {"id": f"{text} (id)", "en": text}


@pytest.fixture
async def choosing(institution: Institution) -> Institution:
    """Units A ─ A1 and B, two criteria (3 × of 5, 1 × of 10), a proposal in each unit."""
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(unit, parent)
    for code, weight, highest in (("leverage", 3, 5), ("visible", 1, 10)):
        body = {"code": code, "name": names(code), "weight": weight, "highest_score": highest}
        await institution.post("criteria", body)
    for unit in ("A", "A1", "B"):
        await institution.initiative(f"QW-{unit}", unit, status="proposed", owners=[])
    return institution


async def score(
    institution: Institution, code: str, client: httpx.AsyncClient | None = None, **given: int
) -> None:
    for criterion, points in given.items():
        path = f"{institution.path}/initiatives/{code}/scores/{criterion}"
        await institution.expect(200, "PUT", path, {"score": points}, client=client)


async def ranked(institution: Institution, **asked: Any) -> list[tuple[str, Any, Any]]:
    items = (await institution.get("candidates", **asked))["items"]
    return [(item["code"], item["rank"], item["weighted_score"]) for item in items]


async def test_criteria_live_and_retire(choosing: Institution) -> None:
    before = await sequence(choosing)
    body = {"code": "benefit", "name": names("Benefit"), "reason": "Rapat tim"}
    made = await choosing.post("criteria", body)
    assert made == made | {
        "code": "benefit", "weight": 1, "highest_score": 5, "description": None,
        "retired_at": None, "version": 1,
    }  # fmt: skip
    taken = await choosing.expect(
        409, "POST", f"{choosing.path}/criteria", {**body, "code": "BENEFIT"}
    )
    assert told(taken) == alone("code_taken")
    changes = {"weight": 2, "description": "Dalam 12 bulan", "name": names("Soon")}
    changed = await choosing.patch("criteria/Benefit", changes)
    assert changed == changed | changes | {"version": 2}
    retired = await choosing.patch("criteria/benefit", {"retired": True})
    again = await choosing.patch("criteria/benefit", {"retired": True})
    assert retired["retired_at"] == again["retired_at"] is not None
    for asked, codes in (
        ({}, ["benefit", "leverage", "visible"]), ({"retired": True}, ["benefit"]),
        ({"retired": False}, ["leverage", "visible"]),
        ({"updated_since": retired["updated_at"]}, ["benefit"]),
    ):  # fmt: skip
        listed = (await choosing.get("criteria", **asked))["items"]
        assert [item["code"] for item in listed] == codes
    assert (await choosing.patch("criteria/benefit", {"retired": False}))["retired_at"] is None
    await choosing.delete("criteria/benefit")
    assert (await choosing.delete("criteria/benefit", 404))["code"] == "not_found"
    events = (await choosing.get("events", after=before))["items"]
    assert [event["type"].removeprefix("criterion.") for event in events] == [
        "created", *["changed"] * 4, "deleted",
    ]  # fmt: skip
    assert {event["subject"] for event in events} == {"criteria/benefit"}
    assert events[0]["data"]["reason"] == "Rapat tim"
    assert events[1]["changes"]["weight"] == {"before": 1, "after": 2}


async def test_what_is_scored_stays(choosing: Institution) -> None:
    await score(choosing, "QW-A", leverage=4)
    for path, body in (("criteria/leverage", None), ("criteria/leverage", {"highest_score": 3})):
        method = "DELETE" if body is None else "PATCH"
        refused = await choosing.expect(409, method, f"{choosing.path}/{path}", body, if_match="*")
        assert told(refused) == alone("in_use")
    await choosing.patch("criteria/leverage", {"highest_score": 4})
    # A deleted initiative that may come back needs its criteria too.
    await choosing.delete("initiatives/QW-A")
    assert (await choosing.delete("criteria/leverage", 409))["code"] == "in_use"
    deletion = (await choosing.get("deletions"))["items"][0]["id"]
    await choosing.post(f"deletions/{deletion}/restoration", {})
    sheet = await choosing.get("initiatives/QW-A/scores")
    assert [item["mean"] for item in sheet["criteria"]] == [4, None]


async def test_only_so_many_criteria_are_in_use(
    choosing: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MOST_CRITERIA", 3)
    await choosing.post("criteria", {"code": "third", "name": names("Third")})
    new = {"code": "more", "name": names("More")}
    refused = await choosing.expect(409, "POST", f"{choosing.path}/criteria", new)
    assert told(refused) == alone("conflict")
    await choosing.patch("criteria/third", {"retired": True})
    await choosing.post("criteria", new)
    assert (await choosing.patch("criteria/third", {"retired": False}, 409))["code"] == "conflict"


async def test_scores_stand_side_by_side(choosing: Institution) -> None:
    planner = await choosing.person("planner", "planner", "A")
    before = await sequence(choosing)
    path = f"{choosing.path}/initiatives/QW-A/scores"
    given = {"score": 5, "note": "Sangat terlihat"}
    made = await choosing.expect(200, "PUT", f"{path}/LEVERAGE", given, client=planner)
    assert made == given | {"scorer": "planner", "scored_at": made["scored_at"]}
    again = await choosing.expect(200, "PUT", f"{path}/leverage", given, client=planner)
    assert again == made
    await score(choosing, "QW-A", choosing.verifier, leverage=2, visible=10)
    await score(choosing, "QW-A", choosing.verifier, leverage=3)
    sheet = await choosing.expect(200, "GET", path, client=planner)
    assert sheet["initiative"] == "QW-A"
    assert sheet["weighted_score"] == 85.0  # (3 × 4/5 + 1 × 10/10) ÷ 4
    leverage, visible = sheet["criteria"]
    assert leverage == leverage | {
        "criterion": "leverage", "name": names("leverage"), "weight": 3, "highest_score": 5,
        "mean": 4.0, "lowest": 3, "highest": 5, "scorers": 2, "retired": False,
    }  # fmt: skip
    assert [(each["scorer"], each["score"], each["note"]) for each in leverage["scores"]] == [
        ("planner", 5, "Sangat terlihat"), ("verifier", 3, None),
    ]  # fmt: skip
    assert [each["score"] for each in visible["scores"]] == [10]
    events = (await choosing.get("events", after=before, subject="QW-A"))["items"]
    assert [(e["type"], e["subject"], e["actor"]) for e in events] == [
        ("initiative.scored", "QW-A/scores/leverage", "planner"),
        ("initiative.scored", "QW-A/scores/leverage", "verifier"),
        ("initiative.scored", "QW-A/scores/visible", "verifier"),
        ("initiative.scored", "QW-A/scores/leverage", "verifier"),
    ]  # fmt: skip
    assert events[-1]["changes"] == {"score": {"before": 2, "after": 3}}
    await choosing.expect(204, "DELETE", f"{path}/visible", client=choosing.verifier)
    await choosing.expect(404, "DELETE", f"{path}/visible", client=choosing.verifier)
    sheet = await choosing.get("initiatives/QW-A/scores")
    assert (sheet["weighted_score"], sheet["criteria"][1]["mean"]) == (None, None)
    assert (sheet["criteria"][1]["scorers"], sheet["criteria"][1]["scores"]) == (0, [])


async def test_who_scores_where(choosing: Institution) -> None:
    planner = await choosing.person("planner", "planner", "A")
    viewer = await choosing.person("viewer", "viewer", "A")
    own, hidden = (f"{choosing.path}/initiatives/QW-{unit}/scores" for unit in ("A1", "B"))
    for client, path, status in (
        (planner, own, 200), (viewer, own, 403), (choosing.reporter, own, 403),
        (planner, hidden, 404), (choosing.verifier, hidden, 200),
    ):  # fmt: skip
        await choosing.expect(status, "PUT", f"{path}/leverage", {"score": 1}, client=client)
    await choosing.expect(200, "GET", own, client=viewer)
    await choosing.expect(404, "GET", hidden, client=viewer)
    seen = await choosing.expect(200, "GET", f"{choosing.path}/candidates", client=viewer)
    assert [item["code"] for item in seen["items"]] == ["QW-A", "QW-A1"]
    # Who has scored has left a trace.
    await choosing.delete(
        "grants/" + (await choosing.get("grants", person="planner"))["items"][0]["id"]
    )
    assert (await choosing.delete("people/planner", 409))["code"] == "in_use"


async def test_candidates_are_ranked(choosing: Institution) -> None:
    assert await ranked(choosing) == [(f"QW-{unit}", None, None) for unit in ("A", "A1", "B")]
    await choosing.initiative("QW-C", "B", status="shortlisted", owners=[], year=2023)
    await choosing.initiative("QW-D", "B")
    await score(choosing, "QW-A", leverage=3, visible=3)
    await score(choosing, "QW-A", choosing.verifier, leverage=4, visible=4)
    await score(choosing, "QW-A1", leverage=5)
    await score(choosing, "QW-B", leverage=0, visible=0)
    await score(choosing, "QW-C", leverage=0, visible=0)
    first, last = 61.25, 0.0  # (3 × 3.5/5 + 1 × 3.5/10) ÷ 4
    whole = [("QW-A", 1, first), ("QW-B", 2, last), ("QW-C", 2, last), ("QW-A1", None, None)]
    assert await ranked(choosing) == whole
    for asked, expected in (
        ({"unit": "B"}, [("QW-B", 1, last), ("QW-C", 1, last)]),
        ({"unit": "A", "subtree": False}, [("QW-A", 1, first)]),
        ({"year": 2023}, [("QW-C", 1, last)]),
        ({"status": "shortlisted"}, [("QW-C", 1, last)]),
        ({"area": "oversight"}, []),
        ({"area": "accountability", "q": "qw-a1"}, [("QW-A1", None, None)]),
        ({"owner": "reporter"}, []),
        ({"kind": "innovation"}, []),
        ({"sort": "-weighted_score"}, whole),
        ({"sort": "-code"}, [whole[2], whole[1], whole[3], whole[0]]),
    ):
        assert await ranked(choosing, **asked) == expected, asked
    paged: list[tuple[str, Any, Any]] = []
    cursor: Json = {}
    while True:
        page = await choosing.get("candidates", limit=1, include_total=True, **cursor)
        paged += [(item["code"], item["rank"], item["weighted_score"]) for item in page["items"]]
        assert page["total"] == 4
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == whole
    (best, *_) = (await choosing.get("candidates"))["items"]
    assert [(c["criterion"], c["mean"], c["lowest"], c["highest"], c["scorers"]) for c in best["criteria"]] == [
        ("leverage", 3.5, 3, 4, 2), ("visible", 3.5, 3, 4, 2),
    ]  # fmt: skip
    # What is retired counts no more, and weights count at once.
    await choosing.patch("criteria/visible", {"retired": True})
    assert await ranked(choosing) == [
        ("QW-A1", 1, 100.0), ("QW-A", 2, 70.0), ("QW-B", 3, 0.0), ("QW-C", 3, 0.0),
    ]  # fmt: skip
    sheet = await choosing.get("initiatives/QW-A/scores")
    assert [(c["criterion"], c["retired"], c["scorers"]) for c in sheet["criteria"]] == [
        ("leverage", False, 2), ("visible", True, 2),
    ]  # fmt: skip


async def designate(
    institution: Institution, codes: list[str], status: int = 207, **more: Any
) -> Json:
    items = [{"initiative": code, "owners": OWNERS} for code in codes]
    path = f"{institution.path}/decrees/SK-17/designations"
    return await institution.expect(status, "POST", path, {"items": items, **more})


async def test_a_decree_designates_many(choosing: Institution, database: Database) -> None:
    """Each as the single change would: event, baseline, roll-up; others are refused alone."""
    await choosing.post("decrees", DECREE)
    plan = [{"title": "M", "due_on": "2022-06-30"}, {"title": "N", "due_on": "2022-09-30"}]
    for code in ("QW-C", "QW-D"):
        await choosing.initiative(
            code, "B", status="shortlisted", owners=[], milestones=plan, weight=3
        )
    for code in ("over", "gone"):
        await choosing.initiative(code, "A", status="cancelled")
    single = {"status": "active", "decree": "SK-17", "owners": OWNERS, "reason": "Rapat"}
    before = await sequence(choosing)
    await choosing.patch("initiatives/QW-D", single)
    (alike,) = (await choosing.get("events", after=before))["items"]
    before += 1
    items: list[Any] = [
        {"initiative": "qw-c", "owners": OWNERS}, {"initiative": "QW-A"},
        {"initiative": "nowhere"}, {"initiative": "over", "reason": "Dibuka lagi"},
        {"initiative": "QW-C"}, {"initiative": "QW-A1", "owners": [{**OWNERS[0], "person": "nobody"}]},
        {"initiative": "QW-D", "owners": OWNERS}, {"initiative": "QW-B", "weight": 2}, 7,
        {"initiative": "QW-A1", "owners": [{**OWNERS[0], "role": "supporting"}]},
    ]  # fmt: skip
    path = f"{choosing.path}/decrees/SK-17/designations"
    made = await choosing.expect(207, "POST", path, {"items": items, "reason": "Rapat"})
    assert made["summary"] == {"designated": 2, "unchanged": 1, "failed": 7}
    assert [
        (r["status"], r["problem"]["code"], *(at["pointer"] for at in r["problem"].get("errors", ())))
        for r in made["results"]
        if r["status"] != 200
    ] == [
        (409, "status_conflict"), (404, "not_found"), (422, "invalid", "/items/4/initiative"),
        (422, "invalid", "/items/5/owners/0/person"), (422, "invalid", "/items/7/weight"),
        (422, "invalid", "/items/8"), (422, "invalid", "/items/9/initiative"),
    ]  # fmt: skip
    first, reopened, same = (r for r in made["results"] if r["status"] == 200)
    assert first == {
        "index": 0, "status": 200, "initiative": "QW-C", "designated_on": "2022-01-17",
        "baseline": 1, "version": 2, "changed": True,
    }  # fmt: skip
    assert (reopened["initiative"], reopened["changed"], same["changed"]) == ("over", True, False)
    events = (await choosing.get("events", after=before))["items"]
    assert [(e["type"], e["subject"], e["data"]["reason"]) for e in events] == [
        ("initiative.changed", "QW-C", "Rapat"), ("initiative.changed", "over", "Dibuka lagi"),
    ]  # fmt: skip
    assert (events[0]["data"], events[0]["changes"]) == (alike["data"], alike["changes"])
    one, other = [await choosing.get(f"initiatives/{code}") for code in ("QW-C", "QW-D")]
    differing = {"id", "code", "plan", "created_at", "updated_at", "title"}
    assert {k: v for k, v in one.items() if k not in differing} == {
        k: v for k, v in other.items() if k not in differing
    }
    listed = (await choosing.get("initiatives", decree="SK-17"))["items"]
    assert {each["code"] for each in listed} == {"QW-C", "QW-D", "over"}
    assert (await choosing.rollup())["milestones"]["total"] == 4
    audited = await database.read(rollups.audit, SYSTEM, choosing.code, lambda _done, _all: None)
    assert (audited.differences, audited.derived) == ([], [])
    # All or none, and sent again.
    refused = await designate(choosing, ["QW-A", "over", "gone"], 422, atomic=True)
    assert [at["pointer"] for at in refused["errors"]] == ["/items/2/reason"]
    future = {"designated_on": str(datetime.now(ZONE).date() + timedelta(days=2))}
    refused = await designate(choosing, ["QW-A"], 422, **future)
    assert refused["errors"][0]["pointer"] == "/designated_on"
    assert await sequence(choosing) == before + 2
    for changed in (True, False):
        made = await designate(choosing, ["QW-A", "QW-A1"], 200, atomic=True)
        assert [r["changed"] for r in made["results"]] == [changed, changed]
    # Another day, by the same decree; who is told it must see it, and may change it there.
    made = await designate(choosing, ["QW-A"], designated_on="2022-02-01")
    assert made["results"][0]["designated_on"] == "2022-02-01"
    planner = await choosing.person("planner", "planner", "A")
    asked = {"items": [{"initiative": f"QW-{unit}"} for unit in ("A", "B")]}
    made = await choosing.expect(207, "POST", path, asked, client=planner)
    assert [r["status"] for r in made["results"]] == [200, 404]
    made = await choosing.expect(207, "POST", path, asked, client=choosing.reporter)
    assert {r["status"] for r in made["results"]} == {403}


async def test_designating_more_costs_no_more_statements(
    choosing: Institution, database: Database
) -> None:
    await choosing.post("decrees", DECREE)
    plan = [{"title": "M", "due_on": "2022-06-30"}, {"title": "N", "due_on": "2022-09-30"}]
    counts = []
    for prefix, many in (("few", 2), ("many", 12)):
        codes = [f"{prefix}-{i}" for i in range(many)]
        for code in codes:
            await choosing.initiative(code, "B", status="proposed", owners=[], milestones=plan)
        with statements(database) as heard:
            made = await designate(choosing, codes, 200, atomic=True)
        assert made["summary"]["designated"] == many
        counts.append(len(heard))
    assert counts[1] <= counts[0] + 2, counts


async def test_thirds_are_equal_whoever_gave_them(choosing: Institution) -> None:
    """Means that no decimal can hold: what is shown as equal is ranked as equal."""
    await choosing.patch("criteria/visible", {"weight": 3, "highest_score": 5})
    third = await choosing.person("third", "planner")
    for code, first, second in (("QW-A", 3, 4), ("QW-B", 4, 3)):
        for client, more in ((None, 0), (choosing.verifier, 0), (third, 1)):
            given = {
                "leverage": first + more * (first == 3),
                "visible": second + more * (second == 3),
            }
            await score(choosing, code, client, **given)
    assert await ranked(choosing, sort="code", q="QW") == [
        ("QW-A", 1, 73.33), ("QW-A1", None, None), ("QW-B", 1, 73.33),
    ]  # fmt: skip


async def test_candidates_cost_the_same_for_any_page(
    choosing: Institution, database: Database
) -> None:
    counts = []
    for more in range(2):
        for n in range(more * 9):
            await choosing.initiative(f"N-{n}", "A", status="proposed", owners=[])
            await score(choosing, f"N-{n}", leverage=n % 5, visible=n)
        with statements(database) as heard:
            await choosing.get("candidates", limit=200, unit="A", area="accountability")
        counts.append(len(heard))
        with statements(database) as heard:
            await choosing.get("initiatives/QW-A/scores")
        counts.append(len(heard))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 8


async def test_a_decree_designates(choosing: Institution) -> None:
    made = await choosing.post("decrees", DECREE)
    assert made == made | DECREE | {"url": None, "version": 1}
    before = await sequence(choosing)
    body = {"status": "active", "owners": OWNERS, "decree": "sk-17", "reason": "Rapat pleno"}
    active = await choosing.patch("initiatives/QW-A", body)
    assert (active["decree"], active["designated_on"], active["cancelled_on"]) == (
        "SK-17", "2022-01-17", None,
    )  # fmt: skip
    (event,) = (await choosing.get("events", after=before))["items"]
    assert event["data"] == body
    assert event["changes"] == event["changes"] | {
        "status": {"before": "proposed", "after": "active"},
        "decree": {"before": None, "after": "SK-17"},
        "designated_on": {"before": None, "after": "2022-01-17"},
    }
    for asked, found in (({"decree": "SK-17"}, ["QW-A"]), ({"decree": ["nothing"]}, [])):
        listed = (await choosing.get("initiatives", **asked))["items"]
        assert [item["code"] for item in listed] == found
    # A later day, then another decree, which brings its own.
    day = await choosing.patch("initiatives/QW-A", {"designated_on": "2022-02-01"})
    assert (day["decree"], day["designated_on"]) == ("SK-17", "2022-02-01")
    await choosing.post("decrees", {**DECREE, "code": "SK-18", "issued_on": "2022-03-01"})
    other = await choosing.patch("initiatives/QW-A", {"decree": "SK-18"})
    assert (other["decree"], other["designated_on"]) == ("SK-18", "2022-03-01")
    held = await choosing.patch("initiatives/QW-A", {"status": "on_hold"})
    assert held["decree"] == "SK-18"
    whole = {"code": "QW-A", "title": "New", "unit": "A", "year": 2022, "owners": OWNERS}
    path = f"{choosing.path}/initiatives/QW-A"
    assert (await choosing.expect(200, "PUT", path, whole))["decree"] == "SK-18"
    replaced = await choosing.expect(200, "PUT", path, {**whole, "decree": "SK-17"})
    assert (replaced["decree"], replaced["designated_on"]) == ("SK-17", "2022-01-17")
    assert (await choosing.expect(200, "PUT", path, {**whole, "decree": None}))["decree"] is None
    # What is proposed again is not designated any more.
    await choosing.patch("initiatives/QW-A", {"decree": "SK-17"})
    ended = await choosing.patch("initiatives/QW-A", {"status": "cancelled", "reason": "x"})
    assert ended["decree"] == "SK-17"
    idea = await choosing.patch("initiatives/QW-A", {"status": "proposed", "reason": "x"})
    assert (idea["decree"], idea["designated_on"], idea["cancelled_on"]) == (None, None, None)


async def test_the_register_of_decrees(choosing: Institution) -> None:
    await choosing.post("decrees", DECREE)
    later = {**DECREE, "code": "SK-20", "number": "20/2023", "issued_on": "2023-05-02"}
    await choosing.post("decrees", {**later, "url": "https://jdih.example/20"})
    for asked, codes in (
        ({}, ["SK-17", "SK-20"]), ({"sort": "-issued_on"}, ["SK-20", "SK-17"]),
        ({"issued_since": "2022-02-01"}, ["SK-20"]), ({"issued_until": "2022-01-17"}, ["SK-17"]),
        ({"q": "20/20"}, ["SK-20"]), ({"q": "sekretaris"}, ["SK-17", "SK-20"]),
    ):  # fmt: skip
        listed = (await choosing.get("decrees", **asked))["items"]
        assert [item["code"] for item in listed] == codes, asked
    changed = await choosing.patch("decrees/SK-20", {"url": None, "signer": "Ketua"})
    assert (changed["url"], changed["signer"], changed["version"]) == (None, "Ketua", 2)
    await choosing.patch(
        "initiatives/QW-A", {"status": "active", "owners": OWNERS, "decree": "SK-17"}
    )
    assert (await choosing.delete("decrees/SK-17", 409))["code"] == "in_use"
    await choosing.delete("initiatives/QW-A")  # it may come back
    assert (await choosing.delete("decrees/SK-17", 409))["code"] == "in_use"
    await choosing.delete("decrees/SK-20")
    planner = await choosing.person("planner", "planner", "A")
    await choosing.expect(200, "GET", f"{choosing.path}/decrees/SK-17", client=planner)
    await choosing.expect(403, "POST", f"{choosing.path}/decrees", later, client=planner)


async def test_cancelling_has_its_day(choosing: Institution) -> None:
    days = {datetime.now(ZONE).date().isoformat()}
    path, why = "initiatives/QW-A", {"status": "cancelled", "reason": "Tidak didanai"}
    ended = await choosing.patch(path, why)
    days.add(datetime.now(ZONE).date().isoformat())
    assert ended["cancelled_on"] in days
    moved = await choosing.patch(path, {"cancelled_on": "2022-09-01"})
    assert moved["cancelled_on"] == "2022-09-01"
    assert (await choosing.patch(path, {"title": "New"}))["cancelled_on"] == "2022-09-01"
    again = await choosing.patch(path, {"status": "proposed", "reason": "x"})
    assert again["cancelled_on"] is None
    dated = await choosing.patch(path, {**why, "cancelled_on": "2022-10-01"})
    assert dated["cancelled_on"] == "2022-10-01"
    new = await choosing.initiative("QW-X", status="cancelled", cancelled_on="2021-05-05")
    assert new["cancelled_on"] == "2021-05-05"
    exported = await choosing.operator.get(f"{choosing.path}/exports/initiatives.jsonl")
    assert '"cancelled_on":"2021-05-05"' in exported.text


async def test_a_policy_may_demand_a_decree(choosing: Institution) -> None:
    await choosing.post("decrees", DECREE)
    old = await choosing.initiative("QW-old", "A")  # from before the policy
    await choosing.expect(
        200, "PATCH", choosing.path, {"policy": {"decree_required": True}}, if_match="*"
    )
    owed = alone("invalid", ("/decree", "decree_owed"))
    start: Json = {"status": "active", "owners": OWNERS}
    assert told(await choosing.patch("initiatives/QW-A", start, 422)) == owed
    new = {"code": "QW-9", "title": "T", "unit": "A", "year": 2022, **start}
    for method, path in (("POST", "initiatives"), ("PUT", "initiatives/QW-9")):
        assert told(await choosing.expect(422, method, f"{choosing.path}/{path}", new)) == owed
    await choosing.post("initiatives", {**new, "decree": "SK-17"})
    await choosing.patch("initiatives/QW-A", {**start, "decree": "SK-17"})
    assert told(await choosing.patch("initiatives/QW-A", {"decree": None}, 422)) == owed
    await choosing.patch("initiatives/QW-A", {"status": "on_hold"})
    await choosing.patch("initiatives/QW-A", {"status": "active"})
    # What was active before goes on, until it is to become active again.
    await choosing.patch("initiatives/QW-old", {"title": "Still"})
    await choosing.patch("initiatives/QW-old", {"status": "on_hold"})
    assert told(await choosing.patch("initiatives/QW-old", {"status": "active"}, 422)) == owed
    assert old["decree"] is None
    # A spreadsheet names no decree: its rows are told before anything is written.
    row = {"unit": "B", "year": 2022, "status": "active", "accountable": "reporter"}
    rows = [row | {"code": code, "title": "T"} for code in ("QW-10", "QW-B")]
    checked = await imported(choosing, table(rows), "check", "refused")
    assert imported_faults(checked) == [
        (2, "status", "decree_owed"), (3, "status", "decree_owed"),
    ]  # fmt: skip


FORMS: list[tuple[str, str, Json, tuple[str, str]]] = [
    ("POST", "criteria", {"code": "a b", "name": names("x")}, ("/code", "string_pattern_mismatch")),
    ("POST", "criteria", {"code": "c", "name": "Leverage"}, ("/name", "model_attributes_type")),
    ("POST", "criteria", {"code": "c", "name": {"id": "x"}}, ("/name/en", "missing")),
    ("POST", "criteria", {"code": "c", "name": names("x"), "weight": 0}, ("/weight", "greater_than_equal")),
    ("POST", "criteria", {"code": "c", "name": names("x"), "weight": 1.5}, ("/weight", "int_type")),
    ("POST", "criteria", {"code": "c", "name": names("x"), "highest_score": 1001}, ("/highest_score", "less_than_equal")),
    ("POST", "criteria", {"code": "c", "name": names("x"), "retired": True}, ("/retired", "extra_forbidden")),
    ("PATCH", "criteria/leverage", {"retired": "yes"}, ("/retired", "bool_type")),
    ("PATCH", "criteria/leverage", {"name": None}, ("/name", "model_attributes_type")),
    ("PUT", "initiatives/QW-A/scores/leverage", {"score": 6}, ("/score", "above_highest")),
    ("PUT", "initiatives/QW-A/scores/leverage", {"score": -1}, ("/score", "greater_than_equal")),
    ("PUT", "initiatives/QW-A/scores/leverage", {"score": True}, ("/score", "int_type")),
    ("PUT", "initiatives/QW-A/scores/leverage", {"score": "4"}, ("/score", "int_type")),
    ("PUT", "initiatives/QW-A/scores/leverage", {"score": 2**63}, ("/score", "less_than_equal")),
    ("PUT", "initiatives/QW-A/scores/leverage", {"note": "x"}, ("/score", "missing")),
    ("PUT", "initiatives/QW-A/scores/leverage", {"score": 1, "note": "a\x00"}, ("/note", "nul_character")),
    ("POST", "decrees", {**DECREE, "code": "SK-9", "issued_on": "2199-01-01"}, ("/issued_on", "in_future")),
    ("POST", "decrees", {**DECREE, "code": "SK-9", "issued_on": "17-01-2022"}, ("/issued_on", "value_error")),
    ("POST", "decrees", {**DECREE, "code": "SK-9", "url": "javascript:alert(1)"}, ("/url", "value_error")),
    ("POST", "decrees", {**DECREE, "code": "SK-9", "signer": " "}, ("/signer", "string_too_short")),
    ("POST", "decrees", {"code": "x"}, ("/number", "missing")),
    ("PATCH", "initiatives/QW-A", {"decree": "SK-17"}, ("/decree", "not_active")),
    ("PATCH", "initiatives/QW-A", {"status": "active", "owners": OWNERS, "decree": "SK-99"}, ("/decree", "unknown_decree")),
    ("PATCH", "initiatives/QW-A", {"designated_on": "2022-01-01"}, ("/designated_on", "not_active")),
    ("PATCH", "initiatives/QW-D", {"designated_on": "2022-01-01"}, ("/designated_on", "decree_missing")),
    ("PATCH", "initiatives/QW-D", {"decree": "SK-17", "designated_on": "2199-01-01"}, ("/designated_on", "in_future")),
    ("PATCH", "initiatives/QW-D", {"designated_on": None}, ("/designated_on", "value_error")),
    ("PATCH", "initiatives/QW-D", {"cancelled_on": "2022-01-01"}, ("/cancelled_on", "not_cancelled")),
    ("PATCH", "initiatives/QW-D", {"status": "cancelled", "reason": "x", "cancelled_on": "2199-01-01"}, ("/cancelled_on", "in_future")),
    ("PATCH", "initiatives/QW-D", {"status": "cancelled"}, ("/reason", "reason_owed")),
    ("POST", "initiatives", {"code": "N", "title": "T", "unit": "A", "year": 2022, "decree": "SK-17"}, ("/decree", "not_active")),
    ("GET", "candidates?status=active", {}, ("status", "enum")),
    ("GET", "candidates?sort=mean", {}, ("sort", "unknown_sort")),
    ("GET", "candidates?cursor=abc", {}, ("cursor", "bad_cursor")),
    ("GET", "decrees?issued_since=soon", {}, ("issued_since", "value_error")),
]  # fmt: skip


async def test_what_does_not_fit(choosing: Institution) -> None:
    """Each is refused at its place, and nothing is written."""
    await choosing.post("decrees", DECREE)
    await choosing.initiative("QW-D", "A")
    before = await sequence(choosing)
    for method, path, body, place in FORMS:
        content = await choosing.expect(
            422, method, f"{choosing.path}/{path}", None if method == "GET" else body,
            if_match="*" if method == "PATCH" else None,
        )  # fmt: skip
        assert (content["code"], told(content)["errors"][0]) == ("invalid", place), (path, body)
    assert await sequence(choosing) == before


async def test_what_was_decided_takes_no_scores(choosing: Institution) -> None:
    await choosing.initiative("QW-D", "A")
    await choosing.patch("criteria/visible", {"retired": True})
    before = await sequence(choosing)
    for path, status, code in (
        ("QW-D/scores/leverage", 409, "not_rateable"), ("QW-A/scores/visible", 409, "not_rateable"),
        ("QW-A/scores/nothing", 404, "not_found"), ("QW-0/scores/leverage", 404, "not_found"),
    ):  # fmt: skip
        address = f"{choosing.path}/initiatives/{path}"
        assert (await choosing.expect(status, "PUT", address, {"score": 1}))["code"] == code
    assert await sequence(choosing) == before


async def test_days_are_the_institutions(choosing: Institution) -> None:
    ahead = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    body = {**DECREE, "issued_on": str(ahead + timedelta(days=1))}
    await choosing.expect(422, "POST", f"{choosing.path}/decrees", body)
    zone = {"time_zone": "Pacific/Kiritimati"}
    await choosing.expect(200, "PATCH", choosing.path, zone, if_match="*")
    await choosing.post("decrees", {**body, "issued_on": str(datetime.now(UTC).date())})
    await choosing.post("decrees", {**body, "code": "SK-18", "issued_on": str(ahead)})
