"""How SQLite reads what is asked of one unit: not every milestone, report and person there is.

It keeps no statistics here, so the plan for a handful of rows is the one for a million.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.support.institution import API, Institution

WHOLE = re.compile(
    r"(SCAN|SEARCH) (milestone|progress_update|person)\b(?!.*\(institution_id=\? AND )"
)
DAYS = "since=2022-01-01&as_of=2022-06-30"
ASKED = [
    "units/a", f"units/a?{DAYS}", f"units/a/report?{DAYS}", "units/a/report",
    "initiatives?unit=a", "initiatives?unit=a&overdue=true", "initiatives/A-1",
]  # fmt: skip
CALLED = [
    "rollup", "rollup/children?since=2022-01-01", "rollup/areas", "rollup/explain",
    "rollup/s-curve?from=2022-01-01&to=2022-12-31", "rollup/attention",
    "rollup/changes?from=2022-01-01&to=2022-06-30&level=unit",
    "rollup/changes?from=2022-01-01&to=2022-06-30&level=initiative",
    "rollup/changes?from=2022-01-01&to=2022-06-30&level=milestone",
]  # fmt: skip


@contextmanager
def plans() -> Iterator[list[str]]:
    """The steps of each statement that runs meanwhile, behind what it says."""
    found: list[str] = []

    def explain(_conn: Any, cursor: Any, statement: str, given: Any, *_more: Any) -> None:
        if statement.startswith("SELECT"):
            steps = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", given)
            found.extend(f"{step[3]} of {' '.join(statement.split())}" for step in steps)

    event.listen(Engine, "after_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(Engine, "after_cursor_execute", explain)


@pytest.mark.parametrize("configuration", ["sqlite"], indirect=True)
async def test_what_is_asked_of_a_unit_is_read_by_its_initiatives(institution: Institution) -> None:
    await institution.unit("a")
    await institution.initiative("A-1", "a", milestones=[{"title": "M", "due_on": "2022-03-31"}])
    await institution.report("A-1", 1, 40, "2022-03-01")
    page = institution.path.removeprefix(API)
    addresses = [f"{page}/{asked}" for asked in ASKED]
    addresses += [f"{institution.path}/units/a/{asked}" for asked in CALLED]
    wrong = {}
    for address in addresses:
        with plans() as steps:
            answer = await institution.operator.get(address, headers={"Accept": "text/html, */*"})
        assert answer.status_code == 200, address
        assert steps, "nothing was heard"
        if whole := [step for step in steps if WHOLE.match(step)]:
            wrong[address] = whole
    assert not wrong
