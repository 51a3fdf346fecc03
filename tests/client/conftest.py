"""Clients in the institution of a test."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.client import AsyncQuickwin
from tests.conftest import OPERATOR
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution


@pytest.fixture
async def quickwin(
    institution: Institution, checked: CheckedTransport
) -> AsyncIterator[AsyncQuickwin]:
    """The operator's client."""
    async with AsyncQuickwin(
        "http://test", OPERATOR, institution.code, transport=checked
    ) as client:
        yield client


def initiative(code: str, unit: str, milestones: int = 2, **fields: Any) -> dict[str, Any]:
    """A plan that can be reported on."""
    return {
        "code": code,
        "title": f"Initiative {code}",
        "unit": unit,
        "year": 2022,
        "areas": ["accountability"],
        "status": "active",
        "owners": [{"person": "reporter", "role": "accountable"}],
        "milestones": [{"title": f"M{n}", "due_on": "2022-06-30"} for n in range(milestones)],
        **fields,
    }
