"""Reporting periods: windows, locks, reminders, reopening, and who has reported and who has not."""

import asyncio
import csv
import json
from datetime import date, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from app.db import Database
from app.models import ReportingPeriod
from app.models.base import day_in, now
from app.schemas.periods import Closing, StandingQuery
from app.schemas.updates import NewUpdate
from app.services import closing, progress, standings
from app.services.actors import SYSTEM
from app.services.windows import PeriodLocked
from tests.api.test_query_counts import statements
from tests.conftest import Clients
from tests.support.contract import CheckedTransport
from tests.support.institution import API, Institution, Json
from tests.support.posts import PERIOD

TODAY = day_in("Asia/Jakarta", now())
NAMES = {"id": "Masa lapor", "en": "Period"}
PLAN = [{"title": "M", "due_on": "2022-12-31"}, {"title": "N", "due_on": "2022-12-31"}]
UPDATES = "initiatives/QW-1/milestones/1/updates"


def day(offset: int) -> str:
    """A day from today on."""
    return str(TODAY + timedelta(days=offset))


def about(first: str, last: str, code: str = "P", **fields: Any) -> Json:
    """A new period about some days, open in the days after them, of 2022's initiatives."""
    plain: Json = {
        "code": code, "name": NAMES, "year": 2022, "starts_on": first, "ends_on": last,
        "opens_on": first, "closes_on": day(5),
    }  # fmt: skip
    return plain | fields


async def plan(institution: Institution, *codes: str, **fields: Any) -> None:
    for code in codes or ("QW-1",):
        await institution.initiative(code, milestones=PLAN, **fields)


async def close(institution: Institution, code: str = "P", status: int = 200) -> Json:
    path = f"{institution.path}/periods/{code}/close"
    return await institution.expect(status, "POST", path, {})


async def reopen(institution: Institution, until: str, status: int = 200) -> Json:
    path = f"{institution.path}/periods/P/reopening"
    body = {"reason": "Gangguan jaringan", "until": until}
    return await institution.expect(status, "POST", path, body)


async def refused(institution: Institution, effective_on: str, percent: int = 50) -> str:
    body = {"percent_complete": percent, "effective_on": effective_on}
    told = await institution.expect(409, "POST", f"{institution.path}/{UPDATES}", body)
    return str(told["code"])


async def pass_time(institution: Institution, database: Database) -> list[bool]:
    """What two workers do who find the same; of other institutions nothing."""

    async def work() -> list[bool]:
        period = await institution.get("periods/P")
        found = [each for each in await database.read(closing.due) if str(each[1]) == period["id"]]
        return [await database.write(closing.act, *each) for each in found]

    first, second = await asyncio.gather(work(), work())
    return sorted([*first, *second])


async def shift(database: Database, period: Json, **days: int) -> None:
    """Let days go by: put some days of a period elsewhere, by how far from today they are."""

    def verb(session: Session) -> None:
        row = update(ReportingPeriod).where(ReportingPeriod.id == UUID(period["id"]))
        session.execute(row.values({name: date.fromisoformat(day(n)) for name, n in days.items()}))

    await database.write(verb)


async def told(institution: Institution, kind: str) -> list[Json]:
    return list((await institution.get("events", type=kind, limit=200))["items"])


async def test_a_year_in_one_call(institution: Institution) -> None:
    made = await institution.post("periods/standard", {"year": 2024})
    days = [(p["code"], p["starts_on"], p["ends_on"], p["opens_on"], p["closes_on"])
            for p in made["items"]]  # fmt: skip
    assert days == [
        ("2024-B03", "2024-01-01", "2024-03-31", "2024-03-25", "2024-04-10"),
        ("2024-B06", "2024-04-01", "2024-06-30", "2024-06-24", "2024-07-10"),
        ("2024-B09", "2024-07-01", "2024-09-30", "2024-09-24", "2024-10-10"),
        ("2024-B12", "2024-10-01", "2024-12-31", "2024-12-25", "2025-01-10"),
    ]
    assert made["items"][0]["name"] == {"id": "B03 tahun 2024", "en": "B03 of 2024"}
    path = f"{institution.path}/periods/standard"
    assert (await institution.expect(409, "POST", path, {"year": 2024}))["code"] == "code_taken"
    await institution.delete("periods/2024-b03")
    again = await institution.expect(409, "POST", path, {"year": 2024})
    assert again["code"] == "code_taken"
    assert len((await institution.get("periods"))["items"]) == 3
    out = await institution.expect(422, "POST", path, {"year": 2199})
    assert out["errors"][0]["pointer"] == "/year"
    await institution.post("periods/standard", {"year": 2199, "days_to_report": 0})


