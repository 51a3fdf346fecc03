"""Any number of reports: split, sent, told one by one, and begun again anywhere."""

import json
from typing import Any

import httpx
import pytest

from app.client import AsyncQuickwin, Failure, Outcome, Unauthorized, Unavailable
from app.client.batches import Sending
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


def answered(call: Any, status: int, body: Any, kind: str = "application/json") -> Any:
    return call.answer(httpx.Response(status, json=body, headers={"Content-Type": kind}))


def test_a_batch_that_takes_too_long_is_halved_and_so_are_the_next() -> None:
    sending = Sending(
        "/", reports(10), start=0, most_items=8, most_bytes=10_000, progress=None
    )  # fmt: skip
    first = sending.next()
    assert first is not None
    problem = {
        "type": "",
        "title": "",
        "status": 503,
        "detail": "",
        "instance": "",
        "code": "timeout",
    }
    call = answered(first, 503, problem, "application/problem+json").onward()
    sizes = []
    while call is not None:
        items = json.loads(call.body)["items"]
        sizes.append(len(items))
        refused = {**problem, "code": "not_found", "status": 404}
        results = [{"index": n, "status": 404, "problem": refused} for n in range(len(items))]
        summary = {"created": 0, "replayed": 0, "failed": len(items)}
        stretch = answered(call, 207, {"results": results, "summary": summary})
        call = stretch.onward()
    assert sizes == [4, 4, 2]
    assert [outcome.index for outcome in stretch.items] == [8, 9]

    alone = Sending("/", reports(1), start=0, most_items=1, most_bytes=1, progress=None).next()
    with pytest.raises(Unavailable):
        answered(alone, 503, problem, "application/problem+json")
