"""What the tour's quick win is for, and how the institution judges itself: all of it invented.

The national evaluator's series is in `kpu_index`, and real.
"""

from decimal import Decimal

from sqlalchemy.orm import Session

from app.demo.compose import GUIDED_CODE
from app.demo.courses import YEARS
from app.schemas.assessments import Assessor, ComponentScore, ExpectedLift, NewAssessment
from app.schemas.fields import Names
from app.schemas.initiatives import InitiativeChanges
from app.schemas.programmes import NewProgramme
from app.services import assessments, initiatives, programmes
from app.services.actors import Actor

_INSTRUMENT = "permenpan-26-2020"
_COMPONENT = "compliance-human-resources"
_MARK = "Data sintetis."
_JUDGED = (
    (Assessor.SELF, 2021, "74.10", "3.7"),
    (Assessor.SELF, 2022, "76.40", "4.2"),
    (Assessor.INTERNAL_AUDITOR, 2022, "73.85", "4.0"),
)


def programme(institution: str) -> NewProgramme:
    """Return a programme that the institution leads and carries out."""
    return NewProgramme(
        code="layanan-digital",
        name=Names(
            id="Layanan pemilu digital (data sintetis)",
            en="Digital election services (synthetic)",
        ),
        level="meso",
        lead=institution,
        carriers=[institution],
        from_year=YEARS[0],
        to_year=YEARS[-1],
    )


def serves() -> InitiativeChanges:
    """Return the programme, strategies and expected lift of the tour's quick win."""
    lift = ExpectedLift(instrument=_INSTRUMENT, component=_COMPONENT, points=Decimal("0.5"))
    return InitiativeChanges(
        programme="layanan-digital",
        strategies=["down-to-work-unit", "reform-management"],
        expected_lift=[lift],
    )


def judged() -> list[NewAssessment]:
    """Return what the institution and its internal auditor gave it."""
    return [
        NewAssessment(
            instrument=_INSTRUMENT,
            score_year=year,
            assessor=assessor,
            score=Decimal(score),
            scores=[ComponentScore(component=_COMPONENT, score=Decimal(of_component))],
            note=_MARK,
        )
        for assessor, year, score, of_component in _JUDGED
    ]


def add(session: Session, actor: Actor, institution: str) -> None:
    """Add the programme and the assessments, and say what the tour's quick win serves."""
    programmes.create(session, actor, programme(institution))
    initiatives.change(session, actor, institution, GUIDED_CODE, serves(), None)
    for assessment in judged():
        assessments.record(session, actor, institution, assessment)
