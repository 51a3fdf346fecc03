"""A calendar, as Thunderbird's parser reads it."""

import json
from pathlib import Path

import httpx

from tests.api.test_calendars import HOSTILE, feed
from tests.support.institution import Institution
from tests.support.node import run

NAME = "Jawa Barat; 32, \\ 龍"


async def test_ical_js_reads_it(program: str, institution: Institution, tmp_path: Path) -> None:
    title = f"Judul {'龍' * 60}, dengan; semua\\nya"
    milestone = {"title": title, "description": HOSTILE, "due_on": "2022-06-30"}
    await institution.initiative("QW-1", milestones=[milestone], due_on="2024-02-29")
    address = await feed(institution, name=NAME)
    answer: httpx.Response = await institution.operator.get(address)
    file = tmp_path / "calendar.ics"
    file.write_bytes(answer.content)
    told = json.loads(run(program, "calendar.mjs", str(file)))
    assert told["name"] == NAME
    first, second = told["events"]
    assert first["summary"] == f"{title} (QW-1/1)"
    assert "a,b;c\\d\nÉ — ✓" in first["description"]
    assert (first["starts"], first["ends"]) == ("2022-06-30", "2022-07-01")
    assert (second["starts"], second["ends"]) == ("2024-02-29", "2024-03-01")
    for event in told["events"]:
        assert event["isWholeDay"]
        assert event["days"] == 1
        assert event["status"] == "CONFIRMED"
        assert event["uid"].endswith("@quickwin")
        assert event["sequence"] > 0
