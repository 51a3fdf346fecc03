"""Outcomes, strategies and levels: seeded, edited by operators, served by initiatives, grouped by."""

from typing import Any

import pytest

from app.db import Database
from tests.api.test_query_counts import statements
from tests.support.institution import API, Institution, Json

SEEDED = {
    "outcome": ["clean-accountable", "capable", "excellent-service"],
    "strategy": [
        "leadership-commitment", "down-to-work-unit", "programme-selection", "reform-management",
        "media-management",
    ],
    "level": ["macro", "meso", "micro"],
}  # fmt: skip
PLAN = [{"title": "M", "due_on": "2022-06-30"}]


@pytest.fixture
async def scheme(institution: Institution) -> str:
    """A scheme of this test alone, without any purpose."""
    names = {"id": "Peta Jalan", "en": "Road Map"}
    body = {"code": f"s-{institution.code}", "name": names, "from_year": 2025}
    await institution.expect(201, "POST", f"{API}/schemes", body)
    return body["code"]  # type: ignore[return-value]


def outcome(scheme: str) -> Json:
    names = {"id": "Layanan digital", "en": "Digital service"}
    return {"code": f"o-{scheme}", "kind": "outcome", "name": names, "aliases": ["SPBE"]}


async def test_what_the_road_map_names_is_seeded(institution: Institution) -> None:
    path = f"{API}/schemes/rb-2020/purposes"
    for kind, codes in SEEDED.items():
        found = await institution.expect(200, "GET", path, parameters={"kind": kind})
        assert [each["code"] for each in found["items"]] == codes
        assert [each["position"] for each in found["items"]] == list(range(1, len(codes) + 1))
        assert all(each["name"]["id"] != each["name"]["en"] for each in found["items"])
    whole = await institution.expect(200, "GET", path, parameters={"limit": 200})
    assert {each["kind"] for each in whole["items"]} == set(SEEDED)
    one = await institution.expect(200, "GET", f"{path}/Capable")
    assert one["name"]["id"] == "Birokrasi yang kapabel"
    assert await institution.expect(200, "GET", f"{path}/{one['id']}") == one
    await institution.expect(404, "GET", f"{API}/schemes/zi/purposes/capable")


async def test_an_operator_adds_shares_and_changes(institution: Institution, scheme: str) -> None:
    path = f"{API}/schemes/{scheme}/purposes"
    made = await institution.expect(201, "POST", path, outcome(scheme))
    assert made == made | outcome(scheme) | {"scheme": scheme, "position": 1, "version": 1}
    level = await institution.expect(201, "POST", path, {"code": "MICRO", "kind": "level"})
    roadmap = await institution.expect(200, "GET", f"{API}/schemes/rb-2020/purposes/micro")
    assert (level["id"], level["position"]) == (roadmap["id"], 1)
    for wrong, status in (
        ({"code": "micro", "kind": "level"}, 409),
        ({"code": "macro", "kind": "outcome"}, 409),
        ({"code": "macro", "kind": "level", "name": {"id": "X", "en": "Y"}}, 409),
        ({"code": f"n-{scheme}", "kind": "outcome"}, 422),
        ({"code": "x", "kind": "theme", "name": {"id": "X", "en": "Y"}}, 422),
    ):
        await institution.expect(status, "POST", path, wrong)
    one = f"{path}/{made['code']}"
    await institution.expect(412, "PATCH", one, {"position": 2}, if_match='"v9"')
    changes = {"name": {"id": "Layanan", "en": "Service"}, "aliases": [], "position": 4}
    changed = await institution.expect(200, "PATCH", one, changes, if_match='"v1"')
    assert changed == made | changes | {"version": 2, "updated_at": changed["updated_at"]}
    feed = await institution.expect(200, "GET", f"{API}/events", parameters={"sort": "-sequence"})
    told = [e for e in feed["items"] if e["subject"] == f"{scheme}/purposes/{made['code']}"]
    assert [event["type"] for event in told] == ["purpose.changed", "purpose.added"]
    assert told[0]["changes"]["position"] == {"before": 1, "after": 4}
    for method, to, body in (("POST", path, outcome(scheme)), ("PATCH", one, {"position": 1})):
        client = institution.reporter
        await institution.expect(403, method, to, body, if_match="*", client=client)