async def test_lists_are_filtered(institution: Institution) -> None:
    await institution.post("periods/standard", {"year": 2023})
    await institution.post("periods", about(day(-3), day(3), "now"))
    await institution.post("periods", about(day(10), day(20), "next", closes_on=day(30)))
    await close(institution, "2023-B06")

    async def codes(**asked: Any) -> list[str]:
        return [item["code"] for item in (await institution.get("periods", **asked))["items"]]

    assert await codes(year=2023) == ["2023-B03", "2023-B06", "2023-B09", "2023-B12"]
    assert await codes(state="closed") == ["2023-B06"]
    assert await codes(state=["upcoming", "open"], sort="-starts_on") == ["next", "now"]
    assert await codes(state="over", sort="-closes_on") == ["2023-B12", "2023-B09", "2023-B03"]
    assert await codes(covers="2023-09-30") == ["2023-B09"]
    assert await codes(ended_before="2023-06-30") == ["2023-B03"]
    assert await codes(updated_since="2190-01-01T00:00:00Z") == []
    states = {p["code"]: p["state"] for p in (await institution.get("periods"))["items"]}
    assert [states[code] for code in ("2023-B03", "2023-B06", "now", "next")] == [
        "over", "closed", "open", "upcoming",
    ]  # fmt: skip
    first = await institution.get("periods", limit=4)
    rest = await institution.get("periods", limit=4, cursor=first["next_cursor"])
    assert len(first["items"]) + len(rest["items"]) == 6


async def test_a_lock_refuses_what_is_about_its_days(institution: Institution) -> None:
    await plan(institution)
    external = {
        "percent_complete": 10,
        "effective_on": "2022-02-01",
        "source": "s",
        "external_id": "1",
    }
    first = await institution.post(UPDATES, external)
    assert first["late"] is False
    await institution.post("periods", about("2022-01-01", "2022-03-31", closes_on="2022-04-10"))
    late = await institution.report("QW-1", 1, 20, "2022-03-01")
    assert late["late"] is True
    assert (await institution.report("QW-1", 1, 30, "2022-04-01"))["late"] is False
    closed = await close(institution)
    assert (closed["state"], closed["locked_at"]) == ("closed", closed["closed_at"])
    for edge in ("2022-01-01", "2022-02-15", "2022-03-31"):
        assert await refused(institution, edge) == "period_locked"
    for free in ("2021-12-31", "2022-04-01"):
        await institution.report("QW-1", 1, 40, free)
    # Sent again it answers the report that is there, whatever was locked since.
    path = f"{institution.path}/{UPDATES}"
    assert (await institution.expect(200, "POST", path, external))["id"] == first["id"]
    item = {"initiative": "QW-1", "milestone": 2, "percent_complete": 5}
    batch = {"items": [
        {**item, "effective_on": "2022-02-02"}, {**item, "effective_on": "2022-05-02"},
        {**item, "effective_on": "2022-04-02"}, {**external, **item},
    ]}  # fmt: skip
    answer = await institution.expect(207, "POST", f"{institution.path}/updates", batch)
    assert [each["status"] for each in answer["results"]] == [409, 201, 201, 409]
    assert answer["results"][0]["problem"]["code"] == "period_locked"
    whole = await institution.expect(
        422, "POST", f"{institution.path}/updates", {**batch, "atomic": True}
    )
    assert [at["code"] for at in whole["errors"]] == ["period_locked", "period_locked"]
    # What was reported before can still be verified.
    await institution.verify(late)
    listed = (await institution.get("updates", late="true"))["items"]
    assert [each["id"] for each in listed] == [late["id"]]
    assert len((await institution.get("updates", late="false"))["items"]) == 6


