"""Many rows at once: what the database refuses is told as for any statement, and tried again."""

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import faults
from app.bulk import bulk_insert
from app.db import Database
from app.models import Institution, UnitHealth
from app.models.base import new_id
from app.models.base import table as table_of
from app.schemas.fields import Health
from tests.support.institution import Institution as Prepared


def test_what_a_machine_of_a_cluster_refuses_is_refused() -> None:
    refused = asyncpg.InternalServerError('duplicate key value violates unique constraint "pk_102"')
    assert isinstance(faults.of_copy(refused), IntegrityError)
    broken = asyncpg.InternalServerError("could not read block 5")
    assert not isinstance(faults.of_copy(broken), IntegrityError)


@pytest.mark.parametrize("rows", [3, 30])
async def test_a_row_that_is_there_is_a_reason_to_try_again(
    database: Database, institution: Prepared, rows: int
) -> None:
    """By COPY as by executemany: the second try sees what the first one ran into."""
    unit_ids = [new_id() for _ in range(rows)]
    tries = 0

    def write(session: Session) -> None:
        nonlocal tries
        tries += 1
        found = select(Institution.id).where(Institution.code == institution.code)
        institution_id = session.scalars(found).one()
        made = [
            {"institution_id": institution_id, "unit_id": unit_id, "health": Health.ON_TRACK}
            for unit_id in unit_ids
        ]
        bulk_insert(session, table_of(UnitHealth), made if tries > 1 else [*made, made[0]])

    await database.write(write)
    assert tries == 2

    def count(session: Session) -> int:
        mine = UnitHealth.unit_id.in_(unit_ids)
        return session.scalar(select(func.count()).select_from(UnitHealth).where(mine)) or 0

    assert await database.read(count) == rows
