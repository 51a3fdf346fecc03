"""Planning in the demo: one template copied into West Java, who waits for whom, a second baseline.

All of it is synthetic, as the rest: the copies are proposed and so count in no roll-up.
"""

from sqlalchemy.orm import Session

from app.demo.compose import MARK
from app.demo.courses import YEARS
from app.schemas.baselines import NewBaseline
from app.schemas.dependencies import NewDependency
from app.schemas.fields import InitiativeStatus, Origin
from app.schemas.plans import Plan
from app.schemas.templates import NewCopies, NewTemplate, TemplateMilestone
from app.services import baselines, copying, dependencies, templates
from app.services.actors import Actor

_PROVINCE, _CITY = "32", "32.73"
_YEAR = YEARS[-1]
_CODE = f"LOKET-{_YEAR}-{{unit}}"
_TEMPLATE = NewTemplate(
    code="loket-informasi",
    title="Loket informasi pemilu satu pintu",
    description="Contoh templat (data sintetis).",
    origin=Origin.MANDATED,
    weight=2,
    areas=["public-service"],
    tags=[MARK, "ppid"],
    expected_result="Setiap permohonan informasi dijawab di satu loket dalam tiga hari kerja",
    milestones=[
        TemplateMilestone(title="Tim dan SK", due_after_days=30),
        TemplateMilestone(title="Aplikasi antrean", due_after_days=120, weight=2),
        TemplateMilestone(title="Loket dibuka", due_month_day="08-15", weight=3),
        TemplateMilestone(title="Survei kepuasan", due_month_day="12-10"),
    ],
)


def add(session: Session, actor: Actor, institution: str, rebaselined: str | None) -> None:
    """Add the template, its copies and a dependency, and baseline an initiative anew."""
    templates.create(session, actor, institution, _TEMPLATE)
    copies = NewCopies.model_validate(
        {
            "units": [_PROVINCE], "below": _PROVINCE, "kind": "city", "year": _YEAR,
            "start_on": f"{_YEAR}-01-15", "code": _CODE,
        }
    )  # fmt: skip
    copying.copy(session, actor, institution, _TEMPLATE.code, copies)
    waits = NewDependency(
        milestone=3,
        predecessor=_CODE.format(unit=_PROVINCE),
        predecessor_milestone=2,
        lag_days=14,
        reason="Loket memakai aplikasi antrean KPU provinsi",
    )
    dependencies.create(session, actor, institution, _CODE.format(unit=_CITY), waits)
    if rebaselined is not None:
        new = NewBaseline(reason="Jadwal ulang disetujui rapat pemantauan")
        baselines.take(session, actor, institution, rebaselined, new)


def is_rebaselined(plan: Plan) -> bool:
    """Whether a plan can have a second baseline: of the last year, active, and with a moved date."""
    return (
        plan.initiative.year == _YEAR
        and plan.initiative.status is InitiativeStatus.ACTIVE
        and any(
            milestone.baseline_due_on not in (None, milestone.due_on)
            for milestone in plan.initiative.milestones or ()
        )
    )