async def test_closing_freezes_the_report_once(institution: Institution) -> None:
    await plan(institution, "QW-1", "QW-2")
    await plan(institution, "other", year=2021)
    await institution.report("QW-1", 1, 50, "2022-03-31")
    await institution.report("QW-1", 1, 100, "2022-04-01")
    await institution.post("periods", about("2022-01-01", "2022-03-31"))
    closed = await close(institution)
    report = await institution.get(f"reports/{closed['report']}")
    assert (report["title"], report["as_of"], report["year"]) == ("Masa lapor", "2022-03-31", 2022)
    # A quarter of one initiative of two; what came in April is not in it.
    assert report["content"]["rollup"]["percent_complete"] == 12.5
    counts = {"owing": 2, "in_time": 1, "late": 0, "missing": 1, "percent_reported": 50.0}
    assert closed["at_close"] == counts
    (event,) = await told(institution, "period.closed")
    assert event["data"]["report"] == closed["report"]
    assert event["data"]["at_close"] == counts
    assert event["subject"] == "periods/P"
    assert (await close(institution, status=409))["code"] == "status_conflict"
    assert len((await institution.get("reports"))["items"]) == 1


async def test_reopened_it_takes_late_reports_and_closes_again(
    institution: Institution, database: Database
) -> None:
    await plan(institution)
    await institution.post("periods", about("2022-01-01", "2022-03-31", closes_on="2022-04-10"))
    assert (await reopen(institution, day(0), 409))["code"] == "status_conflict"
    first = await close(institution)
    past = await reopen(institution, day(-1), 422)
    assert past["errors"][0]["code"] == "in_past"
    opened = await reopen(institution, day(0))
    assert (opened["state"], opened["closed_at"], opened["locked_at"]) == ("reopened", None, None)
    assert opened["reopened"]["reason"] == "Gangguan jaringan"
    assert (opened["reopened"]["until"], opened["report"]) == (day(0), first["report"])
    assert (await institution.report("QW-1", 1, 60, "2022-03-01"))["late"] is True
    assert await pass_time(institution, database) == []
    await reopen(institution, day(3))
    await shift(database, opened, reopened_until=-1, acts_on=0)
    assert await pass_time(institution, database) in ([False, True], [True])
    again = await institution.get("periods/P")
    assert again["state"] == "closed"
    assert again["closed_by"] == "quickwin"
    assert again["at_close"]["late"] == 1
    assert await refused(institution, "2022-03-01") == "period_locked"
    superseded = await institution.get(f"reports/{first['report']}")
    assert superseded["superseded_by"] == again["report"]
    kinds = [kind for kind in await institution.written() if kind.startswith("period.")]
    assert kinds == [
        "period.closed", "period.reopened", "period.reopened", "period.closed", "period.created",
    ]  # fmt: skip


async def test_closed_before_its_window_is_over_what_comes_is_late(
    institution: Institution,
) -> None:
    await plan(institution, "QW-1", "QW-2", "QW-3")
    await institution.post("periods", about(day(-9), day(-1)))
    assert (await institution.report("QW-1", 1, 10, day(-2)))["late"] is False
    assert (await close(institution))["at_close"]["missing"] == 2
    await reopen(institution, day(1))
    assert (await institution.report("QW-2", 1, 10, day(-2)))["late"] is True
    await institution.patch("periods/P", {"closes_on": day(9), "locks": False})
    at_close = (await close(institution))["at_close"]
    assert (at_close["in_time"], at_close["late"], at_close["missing"]) == (1, 1, 1)
    assert (await institution.report("QW-3", 1, 10, day(-2)))["late"] is True


