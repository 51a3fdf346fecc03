"""Earned schedule by itself, against published examples and against counting period by period."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rollup import schedule
from app.rollup.schedule import Plan
from app.schemas.fields import Interval

# W. Lipke, "Schedule is Different", The Measurable News, March 2003, and "Earned Schedule Concept":
# at the end of July (AT = 7) all of the plan through May is earned and a part of June's, so
# ES = 5 + (EV - PV(May)) / (PV(June) - PV(May)).
LIPKE_PLAN = [5, 10, 20, 35, 55, 75, 90, 100, 110, 115, 118]
"""Cumulative, January to November, with the shape of the figure."""


def test_lipkes_figure() -> None:
    steps = [b - a for a, b in zip([0, *LIPKE_PLAN], LIPKE_PLAN, strict=False)]
    for earned in (55, 60, 65, 74):
        found = schedule.forecast(
            Plan(date(2003, 1, 31), date(2003, 11, 30)),
            list(enumerate(steps)),
            earned,
            date(2003, 7, 31),
            None,
            Interval.MONTH,
        )
        assert found.earned_schedule == 5 + Fraction(earned - 55, 75 - 55)
        assert found.actual_time == 7
        assert found.spi_t == found.earned_schedule / 7
        # IEAC(t) = PD ÷ SPI(t): 334 days from New Year, longer by 1 ÷ SPI(t).
        needed = 334 * 7 / found.earned_schedule
        assert found.finish_on is not None
        assert 0 <= (found.finish_on - date(2002, 12, 31)).days - needed < 1


def test_late_work_shows_at_the_end() -> None:
    """Three even months of work that took four: SPI is 1 at the end, SPI(t) stays 0.75."""
    plan = Plan(date(2022, 1, 31), date(2022, 3, 31))
    steps = [(0, 10), (1, 10), (2, 10)]
    found = schedule.forecast(plan, steps, 30, date(2022, 9, 1), date(2022, 4, 30), Interval.MONTH)
    assert found.earned_schedule == 3
    assert found.actual_time == 4
    assert found.spi_t == Fraction(3, 4)
    assert found.finish_on == date(2022, 4, 30)


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(lambda plan: plan[0] and plan[-1]),
    st.integers(0, 1600),
)
def test_it_is_the_formula(plan: list[int], earned: int) -> None:
    earned = min(earned, sum(plan))
    sparse = [(at, value) for at, value in enumerate(plan) if value]
    cumulative = [sum(plan[:n]) for n in range(len(plan) + 1)]
    whole = max(n for n, value in enumerate(cumulative) if value <= earned)
    expected = Fraction(whole)
    if whole < len(plan):
        expected += Fraction(earned - cumulative[whole], cumulative[whole + 1] - cumulative[whole])
    assert schedule.earned_schedule(sparse, earned) == expected


@pytest.mark.parametrize("interval", Interval)
def test_periods_follow_each_other(interval: Interval) -> None:
    start = date(2023, 11, 15)
    before = schedule.elapsed(start - timedelta(days=1), start, interval)
    for n in range(500):
        day = start + timedelta(days=n)
        here = schedule.period(day, interval)
        assert here.first <= day <= here.last
        now = schedule.elapsed(day, start, interval)
        assert now == before + Fraction(1, here.days)
        assert schedule.place(day, start, interval) == -(-now // 1) - 1
        before = now
    ends = schedule.ends(start, day, interval)
    assert ends[-1] == day
    assert all(schedule.period(end, interval).last == end for end in ends[:-1])
