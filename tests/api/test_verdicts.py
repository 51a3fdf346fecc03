"""Closing verdicts: the official words, who gives them on what, and until when one stands."""

from typing import Any

import pytest

from app.db import Database
from tests.api.test_bad_state import alone, sequence, told
from tests.api.test_query_counts import statements
from tests.support.institution import API, Institution, Json

OFFICIAL = ["met-fast", "missed-or-slow", "absent"]
NOTE = "Loket berjalan sejak Desember"
DECREE = {
    "code": "SK-9", "number": "9/2023", "issued_on": "2023-01-17", "signer": "Sekretaris Jenderal",
    "title": "Hasil evaluasi quick wins",
}  # fmt: skip


@pytest.fixture
async def done(institution: Institution) -> Institution:
    """QW-1 and QW-2 of unit A, of which the first is completed; the reporter is accountable."""
    await institution.unit("A")
    plan: Json = {"milestones": [{"title": "M", "due_on": "2022-06-30"}]}
    for code in ("QW-1", "QW-2"):
        await institution.initiative(code, "A", **plan)
    await institution.report("QW-1", 1, 100, "2022-06-01")
    await institution.patch("initiatives/QW-1", {"status": "completed"})
    return institution


async def give(institution: Institution, status: int = 201, **given: Any) -> Json:
    """A verdict on QW-1 by the verifier."""
    body = {"verdict": "met-fast", "note": NOTE} | given
    path = f"{institution.path}/initiatives/QW-1/verdicts"
    return await institution.expect(status, "POST", path, body, client=institution.verifier)


async def standing(institution: Institution) -> str | None:
    verdict = (await institution.get("initiatives/QW-1"))["verdict"]
    return verdict and str(verdict["verdict"])


async def test_the_official_words_are_there_with_their_source(institution: Institution) -> None:
    found = await institution.expect(200, "GET", f"{API}/verdicts", parameters={"limit": 3})
    assert [each["code"] for each in found["items"]] == OFFICIAL
    assert found["items"][0]["name"] == {
        "id": "Sesuai ekspektasi dan selesai cepat",
        "en": "Met expectations, finished fast",
    }
    assert all(each["source"] and each["retired_at"] is None for each in found["items"])


async def test_an_operator_edits_and_retires_them(done: Institution) -> None:
    path, code = f"{API}/verdicts", f"v-{done.code}"
    new = {"code": code, "name": {"id": "Terlambat", "en": "Late"}, "source": "Pedoman"}
    made = await done.expect(201, "POST", path, new)
    assert made["position"] > len(OFFICIAL)
    assert (await done.expect(409, "POST", path, new))["code"] == "code_taken"
    await give(done, verdict=code.upper())
    changed = await done.expect(
        200, "PATCH", f"{path}/{code}", {"retired": True, "position": 900}, if_match="*"
    )
    assert changed["retired_at"] is not None
    assert (changed["position"], changed["version"]) == (900, 2)
    listed = await done.expect(200, "GET", path, parameters={"retired": True, "limit": 200})
    assert code in {each["code"] for each in listed["items"]}
    refused = await give(done, 422, verdict=code)
    assert told(refused) == alone("invalid", ("/verdict", "retired_verdict"))
    assert await standing(done) == code, "where it was given it stays"


async def test_a_verdict_is_given_in_the_end_and_stands_until_another(done: Institution) -> None:
    await done.post("decrees", DECREE)
    first = await give(done, judged_on="2023-01-20", decree="SK-9", url="https://a.example/e")
    assert first == first | {
        "verdict": "met-fast", "note": NOTE, "judged_on": "2023-01-20", "judged_by": "verifier",
        "decree": "SK-9", "url": "https://a.example/e", "stands": True,
    }  # fmt: skip
    whole = await done.get("initiatives/QW-1")
    shown = {"verdict", "note", "judged_on", "judged_by", "judged_at"}
    assert whole["verdict"] == {name: first[name] for name in shown}
    event = (await done.get("events", sort="-sequence"))["items"][0]
    assert (event["type"], event["subject"]) == ("initiative.judged", "QW-1")
    assert event["changes"] == {"verdict": {"before": None, "after": "met-fast"}}
    second = await give(done, verdict="MISSED-OR-SLOW", note="Indikator belum terukur")
    kept = (await done.get("initiatives/QW-1/verdicts"))["items"]
    assert [each["stands"] for each in kept] == [True, False]
    assert kept == [second, {**first, "stands": False}]
    for each in kept:
        assert await done.get(f"initiatives/QW-1/verdicts/{each['id']}") == each
    assert (await done.delete("decrees/SK-9", 409))["code"] == "in_use"