async def test_reopened_and_made_longer_it_closes_behind_its_days(
    institution: Institution, database: Database
) -> None:
    await plan(institution)
    made = await institution.post("periods", about(day(-9), day(-1)))
    await close(institution)
    await reopen(institution, day(0))
    await institution.patch("periods/P", {"ends_on": day(3)})
    assert await pass_time(institution, database) == []
    await shift(database, made, reopened_until=-1, acts_on=0)
    await pass_time(institution, database)
    assert (await institution.get("periods/P"))["state"] == "reopened"
    await shift(database, made, ends_on=-1, acts_on=0)
    await pass_time(institution, database)
    assert (await institution.get("periods/P"))["state"] == "closed"


async def test_it_closes_by_itself_and_reminds_once(
    institution: Institution, database: Database
) -> None:
    for unit, above in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(unit, above)
    await plan(institution, "QW-1", "QW-2", unit="A")
    await plan(institution, "QW-3", unit="A1")
    await plan(institution, "QW-4", unit="B")
    await institution.report("QW-4", 1, 10, day(-2))
    fields: Json = {"closes_on": day(3), "remind_days_before": [12, 1]}
    made = await institution.post("periods", about(day(-9), day(-1), **fields))
    assert await pass_time(institution, database) == []
    await institution.patch("periods/P", {"closes_on": day(0), "remind_days_before": [0]})
    assert await pass_time(institution, database) in ([False, True], [True])
    assert await pass_time(institution, database) == []
    (reminder,) = await told(institution, "period.reminder")
    about_it = {"period": "P", "name": NAMES, "closes_on": day(0), "days_left": 0}
    assert reminder["data"] == about_it | {
        "owing": 4, "in_time": 1, "late": 0, "missing": 3, "percent_reported": 25.0,
    }  # fmt: skip
    # Each unit that owes something is told what, and who answers for it: that unit, and those above.
    owed = {e["data"]["unit"]: e for e in await told(institution, "period.unit_reminder")}
    assert {unit: event["data"] for unit, event in owed.items()} == {
        unit: about_it | {
            "unit": unit, "unit_name": f"Unit {unit}", "missing": len(codes),
            "initiatives": codes, "people": ["reporter"],
        }
        for unit, codes in (("A", ["QW-1", "QW-2"]), ("A1", ["QW-3"]))
    }  # fmt: skip
    admin = await institution.person("below", "admin", "A1")
    seen = (await institution.expect(200, "GET", f"{institution.path}/events", client=admin))[
        "items"
    ]
    assert [e["data"]["unit"] for e in seen if e["type"].startswith("period.")] == ["A1"]
    await shift(database, made, closes_on=-1, acts_on=0)
    assert await pass_time(institution, database) in ([False, True], [True])
    assert (await institution.get("periods/P"))["state"] == "closed"
    assert len(await told(institution, "period.closed")) == 1
    assert len((await institution.get("reports"))["items"]) == 1


async def test_what_does_not_close_or_lock_by_itself(
    institution: Institution, database: Database
) -> None:
    await plan(institution)
    fields: Json = {"closes_on": "2022-04-10", "closes_by_itself": False, "locks": False}
    await institution.post("periods", about("2022-01-01", "2022-03-31", **fields))
    assert await pass_time(institution, database) == []
    closed = await close(institution)
    assert (closed["state"], closed["locked_at"]) == ("closed", None)
    assert (await institution.report("QW-1", 1, 10, "2022-03-01"))["late"] is True


