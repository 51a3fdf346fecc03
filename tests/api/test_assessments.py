"""Instruments, assessments side by side, the index over the years, and lifts of initiatives."""

from typing import Any

import pytest

from app.db import Database
from app.demo import kpu_index
from tests.api.test_query_counts import statements
from tests.support.institution import API, Institution, Json

NAMES = {"id": "Nama", "en": "Name"}
OLD, NEW = "permenpan-26-2020", "permenpan-9-2023"
AREAS = {
    "change-management": 2, "deregulation": 1, "organisation": 2, "business-process": 2,
    "human-resources": 5, "accountability": 2, "oversight": 4, "public-service": 2,
}  # fmt: skip


async def assess(institution: Institution, year: int, score: float | None, **more: Any) -> Json:
    plain = {"instrument": OLD, "score_year": year, "assessor": "national", "score": score}
    return await institution.post("assessments", plain | more)


async def test_instruments_are_seeded_as_far_as_they_are_known(institution: Institution) -> None:
    found = await institution.expect(200, "GET", f"{API}/instruments", parameters={"year": 2021})
    codes = {each["code"] for each in found["items"]}
    assert OLD in codes
    assert NEW not in codes
    one = await institution.expect(200, "GET", f"{API}/instruments/{OLD.upper()}")
    parts = {part["code"]: part for part in one["components"]}
    assert {code: parts[f"compliance-{code}"]["weight"] for code in AREAS} == AREAS
    assert sum(AREAS.values()) == parts["compliance"]["weight"] == 20
    assert parts["enablers"]["weight"] + parts["results"]["weight"] == one["maximum"] == 100
    assert [(band["predicate"], band["from"], band["inclusive"]) for band in one["bands"]] == [
        ("AA", 90, False), ("A", 80, False), ("BB", 70, False), ("B", 60, False), ("CC", 50, False),
        ("C", 30, False), ("D", 0, True),
    ]  # fmt: skip
    assert "2020-2022" in one["source"]
    other = await institution.expect(200, "GET", f"{API}/instruments/{NEW}")
    assert (other["bands"], other["components"], other["maximum"]) == ([], [], None)


async def test_an_operator_edits_instruments(institution: Institution) -> None:
    path, code = f"{API}/instruments", f"i-{institution.code}"
    parts = [
        {"code": "a", "name": NAMES, "weight": 60},
        {"code": "b", "name": NAMES, "weight": 0.33, "parent": "A"},
    ]
    bands = [{"from": 0, "inclusive": True, "predicate": "D"}, {"from": 50.5, "predicate": "A-"}]
    new = {"code": code, "name": NAMES, "components": parts, "bands": bands, "from_year": 2030}
    made = await institution.expect(201, "POST", path, new)
    assert [band["predicate"] for band in made["bands"]] == ["A-", "D"]
    assert [(each["weight"], each["parent"]) for each in made["components"]] == [
        (60, None),
        (0.33, "A"),
    ]
    assert (await institution.expect(409, "POST", path, new))["code"] == "code_taken"
    for wrong, pointer in (
        ({"bands": [*bands, {"from": 0, "predicate": "E"}]}, "/bands"),
        ({"bands": [*bands, {"from": 9, "predicate": "D"}]}, "/bands"),
        ({"components": parts[1:]}, "/components"),
        ({"components": [parts[0], {**parts[1], "code": "A"}]}, "/components"),
        ({"components": [{**parts[0], "weight": 0.001}]}, "/components/0/weight"),
        ({"components": [{**parts[0], "weight": "60"}]}, "/components/0/weight"),
        ({"to_year": 2029}, "/to_year"),
    ):
        for method, to, body in (
            ("POST", path, {**new, "code": f"{code}-2", **wrong}),
            ("PATCH", f"{path}/{code}", wrong),
        ):
            told = await institution.expect(422, method, to, body, if_match="*")
            assert told["errors"][0]["pointer"] == pointer, wrong
    await institution.initiative(
        "QW-1", expected_lift=[{"instrument": code, "component": "b", "points": 0.3}]
    )
    kept = {"components": [parts[0]]}
    told = await institution.expect(409, "PATCH", f"{path}/{code}", kept, if_match="*")
    assert told["code"] == "in_use"
    changes = {"components": [{**parts[0], "weight": 61}, parts[1]], "maximum": 110}
    changed = await institution.expect(200, "PATCH", f"{path}/{code}", changes, if_match='"v1"')
    assert (changed["version"], changed["maximum"]) == (2, 110)
    assert [each["weight"] for each in changed["components"]] == [61, 0.33]
    feed = await institution.expect(200, "GET", f"{API}/events", parameters={"sort": "-sequence"})
    event = next(e for e in feed["items"] if e["subject"] == code)
    assert event["changes"] == {
        "maximum": {"before": None, "after": 110.0},
        "components/a/weight": {"before": 60.0, "after": 61.0},
    }
    for method, to in (("POST", path), ("PATCH", f"{path}/{code}")):
        client = institution.reporter
        await institution.expect(
            403, method, to, new if method == "POST" else kept, if_match="*", client=client
        )


