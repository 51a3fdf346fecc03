"""Milestones: numbers, shares, techniques, baselines, and dropping and bringing back."""

import pytest

from tests.support.institution import Institution, Json

PATH = "initiatives/QW-1/milestones"


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """QW-1 with milestones of weights 1, 2 and 1; the last is due in the far future."""
    plan = [
        {"title": "One", "due_on": "2022-03-31", "description": "Text"},
        {"title": "Two", "due_on": "2022-06-30", "weight": 2},
        {"title": "Three", "due_on": "2199-12-31", "technique": "binary"},
    ]
    await institution.initiative("QW-1", weight=7, milestones=plan)
    return institution


async def shares(institution: Institution) -> dict[int, float]:
    """Share by number."""
    return {m["number"]: m["share"] for m in (await institution.get(PATH))["items"]}


async def test_creation_says_everything(institution: Institution) -> None:
    await institution.initiative("QW-1")
    body = {"title": " Pelatihan ", "due_on": "2022-06-30"}
    answer = await institution.operator.post(f"{institution.path}/{PATH}", json=body)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{institution.path}/{PATH}/1"
    assert answer.headers["etag"] == f'"v{made["version"]}"'
    assert made["overdue_days"] > 1_000
    assert made == made | {
        "number": 1, "title": "Pelatihan", "description": None, "weight": 1,
        "technique": "percent", "due_on": "2022-06-30", "baseline_due_on": None,
        "percent_complete": 0.0, "percent_verified": 0.0, "status": "pending", "done_on": None,
        "share": 100.0, "reports": 0,
    }  # fmt: skip
    assert await institution.get(f"{PATH}/1") == made


async def test_numbers_go_on_from_the_highest(planned: Institution) -> None:
    assert (await planned.milestone("QW-1", "2022-01-01"))["number"] == 4
    assert (await planned.milestone("QW-1", "2022-01-01", number=9))["number"] == 9
    assert (await planned.milestone("QW-1", "2022-01-01"))["number"] == 10
    await planned.delete(f"{PATH}/10")
    await planned.delete(f"{PATH}/2")
    assert (await planned.milestone("QW-1", "2022-01-01"))["number"] == 10
    assert [m["number"] for m in (await planned.get(PATH))["items"]] == [1, 3, 4, 9, 10]


async def test_no_number_is_beyond_9999(planned: Institution) -> None:
    await planned.milestone("QW-1", "2022-01-01", number=9999)
    before = (await planned.rollup())["version"]
    body = {"title": "M", "due_on": "2022-01-01"}
    told = await planned.expect(422, "POST", f"{planned.path}/{PATH}", body)
    assert [(at["pointer"], at["code"]) for at in told["errors"]] == [("/number", "number_owed")]
    assert (await planned.rollup())["version"] == before
    assert (await planned.milestone("QW-1", "2022-01-01", number=4))["number"] == 4


PATCHES: list[tuple[Json, Json]] = [
    ({}, {}),
    ({"title": " New ", "description": None}, {"title": "New", "description": None}),
    ({"weight": 2, "reason": "Bigger"}, {"weight": 2, "share": 40.0}),
    ({"due_on": "2199-01-01"}, {"due_on": "2199-01-01", "overdue_days": 0}),
    (
        {"baseline_due_on": "2022-02-28"},
        {
            "baseline_due_on": "2022-02-28",
            "first_baseline_due_on": "2022-02-28",
            "slippage_days": 31,
            "current_slippage_days": 31,
        },
    ),
    ({"technique": "binary"}, {"technique": "binary"}),
    ({"status": "pending"}, {}),
]


@pytest.mark.parametrize(("changes", "expected"), PATCHES)
async def test_merge_patches(planned: Institution, changes: Json, expected: Json) -> None:
    before = await planned.get(f"{PATH}/1")
    tag = f'"v{before["version"]}"'
    after = await planned.expect(200, "PATCH", f"{planned.path}/{PATH}/1", changes, if_match=tag)
    assert after["version"] > before["version"]
    volatile = {name: after[name] for name in ("version", "updated_at")}
    assert after == before | volatile | expected
    assert await planned.get(f"{PATH}/1") == after
    assert (await planned.get("initiatives/QW-1"))["version"] == 2


async def test_shares_follow_the_weights(planned: Institution) -> None:
    assert await shares(planned) == {1: 25.0, 2: 50.0, 3: 25.0}
    await planned.patch(f"{PATH}/2", {"weight": 1})
    assert await shares(planned) == {1: 33.33, 2: 33.33, 3: 33.33}
    await planned.patch(f"{PATH}/1", {"status": "dropped", "reason": "Merged"})
    assert await shares(planned) == {1: 0.0, 2: 50.0, 3: 50.0}
    await planned.delete(f"{PATH}/3")
    assert await shares(planned) == {1: 0.0, 2: 100.0}
    await planned.patch(f"{PATH}/1", {"status": "pending"})
    assert await shares(planned) == {1: 50.0, 2: 50.0}


