"""A client of Quickwin for programs: typed, with and without asyncio.

    with Quickwin("https://quickwin.example", token, institution="kpu") as quickwin:
        quickwin.report("QW-2022-014", 3, 60, note="Modul B selesai")
        for initiative in quickwin.initiatives(unit="32", status=["active"]):
            print(initiative.code, initiative.percent_complete)

`operations` has the calls of the API, each written once; `quickwin` carries them, plainly or with
`await`. Answers are the shapes of `app.schemas`; what goes wrong is a `Failure`.
"""

from app.client.batches import Outcome
from app.client.failures import (
    Conflict,
    Failure,
    Forbidden,
    Invalid,
    NotFound,
    NotUnderstood,
    RateLimited,
    Refused,
    StaleVersion,
    Unauthorized,
    Unavailable,
    Unreachable,
    Unsayable,
)
from app.client.quickwin import AsyncQuickwin, Quickwin

__all__ = [
    "AsyncQuickwin",
    "Conflict",
    "Failure",
    "Forbidden",
    "Invalid",
    "NotFound",
    "NotUnderstood",
    "Outcome",
    "Quickwin",
    "RateLimited",
    "Refused",
    "StaleVersion",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Unsayable",
]
