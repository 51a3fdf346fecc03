"""How SQLite reads what is asked of one unit: not every row of its institution.

It keeps no statistics here, so the plan for a handful of rows is the one for a million.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.support.institution import API, Institution

MANY = (
    "follow_up|initiative_(area|lift|owner|programme|purpose|stage|tag)|milestone|person"
    "|progress_update"
)
WHOLE = re.compile(rf"(SCAN|SEARCH) ({MANY})\b(?!.*\(institution_id=\? AND )")
"""A step that reads all rows of an institution, or of all; of one of these tables."""
DAYS = "since=2022-01-01&as_of=2022-06-30"
PAGES = [
    "units/a", f"units/a?{DAYS}", f"units/a/report?{DAYS}", "units/a/report",
    "initiatives?unit=a", "initiatives?unit=a&overdue=true", "initiatives/A-1",
]  # fmt: skip
CALLS = [
    "people/reporter/load", "calendar.ics?owner=reporter", "calendar.ics?unit=a",
    "units/a/rollup", "units/a/rollup/children?since=2022-01-01", "units/a/rollup/areas",
    "units/a/rollup/explain", "units/a/rollup/attention",
    "units/a/rollup/s-curve?from=2022-01-01&to=2022-12-31",
    "units/a/rollup/changes?from=2022-01-01&to=2022-06-30&level=unit",
    "units/a/rollup/changes?from=2022-01-01&to=2022-06-30&level=initiative",
    "units/a/rollup/changes?from=2022-01-01&to=2022-06-30&level=milestone",
]  # fmt: skip


@contextmanager
def reads(which: re.Pattern[str] = WHOLE) -> Iterator[set[str]]:
    """Such steps of the statements that run meanwhile, each before its statement."""
    found: set[str] = set()

    def explain(
        _conn: object,
        cursor: Any,
        statement: str,
        given: Any,
        _context: object,
        many: bool,  # noqa: FBT001  as it is called
    ) -> None:
        if statement.startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "WITH")):
            steps = cursor.connection.execute(
                f"EXPLAIN QUERY PLAN {statement}", given[0] if many else given
            )
            found.update(f"{step[3]} of {statement}" for step in steps if which.match(step[3]))

    event.listen(Engine, "after_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(Engine, "after_cursor_execute", explain)


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """A unit with an initiative that has reports."""
    await institution.unit("a")
    await institution.initiative("A-1", "a", milestones=[{"title": "M", "due_on": "2022-03-31"}])
    await institution.report("A-1", 1, 40, "2022-03-01")
    return institution


@pytest.mark.parametrize("configuration", ["sqlite"], indirect=True)
async def test_what_is_asked_of_a_unit_is_read_by_its_initiatives(planned: Institution) -> None:
    addresses = [f"{planned.path.removeprefix(API)}/{page}" for page in PAGES]
    addresses += [f"{planned.path}/{call}" for call in CALLS]
    wrong = {}
    for address in addresses:
        with reads() as found:
            answer = await planned.operator.get(address, headers={"Accept": "text/html, */*"})
        assert answer.status_code == 200, address
        if found:
            wrong[address] = found
    assert not wrong


@pytest.mark.parametrize("configuration", ["sqlite"], indirect=True)
async def test_a_report_costs_the_same_in_a_large_institution(planned: Institution) -> None:
    with reads() as found:
        update = await planned.report("A-1", 1, 100, "2022-04-01")
        await planned.report("A-1", 1, 90, "2022-04-02")
        await planned.verify(update)
        await planned.milestone("A-1", "2022-05-31")
        assert not found


@pytest.mark.parametrize("configuration", ["sqlite"], indirect=True)
async def test_such_a_read_would_be_seen(planned: Institution) -> None:
    with reads() as found:
        await planned.get("milestones")
    assert found


@pytest.mark.parametrize("configuration", ["sqlite"], indirect=True)
async def test_late_reports_are_found_by_their_own_index(planned: Institution) -> None:
    with reads(
        re.compile(r"SEARCH progress_update USING INDEX ix_progress_update_late\b")
    ) as found:
        await planned.get("updates", late=True)
    assert found
