"""Stages: their calendars, how initiatives relate to them, where plans contradict them, and their load."""

from datetime import date, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from app.db import Database
from app.schemas.initiatives import NewInitiative
from app.schemas.plans import Plan
from app.services import loading
from app.services.actors import SYSTEM
from tests.api.test_bad_state import told
from tests.api.test_query_counts import statements
from tests.support.institution import Institution, Json

CAMPAIGN: Json = {
    "code": "campaign", "calendar": "pemilu-2024", "starts_on": "2023-11-28",
    "ends_on": "2024-02-10", "name": {"id": "Masa kampanye", "en": "Campaign"},
    "basis": "PKPU 3/2022", "source_url": "https://example.org/pkpu",
}  # fmt: skip
FAR = "2190-01-01"
"""A day that these tests will not see."""


async def stage(institution: Institution, code: str, starts: str, ends: str, **more: Any) -> Json:
    body = {**CAMPAIGN, "code": code, "starts_on": starts, "ends_on": ends, **more}
    return await institution.post("stages", body)


def link(code: str, relation: str = "blocked_during") -> Json:
    return {"stage": code, "relation": relation}


def due(*days: str) -> list[Json]:
    return [{"title": f"M{n}", "due_on": day} for n, day in enumerate(days, start=1)]


async def conflicts(institution: Institution, **asked: Any) -> list[tuple[Any, ...]]:
    items = (await institution.get("stage-conflicts", **asked))["items"]
    names = ("kind", "stage", "initiative", "milestone", "days")
    return [tuple(item[name] for name in names) for item in items]


BLOCKED, UNFINISHED = "milestone_in_blocked_stage", "unfinished_before_stage"


async def test_a_stage_is_made_changed_and_deleted(institution: Institution) -> None:
    answer = await institution.operator.post(f"{institution.path}/stages", json=CAMPAIGN)
    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"v1"')
    assert answer.headers["location"] == f"{institution.path}/stages/campaign"
    assert {name: made[name] for name in CAMPAIGN} == CAMPAIGN
    assert await institution.get("stages/CAMPAIGN") == await institution.get(f"stages/{made['id']}")
    changes = {"ends_on": "2024-02-11", "basis": None, "reason": "Perubahan PKPU"}
    changed = await institution.patch("stages/campaign", changes)
    assert (changed["ends_on"], changed["basis"], changed["version"]) == ("2024-02-11", None, 2)
    event = (await institution.get("events", limit=1, sort="-sequence"))["items"][0]
    assert (event["type"], event["subject"]) == ("stage.changed", "campaign")
    assert event["changes"]["ends_on"] == {"before": "2024-02-10", "after": "2024-02-11"}
    await institution.initiative("QW-1", stages=[link("campaign")])
    assert (await institution.delete("stages/campaign", 409))["code"] == "in_use"
    await institution.patch("initiatives/QW-1", {"stages": []})
    await institution.delete("stages/campaign?reason=Keliru")
    event = (await institution.get("events", limit=1, sort="-sequence"))["items"][0]
    assert (event["type"], event["data"]["name"]) == ("stage.deleted", CAMPAIGN["name"])
    assert event["data"]["reason"] == "Keliru"
    await institution.expect(404, "GET", f"{institution.path}/stages/campaign")


