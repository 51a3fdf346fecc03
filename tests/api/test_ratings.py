"""Judged ratings: their history, the one that holds, and where it differs from the health."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.schemas.fields import Confidence
from tests.api.test_bad_bodies import problem
from tests.api.test_bad_state import alone, sequence, told
from tests.support.institution import Institution, Json

ZONE = ZoneInfo("Asia/Jakarta")  # the default time zone of an institution
NOUNS = ("initiatives/QW-1", "units/A")
NOWHERE = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"


@pytest.fixture
async def judged(institution: Institution) -> Institution:
    """A unit with an initiative that is off track."""
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await institution.report("QW-1", 1, 40, "2022-06-01")
    await institution.post("grants", {"person": "reporter", "role": "planner"})
    return institution


async def rate(institution: Institution, noun: str, rating: str, **more: Any) -> Json:
    return await institution.post(f"{noun}/ratings", {"rating": rating, "reason": "Why", **more})


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_rating_says_everything(judged: Institution, noun: str) -> None:
    before = await judged.get(noun)
    assert before["rating"] is None
    version = await sequence(judged)
    body = {"rating": "amber_red", "reason": "  Vendor mundur  ", "judged_on": "2022-10-03"}
    answer = await judged.reporter.post(f"{judged.path}/{noun}/ratings", json=body)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{judged.path}/{noun}/ratings/{made['id']}"
    assert made == {
        "id": made["id"], "rating": "amber_red", "reason": "Vendor mundur", "judged_on": "2022-10-03",
        "judged_by": "reporter", "judged_at": made["judged_at"],
    }  # fmt: skip
    assert (await judged.operator.get(answer.headers["location"])).json() == made
    after = await judged.get(noun)
    rating = {name: value for name, value in made.items() if name != "id"}
    assert after == before | {
        "rating": rating, "version": before["version"] + 1, "updated_at": after["updated_at"],
    }  # fmt: skip
    assert after["updated_at"] > before["updated_at"]
    listed = (await judged.get(noun.split("/", maxsplit=1)[0]))["items"]
    assert [i["rating"] for i in listed if i["code"] == after["code"]] == [rating]
    event = (await judged.get("events", after=version))["items"]
    assert [(e["type"], e["subject"], e["actor"], e["data"]) for e in event] == [
        (f"{noun.split('s/', maxsplit=1)[0]}.rated", after["code"], "reporter",
         body | {"reason": "Vendor mundur"}),
    ]  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS)
async def test_the_latest_day_holds_and_of_a_day_the_last(judged: Institution, noun: str) -> None:
    ratings = [
        await rate(judged, noun, rating, judged_on=day)
        for rating, day in (
            ("green", "2022-05-01"), ("red", "2022-06-01"), ("amber", "2022-04-01"),
            ("amber_red", "2022-06-01"), ("amber_green", "2022-05-31"),
        )
    ]  # fmt: skip
    assert (await judged.get(noun))["rating"]["rating"] == "amber_red"
    whole = await judged.get(f"{noun}/ratings", include_total=True)
    assert whole["items"] == [ratings[i] for i in (3, 1, 4, 0, 2)]
    assert (whole["total"], whole["next_cursor"]) == (5, None)
    paged: list[Json] = []
    cursor: Json = {}
    while True:
        page = await judged.get(f"{noun}/ratings", limit=2, **cursor)
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == whole["items"]
    assert (await judged.get(noun))["version"] >= 6


@pytest.mark.parametrize("noun", NOUNS)
async def test_today_is_the_institutions(judged: Institution, noun: str) -> None:
    days = {datetime.now(ZONE).date().isoformat()}
    made = await rate(judged, noun, "green")
    days.add(datetime.now(ZONE).date().isoformat())
    assert made["judged_on"] in days
    zone = {"time_zone": "Pacific/Kiritimati"}
    await judged.expect(200, "PATCH", judged.path, zone, if_match="*")
    ahead = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    assert (await rate(judged, noun, "red", judged_on=str(ahead)))["judged_on"] == str(ahead)
    content = await judged.expect(
        422, "POST", f"{judged.path}/{noun}/ratings",
        {"rating": "red", "reason": "x", "judged_on": str(ahead + timedelta(days=1))},
    )  # fmt: skip
    assert told(content) == alone("invalid", ("/judged_on", "in_future"))


async def test_known_answers_are_answered_anew(judged: Institution) -> None:
    for noun in NOUNS:
        address = f"{judged.path}/{noun}"
        known = {"If-None-Match": (await judged.operator.get(address)).headers["etag"]}
        await rate(judged, noun, "amber", judged_on="2022-05-01")
        assert (await judged.operator.get(address, headers=known)).status_code == 200
        stale = await judged.expect(
            412, "PATCH", address, {}, if_match=known["If-None-Match"]
        )  # a change made from what was shown before
        assert stale["code"] == "stale_version"


async def test_neither_health_nor_rollup_changes(judged: Institution) -> None:
    def computed(told: Json) -> Json:
        return {name: value for name, value in told.items() if name not in ("version", "rating")}

    before = [computed(await judged.rollup(unit)) for unit in (None, "A")]
    health = (await judged.get("initiatives/QW-1"))["health"]
    for noun in NOUNS:
        for rating in Confidence:
            await rate(judged, noun, rating)
    assert [computed(await judged.rollup(unit)) for unit in (None, "A")] == before
    assert (await judged.get("initiatives/QW-1"))["health"] == health == "off_track"


SAYS_THE_SAME: dict[str, set[str]] = {
    "completed": {"green", "amber_green"},
    "on_track": {"green", "amber_green"},
    "at_risk": {"amber", "amber_red"},
    "off_track": {"amber_red", "red"},
    "not_started": {*Confidence},
    "not_measurable": {*Confidence},
}


async def test_where_a_rating_differs(institution: Institution) -> None:
    past, future = "2022-06-30", str(datetime.now(UTC).date() + timedelta(days=99))
    for health, due_on, percent in (
        ("completed", past, 100), ("on_track", past, 96), ("at_risk", past, 85),
        ("off_track", past, 20), ("not_started", future, None), ("not_measurable", None, None),
    ):  # fmt: skip
        plan = [{"title": "M", "due_on": due_on}] if due_on else []
        await institution.initiative(health, milestones=plan)
        if percent is not None:
            await institution.report(health, 1, percent, "2022-06-01")
        assert (await institution.get(f"initiatives/{health}"))["health"] == health
    await institution.initiative("unrated", milestones=[{"title": "M", "due_on": past}])
    await institution.initiative("idea", status="proposed", owners=[])
    everything = {*SAYS_THE_SAME, "unrated", "idea"}

    async def found(**asked: Any) -> set[str]:
        return {i["code"] for i in (await institution.get("initiatives", **asked))["items"]}

    assert await found(rating_differs=True) == set()
    assert await found(rating_differs=False) == everything
    for rating in Confidence:
        for code in (*SAYS_THE_SAME, "idea"):
            await rate(institution, f"initiatives/{code}", rating)
        different = {health for health, same in SAYS_THE_SAME.items() if rating not in same}
        assert await found(rating_differs=True) == different, rating
        assert await found(rating_differs=False) == everything - different, rating
        assert await found(rating_differs=True, health="at_risk") == different & {"at_risk"}
        assert await found(rating=rating) == everything - {"unrated"}
        assert await found(rating=rating, rating_differs=True) == different


async def test_lists_filter_by_rating(judged: Institution) -> None:
    for code, rating in (("QW-2", "red"), ("QW-3", "green"), ("QW-4", None)):
        await judged.initiative(code)
        if rating:
            await rate(judged, f"initiatives/{code}", rating)
    await rate(judged, "initiatives/QW-1", "green", judged_on="2022-05-01")
    await rate(judged, "initiatives/QW-1", "red", judged_on="2022-04-01")
    for asked, expected in (
        ({"rating": "green"}, "QW-1 QW-3"),
        ({"rating": "red"}, "QW-2"),
        ({"rating": ["green", "red"]}, "QW-1 QW-2 QW-3"),
        ({"rating": "amber"}, ""),
        ({"rating": "green", "unit": "A"}, "QW-1"),
        ({"rating": "green", "sort": "-code"}, "QW-3 QW-1"),
        ({"rating_differs": True}, "QW-1"),
    ):
        items = (await judged.get("initiatives", include_total=True, **asked))["items"]
        assert [item["code"] for item in items] == expected.split(), asked


FORMS: list[tuple[Any, tuple[str, str]]] = [
    ({"rating": "blue", "reason": "x"}, ("/rating", "enum")),
    ({"rating": "Green", "reason": "x"}, ("/rating", "enum")),
    ({"rating": None, "reason": "x"}, ("/rating", "enum")),
    ({"rating": 1, "reason": "x"}, ("/rating", "enum")),
    ({"rating": ["red"], "reason": "x"}, ("/rating", "enum")),
    ({"reason": "x"}, ("/rating", "missing")),
    ({"rating": "red"}, ("/reason", "missing")),
    ({"rating": "red", "reason": None}, ("/reason", "string_type")),
    ({"rating": "red", "reason": " \n "}, ("/reason", "string_too_short")),
    ({"rating": "red", "reason": "x" * 2001}, ("/reason", "string_too_long")),
    ({"rating": "red", "reason": "a\x00b"}, ("/reason", "nul_character")),
    ({"rating": "red", "reason": "x", "judged_on": "2199-12-31"}, ("/judged_on", "in_future")),
    ({"rating": "red", "reason": "x", "judged_on": "2200-01-01"}, ("/judged_on", "less_than_equal")),
    ({"rating": "red", "reason": "x", "judged_on": "1899-12-31"}, ("/judged_on", "greater_than_equal")),
    ({"rating": "red", "reason": "x", "judged_on": "2022-02-30"}, ("/judged_on", "date_from_datetime_parsing")),
    ({"rating": "red", "reason": "x", "judged_on": "today"}, ("/judged_on", "value_error")),
    ({"rating": "red", "reason": "x", "judged_on": 20220101}, ("/judged_on", "value_error")),
    ({"rating": "red", "reason": "x", "judged_by": "somebody"}, ("/judged_by", "extra_forbidden")),
]  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS)
async def test_what_is_not_a_rating(judged: Institution, noun: str) -> None:
    before = await sequence(judged)
    path = f"{judged.path}/{noun}/ratings"
    for body, place in FORMS:
        content = await judged.expect(422, "POST", path, body)
        assert (content["code"], told(content)["errors"][0]) == ("invalid", place), body
    raw = b'{"rating": "red", "reason": "\\ud800"}'
    answer = await judged.operator.post(
        path, content=raw, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, problem(answer)["errors"][0]["pointer"]) == (422, "/reason")
    for body in ([], "red", None):
        assert (await judged.expect(422, "POST", path, body))["code"] == "invalid"
    assert await sequence(judged) == before
    assert (await judged.get(noun))["rating"] is None


async def test_what_the_state_forbids(judged: Institution) -> None:
    body = {"rating": "red", "reason": "x"}
    await judged.unit("B")
    await judged.initiative("over", "B")
    mine = await rate(judged, "initiatives/over", "amber")
    await judged.patch("initiatives/over", {"status": "cancelled", "reason": "No budget"})
    await judged.patch("units/B", {"archived": True})
    await judged.unit("C")
    await judged.expect(200, "POST", f"{judged.path}/units/C/merge", {"into": "A"})
    before = await sequence(judged)
    for noun in ("initiatives/over", "units/B", "units/C"):
        content = await judged.expect(409, "POST", f"{judged.path}/{noun}/ratings", body)
        assert told(content) == alone("not_rateable")
    for noun in ("initiatives/nowhere", "units/nowhere"):
        for method, sent in (("POST", body), ("GET", None)):
            content = await judged.expect(404, method, f"{judged.path}/{noun}/ratings", sent)
            assert told(content) == alone("not_found")
    for path in (
        f"initiatives/over/ratings/{NOWHERE}", "initiatives/over/ratings/abc",
        f"initiatives/QW-1/ratings/{mine['id']}", f"units/A/ratings/{mine['id']}",
    ):  # fmt: skip
        assert (await judged.expect(404, "GET", f"{judged.path}/{path}"))["code"] == "not_found"
    assert await sequence(judged) == before
    assert (await judged.get("initiatives/over"))["rating"]["rating"] == "amber"


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [("rating=blue", "rating"), ("rating=", "rating"), ("rating_differs=perhaps", "rating_differs"),
     ("rating_differs=", "rating_differs")],
)  # fmt: skip
async def test_filters_that_do_not_fit(judged: Institution, asked: str, parameter: str) -> None:
    content = await judged.expect(422, "GET", f"{judged.path}/initiatives?{asked}")
    assert content["errors"][0]["parameter"].split(".")[0] == parameter


async def test_ratings_live_and_end_with_their_noun(judged: Institution) -> None:
    """A merged unit keeps its ratings, a replaced initiative too; a deleted one takes them along."""
    for noun in NOUNS:
        await rate(judged, noun, "amber")
    whole = {"code": "QW-1", "title": "T", "unit": "A", "year": 2022}
    owners = [{"person": "reporter", "role": "accountable"}]
    address = f"{judged.path}/initiatives/QW-1"
    replaced = await judged.expect(200, "PUT", address, {**whole, "owners": owners})
    assert replaced["rating"]["rating"] == "amber"
    await judged.unit("B")
    await judged.expect(200, "POST", f"{judged.path}/units/A/merge", {"into": "B"})
    assert (await judged.get("units/A"))["rating"]["rating"] == "amber"
    assert (await judged.get("units/B"))["rating"] is None
    assert len((await judged.get("units/A/ratings"))["items"]) == 1
    for noun in NOUNS:
        await judged.delete(noun)
        last = (await judged.get("events", limit=200))["items"][-1]
        assert last["data"]["rating"]["rating"] == "amber"


async def test_who_judged_stays(judged: Institution) -> None:
    judge = await judged.person("judge", "verifier")
    path = f"{judged.path}/units/A/ratings"
    await judged.expect(201, "POST", path, {"rating": "red", "reason": "x"}, client=judge)
    await judge.aclose()
    assert told(await judged.delete("people/judge", 409)) == alone("in_use")