async def test_changes(institution: Institution) -> None:
    made = await institution.post("periods", about("2022-01-01", "2022-03-31"))
    assert made["remind_days_before"] == [7, 1]
    changed = await institution.patch(
        "periods/P", {"name": {"id": "x", "en": "y"}, "closes_on": day(9), "reason": "Libur"}
    )
    assert (changed["name"]["en"], changed["closes_on"], changed["version"]) == ("y", day(9), 2)
    (event,) = await told(institution, "period.changed")
    assert event["changes"]["closes_on"] == {"before": day(5), "after": day(9)}
    assert event["data"]["reason"] == "Libur"
    path = f"{institution.path}/periods/P"
    await institution.expect(428, "PATCH", path, {"year": 2023})
    await institution.expect(412, "PATCH", path, {"year": 2023}, if_match='"v1"')
    wrong = await institution.patch("periods/P", {"starts_on": "2022-04-01"}, 422)
    assert [at["pointer"] for at in wrong["errors"]] == ["/ends_on"]
    await institution.post("periods", about("2022-04-01", "2022-04-30", "Q"))
    overlap = await institution.patch("periods/P", {"ends_on": "2022-04-01"}, 409)
    assert overlap["code"] == "periods_overlap"
    await close(institution)
    fixed = await institution.patch("periods/P", {"ends_on": "2022-03-30"}, 409)
    assert fixed["code"] == "status_conflict"
    await institution.patch("periods/P", {"year": 2023})
    assert (await institution.delete("periods/P", 409))["code"] == "in_use"
    await institution.delete("periods/Q")
    assert (await institution.get("events", type="period.deleted"))["items"]
    await institution.expect(404, "GET", f"{institution.path}/periods/Q")


async def test_a_period_by_which_a_report_was_late_stays(institution: Institution) -> None:
    await plan(institution)
    await institution.post("periods", about("2022-01-01", "2022-03-31", closes_on="2022-04-10"))
    await institution.report("QW-1", 1, 10, "2022-03-01")
    assert (await institution.delete("periods/P", 409))["code"] == "in_use"


WRONG: list[tuple[Json, str, str]] = [
    ({"ends_on": "2021-12-31"}, "", "value_error"),
    ({"closes_on": "2022-03-30"}, "", "value_error"),
    ({"opens_on": "2199-01-01"}, "", "value_error"),
    ({"code": "a b"}, "/code", "string_pattern_mismatch"),
    ({"name": "B03"}, "/name", "model_attributes_type"),
    ({"name": {"id": "B03"}}, "/name/en", "missing"),
    ({"year": "2022"}, "/year", "int_type"),
    ({"year": 22}, "/year", "greater_than_equal"),
    ({"starts_on": "2022-02-30"}, "/starts_on", "date_from_datetime_parsing"),
    ({"starts_on": None}, "/starts_on", "value_error"),
    ({"remind_days_before": [367]}, "/remind_days_before/0", "less_than_equal"),
    ({"remind_days_before": [True]}, "/remind_days_before/0", "int_type"),
    ({"remind_days_before": [1] * 11}, "/remind_days_before", "too_long"),
    ({"locks": "yes"}, "/locks", "bool_type"),
    ({"state": "closed"}, "/state", "extra_forbidden"),
]


async def test_bad_periods(institution: Institution) -> None:
    body = about("2022-01-01", "2022-03-31")
    for change, pointer, code in WRONG:
        answer = await institution.expect(422, "POST", f"{institution.path}/periods", body | change)
        assert (pointer, code) in [(at["pointer"], at["code"]) for at in answer["errors"]], change
    await institution.post("periods", body)
    for change, expected in (({"code": "p"}, "code_taken"), ({"code": "R"}, "periods_overlap")):
        path = f"{institution.path}/periods"
        answer = await institution.expect(409, "POST", path, body | change)
        assert answer["code"] == expected
    for days in (("2021-01-01", "2022-01-01"), ("2022-03-31", "2022-04-30"), ("2022-02-01",) * 2):
        path = f"{institution.path}/periods"
        answer = await institution.expect(409, "POST", path, about(*days, "R"))
        assert answer["code"] == "periods_overlap"
    for action, wrong, pointer in (
        ("reopening", {"until": day(1)}, "/reason"),
        ("reopening", {"reason": "x", "until": "soon"}, "/until"),
        ("close", {"until": day(1)}, "/until"),
    ):
        path = f"{institution.path}/periods/P/{action}"
        answer = await institution.expect(422, "POST", path, wrong)
        assert pointer in [at["pointer"] for at in answer["errors"]]
    await institution.post("periods", about(day(1), day(2), "to-come"))
    assert (await close(institution, "to-come", 409))["code"] == "status_conflict"
    for path, parameter in (
        ("periods?state=shut", "state"), ("periods?sort=code", "sort"), ("periods?year=x", "year"),
        ("periods?covers=2022", "covers"), ("periods/P/missing?sort=days_late", "sort"),
        ("periods/P/standing?year=2022", "year"),
    ):  # fmt: skip
        answer = await institution.expect(422, "GET", f"{institution.path}/{path}")
        assert [at["parameter"] for at in answer["errors"]] == [parameter]
    for path in (
        "periods/Q",
        "periods/Q/standing",
        "periods/Q/missing",
        "periods/P/standing?unit=no",
    ):
        await institution.expect(404, "GET", f"{institution.path}/{path}")


