"""Load the demo through the bulk verbs, in batches of one transaction each."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from sqlalchemy.orm import Session

from app.db import Database
from app.demo import (
    choice,
    compose,
    kpu_index,
    late,
    planning,
    publications,
    purpose,
    stages,
    team,
    verdicts,
)
from app.demo import obstacles as hindering
from app.demo import periods as calendar
from app.errors import NotFound
from app.schemas.initiatives import NewInitiative
from app.schemas.periods import Closing
from app.schemas.plans import Plan
from app.services import (
    appointments,
    assessments,
    closing,
    criteria,
    decrees,
    institutions,
    judgements,
    loading,
    loading_scores,
    periods,
    programmes,
    renewals,
)
from app.services import publications as telling
from app.services import stages as calendars
from app.services.actors import SYSTEM, Actor
from app.services.insertion import Loaded

INITIATIVES = 1_700
_FEW, _MANY = 425, 5_000
_BIG = 20_000
_LOCK = 0x51_58
"""Any constant, but that of migrations."""

Report = Callable[[str, int, int], None]
"""Called with a stage, how much of it is done, and how much there is."""


def is_loaded(session: Session) -> bool:
    """Whether the demo's institution is there."""
    return _is_there(session, institutions.get, compose.institution().code)


def is_whole(session: Session) -> bool:
    """Whether all of the demo is there: a programme comes last."""
    programme = purpose.programme(compose.institution().code)
    return _is_there(session, programmes.get, programme.code)


def _is_there(session: Session, get: Callable[[Session, Actor, str], object], code: str) -> bool:
    try:
        get(session, SYSTEM, code)
    except NotFound:
        return False
    return True


async def load_once(database: Database, report: Report) -> None:
    """Load the demo if it is not there; of several processes one does, and the others wait for it."""
    async with database.alone(_LOCK):
        if not await database.read(is_loaded):
            await load(database, INITIATIVES, None, report)


async def load(
    database: Database, initiatives: int, milestones: int | None, report: Report
) -> Loaded:
    """Load KPU with that many synthetic initiatives; raises `CodeTaken` when it is there already.

    Larger batches write the roll-up of provinces and the root less often, and take more memory:
    about 300 MB at the largest.
    """
    institution = compose.institution()
    await database.write(institutions.create, SYSTEM, institution)
    units, people = compose.units(), compose.people()
    await database.write(loading.add_units, SYSTEM, institution.code, units)
    report("Units", len(units) + 1, len(units) + 1)
    await database.write(loading.add_people, SYSTEM, institution.code, people)
    await database.write(loading.add_grants, SYSTEM, institution.code, compose.grants())
    report("People", len(people), len(people))
    for assessment in kpu_index.assessments():
        await database.write(assessments.record, SYSTEM, institution.code, assessment)
    await database.write(calendars.add_standard, SYSTEM, institution.code, stages.calendar())
    await _prepare(database, institution.code)
    loaded, candidates, closed = Loaded(), list[NewInitiative](), list[NewInitiative]()
    rebaselined: str | None = None
    behind: late.Place | None = None
    plans = compose.plans(initiatives, milestones)
    for batch in _batches(plans, _MANY if initiatives >= _BIG else _FEW):
        added = await database.write(loading.add_plans, SYSTEM, institution.code, batch)
        loaded = loaded.plus(added)
        if len(candidates) < choice.MOST_SCORED:
            candidates += filter(choice.is_candidate, (plan.initiative for plan in batch))
        if len(closed) < verdicts.MOST_JUDGED:
            closed += filter(verdicts.is_judged, (plan.initiative for plan in batch))
        if rebaselined is None:
            codes = (plan.initiative.code for plan in batch if planning.is_rebaselined(plan))
            rebaselined = next(codes, None)
        if behind is None:
            behind = next(filter(None, map(late.place, batch)), None)
        report("Initiatives", loaded.initiatives, initiatives)
    await database.write(
        loading_scores.add, SYSTEM, institution.code, list(choice.scores(candidates))
    )
    await database.write(_add_verdicts, institution.code, list(verdicts.verdicts(closed)))
    await database.write(planning.add, SYSTEM, institution.code, rebaselined)
    await database.write(_add_publications, institution.code)
    await _add_periods(database, institution.code)
    if behind is not None:
        await late.add(database, institution.code, behind)
    await database.write(hindering.add, SYSTEM, institution.code)
    await database.write(purpose.add, SYSTEM, institution.code)
    return loaded


async def _prepare(database: Database, institution: str) -> None:
    """What initiatives are chosen by, and who is in the reform team: few, each by its own verb."""
    steps: tuple[tuple[Callable[..., object], Sequence[object]], ...] = (
        (criteria.create, choice.criteria()),
        (decrees.create, choice.decrees()),
        (appointments.create, team.appointments()),
        (renewals.renew, team.renewals()),
    )
    for verb, several in steps:
        for each in several:
            await database.write(verb, SYSTEM, institution, each)


def _add_publications(session: Session, institution: str) -> None:
    for told in publications.publications():
        telling.create(session, SYSTEM, institution, compose.GUIDED_CODE, told)


def _add_verdicts(session: Session, institution: str, given: list[verdicts.Given]) -> None:
    for initiative, verdict in given:
        judgements.give(session, SYSTEM, institution, initiative, verdict)


async def _add_periods(database: Database, code: str) -> None:
    """The reporting periods of the last year; behind the reports, which come all at once."""
    made = await database.write(periods.create_standard, SYSTEM, code, calendar.periods())
    for period in made.items[: calendar.CLOSED]:
        await database.write(closing.close, SYSTEM, code, period.code, Closing())


def _batches(plans: Iterator[Plan], size: int) -> Iterator[list[Plan]]:
    while batch := list(islice(plans, size)):
        yield batch
