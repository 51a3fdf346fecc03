"""The demo's data: the same every time, valid, and every state in it."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO
from itertools import groupby, islice, pairwise

import pytest

from app.demo import choice, compose, obstacles, papers, purpose, team, verdicts
from app.demo import late as behind
from app.demo.quick_wins import TEMPLATES
from app.filing.content import kind_of
from app.schemas.assessments import Assessor
from app.schemas.fields import (
    InitiativeKind,
    InitiativeStatus,
    Language,
    OwnerRole,
    Technique,
    Verdict,
)
from app.schemas.initiatives import NewInitiative
from app.schemas.institutions import NewInstitution
from app.schemas.people import NewPerson
from app.schemas.plans import Plan, PlannedReport
from app.schemas.templates import MOST_COPIES
from app.schemas.units import NewUnit
from app.schemas.updates import NewUpdate
from app.services import team_roles

AREAS = {
    "change-management",
    "deregulation",
    "organisation",
    "business-process",
    "human-resources",
    "accountability",
    "oversight",
    "public-service",
}
OWNED = {InitiativeStatus.ACTIVE, InitiativeStatus.ON_HOLD, InitiativeStatus.COMPLETED}
WITHOUT_REPORTS = set(InitiativeStatus) - OWNED


@cache
def default() -> tuple[Plan, ...]:
    return tuple(compose.plans())


def by_status(status: InitiativeStatus) -> list[Plan]:
    return [plan for plan in default() if plan.initiative.status is status]


def size(plan: Plan) -> int:
    return len(plan.initiative.milestones or [])


def of_milestone(plan: Plan, number: int) -> list[PlannedReport]:
    return [report for report in plan.reports if report.milestone == number]


def day(report: PlannedReport) -> date:
    assert report.update.effective_on is not None
    return report.update.effective_on


def latest(plan: Plan, number: int, as_of: date = date.max) -> Decimal:
    """Return what the roll-up takes: the latest effective report, the later arrival among equals."""
    known = [report for report in of_milestone(plan, number) if day(report) <= as_of]
    known.sort(key=day)
    return known[-1].update.percent_complete if known else Decimal(0)


def live(plan: Plan) -> list[int]:
    return [number for number in range(1, size(plan) + 1) if number not in plan.drops]


def late(plan: Plan) -> bool:
    """Whether some live milestone was not at 100 % on the day that it was due."""
    milestones = plan.initiative.milestones or []
    return any(latest(plan, n, milestones[n - 1].due_on) < 100 for n in live(plan))


def histories() -> Iterator[list[PlannedReport]]:
    for plan in default():
        for number in range(1, size(plan) + 1):
            yield of_milestone(plan, number)


def test_templates_cover_each_area() -> None:
    assert Counter(template.areas[0] for template in TEMPLATES) == dict.fromkeys(AREAS, 5)
    assert {area for template in TEMPLATES for area in template.areas} == AREAS
    assert all(4 <= len(template.steps) <= 8 for template in TEMPLATES)
    assert len({template.title for template in TEMPLATES}) == len(TEMPLATES)
    for template in TEMPLATES:
        assert len(set(template.steps)) == len(template.steps)
        assert len(set(template.areas)) == len(template.areas) <= 3
        assert 1 <= len(template.tags) <= 2


def test_institution() -> None:
    institution = compose.institution()
    assert NewInstitution.model_validate(institution.model_dump()) == institution
    assert (institution.code, institution.scheme) == ("kpu", "rb-2020")
    assert institution.name == "Komisi Pemilihan Umum Republik Indonesia"
    assert institution.time_zone == "Asia/Jakarta"


def test_how_quick_wins_are_chosen() -> None:
    """Decrees designate all that was active and a quick win; the last candidates have scores."""
    decrees = {decree.code: decree for decree in choice.decrees()}
    for plan in default():
        initiative = plan.initiative
        is_decreed = initiative.status in OWNED and initiative.kind is InitiativeKind.QUICK_WIN
        assert initiative.decree == (f"SK-QW-{initiative.year}" if is_decreed else None)
        assert initiative.decree is None or initiative.decree in decrees
    candidates = [plan.initiative for plan in default() if choice.is_candidate(plan.initiative)]
    scores = list(choice.scores(candidates))
    assert scores == list(choice.scores(candidates))
    assert len(set(scores)) == len(scores) > 200
    criteria = {criterion.code for criterion in choice.criteria()}
    by_initiative = {code: set[str]() for code in {score.initiative for score in scores}}
    for score in scores:
        by_initiative[score.initiative].add(score.criterion)
        assert 0 <= score.score <= 5
    assert Counter(len(criteria - scored) for scored in by_initiative.values()) == {0: 20, 1: 4}


def test_the_team_is_appointed_each_year() -> None:
    people = {person.code for person in compose.people()}
    roles = {code for code, *_ in team_roles.STANDARD}
    members = team.appointments()
    assert {member.role for member in members} == roles
    assert {member.person for member in members} <= people
    decrees = {decree.code for decree in choice.decrees()}
    steps = [(renewal.from_year, renewal.to_year) for renewal in team.renewals()]
    assert (members[0].year, steps) == (2022, [(2022, 2023), (2023, 2024)])
    assert {member.decree for member in members} <= decrees
    assert {renewal.decree for renewal in team.renewals()} <= decrees


def test_what_holds_up_is_handed_up_decided_and_followed_up() -> None:
    hindrances = obstacles.hindrances()
    assert hindrances == obstacles.hindrances()
    people = {person.code for person in compose.people()}
    actions = [
        action for each in hindrances for action in (*(done for done, _ in each.done), *each.to_do)
    ]
    assert {each.obstacle.owner for each in hindrances} - {None} <= people
    assert {action.owner for action in actions} <= people
    assert all(each.obstacle.description for each in hindrances)
    assert any(each.obstacle.due_on for each in hindrances)
    assert any(each.done for each in hindrances)
    assert any(each.to_do for each in hindrances)
    asked = [each for each in hindrances if each.obstacle.decision_asked]
    decided = [each for each in hindrances if each.decision]
    assert [each.escalation is not None for each in decided] == [True]
    assert [each.decision for each in asked] == [None]  # one still waits


def test_a_document_is_what_it_says() -> None:
    sent = papers.document()
    assert sent == papers.document()
    assert kind_of(BytesIO(sent)).media_type == "application/pdf"
    start = int(sent.split(b"startxref\n")[1].split()[0])
    assert sent[start:].startswith(b"xref\n0 6\n")
    for number, line in enumerate(sent[start:].split(b"\n")[3:8], start=1):
        assert sent[int(line.split()[0]) :].startswith(f"{number} 0 obj".encode())


def test_something_is_led_lifted_and_judged() -> None:
    programme = purpose.programme("kpu")
    assert (programme.level, programme.lead, programme.carriers) == ("meso", "kpu", ["kpu"])
    serves = purpose.serves()
    assert serves.model_fields_set == {"programme", "strategies", "expected_lift"}
    assert serves.programme == programme.code
    judged = purpose.judged()
    assert {each.assessor for each in judged} == {Assessor.SELF, Assessor.INTERNAL_AUDITOR}
    assert len({(each.assessor, each.score_year) for each in judged}) == len(judged)
    assert {each.note for each in judged} == {"Data sintetis."}


@pytest.mark.parametrize(("initiatives", "milestones"), [(1700, None), (100, 999)])
def test_a_report_comes_late(initiatives: int, milestones: int | None) -> None:
    plans = list(islice(compose.plans(initiatives, milestones), 425))
    found = next(filter(None, map(behind.place, plans)))
    plan = next(plan for plan in plans if plan.initiative.code == found.initiative)
    assert plan.initiative.year == 2024
    assert found.milestone not in plan.drops
    assert found.percent == latest(plan, found.milestone) + 5 < 100


def test_verdicts_are_on_what_is_closed() -> None:
    closed = [plan.initiative for plan in default() if verdicts.is_judged(plan.initiative)]
    given = list(verdicts.verdicts(closed))
    assert len(given) == verdicts.MOST_JUDGED < len(closed)
    by_code = {initiative.code: initiative.status for initiative in closed}
    assert {each.verdict.verdict for each in given} == {"met-fast", "missed-or-slow"}
    for each in given:
        if by_code[each.initiative] is InitiativeStatus.CANCELLED:
            assert each.verdict.verdict == "missed-or-slow"
    assert {by_code[each.initiative] for each in given} == {
        InitiativeStatus.COMPLETED, InitiativeStatus.CANCELLED,
    }  # fmt: skip


def test_units_come_parents_first() -> None:
    units = compose.units()
    seen = {"kpu"}
    for unit in units:
        assert NewUnit.model_validate(unit.model_dump()) == unit
        assert unit.parent in seen
        assert unit.code not in seen
        seen.add(unit.code)
    assert len(units) == 560
    assert Counter(unit.kind for unit in units)["provincial"] == 38


def test_one_call_copies_a_template_into_all_regencies_and_cities() -> None:
    found = [unit for unit in compose.units() if unit.kind in {"regency", "city"}]
    assert len(found) == 514 <= MOST_COPIES


def test_people_of_every_unit() -> None:
    people = compose.people()
    codes = {person.code: person for person in people}
    assert len(codes) == len(people) == 2 * 561 + 4
    assert len({person.name for person in people}) == len(people)
    for unit in ["kpu", *(unit.code for unit in compose.units())]:
        assert codes[f"sek-{unit}"].unit == codes[f"ops-{unit}"].unit == unit
        assert codes[f"ops-{unit}"].language is Language.ID
        assert codes[f"sek-{unit}"].language is None
    assert [codes[f"apip-{n}"].unit for n in (1, 2, 3, 4)] == ["itama"] * 4
    for person in people:
        assert NewPerson.model_validate(person.model_dump()) == person
        assert person.email is not None
        assert person.email.endswith("@kpu.example")
    assert compose.people() == people


def test_same_every_time() -> None:
    assert tuple(compose.plans()) == default()
    assert list(compose.plans(50, 300)) == list(compose.plans(50, 300))


def test_every_shape_validates() -> None:
    for plan in default():
        initiative = plan.initiative
        assert NewInitiative.model_validate(initiative.model_dump()) == initiative
        for report in plan.reports:
            assert NewUpdate.model_validate(report.update.model_dump()) == report.update


def test_counts_and_spread() -> None:
    plans = default()
    assert len(plans) == 1700
    assert len({plan.initiative.code for plan in plans}) == 1700
    units = [unit for unit, _ in groupby(plan.initiative.unit for plan in plans)]
    assert units == ["kpu", *(unit.code for unit in compose.units())]
    years = Counter(plan.initiative.year for plan in plans)
    assert set(years) == {2022, 2023, 2024}
    for year, count in years.items():
        codes = {plan.initiative.code for plan in plans if plan.initiative.year == year}
        assert codes == {f"QW-{year}-{n:03}" for n in range(1, count + 1)}
    main = Counter(plan.initiative.areas[0] for plan in plans)
    assert set(main) == AREAS
    assert min(main.values()) > 150
    assert {len(plan.initiative.areas) for plan in plans} == {1, 2, 3}
    assert all(size(plan) == 0 or 4 <= size(plan) <= 8 for plan in plans)
    milestones = sum(map(size, plans))
    assert 2 <= sum(len(plan.reports) for plan in plans) / milestones <= 3


def test_texts_tags_and_dates() -> None:
    for plan in default():
        initiative = plan.initiative
        assert initiative.description
        assert initiative.expected_result
        assert initiative.tags[0] == compose.MARK
        assert 2 <= len(initiative.tags) == len(set(initiative.tags)) <= 3
        assert initiative.start_on is not None
        assert initiative.due_on is not None
        assert initiative.start_on <= initiative.due_on
        for milestone in initiative.milestones or []:
            assert initiative.start_on <= milestone.due_on <= initiative.due_on
            assert milestone.due_on.year == initiative.year
            baseline = milestone.baseline_due_on
            assert baseline is None or baseline <= milestone.due_on
            moved = baseline is not None and baseline != milestone.due_on
            assert moved == (milestone.reason is not None)


def test_owners() -> None:
    for plan in default():
        initiative = plan.initiative
        owners = {owner.role: owner.person for owner in initiative.owners}
        assert len(owners) == len(initiative.owners)
        if initiative.status in OWNED:
            assert owners == {
                OwnerRole.ACCOUNTABLE: f"sek-{initiative.unit}",
                OwnerRole.RESPONSIBLE: f"ops-{initiative.unit}",
            }


@pytest.mark.parametrize("year", [2022, 2023, 2024])
@pytest.mark.parametrize("status", list(InitiativeStatus))
def test_every_status_in_every_year(status: InitiativeStatus, year: int) -> None:
    assert [plan for plan in by_status(status) if plan.initiative.year == year]


def test_active_on_time_late_and_unmeasured() -> None:
    active = by_status(InitiativeStatus.ACTIVE)
    measured = [plan for plan in active if size(plan)]
    assert len(active) - len(measured) > 20
    assert sum(late(plan) for plan in measured) > 100
    assert sum(not late(plan) for plan in measured) > 100


def test_completed_means_every_live_milestone_at_100() -> None:
    for plan in by_status(InitiativeStatus.COMPLETED):
        assert live(plan)
        assert all(latest(plan, number) == 100 for number in live(plan))


def test_on_hold_is_unfinished() -> None:
    assert all(
        any(latest(plan, number) < 100 for number in range(1, size(plan) + 1))
        for plan in by_status(InitiativeStatus.ON_HOLD)
    )


def test_cancelled_has_a_reason_and_a_day() -> None:
    for plan in by_status(InitiativeStatus.CANCELLED):
        assert plan.initiative.reason
        assert plan.initiative.cancelled_on is not None
        assert plan.initiative.cancelled_on.year == plan.initiative.year


def test_only_counted_initiatives_have_reports_and_drops() -> None:
    for plan in default():
        if plan.initiative.status in WITHOUT_REPORTS:
            assert not plan.reports
            assert not plan.drops


def test_milestones_in_every_state() -> None:
    milestones = [m for plan in default() for m in plan.initiative.milestones or []]
    assert {m.weight for m in milestones} == set(range(1, 11))
    assert sum(m.technique is Technique.BINARY for m in milestones) > 500
    assert sum(m.baseline_due_on is None for m in milestones) > 500
    assert sum(m.baseline_due_on not in (None, m.due_on) for m in milestones) > 500
    drops = [(plan, *drop) for plan in default() for drop in plan.drops.items()]
    assert len(drops) > 50
    assert all(1 <= number <= size(plan) and reason for plan, number, reason in drops)
    states = {min(latest(plan, n), Decimal(1)) for plan in default() for n in live(plan)}
    assert states == {0, 1}


def test_reports_in_every_state() -> None:
    verdicts: Counter[Verdict | None] = Counter()
    for plan in default():
        unit, year = plan.initiative.unit, plan.initiative.year
        for report in plan.reports:
            assert 1 <= report.milestone <= size(plan)
            assert day(report).year == year
            assert plan.initiative.start_on is not None
            assert day(report) >= plan.initiative.start_on
            assert report.reporter in {f"ops-{unit}", f"sek-{unit}"}
            assert (report.verdict is None) == (report.verifier is None)
            assert report.verifier in {None, "apip-1", "apip-2", "apip-3", "apip-4"}
            assert report.verifier != report.reporter
            for evidence in report.update.evidence:
                assert (evidence.url or "").startswith("https://kpu.example/")
            verdicts[report.verdict] += 1
    assert verdicts[Verdict.VERIFIED] > verdicts[None] > verdicts[Verdict.RETURNED] > 100
    updates = [report.update for plan in default() for report in plan.reports]
    assert sum(bool(update.note) for update in updates) > 1000
    assert sum(bool(update.evidence) for update in updates) > 1000


def test_back_dated_reports_and_corrections() -> None:
    back_dated = corrected = 0
    for history in histories():
        assert len(set(map(day, history))) == len(history)
        back_dated += any(day(after) < day(before) for before, after in pairwise(history))
        corrected += any(
            day(after) > day(before)
            and after.update.percent_complete < before.update.percent_complete
            for before, after in pairwise(history)
        )
    assert back_dated > 100
    assert corrected > 100


@pytest.mark.parametrize(
    ("initiatives", "milestones"),
    [(1, None), (40, None), (1700, None), (300, 2500), (20000, 99999)],
)
def test_the_guided_initiative(initiatives: int, milestones: int | None) -> None:
    plan = next(
        plan
        for plan in compose.plans(initiatives, milestones)
        if plan.initiative.code == "QW-2022-014"
    )
    assert plan.initiative.status is InitiativeStatus.ACTIVE
    assert plan.initiative.year == 2022
    assert size(plan) >= 3
    assert not plan.drops
    assert of_milestone(plan, 3)
    assert latest(plan, 3) < 60


@pytest.mark.parametrize(("initiatives", "milestones"), [(1, 3), (100, 999), (1700, 9000)])
def test_exact_number_of_milestones(initiatives: int, milestones: int) -> None:
    sizes = Counter(map(size, compose.plans(initiatives, milestones)))
    assert sum(n * count for n, count in sizes.items()) == milestones
    measured = sorted(n for n in sizes if n)
    assert measured[-1] - measured[0] <= 1


@pytest.mark.parametrize("milestones", [10, 100_000])
def test_impossible_number_of_milestones(milestones: int) -> None:
    with pytest.raises(ValueError, match="100 initiatives take"):
        compose.plans(100, milestones)


def test_the_large_demo_reports_less_and_comes_at_once() -> None:
    plans = list(islice(compose.plans(100_000, 1_000_000), 2000))
    assert 1.1 <= sum(len(plan.reports) for plan in plans) / sum(map(size, plans)) <= 1.5
    for plan in plans:
        assert NewInitiative.model_validate(plan.initiative.model_dump()) == plan.initiative
        titles = [milestone.title for milestone in plan.initiative.milestones or []]
        assert len(set(titles)) == len(titles)