async def test_stages_are_listed_by_calendar_and_day(institution: Institution) -> None:
    await stage(institution, "b", "2024-02-01", "2024-02-10")
    await stage(institution, "a", "2024-02-01", "2024-02-01")
    await stage(institution, "c", "2022-01-01", "2022-12-31", calendar="pilkada-2024")
    for asked, codes in (
        ({}, ["c", "a", "b"]), ({"calendar": "pemilu-2024"}, ["a", "b"]),
        ({"calendar": ["pemilu-2024", "pilkada-2024"], "sort": "-ends_on"}, ["b", "a", "c"]),
        ({"on": "2024-02-01"}, ["a", "b"]), ({"on": "2024-02-10"}, ["b"]), ({"on": "2023-01-01"}, []),
        ({"updated_since": "2190-01-01T00:00:00Z"}, []),
    ):  # fmt: skip
        items = (await institution.get("stages", **asked))["items"]
        assert [item["code"] for item in items] == codes, asked
    first = await institution.get("stages", limit=2, include_total=True)
    assert first["total"] == 3
    rest = await institution.get("stages", limit=2, cursor=first["next_cursor"])
    assert [item["code"] for item in rest["items"]] == ["b"]
    # Whoever belongs to the institution reads them, and only its administrators write.
    at = f"{institution.path}/stages"
    listed = await institution.expect(200, "GET", at, client=institution.reporter)
    assert len(listed["items"]) == 3
    await institution.expect(403, "POST", at, CAMPAIGN, client=institution.reporter)


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"code": "..."}, "/code", "value_error"),
        ({"calendar": "Pemilu 2024"}, "/calendar", "string_pattern_mismatch"),
        ({"name": {"id": "Kampanye"}}, "/name/en", "missing"),
        ({"starts_on": "28-11-2023"}, "/starts_on", "value_error"),
        ({"ends_on": "2023-11-27"}, "", "value_error"),
        ({"source_url": "PKPU 3/2022"}, "/source_url", "string_pattern_mismatch"),
        ({"source_url": "javascript:alert(1)"}, "/source_url", "value_error"),
        ({"name_id": "Kampanye"}, "/name_id", "extra_forbidden"),
    ],
)
async def test_bad_stages(institution: Institution, changes: Json, pointer: str, code: str) -> None:
    body = {**CAMPAIGN, **changes}
    content = await institution.expect(422, "POST", f"{institution.path}/stages", body)
    assert told(content)["errors"] == [(pointer, code)]


async def test_refusals_that_depend_on_what_is_there(institution: Institution) -> None:
    await institution.post("stages", CAMPAIGN)
    at = f"{institution.path}/stages"
    taken = {**CAMPAIGN, "code": "CAMPAIGN", "calendar": "pilkada-2024"}
    assert (await institution.expect(409, "POST", at, taken))["code"] == "code_taken"
    late = await institution.patch("stages/campaign", {"starts_on": "2024-02-11"}, 422)
    assert told(late)["errors"] == [("/ends_on", "ends_before_start")]
    await institution.initiative("QW-1", stages=[link("campaign")])
    before = await institution.get("initiatives/QW-1")
    for stages, place, code in (
        ([link("campaign"), link("count")], "/stages/1/stage", "unknown_stage"),
        ([link("campaign"), link("Campaign", "runs_during")], "/stages/1/stage", "repeated_stage"),
        ([link("campaign", "during")], "/stages/0/relation", "enum"),
    ):
        content = await institution.patch(
            "initiatives/QW-1", {"title": "New", "stages": stages}, 422
        )
        assert told(content)["errors"] == [(place, code)]
    assert await institution.get("initiatives/QW-1") == before


async def test_a_known_calendar_comes_in_one_call(institution: Institution) -> None:
    """Each of its stages once; what is there already stays as it is."""
    path, asked = f"{institution.path}/stages/standard", {"calendar": "pemilu-2024"}
    moved = {**CAMPAIGN, "ends_on": "2024-02-09", "basis": None}
    await institution.post("stages", moved)
    await institution.expect(403, "POST", path, asked, client=institution.reporter)
    made = await institution.expect(200, "POST", path, asked)
    assert (made["created"], made["present"], len(made["items"])) == (12, 1, 13)
    by_code = {item["code"]: item for item in made["items"]}
    assert {name: by_code["campaign"][name] for name in moved} == moved
    assert by_code["vote"]["name"] == {"id": "Pemungutan suara", "en": "Voting"}
    assert by_code["vote"]["starts_on"] == by_code["vote"]["ends_on"] == "2024-02-14"
    assert by_code["vote"]["basis"] == "PKPU 3/2022"
    listed = (await institution.get("stages", limit=200))["items"]
    assert sorted(at["code"] for at in listed) == sorted(by_code)
    written = await institution.written()
    assert written.count("stage.created") == 13
    await institution.delete("stages/vote")
    again = await institution.expect(200, "POST", path, asked)
    assert (again["created"], again["present"]) == (1, 12)
    # What has the code of one in another calendar is something else: then nothing is added.
    await institution.delete("stages/vote")
    await institution.patch("stages/count", {"calendar": "pilkada-2024"})
    before = await institution.written()
    assert told(await institution.expect(409, "POST", path, asked))["code"] == "code_taken"
    unknown = await institution.expect(422, "POST", path, {"calendar": "pemilu-1955"})
    assert told(unknown)["errors"] == [("/calendar", "unknown_calendar")]
    assert await institution.written() == before