async def test_a_period_of_another_institution_is_not_there(
    institution: Institution, clients: Clients, checked: CheckedTransport
) -> None:
    theirs = Institution(f"{institution.code}-x", clients.operator, checked)
    await theirs.expect(201, "POST", f"{API}/institutions", {"code": theirs.code, "name": "X"})
    made = await theirs.post("periods", PERIOD)
    for key in (made["code"], made["id"]):
        for path in ("", "/standing", "/missing"):
            at = f"{institution.path}/periods/{key}{path}"
            await institution.expect(404, "GET", at)
            await institution.expect(404, "GET", at, client=institution.reporter)
            theirs_at = f"{theirs.path}/periods/{key}{path}"
            await institution.expect(404, "GET", theirs_at, client=institution.reporter)


async def by_unit(institution: Institution, **asked: Any) -> dict[str, list[int]]:
    found = await institution.get("periods/P/standing", **asked)
    parts = {"total": found["total"], "own": found["own"]}
    parts |= {item["unit"]: item for item in found["items"]}
    numbers = ("owing", "in_time", "late", "missing")
    return {name: [part[number] for number in numbers] for name, part in parts.items()}


async def test_who_has_reported_and_who_has_not(institution: Institution) -> None:
    for unit, parent in (("A", None), ("A1", "A"), ("B", None), ("C", None)):
        await institution.unit(unit, parent)
    at = {"QW-root": institution.code, "QW-a": "A", "QW-a1": "A1", "QW-a1-late": "A1", "QW-b": "B"}
    for code, unit in at.items():
        await plan(institution, code, unit=unit)
    await plan(institution, "held", unit="B")
    await institution.patch("initiatives/held", {"status": "on_hold", "reason": "Anggaran"})
    # None of these owes a report.
    await plan(institution, "idea", unit="B", status="proposed", owners=[])
    await plan(institution, "later", unit="B", start_on="2022-04-01")
    await plan(institution, "of-2021", unit="B", year=2021)
    await institution.initiative("bare", "B")
    await plan(institution, "done", unit="B")
    for number in (1, 2):
        await institution.report("done", number, 100, "2021-12-31")
    await plan(institution, "dropped", unit="B")
    for number in (1, 2):
        drop = {"status": "dropped", "reason": "Tidak jadi"}
        await institution.patch(f"initiatives/dropped/milestones/{number}", drop)
    await institution.report("QW-a1", 2, 10, "2022-01-01")
    await institution.report("QW-root", 1, 10, "2022-04-01")  # about the days after it
    await institution.post("periods", about("2022-01-01", "2022-03-31", closes_on="2022-04-10"))
    await institution.report("QW-a1-late", 1, 10, "2022-03-31")
    await institution.report("QW-a1", 1, 10, "2022-03-31")  # one in time is enough
    assert await by_unit(institution) == {
        "total": [6, 1, 1, 4], "own": [1, 0, 0, 1], "A": [3, 1, 1, 1], "B": [2, 0, 0, 2],
        "C": [0, 0, 0, 0],
    }  # fmt: skip
    assert await by_unit(institution, unit="A") == {
        "total": [3, 1, 1, 1], "own": [1, 0, 0, 1], "A1": [2, 1, 1, 0],
    }  # fmt: skip
    await institution.patch("periods/P", {"all_years": True})
    assert (await by_unit(institution))["B"] == [3, 0, 0, 3]
    await institution.patch("periods/P", {"all_years": False})
    whole = await institution.get("periods/P/standing")
    assert (whole["total"]["percent_reported"], whole["items"][2]["percent_reported"]) == (
        33.33,
        None,
    )

    async def missing(**asked: Any) -> list[str]:
        return [
            m["initiative"] for m in (await institution.get("periods/P/missing", **asked))["items"]
        ]

    assert await missing() == ["QW-a", "held", "QW-b", "QW-root"]
    assert await missing(unit="A") == ["QW-a"]
    assert await missing(unit=institution.code, subtree=False) == ["QW-root"]
    assert await missing(owner="verifier") == []
    assert (await missing(sort="-last_reported_at"))[0] == "QW-root"
    first = await institution.get(
        "periods/P/missing", limit=3, sort="last_reported_at", include_total=True
    )
    rest = await institution.get(
        "periods/P/missing",
        limit=3,
        sort="last_reported_at",
        include_total=True,
        cursor=first["next_cursor"],
    )
    assert (first["total"], len(rest["items"])) == (4, 1)
    assert rest["items"][0]["initiative"] == "QW-root"
    (only,) = (await institution.get("periods/P/missing", unit="A"))["items"]
    assert only == {
        "initiative": "QW-a", "title": "Initiative QW-a", "unit": "A", "unit_name": "Unit A",
        "accountable": {"code": "reporter", "name": "Reporter", "email": None},
        "days_late": (TODAY - date(2022, 4, 10)).days, "last_reported_at": None,
    }  # fmt: skip

    async def exported(form: str) -> str:
        path = f"{institution.path}/exports/missing.{form}"
        asked = {"period": "P", "unit": "A"}
        answer = await institution.operator.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        return answer.text

    assert json.loads(await exported("jsonl")) == only
    (row,) = csv.DictReader(StringIO(await exported("csv"), newline=""))
    assert row | {"days_late": "", "title": ""} == {
        "initiative": "QW-a", "title": "", "unit": "A", "unit_name": "Unit A", "accountable_code": "reporter",
        "accountable_name": "Reporter", "accountable_email": "", "days_late": "", "last_reported_at": "",
    }  # fmt: skip
    path = f"{institution.path}/exports/missing.csv"
    await institution.expect(404, "GET", f"{path}?period=Q")
    told = await institution.expect(422, "GET", path)
    assert [at["parameter"] for at in told["errors"]] == ["period"]


