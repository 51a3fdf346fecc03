"""Clocks that jump, leap days, and midnights that come three times in one country."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from app.api.limits import OneWindow
from tests.support.institution import API, Institution, Json

ZONES = {"Asia/Jakarta": 7, "Asia/Makassar": 8, "Asia/Jayapura": 9}  # WIB, WITA, WIT
HOUR = timedelta(hours=1)


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """An initiative with a milestone."""
    await institution.initiative("QW-1")
    await institution.milestone("QW-1", "2030-12-31")
    return institution


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that the test sets; it goes on from there."""
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller


async def report(planned: Institution, status: int = 201, **fields: Any) -> Json:
    path = f"{planned.path}/initiatives/QW-1/milestones/1/updates"
    body = {"percent_complete": 10, **fields}
    return await planned.expect(status, "POST", path, body, client=planned.reporter)


@pytest.mark.parametrize(("zone", "hours"), ZONES.items())
async def test_today_begins_at_the_institutions_midnight(
    planned: Institution, clock: time_machine.Traveller, zone: str, hours: int
) -> None:
    await planned.expect(200, "PATCH", planned.path, {"time_zone": zone}, if_match="*")
    midnight = datetime(2028, 3, 1, tzinfo=UTC) - timedelta(hours=hours)
    clock.move_to(midnight - timedelta(seconds=30))
    assert (await planned.rollup())["as_of"] == "2028-02-29"
    told = await report(planned, 422, effective_on="2028-03-01")
    assert told["errors"][0]["code"] == "in_future"
    assert (await report(planned))["effective_on"] == "2028-02-29"
    clock.move_to(midnight + timedelta(seconds=1))
    assert (await planned.rollup())["as_of"] == "2028-03-01"
    assert (await report(planned))["effective_on"] == "2028-03-01"


async def test_a_leap_day_is_a_day(planned: Institution, clock: time_machine.Traveller) -> None:
    clock.move_to(datetime(2028, 2, 29, 5, tzinfo=UTC))
    due = await planned.milestone("QW-1", "2028-02-29")
    assert due["overdue_days"] == 0
    assert (await planned.rollup(as_of="2028-02-29"))["milestones"]["due_next_30_days"] == 1
    await planned.expect(422, "GET", f"{planned.path}/rollup", parameters={"as_of": "2027-02-29"})
    clock.move_to(datetime(2028, 3, 1, 5, tzinfo=UTC))
    milestone = await planned.get("initiatives/QW-1/milestones/2")
    assert milestone["overdue_days"] == 1
    clock.move_to(datetime(2029, 3, 1, 5, tzinfo=UTC))
    assert (await planned.rollup())["milestones"]["overdue"] == 1


@pytest.mark.parametrize("jump", [-HOUR, HOUR], ids=["back", "forth"])
async def test_a_clock_that_jumps_loses_and_doubles_nothing(
    planned: Institution, clock: time_machine.Traveller, jump: timedelta
) -> None:
    clock.move_to(datetime(2028, 6, 15, 5, tzinfo=UTC))  # noon there: no day ends in between
    for percent in range(1, 5):
        await report(planned, percent_complete=percent)
    listed = f"{planned.path}/updates"
    first = await planned.expect(200, "GET", listed, parameters={"limit": "2"})
    before = await planned.rollup()
    clock.shift(jump)
    made = await report(planned, percent_complete=5)
    assert made["previous_percent"] == 4
    after = await planned.rollup()
    assert after["version"] == before["version"] + 1
    assert after["percent_complete"] == 5
    # The page that was begun goes on where it was: nothing twice, nothing left out.
    cursor = {"limit": "200", "cursor": first["next_cursor"]}
    rest = await planned.expect(200, "GET", listed, parameters=cursor)
    seen = [item["id"] for item in first["items"] + rest["items"]]
    assert len(seen) == len(set(seen))
    assert {4, 3, 2, 1} <= {
        int(item["percent_complete"]) for item in first["items"] + rest["items"]
    }
    feed = (await planned.get("events"))["items"]
    assert [event["sequence"] for event in feed] == list(range(1, len(feed) + 1))
    assert feed[-1]["subject"].endswith(made["id"])


async def test_a_token_ends_at_its_instant(
    planned: Institution, clock: time_machine.Traveller
) -> None:
    ends = datetime.now(UTC) + HOUR
    new = {"person": "reporter", "name": "short", "expires_at": ends.isoformat()}
    made = await planned.post("tokens", new)
    async with planned.client(made["token"]) as client:
        await planned.expect(200, "GET", f"{API}/me", client=client)
        clock.move_to(ends + timedelta(seconds=1))
        await planned.expect(401, "GET", f"{API}/me", client=client)
        clock.move_to(ends - timedelta(minutes=1))  # the clock is put right
        await planned.expect(200, "GET", f"{API}/me", client=client)


async def test_a_clock_that_is_put_right_leaves_no_window_behind(
    clock: time_machine.Traveller,
) -> None:
    window = OneWindow()
    clock.shift(HOUR)
    assert await window.incr("client", 60) == 1
    clock.shift(-HOUR)
    assert await window.get("client") == 0
    assert await window.incr("client", 60) == 1
    assert await window.incr("client", 60) == 2
