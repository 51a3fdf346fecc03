"""The client's operations against the service, whose answers are held to its document meanwhile."""

import inspect
from datetime import date
from pathlib import Path

import pytest

from app.client import (
    AsyncQuickwin,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Quickwin,
    StaleVersion,
    Unauthorized,
    Unsayable,
)
from app.client.plans import Plans
from app.client.programme import Programme
from app.client.progress import Progress
from app.schemas.fields import InitiativeStatus
from app.schemas.initiatives import InitiativeChanges, NewInitiative
from app.schemas.milestones import NewMilestone
from app.schemas.units import NewUnit
from tests.client.conftest import initiative
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution
from tests.support.posts import PERIOD

CODE = str(PERIOD["code"])


async def test_who_and_where(quickwin: AsyncQuickwin, institution: Institution) -> None:
    assert (await quickwin.me()).operator
    found = await quickwin.institution()
    assert (found.code, found.root_unit) == (institution.code, institution.code)
    changed = await quickwin.change_institution({"name": "Renamed"}, version=found.version)
    assert (changed.name, changed.version) == ("Renamed", found.version + 1)
    with pytest.raises(StaleVersion):
        await quickwin.change_institution({"name": "Again"}, version=found.version)
    made = await quickwin.create_institution({"code": f"{institution.code}-x", "name": "X"})
    assert made.code in {each.code async for each in quickwin.institutions(limit=1)}


async def test_units_and_people(quickwin: AsyncQuickwin) -> None:
    for code in ("a", "b", "c"):
        await quickwin.create_unit(NewUnit(code=code, name=f"Unit {code}"))
    a = await quickwin.unit("A")
    renamed = await quickwin.change_unit(a, {"name": "Renamed", "kind": "city"})
    assert (renamed.name, renamed.kind) == ("Renamed", "city")
    with pytest.raises(StaleVersion):
        await quickwin.delete_unit(a)
    assert (await quickwin.move_unit("b", "a", reason="R")).parent == "a"
    assert (await quickwin.merge_unit("c", "a")).merged_into == "a"
    codes = [unit.code async for unit in quickwin.units(under="a", sort="-code", limit=1)]
    assert codes == ["b", "a"]
    await quickwin.delete_unit("b", reason="R")

    p = await quickwin.create_person({"code": "p", "name": "P", "unit": "a"})
    p = await quickwin.change_person(p, {"email": "p@example.org", "position": None})
    assert (await quickwin.person("p")).email == "p@example.org"
    assert [each.code async for each in quickwin.people(unit="a")] == ["p"]
    await quickwin.delete_person(p)
    with pytest.raises(NotFound) as caught:
        await quickwin.person("p")
    assert caught.value.code == "not_found"


async def test_an_initiative_from_its_plan_to_its_end(quickwin: AsyncQuickwin) -> None:
    await quickwin.create_unit({"code": "a", "name": "A"})
    made = await quickwin.create_initiative(
        NewInitiative(code="QW-1", title="T", unit="a", year=2022)
    )
    assert (made.version, made.plan) == (1, [])
    with pytest.raises(Conflict) as taken:
        await quickwin.create_initiative({**initiative("qw-1", "a")})
    assert taken.value.code == "code_taken"

    put = await quickwin.put_initiative("QW-2", initiative("QW-2", "a"))
    again = await quickwin.put_initiative(put, initiative("QW-2", "a", title="Changed"))
    assert (again.id, again.title) == (put.id, "Changed")
    changes = InitiativeChanges(status=InitiativeStatus.ON_HOLD, reason="R")
    held = await quickwin.change_initiative(again, changes)
    assert held.status == "on_hold"
    with pytest.raises(StaleVersion):
        await quickwin.change_initiative(again, {"status": "active"})
    await quickwin.change_initiative("QW-2", {"status": "active", "description": None})

    new = NewMilestone(title="Third", due_on=date(2022, 9, 30), weight=2)
    third = await quickwin.create_milestone("QW-2", new)
    third = await quickwin.change_milestone("QW-2", third, {"title": "Renamed"})
    assert (await quickwin.milestone("QW-2", 3)) == third
    assert [m.number async for m in quickwin.milestones("QW-2", limit=2)] == [1, 2, 3]
    await quickwin.delete_milestone("QW-2", third, reason="R")
    with pytest.raises(NotFound):
        await quickwin.delete_milestone("QW-2", 3)

    listed = [each.code async for each in quickwin.initiatives(unit="a", sort="-code", limit=1)]
    assert listed == ["QW-2", "QW-1"]
    active = quickwin.initiatives(unit=["a"], status=["active"], overdue=True, due_before=None)
    assert [each.code async for each in active] == ["QW-2"]
    await quickwin.delete_initiative("QW-2", reason="R")
    assert [each.code async for each in quickwin.initiatives()] == ["QW-1"]