async def test_other_bands_for_what_was_assessed_owe_a_reason(institution: Institution) -> None:
    path, code = f"{API}/instruments", f"b-{institution.code}"
    bands = [{"from": 0, "predicate": "D"}, {"from": 50, "predicate": "A"}]
    await institution.expect(201, "POST", path, {"code": code, "name": NAMES, "bands": bands})

    async def change(status: int, first: float, **more: str) -> Json:
        changed = [bands[0], {**bands[1], "from": first}]
        body = {"bands": changed, **more}
        return await institution.expect(status, "PATCH", f"{path}/{code}", body, if_match="*")

    await change(200, 60)
    made = await assess(institution, 2021, 65, instrument=code)
    assert made["predicate"] == "A"
    told = await change(422, 70)
    assert [(at["pointer"], at["code"]) for at in told["errors"]] == [("/reason", "reason_owed")]
    assert (await institution.get(f"assessments/{made['id']}"))["predicate"] == "A"
    await change(200, 60)  # as they are
    await change(200, 70, reason="Salah ketik")
    assert (await institution.get(f"assessments/{made['id']}"))["predicate"] == "D"


async def test_what_was_recorded_by_mistake_goes(institution: Institution) -> None:
    scores = [{"component": "results", "score": 30.13}]
    made = await assess(institution, 2021, 71, scores=scores, note="Keliru")
    address = f"{institution.path}/assessments/{made['id']}"
    told = await institution.expect(422, "DELETE", address, if_match="*")
    assert [(at["parameter"], at["code"]) for at in told["errors"]] == [("reason", "reason_owed")]
    await institution.expect(412, "DELETE", f"{address}?reason=Salah", if_match='"v9"')
    client = institution.reporter
    await institution.expect(403, "DELETE", f"{address}?reason=x", if_match="*", client=client)
    await institution.expect(204, "DELETE", f"{address}?reason=Salah", if_match='"v1"')
    await institution.expect(404, "GET", address)
    *_, event = (await institution.get("events"))["items"]
    assert (event["type"], event["subject"]) == ("assessment.deleted", f"{OLD}/2021/national")
    assert event["data"] == made | {"reason": "Salah"}
    assert event["changes"]["score"] == {"before": 71.0, "after": None}
    assert (await institution.get("index"))["series"] == []
    again = await assess(institution, 2021, 72)  # its place is free
    assert again["score"] == 72


