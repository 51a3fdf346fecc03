"""The arithmetic by itself: apportionment, rounding, health, and the two paths of a report."""

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from operator import sub

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rollup import contribution, figures, points
from app.rollup.contribution import Change, Report
from app.rollup.figures import Thresholds
from app.schemas.fields import Technique
from tests.rollup import brute_force

settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

weights = st.lists(st.integers(1, 1000), min_size=1, max_size=40)
days = st.integers(0, 90).map(lambda n: date(2022, 1, 1) + timedelta(days=n))
histories = st.lists(
    st.tuples(days, st.sampled_from([0, 1, 5_000, 9_999, 10_000, 10_000]), st.booleans()),
    max_size=8,
)


@given(weights, st.integers(1, 1000))
def test_shares_add_up_and_stay_within_one_point(parts: list[int], weight: int) -> None:
    whole = weight * points.POINTS_PER_WEIGHT
    shares = points.apportion(whole, parts)
    assert sum(shares) == whole
    for share, part in zip(shares, parts, strict=True):
        assert abs(share - Fraction(whole * part, sum(parts))) < 1
    initiative = brute_force.Initiative("QW", "u", 2022, "active", weight, frozenset())
    for number, part in enumerate(parts):
        initiative.milestones[number] = brute_force.Milestone(number, part, "percent", date.max)
    assert shares == list(initiative.shares().values())


def test_ties_go_to_the_lower_number() -> None:
    assert points.apportion(1_000_000, [1, 1, 1]) == [333_334, 333_333, 333_333]
    assert points.apportion(1_000_000, []) == []


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**15), st.integers(0, 4))
def test_rounding_goes_once_and_away_from_zero(part: int, whole: int, decimals: int) -> None:
    expected = brute_force.ratio(Fraction(part), Fraction(whole), decimals)
    assert points.divide(part, whole, decimals) == expected


def test_halves_go_away_from_zero() -> None:
    assert [points.divide(n, 8, 2) for n in (1, -1, 3)] == [0.13, -0.13, 0.38]


def milestone(
    technique: Technique, due_on: date, planned_on: date, reports: Iterable[Report]
) -> contribution.Milestone:
    return contribution.Milestone(1, technique, due_on, planned_on, list(reports))


@given(histories, days, days, st.sampled_from(Technique), st.integers(1, 1_000_000))
def test_sums_of_changes_are_the_values_of_the_day(
    history: list[tuple[date, int, bool]],
    due_on: date,
    planned_on: date,
    technique: Technique,
    share: int,
) -> None:
    reports = [Report(day, n, bp, seen) for n, (day, bp, seen) in enumerate(history, start=1)]
    changes = contribution.of_milestone(milestone(technique, due_on, planned_on, reports), share)
    plain = brute_force.Milestone(1, 1, technique, due_on, planned_on)
    plain.reports = [
        brute_force.Report(r.effective_on, r.sequence, Fraction(r.basis_points, 100), r.verified)
        for r in reports
    ]
    for n in range(-40, 130):
        day = date(2022, 1, 1) + timedelta(days=n)
        total = Change(
            *map(sum, zip(*([*(c for d, c in changes.items() if d <= day), Change()]), strict=True))
        )
        is_open = plain.at(day) < 100
        assert total.planned == (share * 10_000 if planned_on <= day else 0)
        assert total.earned == share * plain.earns(day) * 10_000
        assert total.verified == share * plain.earns(day, verified=True) * 10_000
        assert total.done == (not is_open)
        assert total.overdue == (is_open and due_on < day)
        assert total.due_soon == (is_open and day <= due_on <= day + timedelta(days=30))
        assert total.due == (due_on <= day)
        assert total.met == (due_on <= day and plain.at(due_on) == 100)


@given(histories, days, st.sampled_from([0, 5_000, 10_000]), days, st.sampled_from(Technique))
def test_the_neighbours_of_a_report_tell_what_it_changes(
    history: list[tuple[date, int, bool]],
    day: date,
    percent: int,
    due_on: date,
    technique: Technique,
) -> None:
    """The everyday path, which reads two reports, equals the whole history with and without."""
    reports = [Report(d, n, bp, verified=False) for n, (d, bp, _) in enumerate(history, start=1)]
    mine = Report(day, len(reports) + 1, percent, verified=False)
    earlier = [r for r in reports if r.effective_on <= day]
    later = [r for r in reports if r.effective_on > day]
    first = min((r.effective_on for r in later), default=None)
    around = [max(earlier)] if earlier else []
    around += [max(r for r in later if r.effective_on == first)] if first else []

    def difference(known: list[Report]) -> dict[date, Change]:
        after = contribution.of_milestone(milestone(technique, due_on, due_on, [*known, mine]), 777)
        before = contribution.of_milestone(milestone(technique, due_on, due_on, known), 777)
        steps = {
            at: Change(*map(sub, after.get(at, Change()), before.get(at, Change())))
            for at in after.keys() | before.keys()
        }
        return {at: step for at, step in steps.items() if any(step)}

    plan = milestone(technique, due_on, due_on, around)
    assert contribution.of_reports(plan, 777, [*around, mine]) == difference(reports)


def test_health_is_exact_at_the_thresholds() -> None:
    limits = Thresholds(9_500, 8_000)
    told = [
        figures.health(100_000_000, 10_000_000, earned, limits).value
        for earned in (0, 7_999_999, 8_000_000, 9_499_999, 9_500_000, 100_000_000)
    ]
    assert told == ["off_track", "off_track", "at_risk", "at_risk", "on_track", "completed"]
    assert figures.health(0, 0, 0, limits).value == "not_measurable"
    assert figures.health(5, 0, 0, limits).value == "not_started"
    assert figures.health(5, 0, 1, limits).value == "on_track"