async def test_reports_and_what_they_add_up_to(
    quickwin: AsyncQuickwin, institution: Institution, checked: CheckedTransport
) -> None:
    await quickwin.create_unit({"code": "a", "name": "A"})
    await quickwin.create_initiative(initiative("QW-1", "a"))
    token = institution.reporter.headers["Authorization"].removeprefix("Bearer ")
    async with AsyncQuickwin("http://test", token, institution.code, transport=checked) as reporter:
        evidence = [{"title": "Minutes", "url": "https://example.org/1.pdf"}]
        update = await reporter.report(
            "QW-1", 1, 60, effective_on=date(2022, 6, 1), note="N", evidence=evidence,
            source="s", external_id="1",
        )  # fmt: skip
        again = await reporter.report("QW-1", 1, 60, source="s", external_id="1")
        assert again == update
        with pytest.raises(Forbidden):
            await reporter.verify(update)
        with pytest.raises(Forbidden):
            await reporter.change_initiative("QW-1", {"title": "T"})
    assert [each.id async for each in quickwin.to_verify(latest=True)] == [update.id]
    returned = await quickwin.verify(update, "returned", note="blurred", quality=False)
    assert returned.verifications[0].quality is False
    answered = await quickwin.report("QW-1", 1, 60, resubmits=update.id)
    assert answered.resubmits == update.id
    verified = await quickwin.verify(update, note="seen")
    assert (verified.verification, verified.verification_note) == ("verified", "seen")
    batch = await quickwin.report_batch(
        [{"initiative": "QW-1", "milestone": n, "percent_complete": 50} for n in (2, 9)]
    )
    assert (batch.summary.created, batch.summary.failed) == (1, 1)
    assert [each.id async for each in quickwin.updates("QW-1", 1)] == [answered.id, update.id]
    assert len([each async for each in quickwin.feed(initiative="QW-1", limit=1)]) == 3

    rollup = await quickwin.rollup("a", year=2022, area="accountability")
    assert (rollup.percent_complete, rollup.percent_verified) == (55.0, 30.0)
    past = await quickwin.rollup(as_of=date(2022, 6, 2))
    assert past.percent_complete == 30.0
    children = await quickwin.rollup_children(sort="-percent_complete", year=2022)
    assert [(each.unit, each.percent_complete) for each in children.items] == [("a", 55.0)]
    areas = await quickwin.rollup_areas("a", year=2022)
    assert 55.0 in {each.percent_complete for each in areas.items}
    curve = await quickwin.s_curve("a", from_="2022-06-01", to=date(2022, 6, 30), interval="month")
    assert [(point.on, point.earned) for point in curve.points] == [(date(2022, 6, 30), 30.0)]

    events = [event async for event in quickwin.events(limit=2)]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    reported = quickwin.events(type="update.reported", sort="-sequence", after=None)
    assert len([event async for event in reported]) == 3


async def test_what_is_wrong_is_told_with_its_place(quickwin: AsyncQuickwin) -> None:
    with pytest.raises(Invalid) as body:
        await quickwin.create_initiative({"code": "QW-1", "title": "", "weight": 0})
    places = {error.pointer for error in body.value.errors}
    assert {"/title", "/weight", "/unit", "/year"} <= places
    assert "/weight: " in str(body.value)
    with pytest.raises(Invalid) as query:
        await anext(quickwin.initiatives(colour="red"))
    assert [error.parameter for error in query.value.errors] == ["colour"]


async def test_a_key_is_one_request(quickwin: AsyncQuickwin) -> None:
    new = {"code": "u", "name": "U"}
    first = await quickwin.create_unit(new, key="once")
    assert await quickwin.create_unit(new, key="once") == first
    with pytest.raises(Invalid) as caught:
        await quickwin.create_unit({**new, "name": "V"}, key="once")
    assert caught.value.code == "idempotency_key_reused"


async def test_who_has_no_valid_token(checked: CheckedTransport) -> None:
    async with AsyncQuickwin("http://test", "qw_wrong", transport=checked) as stranger:
        with pytest.raises(Unauthorized):
            await stranger.me()


async def test_both_clients_have_the_same_operations() -> None:
    names = {
        name for name in vars(Plans) | vars(Progress) | vars(Programme) if not name.startswith("_")
    }
    with Quickwin("http://test", "t", "i") as plain:
        async with AsyncQuickwin("http://test", "t", "i") as waiting:
            for name in names - {"at", "milestone_at", "rollup_at"}:
                one, other = getattr(plain, name), getattr(waiting, name)
                assert inspect.signature(one).parameters == inspect.signature(other).parameters
                assert one.__doc__
                assert "self" not in inspect.signature(one).parameters


