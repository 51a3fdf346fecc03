"""A report of the last year that came after its window, was returned, and was sent again."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.db import Database
from app.demo import papers
from app.demo.courses import YEARS
from app.demo.kpu import VERIFIERS
from app.schemas.evidence import Evidence
from app.schemas.fields import InitiativeStatus, Technique, Verdict
from app.schemas.plans import Plan
from app.schemas.updates import NewUpdate, NewVerification
from app.services import people, progress, verification
from app.services.actors import SYSTEM, Actor

_ON = date(YEARS[-1], 12, 31)
_STEP, _MOST = Decimal(5), Decimal(90)


class Place(NamedTuple):
    """A milestone on which it is reported, and how."""

    initiative: str
    unit: str
    milestone: int
    percent: Decimal
    """A little more than before."""


def place(plan: Plan) -> Place | None:
    """Return the first milestone of a plan that can go on: of the last year, active, not nearly done."""
    initiative = plan.initiative
    if initiative.year != YEARS[-1] or initiative.status is not InitiativeStatus.ACTIVE:
        return None
    for number, milestone in enumerate(initiative.milestones or (), start=1):
        known = [
            (report.update.effective_on or date.min, report.update.percent_complete)
            for report in plan.reports
            if report.milestone == number
        ]
        percent = max(known)[1] if known else Decimal(0)
        is_open = number not in plan.drops and milestone.technique is Technique.PERCENT
        if is_open and known and percent < _MOST:
            return Place(initiative.code, initiative.unit, number, percent + _STEP)
    return None


async def add(database: Database, institution: str, at: Place) -> None:
    """Report, return it, and report again; behind the periods, whose windows are over."""
    reporter = await database.read(_person, institution, f"ops-{at.unit}")
    verifier = await database.read(_person, institution, VERIFIERS[0])
    file_id = await papers.send(database, reporter, institution)
    where = (institution, at.initiative, at.milestone)
    first, _ = await database.write(progress.report, reporter, *where, _report(at))
    wanting = NewVerification(
        verdict=Verdict.RETURNED, note="Bukti dukung belum lengkap", output_reached=False
    )
    await database.write(verification.verify, verifier, *where, first.id, wanting)
    again = _report(at).model_copy(
        update={"resubmits": first.id, "evidence": [_evidence(at, file_id)]}
    )
    await database.write(progress.report, reporter, *where, again)


def _report(at: Place) -> NewUpdate:
    note = "Laporan susulan (data sintetis)."
    return NewUpdate(percent_complete=at.percent, effective_on=_ON, note=note)


def _evidence(at: Place, file_id: UUID | None) -> Evidence:
    url = None if file_id else f"https://kpu.example/bukti/{at.unit}/susulan.pdf"
    return Evidence(title="Berita acara", kind="minutes", file=file_id, url=url)


def _person(session: Session, institution: str, code: str) -> Actor:
    """Somebody of the demo, as the command line acts for them."""
    found = people.get(session, SYSTEM, institution, code)
    return SYSTEM._replace(id=found.id, name=found.code)
