"""How the demo's quick wins are chosen: real criteria, synthetic decrees and scores."""

# ruff: noqa: PLR2004  the numbers are chances and ratios of an invented world

from collections.abc import Iterator
from datetime import date
from random import Random

from app.demo.courses import YEARS
from app.schemas.criteria import NewCriterion
from app.schemas.decrees import NewDecree
from app.schemas.fields import InitiativeStatus, Names
from app.schemas.initiatives import NewInitiative
from app.schemas.plans import PlannedScore

SCORERS = ("sek-kpu", "apip-1", "apip-2")
"""Codes of the people who score."""
MOST_SCORED = 24
"""Candidates that are scored; the others wait."""
_SEED = 17
_OPEN = (InitiativeStatus.PROPOSED, InitiativeStatus.SHORTLISTED)
_CRITERIA = (
    ("leverage", "Daya ungkit", "Leverage", 3),
    ("core-business", "Tugas dan fungsi inti", "Core business", 3),
    ("visible", "Terlihat oleh masyarakat", "Visible to the public", 2),
    ("benefit-12-months", "Manfaat dalam 12 bulan", "Benefit within 12 months", 2),
)


def criteria() -> list[NewCriterion]:
    """Return the four criteria, each scored from 0 to 5."""
    return [
        NewCriterion(code=code, name=Names(id=name, en=english), weight=weight, highest_score=5)
        for code, name, english, weight in _CRITERIA
    ]


def decree_code(year: int) -> str:
    """Return the code of the decree that designates a year's quick wins."""
    return f"SK-QW-{year}"


def decrees() -> list[NewDecree]:
    """Return a decree for each year's quick wins and one for its reform team; synthetic, as their numbers."""
    return [
        NewDecree(
            code=code,
            number=f"{number}/CONTOH/{year}",
            issued_on=date(year, 1, 3),
            signer="Sekretaris Jenderal KPU",
            title=f"{title} KPU Tahun {year} (data sintetis)",
        )
        for year in YEARS
        for code, number, title in (
            (decree_code(year), 1, "Penetapan Quick Wins"),
            (team_decree_code(year), 2, "Pembentukan Tim Reformasi Birokrasi"),
        )
    ]


def team_decree_code(year: int) -> str:
    """Return the code of the decree that appoints a year's reform team."""
    return f"SK-TIM-{year}"


def is_candidate(initiative: NewInitiative) -> bool:
    """Say whether an initiative is one of the last year's that are still chosen from."""
    return initiative.status in _OPEN and initiative.year == YEARS[-1]


def scores(candidates: list[NewInitiative]) -> Iterator[PlannedScore]:
    """Yield scores of the first candidates; every sixth of them still lacks one criterion."""
    random = Random(_SEED)  # noqa: S311  a demo that is the same every time
    for n, candidate in enumerate(candidates[:MOST_SCORED]):
        scored = _CRITERIA[:-1] if n % 6 == 5 else _CRITERIA
        for code, *_ in scored:
            merit = 1 + int(random.random() * 4)
            for scorer in SCORERS:
                score = min(5, merit + int(random.random() * 2))
                yield PlannedScore(candidate.code, code, scorer, score)