async def test_links_are_fields_of_an_initiative(institution: Institution) -> None:
    await stage(institution, "vote", "2024-02-14", "2024-02-14")
    await institution.post("stages", CAMPAIGN)
    both = [link("vote", "must_finish_before"), link("campaign", "runs_during")]
    made = await institution.initiative("QW-1", stages=both)
    assert made["stages"] == both[::-1]  # by first day
    other = await institution.initiative("QW-2", stages=[link("VOTE")])
    assert other["stages"] == [link("vote")]
    assert (await institution.initiative("QW-3"))["stages"] == []
    for asked, codes in (
        ({"stage": "vote"}, ["QW-1", "QW-2"]), ({"stage": "campaign"}, ["QW-1"]),
        ({"stage": ["campaign", "vote"]}, ["QW-1", "QW-2"]), ({"stage": "nothing"}, []),
    ):  # fmt: skip
        items = (await institution.get("initiatives", **asked))["items"]
        assert [item["code"] for item in items] == codes
    # A PUT of a client that knows no stages keeps them; one that names them replaces them.
    body = {"code": "QW-1", "title": "T", "unit": institution.code, "year": 2022,
            "owners": [{"person": "reporter", "role": "accountable"}]}  # fmt: skip
    at = f"{institution.path}/initiatives/QW-1"
    assert (await institution.expect(200, "PUT", at, body))["stages"] == made["stages"]
    put = await institution.expect(200, "PUT", at, {**body, "stages": [link("vote")]})
    assert put["stages"] == [link("vote")]
    event = (await institution.get("events", limit=1, sort="-sequence"))["items"][0]
    assert event["changes"]["stages"] == {"before": made["stages"], "after": [link("vote")]}


async def test_what_is_restored_has_the_links_whose_stages_are_left(
    institution: Institution,
) -> None:
    await stage(institution, "vote", "2024-02-14", "2024-02-14")
    await institution.post("stages", CAMPAIGN)
    await institution.initiative("QW-1", stages=[link("vote"), link("campaign")])
    await institution.delete("initiatives/QW-1")
    await institution.delete("stages/campaign")
    deleted = (await institution.get("deletions"))["items"][0]
    await institution.post(f"deletions/{deleted['id']}/restoration", {})
    assert (await institution.get("initiatives/QW-1"))["stages"] == [link("vote")]


