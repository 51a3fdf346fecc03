"""Verifying a whole database: every chain of events, and every roll-up."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from app.db import Database
from app.schemas.backups import ChainHead
from app.services import audit, rollups
from app.services.actors import SYSTEM
from app.services.audit import Head
from app.settings import Settings

Report = Callable[[str, int, int], None]


class Verified(NamedTuple):
    """What was looked at, and what does not hold."""

    events: int
    initiatives: int
    wrong: list[str]


async def verify(settings: Settings, heads: Iterable[ChainHead], report: Report) -> Verified:
    """Walk the chains that end at these heads, and compute the roll-ups of their institutions anew."""
    database = Database(settings)
    events = initiatives = 0
    wrong: list[str] = []
    try:
        for head in heads:
            name = head.institution or "the catalogues"
            chain = await database.read(
                audit.verify,
                SYSTEM,
                head.institution,
                [Head(head.sequence, head.digest)] if head.sequence else [],
                _as(report, f"{name}: events"),
            )
            events += chain.events
            wrong += [f"{name}: event {found.sequence}: {found.kind}" for found in chain.findings]
            if head.institution is None:
                continue
            found = await database.read(
                rollups.audit, SYSTEM, head.institution, _as(report, f"{name}: roll-ups")
            )
            initiatives += found.initiatives
            wrong += [f"{name}: {difference}" for difference in found.differences]
            wrong += [f"{name}: {derived.address}" for derived in found.derived]
    finally:
        await database.close()
    return Verified(events, initiatives, wrong)


def _as(report: Report, stage: str) -> Callable[[int, int], None]:
    return lambda done, total: report(stage, done, total)
