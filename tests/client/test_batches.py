"""Any number of reports: split, sent, told one by one, and begun again anywhere."""

from typing import Any

import pytest

from app.client import AsyncQuickwin, Failure, Outcome, Unauthorized
from app.schemas.batches import BatchItem
from tests.client.conftest import initiative
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution


def reports(count: int) -> list[dict[str, Any]]:
    """With external ids, on both milestones, in the order of their days."""
    return [
        {"initiative": "QW-1", "milestone": 1 + n % 2, "percent_complete": 10 + n,
         "effective_on": f"2022-06-{1 + n:02}", "source": "s", "external_id": str(n)}
        for n in range(count)
    ]  # fmt: skip


@pytest.fixture(autouse=True)
async def plan(quickwin: AsyncQuickwin, institution: Institution) -> None:
    await quickwin.create_initiative(initiative("QW-1", institution.code))


async def test_reports_are_split_and_told_in_order(quickwin: AsyncQuickwin) -> None:
    told: list[int] = []
    taken: list[Outcome] = []
    async for outcome in quickwin.report_all(reports(7), most_items=3, progress=told.append):
        assert len(told) == outcome.index // 3, "progress is told after outcomes are taken"
        taken.append(outcome)
    assert [(o.index, o.status) for o in taken] == [(n, 201) for n in range(7)]
    assert told == [3, 6, 7]
    again = [o async for o in quickwin.report_all(iter(reports(7)), most_items=5, start=2)]
    assert [(o.index, o.status) for o in again] == [(n, 200) for n in range(2, 7)]
    assert [o.update for o in again] == [o.update for o in taken[2:]]
    assert len([each async for each in quickwin.feed()]) == 7


async def test_no_report_is_no_request(quickwin: AsyncQuickwin) -> None:
    assert [o async for o in quickwin.report_all([])] == []
    assert [o async for o in quickwin.report_all(reports(2), start=2)] == []


async def test_a_batch_stays_below_the_limit_of_a_body(quickwin: AsyncQuickwin) -> None:
    many = [BatchItem(**{**r, "note": "x" * 9_000}) for r in reports(24)]
    sizes: list[int] = []
    outcomes = quickwin.report_all(many, most_bytes=30_000, progress=sizes.append)
    assert {o.status async for o in outcomes} == {201}
    assert sizes == list(range(3, 25, 3))


async def test_a_report_that_spoils_its_batch_is_told_alone(quickwin: AsyncQuickwin) -> None:
    given = reports(9)
    given[4]["note"] = "\x00"  # refused as JSON, the whole batch with it
    given[7]["percent_complete"] = 101  # refused as an item
    given[8]["note"] = "x" * 1_100_000  # alone more than the server takes
    outcomes = [o async for o in quickwin.report_all(given)]
    assert [o.index for o in outcomes] == list(range(9))
    assert [o.status for o in outcomes] == [201] * 4 + [422] + [201] * 2 + [422, 413]
    told = [o.problem.code for o in outcomes if o.problem]
    assert len(told) == 3
    assert told[2] == "too_large"
    assert len([each async for each in quickwin.feed()]) == 6


async def test_it_stops_where_it_cannot_go_on(
    quickwin: AsyncQuickwin, institution: Institution, checked: CheckedTransport
) -> None:
    token = "qw_unknown"
    async with AsyncQuickwin("http://test", token, institution.code, transport=checked) as stranger:
        with pytest.raises(Unauthorized) as caught:
            await anext(stranger.report_all(reports(2)))
    assert isinstance(caught.value, Failure)
    assert [each async for each in quickwin.feed()] == []


async def test_no_more_is_taken_than_is_sent(quickwin: AsyncQuickwin) -> None:
    source = iter(reports(9))
    outcomes = quickwin.report_all(source, most_items=2)
    assert [(await anext(outcomes)).index for _ in range(2)] == [0, 1]
    assert next(source)["external_id"] == "2"