async def test_around_the_plans(quickwin: AsyncQuickwin, institution: Institution) -> None:
    await quickwin.create_unit({"code": "a", "name": "A"})
    await quickwin.create_initiative(initiative("QW-1", "a", 1))
    names = {"id": "Nama", "en": "Name"}
    idea = {"code": "QW-2", "title": "T", "unit": "a", "year": 2022}
    await quickwin.create_initiative(idea)
    await institution.post("criteria", {"code": "visible", "name": names})
    assert (await quickwin.score("QW-2", "visible", 4, note="N")).score == 4
    assert [each.code async for each in quickwin.candidates(unit="a")] == ["QW-2"]
    assert len((await quickwin.scores("QW-2")).criteria) == 1
    await institution.post("templates", {"code": "t", "title": "T"})
    assert [each.code async for each in quickwin.templates()] == ["t"]
    copies = await quickwin.copy_template("t", {"units": ["a"], "year": 2022, "code": "c-{unit}"})
    assert [each.created for each in copies.items] == [True]

    owners = [{"person": "reporter", "role": "accountable"}]
    decree = {"number": "17/2022", "issued_on": "2022-01-17", "signer": "S", "title": "T"}
    await institution.post("decrees", {"code": "SK-17", **decree})
    decided = await quickwin.designate(
        "SK-17", {"items": [{"initiative": "c-a", "owners": owners}]}
    )
    assert (decided.summary.designated, decided.results[0].status) == (1, 200)

    await institution.post("periods", PERIOD)
    assert [each.code async for each in quickwin.periods(year=2021)] == [CODE]
    standing = await quickwin.standing(CODE, unit="a")
    assert (standing.total.unit, standing.total.missing) == ("a", 1)
    late = [each async for each in quickwin.missing(CODE, unit="a", limit=1)]
    assert [each.initiative for each in late] == ["QW-1"]

    opened = await quickwin.open_obstacle({"initiative": "QW-1", "title": "O"})
    opened = await quickwin.change_obstacle(opened, {"due_on": date(2022, 6, 30)})
    handed = await quickwin.escalate(opened, "Above us", decision_asked="May we?")
    assert (await quickwin.decide(handed.id, "Yes")).decision is not None
    resolved = await quickwin.resolve(str(opened.id), "Done")
    assert (resolved.state, resolved.resolution) == ("resolved", "Done")
    with pytest.raises(StaleVersion):
        await quickwin.resolve(handed, "Again")
    assert [each.id async for each in quickwin.obstacles(state=["resolved"])] == [opened.id]
    assert (await quickwin.obstacle(opened.id)).version == resolved.version

    await institution.post("indicators", {"code": "n", "name": names, "unit_of_measure": "%"})
    year = {"starts_on": "2022-01-01", "ends_on": date(2022, 12, 31), "actual": 3}
    value = await quickwin.set_indicator_value("n", "2022", year)
    await quickwin.set_indicator_value("n", "2022", {**year, "actual": 4}, version=value.version)
    assert [each.actual async for each in quickwin.indicator_values("n")] == [4]
    assert [each.code async for each in quickwin.indicators()] == ["n"]
    score = {"instrument": "permenpan-26-2020", "score_year": 2022, "assessor": "self", "score": 70}
    recorded = await quickwin.record_assessment(score)
    assert [each.id async for each in quickwin.assessments(score_year=2022)] == [recorded.id]

    told = await quickwin.publish("QW-1", {"title": "Told"})
    assert [each.id async for each in quickwin.publications("QW-1")] == [told.id]
    await quickwin.change_initiative("QW-1", {"status": "cancelled", "reason": "R"})
    given = await quickwin.give_verdict("QW-1", "absent", "N", judged_on=date(2022, 12, 1))
    assert [each.stands async for each in quickwin.verdicts("QW-1")] == [given.stands] == [True]


async def test_documents_are_sent_and_saved(quickwin: AsyncQuickwin, tmp_path: Path) -> None:
    source, target = tmp_path / "SK 77.pdf", tmp_path / "saved.pdf"
    source.write_bytes(b"%PDF-1.7\n" + 70_000 * b"%" + b"\n%%EOF\n")
    key = f"file-{quickwin.institution_code}"
    sent = await quickwin.send_file(source, key=key)
    assert (sent.name, sent.size) == ("SK 77.pdf", source.stat().st_size)
    assert await quickwin.send_file(str(source), key=key) == sent
    target.write_bytes(b"old")
    assert await quickwin.save_file(sent, target) == target
    assert target.read_bytes() == source.read_bytes()
    with pytest.raises(NotFound):
        await quickwin.save_file("01a21092-8a17-7436-8260-8937a3d9cf9f", target)
    assert target.read_bytes() == source.read_bytes(), "what is not saved replaces nothing"
    source.write_bytes(b"MZ")
    with pytest.raises(Invalid) as caught:
        await quickwin.send_file(source)
    assert caught.value.code == "file_refused"
    for wrong in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(Unsayable):
            await quickwin.send_file(wrong)
    with pytest.raises(Unsayable):
        await quickwin.save_file(sent, tmp_path / "nowhere" / "a.pdf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SK 77.pdf", "saved.pdf"]