async def test_conflicts(institution: Institution) -> None:
    for unit in ("A", "B"):
        await institution.unit(unit)
    await stage(institution, "vote", FAR, FAR)
    await stage(institution, "past", "2022-06-01", "2022-06-30", calendar="old")
    # Blocked: of four milestones the first and last day are within; what is done or dropped is none.
    days = ("2022-05-31", "2022-06-01", "2022-06-30", "2022-07-01", "2022-06-15", "2022-06-16")
    await institution.initiative("QW-1", "A", milestones=due(*days), stages=[link("past")])
    await institution.report("QW-1", 5, 100, "2022-06-10")
    dropped = {"status": "dropped", "reason": "Batal"}
    await institution.patch("initiatives/QW-1/milestones/6", dropped)
    blocked = [(BLOCKED, "past", "QW-1", 2, 30), (BLOCKED, "past", "QW-1", 3, 1)]
    assert await conflicts(institution) == blocked
    # Before a stage: planned to end after it has begun.
    before = [link("vote", "must_finish_before")]
    plan = due("2190-01-03", "2190-01-03", "2022-01-01")
    await institution.initiative("QW-2", "B", milestones=plan, stages=before, year=2023)
    ends = [(UNFINISHED, "vote", "QW-2", 2, 3)]
    await institution.initiative("QW-3", "B", milestones=due("2189-12-31"), stages=before)
    await institution.initiative("QW-4", "B", due_on="2190-01-02", stages=before, status="proposed")
    unplanned = [(UNFINISHED, "vote", "QW-4", None, 2)]
    assert await conflicts(institution) == [*blocked, *ends, *unplanned]
    # … or begun already, and it is not finished.
    today = date.fromisoformat((await institution.rollup())["as_of"])
    late = [(UNFINISHED, "past", "QW-5", 1, (today - date(2022, 6, 1)).days + 1)]
    old = [link("past", "must_finish_before")]
    await institution.initiative("QW-5", "B", milestones=due("2022-05-01"), stages=old)
    assert await conflicts(institution, stage="past") == [*blocked, *late]
    for asked, found in (
        ({"unit": "A"}, blocked), ({"unit": institution.code, "subtree": False}, []),
        ({"unit": ["B"], "calendar": "pemilu-2024"}, [*ends, *unplanned]), ({"year": 2023}, ends),
        ({"kind": BLOCKED}, blocked), ({"kind": UNFINISHED, "stage": "PAST"}, late),
        ({"kind": [BLOCKED, UNFINISHED], "calendar": "old"}, [*blocked, *late]),
    ):  # fmt: skip
        assert await conflicts(institution, **asked) == found, asked
    await institution.report("QW-5", 1, 100, "2022-07-01")
    assert await conflicts(institution, stage="past") == blocked
    # What runs during a stage contradicts nothing, and who is blocked in no stage neither.
    await institution.patch("initiatives/QW-1", {"stages": [link("past", "runs_during")]})
    await institution.patch("initiatives/QW-2", {"status": "cancelled", "reason": "Batal"})
    assert await conflicts(institution) == unplanned


async def test_conflicts_are_paged_and_cost_the_same(
    institution: Institution, database: Database
) -> None:
    await stage(institution, "past", "2022-06-01", "2022-06-30")
    costs = []
    for n in range(1, 5):
        plan = due("2022-06-10", "2022-06-12")
        links = [link("past")]
        await institution.initiative(f"QW-{n}", milestones=plan, stages=links)
        found = {}
        for path in ("initiatives", "stages", "stage-conflicts", "stage-load"):
            with statements(database) as heard:
                await institution.get(path)
            found[path] = len(heard)
        costs.append(found)
    assert costs[0] == costs[-1]
    assert costs[0]["stage-conflicts"] <= 3
    assert costs[0]["stage-load"] <= 4
    whole = await conflicts(institution)
    assert len(whole) == 8
    paged: list[Json] = []
    asked: Json = {"limit": 3, "include_total": True}
    while True:
        page = await institution.get("stage-conflicts", **asked)
        assert page["total"] == 8
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    assert [(item["initiative"], item["milestone"]) for item in paged] == [
        (row[2], row[3]) for row in whole
    ]


async def test_one_sees_conflicts_and_load_of_what_one_may_see(institution: Institution) -> None:
    for unit in ("A", "B"):
        await institution.unit(unit)
    await stage(institution, "past", "2022-06-01", "2022-06-30")
    for unit in ("A", "B"):
        plan = due("2022-06-10")
        await institution.initiative(f"QW-{unit}", unit, milestones=plan, stages=[link("past")])
    viewer = await institution.person("viewer", "viewer", "A")
    at = f"{institution.path}/stage"
    found = await institution.expect(200, "GET", f"{at}-conflicts", client=viewer)
    assert [item["initiative"] for item in found["items"]] == ["QW-A"]
    (load,) = (await institution.expect(200, "GET", f"{at}-load", client=viewer))["items"]
    assert (load["due"], load["overdue"]) == (1, 1)
    await viewer.aclose()