async def test_assessors_stand_side_by_side(institution: Institution) -> None:
    scores = [{"component": "RESULTS", "score": 30.13}, {"component": "compliance", "score": 12.5}]
    made = await assess(
        institution,
        2020,
        71.63,
        announced_on="2022-02-08",
        target=77,
        scores=scores,
        source="Kediri",
    )
    assert made == made | {
        "instrument": OLD, "score_year": 2020, "announced_on": "2022-02-08", "score": 71.63,
        "predicate": "BB", "announced_predicate": None, "target": 77, "gap_to_target": 5.37,
        "next_grade": {"predicate": "A", "from": 80, "inclusive": False, "gap": 8.37}, "version": 1,
    }  # fmt: skip
    assert made["scores"] == [
        {"component": "compliance", "score": 12.5}, {"component": "results", "score": 30.13},
    ]  # fmt: skip
    told = await institution.expect(
        409, "POST", f"{institution.path}/assessments",
        {"instrument": OLD, "score_year": 2020, "assessor": "national", "score": 1},
    )  # fmt: skip
    assert told["code"] == "conflict"
    verifier, body = institution.verifier, {"instrument": OLD, "score_year": 2020, "score": 75}
    for assessor in ("self", "internal_auditor", "meso"):
        await institution.expect(
            201,
            "POST",
            f"{institution.path}/assessments",
            {**body, "assessor": assessor},
            client=verifier,
        )
    await institution.expect(
        403,
        "POST",
        f"{institution.path}/assessments",
        {**body, "assessor": "self"},
        client=institution.reporter,
    )
    path = f"{institution.path}/assessments/{made['id']}"
    assert await institution.expect(200, "GET", path, client=institution.reporter) == made
    changes = {"score": 80, "target": None, "scores": scores[:1]}
    changed = await institution.expect(200, "PATCH", path, changes, if_match='"v1"')
    # The bound of A must be exceeded.
    assert (changed["predicate"], changed["next_grade"]["gap"], changed["gap_to_target"]) == (
        "BB",
        0,
        None,
    )
    event = (await institution.get("events", sort="-sequence", limit=1))["items"][0]
    assert (event["type"], event["subject"]) == ("assessment.changed", f"{OLD}/2020/national")
    assert event["changes"]["score"] == {"before": 71.63, "after": 80.0}
    assert event["changes"]["scores"]["after"] == [{"component": "results", "score": 30.13}]
    await institution.expect(412, "PATCH", path, changes, if_match='"v1"')
    for wrong, pointer in (
        ({"score": 100.01}, "/score"), ({"target": 101}, "/target"), ({"score": None}, "/score"),
        ({"score": 70.001}, "/score"), ({"score": True}, "/score"), ({"score": -1}, "/score"),
        ({"scores": [{"component": "nothing", "score": 1}]}, "/scores/0/component"),
        ({"scores": [*scores, scores[0]]}, "/scores/2/component"),
        ({"scores": [{"component": "results", "score": 40.01}]}, "/scores/0/score"),
        ({"announced_predicate": "sangat baik"}, "/announced_predicate"),
        ({"source_url": "javascript:alert(1)"}, "/source_url"),
    ):  # fmt: skip
        told = await institution.expect(422, "PATCH", path, wrong, if_match="*")
        assert told["errors"][0]["pointer"] == pointer, wrong
    for wrong in (
        {"instrument": "nothing"},
        {"score_year": 1},
        {"score": None},
        {"assessor": "friend"},
    ):
        new = {"instrument": OLD, "score_year": 2021, "assessor": "self", "score": 1, **wrong}
        await institution.expect(422, "POST", f"{institution.path}/assessments", new)
    for asked, count in (
        ({"assessor": ["self", "meso"]}, 2), ({"instrument": NEW}, 0), ({"score_year": 2020}, 4),
        ({"updated_since": changed["updated_at"]}, 1),
    ):  # fmt: skip
        assert len((await institution.get("assessments", **asked))["items"]) == count, asked


async def test_two_instruments_are_never_compared_silently(
    institution: Institution, database: Database
) -> None:
    """KPU's own years, as the demo has them."""
    for new in kpu_index.assessments():
        await institution.post("assessments", new.model_dump(mode="json"))
    with statements(database) as heard:
        index = await institution.get("index")
    assert len(heard) <= 4
    assert [
        (
            s["instrument"],
            [(p["score_year"], p["score"], p["predicate"], p["change"]) for p in s["points"]],
        )
        for s in index["series"]
    ] == [
        ("permenpan-14-2014", [(2019, 70.21, "BB", None)]),
        (OLD, [(2020, 71.63, "BB", None), (2021, None, None, None)]),
        (NEW, [(2023, 69.76, None, None), (2024, 73.51, None, 3.75)]),
    ]
    assert index["series"][1]["points"][1]["target"] == 77
    assert index["series"][2]["points"][0]["announced_predicate"] == "B"
    assert index["not_comparable"] == [
        {
            "assessor": "national", "from_instrument": "permenpan-14-2014", "from_year": 2019,
            "to_instrument": OLD, "to_year": 2020,
        },
        {
            "assessor": "national", "from_instrument": OLD, "from_year": 2020,
            "to_instrument": NEW, "to_year": 2023,
        },
    ]  # fmt: skip
    await assess(institution, 2020, 79, assessor="self")
    only = await institution.get("index", assessor="self")
    assert [series["assessor"] for series in only["series"]] == ["self"]
    assert only["not_comparable"] == []
    both = await institution.get("index", instrument=OLD)
    assert [series["assessor"] for series in both["series"]] == ["self", "national"]