async def test_one_is_told_of_what_one_sees(institution: Institution) -> None:
    await institution.unit("A")
    await institution.unit("B")
    boss = {"code": "boss", "name": "Boss", "unit": "B", "email": "boss@kpu.example"}
    await institution.post("people", boss)
    owners = [{"person": "boss", "role": "accountable"}]
    await plan(institution, "QW-A", unit="A", owners=owners)
    await plan(institution, "QW-B", unit="B", owners=owners)
    await institution.post("periods", about("2022-01-01", "2022-03-31"))
    async with await institution.person("local", "viewer", "A") as local:

        async def seen(client: Any) -> list[tuple[str, str | None, str | None]]:
            path = f"{institution.path}/periods/P/missing"
            found = await institution.expect(200, "GET", path, client=client)
            return [
                (m["initiative"], m["accountable"]["name"], m["accountable"]["email"])
                for m in found["items"]
            ]

        assert await seen(local) == [("QW-A", None, None)]
        assert await seen(institution.operator) == [
            ("QW-A", "Boss", "boss@kpu.example"), ("QW-B", "Boss", "boss@kpu.example"),
        ]  # fmt: skip
        path = f"{institution.path}/periods/P/standing"
        await institution.expect(404, "GET", path, client=local)
        await institution.expect(404, "GET", path, client=local, parameters={"unit": "B"})
        found = await institution.expect(200, "GET", path, client=local, parameters={"unit": "A"})
        assert found["total"]["owing"] == 1


