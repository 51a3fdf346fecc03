"""Calendars: due dates at a secret address, as iCalendar, of what its owner may see."""

import logging
import re
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from icalendar import Calendar

from app.db import Database
from app.services import agenda, operators
from app.services.actors import SYSTEM
from tests.conftest import Clients
from tests.support.institution import Institution

PLAN = [
    {"title": "Modul A", "due_on": "2022-06-30", "weight": 3},
    {"title": "Modul B", "due_on": "2022-12-31"},
]
HOSTILE = "a,b;c\\d\nÉ — ✓ \x07\x85\u2028\rEND:VEVENT\r\nX-EVIL:1 " + "龍" * 60


async def plan(institution: Institution) -> None:
    """Initiatives in two units."""
    for unit in ("A", "B"):
        await institution.unit(unit)
    await institution.initiative("QW-1", "A", milestones=PLAN, due_on="2023-01-15")
    await institution.initiative("QW-2", "B", milestones=PLAN[:1])


def events_of(answer: httpx.Response) -> dict[str, Any]:
    """Events by their summaries."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    lines = answer.content.split(b"\r\n")
    assert lines[-1] == b""
    assert max(map(len, lines)) <= 75
    assert b"\n" not in answer.content.replace(b"\r\n", b"")
    calendar = Calendar.from_ical(answer.content)
    assert not calendar.errors
    return {str(event["summary"]): event for event in calendar.walk("VEVENT")}


async def read(institution: Institution, client: httpx.AsyncClient, **asked: str) -> Any:
    return events_of(await client.get(f"{institution.path}/calendar.ics", params=asked))


async def feed(
    institution: Institution, client: httpx.AsyncClient | None = None, **fields: Any
) -> str:
    """The address of a new feed, without the host."""
    made = await institution.expect(
        201, "POST", f"{institution.path}/calendars", {"name": "Cal", **fields}, client=client
    )
    assert re.fullmatch(
        rf"http://test{institution.path}/calendar\.ics\?key=qwc_\w{{22}}_\w{{46}}", made["url"]
    )
    return str(made["url"]).removeprefix("http://test")


async def test_due_dates_are_whole_days(institution: Institution) -> None:
    await plan(institution)
    await institution.report("QW-1", 1, 100, "2022-06-01")
    drop = {"status": "dropped", "reason": "Tidak jadi"}
    await institution.patch("initiatives/QW-1/milestones/2", drop)
    await institution.initiative("idea", "A", status="proposed", due_on="2023-05-01")
    events = await read(institution, institution.operator)
    assert set(events) == {
        "✓ Modul A (QW-1/1)", "Modul B (QW-1/2)", "Initiative QW-1 (QW-1)", "Modul A (QW-2/1)",
        "Initiative idea (idea)",
    }  # fmt: skip
    done = events["✓ Modul A (QW-1/1)"]
    assert done["dtstart"].dt == date(2022, 6, 30)
    assert type(done["dtstart"].dt) is date
    assert done["dtend"].dt == date(2022, 7, 1)
    assert done["categories"].to_ical() == b"done"
    assert done["transp"] == "TRANSPARENT"
    assert str(done["description"]).splitlines()[-1] == "100 %"
    statuses = {name: str(event["status"]) for name, event in events.items()}
    assert statuses["✓ Modul A (QW-1/1)"] == "CONFIRMED"
    assert statuses["Modul B (QW-1/2)"] == "CANCELLED"
    assert statuses["Initiative idea (idea)"] == "TENTATIVE"
    milestone = await institution.get("initiatives/QW-1/milestones/1")
    assert str(done["uid"]) == f"{milestone['id']}@quickwin"


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 4), ({"unit": "A"}, 3), ({"unit": "B"}, 1), ({"initiative": "QW-2"}, 1),
        ({"owner": "reporter"}, 4), ({"owner": "verifier"}, 0), ({"unit": "nothing"}, 0),
        ({"unit": "A", "initiative": "QW-2"}, 0),
    ],
)  # fmt: skip
async def test_filters(institution: Institution, asked: dict[str, Any], count: int) -> None:
    await plan(institution)
    assert len(await read(institution, institution.operator, **asked)) == count
    if "nothing" not in asked.values():
        address = await feed(institution, **asked)
        assert len(events_of(await institution.operator.get(address))) == count


async def test_reporting_periods_are_there(institution: Institution) -> None:
    """The window, and its last day; of one initiative those of its year."""
    await plan(institution)
    for code, year, days in (("B03", 2022, "03-31"), ("B06", 2021, "06-30")):
        body = {
            "code": code, "name": {"id": f"Triwulan {code}", "en": f"Quarter {code}"}, "year": year,
            "starts_on": f"{year}-01-01", "ends_on": f"{year}-{days}",
            "opens_on": f"{year}-{days[:2]}-15", "closes_on": f"{year}-07-10",
            "closes_by_itself": False,
        }  # fmt: skip
        await institution.post("periods", body)
    events = await read(institution, institution.operator, unit="A")
    found = {name: event for name, event in events.items() if name.endswith(("(B03)", "(B06)"))}
    assert set(found) == {
        f"{what}: Triwulan {code} ({code})"
        for what in ("Masa lapor", "Batas lapor")
        for code in ("B03", "B06")
    }
    window, last = (found[f"{what} lapor: Triwulan B03 (B03)"] for what in ("Masa", "Batas"))
    assert (window["dtstart"].dt, window["dtend"].dt) == (date(2022, 3, 15), date(2022, 7, 11))
    assert (last["dtstart"].dt, last["dtend"].dt) == (date(2022, 7, 10), date(2022, 7, 11))
    assert (window["categories"].to_ical(), last["categories"].to_ical()) == (b"period", b"period")
    assert "2022-01-01 - 2022-03-31" in window["description"]
    assert window["uid"] != last["uid"]
    alone = await read(institution, institution.operator, initiative="QW-1")
    assert {name for name in alone if "B0" in name} == {name for name in found if "B03" in name}
    await institution.patch("periods/B03", {"closes_on": "2022-07-15"})
    moved = (await read(institution, institution.operator))["Batas lapor: Triwulan B03 (B03)"]
    assert (moved["uid"], moved["dtstart"].dt) == (last["uid"], date(2022, 7, 15))
    assert moved["sequence"] > last["sequence"]


async def test_an_event_stays_the_same_and_counts_its_changes(institution: Institution) -> None:
    await plan(institution)
    before = (await read(institution, institution.operator))["Modul A (QW-1/1)"]
    changes = {"title": "Modul Z", "due_on": "2022-07-30", "reason": "Geser"}
    await institution.patch("initiatives/QW-1/milestones/1", changes)
    after = (await read(institution, institution.operator))["Modul Z (QW-1/1)"]
    assert before["uid"] == after["uid"]
    assert after["sequence"] > before["sequence"]
    assert after["last-modified"].dt >= before["last-modified"].dt
    assert after["dtstart"].dt == date(2022, 7, 30)
    await institution.patch("initiatives/QW-1", {"title": "Lain"})
    again = (await read(institution, institution.operator))["Modul Z (QW-1/1)"]
    assert again["sequence"] > after["sequence"]
    assert "Lain" in again["description"]


async def test_what_is_known_is_not_sent_again(clients: Clients, institution: Institution) -> None:
    await plan(institution)
    address = await feed(institution, unit="A")
    first = await clients.nobody.get(address)
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    again = await clients.nobody.get(address, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    await institution.report("QW-1", 1, 50, "2022-06-01")
    changed = await clients.nobody.get(address, headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_hostile_texts_stay_in_their_place(institution: Institution) -> None:
    title = "Judul, dengan; semua\\nya 龍 " * 10
    milestone = {"title": title, "description": HOSTILE, "due_on": "2022-06-30"}
    await institution.initiative("QW-1", description=HOSTILE, milestones=[milestone])
    address = await feed(institution, name='";\\, 龍')
    answer = await institution.operator.get(address)
    (event,) = events_of(answer).values()
    assert str(event["summary"]) == f"{title.strip()} (QW-1/1)"
    assert "x-evil" not in event
    assert "a,b;c\\d\nÉ — ✓" in str(event["description"])
    assert answer.content.count(b"BEGIN:VEVENT") == 1


async def test_a_feed_is_shown_once_and_can_be_revoked(
    clients: Clients, institution: Institution, caplog: pytest.LogCaptureFixture
) -> None:
    await plan(institution)
    with caplog.at_level(logging.DEBUG):
        address = await feed(institution, institution.reporter, unit="a", owner="reporter")
        assert len(events_of(await clients.nobody.get(address))) == 3
        listed = (await institution.get("calendars"))["items"]
        (mine,) = [each for each in listed if each["person"] == "reporter"]
        assert (mine["unit"], mine["owner"], mine["initiative"]) == ("A", "reporter", None)
        assert await institution.get(f"calendars/{mine['id']}") == mine
        await institution.expect(
            204, "DELETE", f"{institution.path}/calendars/{mine['id']}", client=institution.reporter
        )
        refused = await clients.nobody.get(address)
        assert refused.status_code == 404
        assert (await institution.get("calendars", revoked=False))["items"] == []
        assert (await institution.get("calendars", revoked=True))["items"][0]["revoked_at"]
        events = (await institution.get("events", limit=200))["items"]
    kinds = [event["type"] for event in events]
    assert kinds[-2:] == ["calendar.created", "calendar.revoked"]
    key = address.partition("key=")[2]
    ours = [each.getMessage() for each in caplog.records if not each.name.startswith("httpx")]
    for told in (str(events), str(listed), refused.text, str(ours)):
        assert key not in told


async def test_a_key_opens_nothing_else(clients: Clients, institution: Institution) -> None:
    await plan(institution)
    address = await feed(institution)
    key = address.partition("key=")[2]
    calendar = f"{institution.path}/calendar.ics"
    bearer = {"Authorization": f"Bearer {key}"}
    for path in (f"{institution.path}/initiatives", calendar, "/api/v1/me"):
        assert (await clients.nobody.get(path, headers=bearer)).status_code == 401
    for path in ("initiatives", "rollup", "calendars"):
        answer = await clients.nobody.get(f"{institution.path}/{path}", params={"key": key})
        assert answer.status_code in (401, 422)
    assert (await clients.nobody.get(calendar)).status_code == 401
    for name in ("unit", "owner", "initiative"):
        told = await clients.nobody.get(f"{address}&{name}=A")
        assert told.status_code == 422
        assert told.json()["errors"][0]["code"] == "fixed_by_key"
    for wrong in ("", "x", key[:-1], key + "0"):
        assert (await clients.nobody.get(calendar, params={"key": wrong})).status_code == 422
    unknown = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert (await clients.nobody.get(calendar, params={"key": unknown})).status_code == 404
    elsewhere = address.replace(institution.code, "nowhere")
    assert (await clients.nobody.get(elsewhere)).status_code == 404


async def test_a_feed_shows_what_its_owner_may_see_now(
    clients: Clients, institution: Institution
) -> None:
    await plan(institution)
    planner = await institution.person("planner", "planner", "A")
    address = await feed(institution, planner)
    assert len(events_of(await clients.nobody.get(address))) == 3
    await institution.post("grants", {"person": "planner", "role": "viewer", "unit": "B"})
    assert len(events_of(await clients.nobody.get(address))) == 4
    for each in (await institution.get("grants", person="planner"))["items"]:
        await institution.delete(f"grants/{each['id']}")
    assert events_of(await clients.nobody.get(address)) == {}
    await institution.patch("people/planner", {"active": False})
    assert (await clients.nobody.get(address)).status_code == 404
    await institution.delete("people/planner", status=409)  # a feed is theirs


async def test_a_feed_sees_no_more_than_the_token_that_made_it(
    clients: Clients, institution: Institution
) -> None:
    await plan(institution)
    await institution.person("viewer", "viewer", "A")
    body = {"person": "viewer", "name": "narrow", "scopes": ["updates:report"]}
    narrow = institution.client((await institution.post("tokens", body))["token"])
    assert await read(institution, narrow) == {}
    address = await feed(institution, narrow)
    assert events_of(await clients.nobody.get(address)) == {}
    unseen = {"name": "Cal", "unit": "A"}
    path = f"{institution.path}/calendars"
    await institution.expect(422, "POST", path, unseen, client=narrow)


async def test_a_feed_of_an_operators_token_ends_with_it(
    clients: Clients, institution: Institution, database: Database
) -> None:
    await plan(institution)
    token = await database.write(operators.create, SYSTEM, f"calendar-{institution.code}")
    operator = institution.client(token)
    address = await feed(institution, operator)
    assert len(events_of(await clients.nobody.get(address))) == 4
    await database.write(operators.revoke, SYSTEM, f"calendar-{institution.code}")
    assert (await clients.nobody.get(address)).status_code == 404


async def test_a_calendar_is_bounded(
    institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = date(2022, 1, 1)
    days = [first + timedelta(days=i) for i in range(8)]
    milestones = [{"title": f"M{i}", "due_on": day.isoformat()} for i, day in enumerate(days)]
    await institution.initiative("QW-1", milestones=milestones, due_on="2022-01-06")
    monkeypatch.setattr(agenda, "MOST_DATES", 4)
    events = await read(institution, institution.operator)
    assert [event["dtstart"].dt for event in events.values()] == [*days[5:6], *days[5:8]]
