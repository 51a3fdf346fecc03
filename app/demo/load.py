"""Load the demo through the bulk verbs, in batches of one transaction each."""

from collections.abc import Callable, Iterator
from itertools import islice

from sqlalchemy.orm import Session

from app.db import Database
from app.demo import compose, planning
from app.errors import NotFound
from app.schemas.plans import Plan
from app.services import institutions, loading
from app.services.actors import SYSTEM
from app.services.loading import Loaded

INITIATIVES = 1_700
_FEW, _MANY = 425, 5_000
_BIG = 20_000

Report = Callable[[str, int, int], None]
"""Called with a stage, how much of it is done, and how much there is."""


def is_loaded(session: Session) -> bool:
    """Whether the demo's institution is there."""
    try:
        institutions.get(session, SYSTEM, compose.institution().code)
    except NotFound:
        return False
    return True


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
    loaded = Loaded()
    rebaselined: str | None = None
    plans = compose.plans(initiatives, milestones)
    for batch in _batches(plans, _MANY if initiatives >= _BIG else _FEW):
        added = await database.write(loading.add_plans, SYSTEM, institution.code, batch)
        loaded = loaded.plus(added)
        if rebaselined is None:
            codes = (plan.initiative.code for plan in batch if planning.is_rebaselined(plan))
            rebaselined = next(codes, None)
        report("Initiatives", loaded.initiatives, initiatives)
    await database.write(planning.add, SYSTEM, institution.code, rebaselined)
    return loaded


def _batches(plans: Iterator[Plan], size: int) -> Iterator[list[Plan]]:
    while batch := list(islice(plans, size)):
        yield batch