async def test_reopening_leaves_no_verdict_standing(done: Institution) -> None:
    await give(done)
    await done.patch("initiatives/QW-1", {"title": "Still closed"})
    assert await standing(done) == "met-fast"
    await done.patch("initiatives/QW-1", {"status": "active", "reason": "Belum selesai"})
    event = (await done.get("events", sort="-sequence"))["items"][0]
    assert event["changes"]["verdict"] == {"before": "met-fast", "after": None}
    assert await standing(done) is None
    assert told(await give(done, 409)) == alone("not_closed")
    await done.patch("initiatives/QW-1", {"status": "cancelled", "reason": "Digabung"})
    await give(done, verdict="absent")
    # A PUT of the whole does not know of verdicts, and leaves them as they are.
    same = {"code": "QW-1", "title": "Again", "unit": "A", "year": 2022}
    path = f"{done.path}/initiatives/QW-1"
    await done.expect(200, "PUT", path, same, if_match="*")
    assert await standing(done) == "absent"


async def test_who_may_not_give_it_and_what_is_refused(done: Institution) -> None:
    await done.post("people", {"code": "judge", "name": "Judge"})
    await done.post("grants", {"person": "reporter", "role": "verifier"})
    before = await sequence(done)
    body = {"verdict": "met-fast", "note": NOTE}
    path = f"{done.path}/initiatives/QW-1/verdicts"
    own = await done.expect(403, "POST", path, body, client=done.reporter)
    assert own["code"] == "own_initiative"
    for wrong, places in (
        ({"verdict": "nothing"}, ("/verdict", "unknown_verdict")),
        ({"decree": "nothing"}, ("/decree", "unknown_decree")),
        ({"judged_on": "2199-01-01"}, ("/judged_on", "in_future")),
        ({"note": ""}, ("/note", "string_too_short")),
        ({"note": None}, ("/note", "string_type")),
        ({"stands": False}, ("/stands", "extra_forbidden")),
    ):
        assert told(await give(done, 422, **wrong)) == alone("invalid", places), wrong
    on_another = f"{done.path}/initiatives/QW-2/verdicts"
    early = await done.expect(409, "POST", on_another, body, client=done.verifier)
    assert early["code"] == "not_closed"
    kept = await give(done)
    elsewhere = f"{done.path}/initiatives/QW-2/verdicts/{kept['id']}"
    await done.expect(404, "GET", elsewhere)
    written = [each for each in await done.written() if each == "initiative.judged"]
    assert len(written) == 1
    assert await sequence(done) > before


async def test_lists_groups_and_exports_know_it(done: Institution, database: Database) -> None:
    await give(done)

    async def codes(**asked: Any) -> list[str]:
        return [each["code"] for each in (await done.get("initiatives", **asked))["items"]]

    assert await codes(verdict="MET-FAST") == await codes(has_verdict=True) == ["QW-1"]
    assert await codes(verdict=["absent", "missed-or-slow"]) == []
    assert await codes(has_verdict=False) == ["QW-2"]
    await give(done, verdict="missed-or-slow")
    assert await codes(verdict="met-fast") == []
    groups = (await done.rollup(part="/by", dimension="verdict"))["items"]
    assert {group["key"]: group["initiatives"] for group in groups} == {
        "missed-or-slow": 1, None: 1,
    }  # fmt: skip
    named = next(group for group in groups if group["key"])
    assert named["names"]["en"] == "Missed expectations or slow"
    with statements(database) as heard:
        await done.get("initiatives")
    alone_it_costs = len(heard)
    await done.patch("initiatives/QW-2", {"status": "cancelled", "reason": "r"})
    await done.post("initiatives/QW-2/verdicts", {"verdict": "absent", "note": "n"})
    with statements(database) as heard:
        await done.get("initiatives")
    assert len(heard) == alone_it_costs


async def test_a_deleted_initiative_comes_back_with_its_verdicts(done: Institution) -> None:
    await done.post("decrees", DECREE)
    await give(done, decree="SK-9")
    before = await done.get("initiatives/QW-1/verdicts")
    await done.delete("initiatives/QW-1")
    assert (await done.delete("decrees/SK-9", 409))["code"] == "in_use"
    deleted = (await done.get("deletions", subject="QW-1"))["items"][0]
    await done.post(f"deletions/{deleted['id']}/restoration", {})
    assert await done.get("initiatives/QW-1/verdicts") == before
    assert await standing(done) == "met-fast"
