"""Canonical JSON of events: the fast writing is that of the library, for whatever JSON there is."""

import math
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.services import chain

_NUMBERS = (
    st.integers(-(2**54), 2**54)
    | st.floats()
    | st.floats(-1e-3, 1e-3)
    | st.integers(-(10**6), 10**6).map(lambda hundredths: hundredths / 100)
)
_TEXTS = st.text(st.characters()) | st.text('"\\/\b\t\n\f\r\x00\x1f\x7f\u2028é', max_size=6)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
)


def _or_error(value: Any) -> bytes | type[Exception]:
    try:
        return rfc8785.dumps(value)
    except ValueError as error:
        return type(error)


@settings(derandomize=True, deadline=None)
@given(_JSON)
@example([0.0, -0.0, 1e-4, 9.999e-5, 1e16, 9999999999999998.0, 1e21, 5e-324, 100.0, 0.29])
@example({"\ue000": 1, "\U0001f600": 2})
@example([2**53 - 1, -(2**53) + 1])
@example([2**53])
@example(math.nan)
@example({"a": math.inf})
@example(["\ud800"])
@example({"\udfff": 1})
@example({1: 2})
@example({"set": {1}})
def test_canonical_is_as_the_library_writes(value: Any) -> None:
    expected = _or_error(value)
    if isinstance(expected, bytes):
        assert chain.canonical(value) == expected
    else:
        with pytest.raises(expected):
            chain.canonical(value)