async def test_lifts_stand_side_by_side(institution: Institution) -> None:
    plan = [
        {"title": "M", "due_on": "2022-06-30"},
        {"title": "N", "due_on": "2022-06-30", "weight": 2},
    ]
    lifts = [
        {"instrument": OLD, "component": "results", "points": 0.5},
        {"instrument": OLD, "component": "reform", "points": 1.25},
    ]
    made = await institution.initiative("QW-1", year=2021, milestones=plan, expected_lift=lifts)
    assert made["expected_lift"] == [lifts[1], lifts[0]], "in the instrument's order"
    await institution.report("QW-1", 1, 100, "2021-06-01")

    async def lift(component: str, **asked: str) -> Json:
        found = await institution.get("initiatives/QW-1/lift", **asked)
        assert (found["year"], found["percent_complete"]) == (2021, 33.33)
        return next(item for item in found["items"] if item["component"] == component)

    assert await lift("reform") == {
        "instrument": OLD, "component": "reform", "name": {"id": "Reform", "en": "Reform"},
        "expected": 1.25, "reported": 0.42, "assessed": None, "before": None, "after": None,
        "reason": "not_assessed_before",
    }  # fmt: skip
    await assess(institution, 2018, 60, instrument="permenpan-14-2014")
    assert (await lift("reform"))["reason"] == "other_instrument"
    await assess(institution, 2019, 60, scores=[{"component": "reform", "score": 9}])
    await assess(institution, 2020, 60, scores=[{"component": "reform", "score": 10.2}])
    await assess(institution, 2023, 69.76, instrument=NEW)
    found = await lift("reform")
    assert (found["assessed"], found["reason"]) == (None, "other_instrument")
    assert found["before"] == {"score_year": 2020, "score": 10.2}
    assert (await lift("results"))["reason"] == "not_assessed_before"
    await assess(institution, 2022, 60, scores=[{"component": "reform", "score": 9.9}])
    found = await lift("reform")
    assert (found["assessed"], found["reason"]) == (-0.3, None)
    assert found["after"] == {"score_year": 2022, "score": 9.9}
    assert (await lift("reform", assessor="self"))["reason"] == "not_assessed_before"
    for wrong, pointer in (
        ([{**lifts[0], "points": 0}], "/expected_lift/0/points"),
        ([lifts[0], {**lifts[1], "component": "nothing"}], "/expected_lift/1/component"),
        ([{**lifts[0], "instrument": NEW}], "/expected_lift/0/component"),
        ([lifts[0], lifts[0]], "/expected_lift/1/component"),
    ):
        told = await institution.patch("initiatives/QW-1", {"expected_lift": wrong}, 422)
        assert told["errors"][0]["pointer"] == pointer
    changed = await institution.patch("initiatives/QW-1", {"expected_lift": []})
    assert changed["expected_lift"] == []
    event = (await institution.get("events", sort="-sequence", limit=1))["items"][0]
    assert event["changes"] == {"expected_lift": {"before": [lifts[1], lifts[0]], "after": []}}
    assert (await institution.get("initiatives/QW-1/lift"))["items"] == []


@pytest.mark.parametrize("path", ["instruments", "indicators"])
async def test_catalogues_cost_the_same_for_any_page(
    institution: Institution, database: Database, path: str
) -> None:
    counts = []
    for limit in (1, 200):
        with statements(database) as heard:
            await institution.expect(200, "GET", f"{API}/{path}", parameters={"limit": limit})
        counts.append(len(heard))
    assert counts[0] == counts[1] <= 4
