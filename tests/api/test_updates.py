"""Reports: append-only, back-dated and corrected by later ones, verified by others."""

from typing import Any

import pytest

from tests.support.institution import Institution, Json

PATH = "initiatives/QW-1/milestones/1/updates"
FEED: Json = {
    "percent_complete": 62.5, "effective_on": "2022-06-02", "note": "Modul B selesai",
    "evidence": [{"title": "BAST", "url": "https://kpu.example/bast.pdf"}],
    "source": "sakti", "external_id": "2022/7",
}  # fmt: skip


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """QW-1 with one milestone."""
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    return institution


async def send(institution: Institution, body: Json, status: int = 201) -> Json:
    path = f"{institution.path}/{PATH}"
    return await institution.expect(status, "POST", path, body, client=institution.reporter)


async def ids(institution: Institution, **asked: Any) -> list[str]:
    return [item["id"] for item in (await institution.get("updates", **asked))["items"]]


async def test_every_field_is_kept(planned: Institution) -> None:
    made = await send(planned, FEED)
    shown = [{**link, "kind": None, "file": None} for link in FEED["evidence"]]
    assert made == made | FEED | {"evidence": shown}
    assert made == made | {
        "initiative": "QW-1", "milestone": 1, "previous_percent": 0.0, "reported_by": "reporter",
        "verification": "reported", "verified_by": None, "verified_at": None,
        "verification_note": None,
    }  # fmt: skip
    assert await planned.get(f"{PATH}/{made['id']}") == made
    found = await planned.get("initiatives/QW-1")
    assert found["last_reported_at"] == made["reported_at"]


async def test_it_says_where_it_is(planned: Institution) -> None:
    answer = await planned.reporter.post(f"{planned.path}/{PATH}", json={"percent_complete": 1})
    location = answer.headers["location"]
    assert (await planned.operator.get(location)).json() == answer.json()


async def test_previous_is_what_held_on_that_day(planned: Institution) -> None:
    reported = [
        await planned.report("QW-1", 1, percent, day)
        for day, percent in (
            ("2022-06-01", 80),
            ("2022-04-01", 30),
            ("2022-05-01", 50),
            ("2022-05-01", 45),
            ("2022-05-31", 60),
            ("2022-06-01", 75.25),
        )
    ]
    assert [r["previous_percent"] for r in reported] == [0.0, 0.0, 30.0, 50.0, 45.0, 80.0]
    for day, percent in (
        ("2022-03-31", 0.0), ("2022-04-01", 30.0), ("2022-04-30", 30.0), ("2022-05-01", 45.0),
        ("2022-05-31", 60.0), ("2022-06-01", 75.25),
    ):  # fmt: skip
        assert (await planned.rollup(as_of=day))["percent_complete"] == percent
    milestone = await planned.get("initiatives/QW-1/milestones/1")
    assert (milestone["percent_complete"], milestone["reports"]) == (75.25, 6)


async def test_a_back_dated_report_leaves_today_alone(planned: Institution) -> None:
    await planned.report("QW-1", 1, 100, "2022-06-01")
    await planned.report("QW-1", 1, 40, "2022-02-01")
    milestone = await planned.get("initiatives/QW-1/milestones/1")
    assert (milestone["percent_complete"], milestone["done_on"]) == (100.0, "2022-06-01")
    await planned.report("QW-1", 1, 100, "2022-05-15")
    assert (await planned.get("initiatives/QW-1/milestones/1"))["done_on"] == "2022-05-15"


async def test_a_correction_takes_done_back(planned: Institution) -> None:
    await planned.report("QW-1", 1, 100, "2022-06-01")
    await planned.report("QW-1", 1, 70, "2022-06-01")
    milestone = await planned.get("initiatives/QW-1/milestones/1")
    assert (milestone["status"], milestone["done_on"]) == ("in_progress", None)
    assert (await planned.rollup())["milestones"]["done"] == 0


async def test_a_correction_to_full_closes_the_gap(planned: Institution) -> None:
    for percent, day in ((100, "2022-05-15"), (0, "2022-06-01"), (100, "2022-06-01")):
        await planned.report("QW-1", 1, percent, day)
    assert (await planned.get("initiatives/QW-1/milestones/1"))["done_on"] == "2022-05-15"


async def test_newest_first(planned: Institution) -> None:
    made = [
        await planned.report("QW-1", 1, i, day)
        for i, day in ((3, "2022-06-01"), (1, "2022-01-01"), (2, "2022-03-01"))
    ]
    listed = (await planned.get(PATH))["items"]
    assert listed == list(reversed(made))
    assert await ids(planned) == [item["id"] for item in listed]
    first = await planned.get(PATH, limit=2)
    rest = await planned.get(PATH, limit=2, cursor=first["next_cursor"])
    assert [*first["items"], *rest["items"]] == listed