async def test_an_initiative_says_what_it_is_for(institution: Institution) -> None:
    serves = {
        "outcomes": ["capable", "clean-accountable"], "strategies": ["media-management"],
        "level": "micro", "programme": None,
    }  # fmt: skip
    plain = await institution.initiative("QW-0")
    nothing: Json = {"outcomes": [], "strategies": [], "level": None, "programme": None}
    assert plain == plain | nothing
    given: Json = {
        **serves,
        "outcomes": ["Clean-Accountable", "capable", "CAPABLE"],
        "level": "MICRO",
    }
    made = await institution.initiative("QW-1", **given)
    assert made == made | serves
    assert (await institution.get("initiatives", outcome="capable"))["items"][0] == {
        name: value for name, value in made.items() if name != "plan"
    }
    changed = await institution.patch(
        "initiatives/QW-1", {"outcomes": ["excellent-service"], "level": None}
    )
    assert changed == changed | serves | {"outcomes": ["excellent-service"], "level": None}
    event = (await institution.get("events", sort="-sequence", limit=1))["items"][0]
    assert event["changes"] == {
        "outcomes": {"before": serves["outcomes"], "after": ["excellent-service"]},
        "level": {"before": "micro", "after": None},
    }
    for field, value, pointer, code in (
        ("outcomes", ["capable", "micro"], "/outcomes/1", "unknown_outcome"),
        ("strategies", ["nothing"], "/strategies/0", "unknown_strategy"),
        ("level", "capable", "/level", "unknown_level"),
        ("programme", "nothing", "/programme", "unknown_programme"),
    ):
        told = await institution.patch("initiatives/QW-1", {field: value}, 422)
        assert [(at["pointer"], at["code"]) for at in told["errors"]] == [(pointer, code)]
    for asked, codes in (
        ({"outcome": ["capable", "excellent-service"]}, ["QW-1"]),
        ({"outcome": "excellent-service", "strategy": "leadership-commitment"}, []),
        ({"strategy": "MEDIA-management"}, ["QW-1"]),
        ({"level": "micro"}, []),
        ({"outcome": "media-management"}, []),
    ):
        found = (await institution.get("initiatives", **asked))["items"]
        assert [each["code"] for each in found] == codes, asked
    whole = {name: changed[name] for name in ("code", "title", "unit", "year", "owners")}
    answer = await institution.operator.put(f"{institution.path}/initiatives/QW-1", json=whole)
    kept = {name: changed[name] for name in nothing}
    assert answer.json() == answer.json() | kept, "a client that does not know them keeps them"
    answer = await institution.operator.put(
        f"{institution.path}/initiatives/QW-1", json=whole | nothing
    )
    assert answer.json() == answer.json() | nothing


async def test_what_was_served_is_deleted_and_restored(institution: Institution) -> None:
    made = await institution.initiative("QW-1", outcomes=["capable"], level="micro")
    await institution.delete("initiatives/QW-1")
    deletion = (await institution.get("deletions"))["items"][0]
    await institution.post(f"deletions/{deletion['id']}/restoration", {})
    back = await institution.get("initiatives/QW-1")
    assert (back["outcomes"], back["level"]) == (made["outcomes"], made["level"])


async def test_groups_by_purpose(institution: Institution, database: Database) -> None:
    both = ["capable", "clean-accountable"]
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=PLAN, weight=3, outcomes=both)
    await institution.initiative("QW-2", milestones=PLAN, outcomes=["capable"], level="micro")
    await institution.initiative("QW-3", milestones=PLAN, level="micro")
    await institution.initiative("QW-4", milestones=PLAN, status="proposed", outcomes=both)
    await institution.report("QW-1", 1, 50, "2022-06-01")

    async def groups(dimension: str, unit: str | None = None) -> Any:
        found = await institution.rollup(unit, "/by", dimension=dimension)
        return found["adds_up"], {
            each["key"]: (each["initiatives"], each["weight"], each["percent_complete"])
            for each in found["items"]
        }

    # 3 × 50 % over 3 + 1, exactly; QW-1 counts in full in both.
    outcomes = {"capable": (2, 4, 37.5), "clean-accountable": (1, 3, 50.0), None: (1, 1, 0.0)}
    assert await groups("outcome") == (False, outcomes)
    assert await groups("outcome", "A") == (
        False, {"capable": (1, 3, 50.0), "clean-accountable": (1, 3, 50.0)},
    )  # fmt: skip
    assert await groups("level") == (True, {"micro": (2, 2, 0.0), None: (1, 3, 50.0)})
    assert await groups("strategy") == (False, {None: (3, 5, 30.0)})
    assert await groups("programme") == (True, {None: (3, 5, 30.0)})
    (first, *_) = (await institution.rollup(None, "/by", dimension="outcome"))["items"]
    assert (first["name"], first["share"]) == (None, 80.0)
    assert first["names"] == {"id": "Birokrasi yang kapabel", "en": "Capable bureaucracy"}
    with statements(database) as heard:
        await groups("outcome")
    assert len(heard) <= 6
