"""Verifying from a page: the queue, a report beside the earlier ones, and verdicts that are taken once."""

import re

from tests.support.institution import Institution, Json
from tests.web.test_reporting import planned, reports, send, show, typed

__all__ = ["planned"]


def judging(update: Json) -> str:
    return f"updates/{update['id']}/verification"


async def test_from_report_to_verdict_the_numbers_move(planned: Institution) -> None:
    fields = typed(await show(planned, "initiatives/QW-1/milestones/1/report"))
    fields |= {
        "percent_complete": "50", "effective_on": "2022-03-01", "note": "Half is done",
        "link_title": "Minutes", "link_url": "https://example.org/minutes", "link_kind": "minutes",
    }  # fmt: skip
    await send(planned, "initiatives/QW-1/milestones/1/report", fields)
    second = await planned.report("QW-1", 2, 80, "2022-06-01")
    page = await show(planned, "verifications", planned.verifier)
    assert page.index("Part 1") < page.index("Part 2"), "the oldest first"
    assert "From 0% to 50%" in page
    (first,) = await reports(planned, 1)
    page = await show(planned, judging(first), planned.verifier)
    assert "Half is done" in page
    assert 'href="https://example.org/minutes"' in page
    verdict = typed(page) | {"verdict": "verified", "executed_as_planned": "yes", "on_time": "no"}
    answer = await send(planned, judging(first), verdict, client=planned.verifier)
    assert answer.headers["location"].startswith(f"/institutions/{planned.code}/{judging(second)}")
    following = await planned.verifier.get(
        answer.headers["location"], headers={"Accept": "text/html", "Accept-Language": "en"}
    )
    assert "Here is the next one." in following.text
    (judged,) = await reports(planned, 1)
    (given,) = judged["verifications"]
    found = {
        name: given[name]
        for name in ("executed_as_planned", "output_reached", "quality", "on_time")
    }
    assert found == {
        "executed_as_planned": True,
        "output_reached": None,
        "quality": None,
        "on_time": False,
    }
    assert (await planned.rollup())["percent_verified"] == 12.5
    numbers = re.findall(r"<dd>([^<]+)", await show(planned, "units/A"))
    assert "12.5%" in [each.strip() for each in numbers]
    # Tapped twice, it is given once.
    await send(planned, judging(first), verdict, client=planned.verifier)
    assert len((await reports(planned, 1))[0]["verifications"]) == 1


async def test_a_report_that_was_judged_meanwhile_says_so(planned: Institution) -> None:
    update = await planned.report("QW-1", 1, 40, "2022-03-01")
    fields = typed(await show(planned, judging(update), planned.verifier))
    other = await planned.person("other", "verifier")
    path = f"{planned.path}/initiatives/QW-1/milestones/1/updates/{update['id']}/verification"
    body = {"verdict": "returned", "note": "Where are the minutes?"}
    await planned.expect(200, "POST", path, body, client=other)
    answer = await send(
        planned,
        judging(update),
        fields | {"verdict": "verified"},
        client=planned.verifier,
        status=409,
    )
    assert "this report was judged meanwhile" in answer.text
    assert "Where are the minutes?" in answer.text
    assert len((await reports(planned, 1))[0]["verifications"]) == 1
    # Having seen that, they may find otherwise.
    again = typed(answer.text) | {"verdict": "verified"}
    done = await send(planned, judging(update), again, client=planned.verifier)
    assert done.headers["location"].startswith(
        f"/institutions/{planned.code}/verifications?judged="
    )
    page = await planned.verifier.get(
        done.headers["location"], headers={"Accept": "text/html", "Accept-Language": "en"}
    )
    assert "Nothing else waits for you." in page.text
    assert (await reports(planned, 1))[0]["verification"] == "verified"
    await other.aclose()


async def test_what_is_wrong_is_shown_with_what_was_typed(planned: Institution) -> None:
    update = await planned.report("QW-1", 1, 40, "2022-03-01")
    plain = typed(await show(planned, judging(update), planned.verifier))

    async def refused(**changes: str) -> str:
        fields = plain | {"note": "", "quality": "no"} | changes
        answer = await send(planned, judging(update), fields, client=planned.verifier, status=422)
        assert 'name="quality" value="no" checked' in answer.text
        return answer.text

    assert "Say why you return it" in await refused(verdict="returned", note="  ")
    assert "Say whether it is verified" in await refused(verdict="")
    assert "Say whether it is verified" in await refused(verdict="perhaps")
    assert "A note has at most" in await refused(verdict="verified", note="n" * 10_001)
    assert "This form is not whole" in await refused(verdict="verified", key="")
    assert "This form is not whole" in await refused(verdict="verified", seen="many")
    assert (await reports(planned, 1))[0]["verifications"] == []


async def test_the_queue_is_filtered_by_its_address(planned: Institution) -> None:
    await planned.unit("B")
    await planned.initiative(
        "QW-B",
        "B",
        areas=["oversight"],
        milestones=[{"title": "Elsewhere", "due_on": "2022-01-31"}],
    )
    await planned.report("QW-1", 1, 40, "2022-03-01")
    await planned.report("QW-B", 1, 40, "2022-05-01")
    await planned.post(
        "periods",
        {"code": "B06", "name": {"id": "B06", "en": "B06"}, "year": 2022,
         "starts_on": "2022-04-01", "ends_on": "2022-06-30", "opens_on": "2022-06-24",
         "closes_on": "2199-07-10"},
    )  # fmt: skip
    for name, value in (("unit", "B"), ("area", "oversight"), ("period", "B06")):
        path = f"verifications?{name}={value}"
        page = await show(planned, path, planned.verifier)
        assert "Elsewhere" in page
        assert "Part 1" not in page
        assert f"/verification?{name}={value}" in page, "the next one is looked for there, too"
    assert "No report waits" in await show(
        planned, "verifications", planned.verifier, period="none"
    )


async def test_own_reports_and_others_rights(planned: Institution) -> None:
    await planned.post("grants", {"person": "reporter", "role": "verifier"})
    update = await planned.report("QW-1", 1, 40, "2022-03-01")
    assert "No report waits for you here." in await show(planned, "verifications")
    page = await show(planned, judging(update))
    assert "This is your own report" in page
    assert "Give this verdict" not in page
    own = {"key": "k", "seen": "0", "verdict": "verified"}
    refused = await send(planned, judging(update), own, status=403)
    assert "somebody else than its reporter" in refused.text
    viewer = await planned.person("viewer", "viewer")
    page = await show(planned, judging(update), viewer)
    assert "You may read here, but not verify." in page
    assert "Give this verdict" not in page
    await send(planned, judging(update), own, client=viewer, status=403)
    assert "You may not verify reports" in await show(planned, "verifications", viewer)
    stranger = await planned.person("stranger")
    await send(planned, judging(update), own, client=stranger, status=404)
    assert (await reports(planned, 1))[0]["verifications"] == []
    for client in (viewer, stranger):
        await client.aclose()
