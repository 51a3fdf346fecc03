"""Closing verdicts in the demo: on some of the first year's quick wins, synthetic as these."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from app.demo.courses import YEARS
from app.schemas.fields import InitiativeKind, InitiativeStatus
from app.schemas.initiatives import NewInitiative
from app.schemas.judgements import NewJudgement

MOST_JUDGED = 40
"""The others wait for a verdict, as `has_verdict=false` lists them."""
_CLOSED = {InitiativeStatus.COMPLETED, InitiativeStatus.CANCELLED}
_EVERY_SLOW = 4
_JUDGED_ON = date(YEARS[0] + 1, 1, 20)


class Given(NamedTuple):
    """A verdict, and the code of the initiative that it is on."""

    initiative: str
    verdict: NewJudgement


def is_judged(initiative: NewInitiative) -> bool:
    """Say whether an initiative is one of those that may have a verdict."""
    return (
        initiative.year == YEARS[0]
        and initiative.kind is InitiativeKind.QUICK_WIN
        and initiative.status in _CLOSED
    )


def verdicts(closed: Sequence[NewInitiative]) -> Iterator[Given]:
    """Yield a verdict on each of the first: every fourth was slow, and what was cancelled missed."""
    for n, initiative in enumerate(closed[:MOST_JUDGED]):
        is_missed = initiative.status is InitiativeStatus.CANCELLED or n % _EVERY_SLOW == 0
        code, note = (
            ("missed-or-slow", "Tidak selesai sesuai rencana (data sintetis).")
            if is_missed
            else ("met-fast", "Keluaran tercapai dan dipakai (data sintetis).")
        )
        yield Given(initiative.code, NewJudgement(verdict=code, note=note, judged_on=_JUDGED_ON))