async def test_load(institution: Institution) -> None:
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(unit, parent)
    await stage(institution, "first", "2022-06-01", "2022-06-30")
    await stage(institution, "second", "2022-06-30", "2022-07-31", calendar="other")
    await stage(institution, "vote", FAR, "2190-01-31")
    await institution.initiative("QW-1", "A1", milestones=due("2022-06-30", "2022-06-01", FAR))
    await institution.initiative("QW-2", "B", milestones=due("2022-07-01"), year=2023)
    await institution.initiative("idea", "B", milestones=due("2022-07-01"), status="proposed")
    await institution.report("QW-1", 2, 100, "2022-06-10")

    async def load(**asked: Any) -> dict[str, tuple[int, int, int]]:
        items = (await institution.get("stage-load", **asked))["items"]
        return {item["stage"]: (item["due"], item["done"], item["overdue"]) for item in items}

    whole = {"first": (2, 1, 1), "second": (2, 0, 2), "vote": (1, 0, 0)}
    assert await load() == whole
    assert await load(unit="A") == {"first": (2, 1, 1), "second": (1, 0, 1), "vote": (1, 0, 0)}
    assert await load(unit="A", subtree=False, stage="first") == {"first": (0, 0, 0)}
    assert await load(year=2023, calendar="other") == {"second": (1, 0, 1)}
    assert await load(calendar="nothing") == {}
    first = await institution.get("stage-load", limit=2)
    rest = await institution.get("stage-load", limit=2, cursor=first["next_cursor"])
    assert [item["stage"] for item in rest["items"]] == ["vote"]


async def test_a_calendar_feed_has_the_stages(institution: Institution) -> None:
    made = await institution.post("stages", CAMPAIGN)
    await stage(institution, "vote", "2024-02-14", "2024-02-14")
    await institution.initiative("QW-1", milestones=due("2024-01-10"), stages=[link("vote")])

    async def read(**asked: str) -> dict[str, Any]:
        at = f"{institution.path}/calendar.ics"
        answer = await institution.reporter.get(at, params=asked)
        events = Calendar.from_ical(answer.content).walk("VEVENT")
        return {str(event["summary"]): event for event in events}

    events = await read()
    assert set(events) == {"M1 (QW-1/1)", "Masa kampanye (campaign)", "Masa kampanye (vote)"}
    campaign = events["Masa kampanye (campaign)"]
    last = date(2024, 2, 10)
    assert campaign["dtstart"].dt == date(2023, 11, 28)
    assert campaign["dtend"].dt == last + timedelta(days=1)
    assert str(campaign["uid"]) == f"{made['id']}@quickwin"
    assert campaign["categories"].to_ical() == b"stage"
    lines = str(campaign["description"]).splitlines()
    assert lines == ["Campaign", "pemilu-2024", "PKPU 3/2022", "https://example.org/pkpu"]
    assert set(await read(initiative="QW-1")) == {"M1 (QW-1/1)", "Masa kampanye (vote)"}
    assert await read(initiative="nothing") == {}


async def test_plans_are_loaded_with_their_links(
    institution: Institution, database: Database
) -> None:
    await institution.post("stages", CAMPAIGN)

    def plan(*codes: str) -> list[Plan]:
        links = [link(code) for code in codes]
        body = {"code": "QW-1", "title": "T", "unit": institution.code, "year": 2022}
        return [Plan(NewInitiative.model_validate({**body, "stages": links}), [], {})]

    for codes, code in (
        (("count",), "unknown_stage"),
        (("campaign", "Campaign"), "repeated_stage"),
    ):
        with pytest.raises(Exception) as refused:  # noqa: PT011  looked at below
            await database.write(loading.add_plans, SYSTEM, institution.code, plan(*codes))
        (error,) = refused.value.errors  # type: ignore[attr-defined]
        assert (error.pointer, error.code) == (f"/0/stages/{len(codes) - 1}/stage", code)
    await database.write(loading.add_plans, SYSTEM, institution.code, plan("CAMPAIGN"))
    assert (await institution.get("initiatives/QW-1"))["stages"] == [link("campaign")]