async def test_costs_do_not_grow(institution: Institution, database: Database) -> None:
    await institution.post("periods", PERIOD)
    await plan(institution, "QW-1")

    async def cost(path: str) -> int:
        with statements(database) as heard:
            await institution.get(path)
        return len(heard)

    paths = ("periods", "periods/2021-B03/standing", "periods/2021-B03/missing")
    few = [await cost(path) for path in paths]
    await institution.report("QW-1", 1, 0, "2022-01-01")
    with statements(database) as heard:
        await institution.report("QW-1", 1, 1, "2022-01-01")
    report = len(heard)
    await institution.post("periods/standard", {"year": 2022})
    await close(institution, "2022-B03")
    for n in range(2, 6):
        await institution.unit(f"u{n}")
        await plan(institution, f"QW-{n}", unit=f"u{n}")
    assert [await cost(path) for path in paths] == few
    assert max(few) <= 6
    with statements(database) as heard:
        await institution.report("QW-1", 1, 2, "2022-05-01")
    assert len(heard) == report


async def test_a_report_that_meets_a_close(institution: Institution, database: Database) -> None:
    """It read that the days are free, then the period is closed: its commit finds that out."""
    if database.is_sqlite:
        return await _reports_beside_a_close(institution, database)
    await plan(institution)
    await institution.post("periods", about("2022-01-01", "2022-03-31"))
    attempts = 0

    def verb(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        new = NewUpdate.model_validate({"percent_complete": 50, "effective_on": "2022-03-01"})
        progress.report(session, SYSTEM, institution.code, "QW-1", 1, new)
        if attempts == 1:
            await_only(database.write(closing.close, SYSTEM, institution.code, "P", Closing()))

    with pytest.raises(PeriodLocked):
        await database.write(verb)
    assert attempts == 2
    assert (await institution.get("updates"))["items"] == []
    return await _reports_beside_a_close(institution, database)


async def _reports_beside_a_close(institution: Institution, database: Database) -> None:
    """Whatever was taken is in the frozen report, and in no event after the close."""
    codes = [f"R-{n}" for n in range(12)]
    await plan(institution, *codes)
    beside = about("2021-01-01", "2021-03-31", "beside")
    await institution.post("periods", beside)

    async def report(n: int) -> int:
        await asyncio.sleep(n / 400)
        path = f"{institution.path}/initiatives/{codes[n]}/milestones/1/updates"
        body = {"percent_complete": 100, "effective_on": "2021-03-01"}
        return (await institution.operator.post(path, json=body)).status_code

    async def shut() -> Json:
        await asyncio.sleep(6 / 400)
        return await close(institution, "beside")

    closed, statuses = await asyncio.gather(shut(), asyncio.gather(*map(report, range(len(codes)))))
    assert set(statuses) <= {201, 409}
    report_id = closed["report"]
    frozen = await institution.get(f"reports/{report_id}")
    taken = statuses.count(201)
    assert frozen["content"]["rollup"]["milestones"]["done"] == taken
    (event,) = [
        e for e in await told(institution, "period.closed") if e["data"]["report"] == report_id
    ]
    later = await institution.get("events", after=event["sequence"], type="update.reported")
    assert later["items"] == []
    found = await database.read(standing_of(institution))
    assert found == taken


def standing_of(institution: Institution) -> Any:
    """How many reported in time on the period beside."""

    def verb(session: Session) -> int:
        asked = (institution.code, "beside", StandingQuery())
        found = standings.standing(session, SYSTEM, *asked)
        return found.total.in_time

    return verb