async def test_a_share_is_not_held_back(planned: Institution) -> None:
    """A milestone's share follows its siblings: who knows the old one gets the new one."""
    address = f"{planned.path}/{PATH}/1"

    async def follow(share: float) -> None:
        answer = await planned.operator.get(address, headers={"If-None-Match": known})
        assert (answer.status_code, answer.json()["share"]) == (200, share)
        assert answer.headers["etag"] != known

    for path, method, body, share in (
        (PATH, "POST", {"title": "Four", "due_on": "2022-09-30"}, 20.0),
        (f"{PATH}/2", "PATCH", {"weight": 5}, 12.5),
        (f"{PATH}/3", "PATCH", {"status": "dropped", "reason": "Merged"}, 14.29),
        (f"{PATH}/4", "DELETE", None, 16.67),
    ):
        known = (await planned.operator.get(address)).headers["etag"]
        status = {"POST": 201, "PATCH": 200, "DELETE": 204}[method]
        await planned.expect(status, method, f"{planned.path}/{path}", body, if_match="*")
        await follow(share)


async def test_status_follows_the_reports(planned: Institution) -> None:
    for percent, status, done_on in (
        (0, "pending", None), (0.01, "in_progress", None), (100, "done", "2022-03-03"),
        (99.99, "in_progress", None),
    ):  # fmt: skip
        day = f"2022-03-0{ {0: 1, 0.01: 2, 100: 3, 99.99: 4}[percent] }"
        await planned.report("QW-1", 1, percent, day)
        found = await planned.get(f"{PATH}/1")
        assert (found["status"], found["done_on"], found["percent_complete"]) == (
            status, done_on, percent,
        )  # fmt: skip
    assert found["reports"] == 4
    initiative = await planned.get("initiatives/QW-1")
    assert initiative["plan"][0] == found


async def test_a_binary_milestone_earns_at_100(planned: Institution) -> None:
    for percent, earned in ((99.99, 0.0), (100, 25.0), (50, 0.0)):
        await planned.report("QW-1", 3, percent, "2022-06-01")
        assert (await planned.get(f"{PATH}/3"))["percent_complete"] == percent
        assert (await planned.get("initiatives/QW-1"))["percent_complete"] == earned
        assert (await planned.rollup())["percent_complete"] == earned


async def test_a_dropped_milestone_keeps_its_reports(planned: Institution) -> None:
    await planned.report("QW-1", 1, 100, "2022-03-01")
    dropped = await planned.patch(f"{PATH}/1", {"status": "dropped", "reason": "Merged into 2"})
    assert (dropped["status"], dropped["reports"], dropped["overdue_days"]) == ("dropped", 1, 0)
    told = await planned.get("initiatives/QW-1")
    assert (told["percent_complete"], told["milestones"]["total"]) == (0.0, 2)
    event = (await planned.get("events", limit=200))["items"][-1]
    assert (event["type"], event["subject"]) == ("milestone.changed", "QW-1/milestones/1")
    assert event["data"] == {"status": "dropped", "reason": "Merged into 2"}
    back = await planned.patch(f"{PATH}/1", {"status": "pending"})
    assert (back["status"], back["percent_complete"], back["done_on"]) == (
        "done", 100.0, "2022-03-01",
    )  # fmt: skip
    assert (await planned.get("initiatives/QW-1"))["percent_complete"] == 25.0


async def test_the_planned_value_follows_the_baseline(planned: Institution) -> None:
    async def scheduled() -> float:
        return float((await planned.rollup(as_of="2022-05-01"))["percent_scheduled"])

    assert await scheduled() == 25.0
    await planned.patch(f"{PATH}/2", {"baseline_due_on": "2022-04-30"})
    assert await scheduled() == 75.0
    await planned.patch(f"{PATH}/2", {"due_on": "2022-12-31", "reason": "Late tender"})
    assert await scheduled() == 75.0
    await planned.patch(f"{PATH}/2", {"baseline_due_on": None, "reason": "New plan"})
    assert await scheduled() == 25.0


async def test_deletion(planned: Institution) -> None:
    await planned.patch(f"{PATH}/2", {"baseline_due_on": "2022-06-30"})
    path = f"{planned.path}/{PATH}/2"
    await planned.expect(422, "DELETE", path, if_match="*")
    await planned.expect(204, "DELETE", path, parameters={"reason": "Not needed"}, if_match="*")
    await planned.expect(404, "GET", path)
    event = (await planned.get("events", limit=200))["items"][-1]
    assert (event["type"], event["data"]["reason"]) == ("milestone.deleted", "Not needed")
    assert (event["data"]["title"], event["data"]["share"]) == ("Two", 50.0)
    assert (await planned.get("initiatives/QW-1"))["milestones"]["total"] == 2
