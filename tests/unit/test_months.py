"""Months as bits, against each day by itself."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rollup import months

YEAR = 2022
KEPT = (date(2021, 1, 1), date(2026, 3, 31))
days = st.dates(date(2020, 11, 1), date(2026, 5, 31))


@settings(max_examples=2_000, deadline=None)
@given(st.sets(days, max_size=4), days, st.integers(0, 400))
def test_they_say_nothing_wrong(reported: set[date], starts_on: date, length: int) -> None:
    """And as much as months can: within what is kept, whatever is about whole months."""
    ends_on = starts_on + timedelta(days=length)
    period = months.of_period(YEAR, starts_on, ends_on)
    assert (period is None) == (starts_on < KEPT[0] or ends_on > KEPT[1])
    if period is None:
        return
    bits = months.bits(YEAR, reported)
    has_one = any(starts_on <= day <= ends_on for day in reported)
    is_sure, is_out = bool(bits & period.whole), not bits & period.touched
    assert has_one or not is_sure
    assert not (has_one and is_out)
    begins_and_ends = starts_on.day == 1 and (ends_on + timedelta(days=1)).day == 1
    assert (period.whole == period.touched) == begins_and_ends


@given(st.sets(days))
def test_a_number_of_64_bits_holds_them(reported: set[date]) -> None:
    everywhere = KEPT[0], KEPT[1], *reported
    assert 0 < months.bits(YEAR, everywhere) < 1 << 63
    assert months.bits(YEAR, {KEPT[0] - timedelta(days=1), KEPT[1] + timedelta(days=1)}) == 0