async def test_sent_again_it_answers_the_first(planned: Institution) -> None:
    made = await send(planned, FEED)
    version = (await planned.rollup())["version"]
    for again in (FEED, {**FEED, "percent_complete": 99, "note": "Lain"}):
        assert await send(planned, again, 200) == made
    assert (await planned.rollup())["version"] == version
    assert (await planned.get("initiatives/QW-1/milestones/1"))["reports"] == 1
    other = await send(planned, {**FEED, "source": "sirup"})
    assert other["id"] != made["id"]


async def test_a_repeat_answers_even_when_no_more_is_taken(planned: Institution) -> None:
    made = await send(planned, FEED)
    dropped = {"status": "dropped", "reason": "Digabung"}
    await planned.patch("initiatives/QW-1/milestones/1", dropped)
    assert await send(planned, FEED, 200) == made
    await send(planned, {"percent_complete": 1}, 409)


async def test_an_external_id_belongs_to_its_milestone(planned: Institution) -> None:
    await planned.milestone("QW-1", "2022-09-30")
    made = await send(planned, FEED)
    path = f"{planned.path}/initiatives/QW-1/milestones/2/updates"
    other = await planned.expect(201, "POST", path, FEED)
    assert other["id"] != made["id"]
    assert await ids(planned, source="sakti") == [other["id"], made["id"]]


async def test_verdicts_replace_each_other(planned: Institution) -> None:
    early = await planned.report("QW-1", 1, 30, "2022-04-01")
    late = await planned.report("QW-1", 1, 80, "2022-06-01")
    seen = await planned.verify(late, note="Sesuai")
    assert (seen["verification"], seen["verified_by"], seen["verification_note"]) == (
        "verified", "verifier", "Sesuai",
    )  # fmt: skip
    assert seen["verified_at"] >= late["reported_at"]
    for update, verdict, verified in (
        (early, "verified", 80.0),
        (late, "returned", 30.0),
        (early, "returned", 0.0),
        (late, "verified", 80.0),
    ):
        changed = await planned.verify(update, verdict, "Catatan")
        assert changed["verification"] == verdict
        assert (await planned.rollup())["percent_verified"] == verified
        milestone = await planned.get("initiatives/QW-1/milestones/1")
        assert milestone["percent_verified"] == verified
        assert (await planned.rollup())["percent_complete"] == 80.0


async def test_verified_counts_from_the_day_of_the_report(planned: Institution) -> None:
    await planned.verify(await planned.report("QW-1", 1, 30, "2022-04-01"))
    await planned.report("QW-1", 1, 80, "2022-06-01")
    for day, verified in (("2022-03-31", 0.0), ("2022-04-01", 30.0), ("2022-06-01", 30.0)):
        assert (await planned.rollup(as_of=day))["percent_verified"] == verified


async def test_nobody_verifies_their_own(planned: Institution) -> None:
    made = await send(planned, FEED)
    await planned.post("grants", {"person": "reporter", "role": "verifier"})
    path = f"{planned.path}/{PATH}/{made['id']}/verification"
    told = await planned.expect(403, "POST", path, {"verdict": "verified"}, client=planned.reporter)
    assert told["code"] == "own_report"
    for note in ({}, {"note": None}, {"note": "  "}):
        body = {"verdict": "returned", **note}
        told = await planned.expect(422, "POST", path, body, client=planned.verifier)
        assert told["errors"][0]["pointer"] == "/note"
    assert (await planned.get(f"{PATH}/{made['id']}"))["verification"] == "reported"


async def test_the_feed_filters(planned: Institution) -> None:
    await planned.unit("32")
    await planned.initiative("QW-2", "32", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    one = await send(planned, FEED)
    two = await planned.report("QW-2", 1, 20, "2022-03-01")
    three = await planned.report("QW-1", 1, 90, "2022-07-01")
    await planned.verify(two)
    one, two, three = one["id"], two["id"], three["id"]
    for asked, expected in (
        ({}, [three, two, one]),
        ({"initiative": "qw-1"}, [three, one]),
        ({"initiative": ["QW-1", "QW-2"]}, [three, two, one]),
        ({"unit": "32"}, [two]),
        ({"unit": planned.code}, [three, two, one]),
        ({"verification": "verified"}, [two]),
        ({"verification": ["reported", "verified"]}, [three, two, one]),
        ({"source": "sakti"}, [one]),
        ({"effective_after": "2022-03-01"}, [three, one]),
        ({"effective_before": "2022-06-02"}, [two]),
        ({"effective_after": "2022-03-01", "effective_before": "2022-07-01"}, [one]),
        ({"initiative": "QW-1", "verification": "verified"}, []),
    ):
        assert await ids(planned, **asked) == expected, asked
    since = (await planned.get("updates"))["items"][1]["reported_at"]
    assert await ids(planned, since=since) == [three, two]
    assert (await planned.get("updates", limit=1, include_total=True))["total"] == 3
