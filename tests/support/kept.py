"""What is kept of an institution's initiatives beside their facts: seen, spoiled and renewed."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Initiative
from app.models import Institution as Institution_
from app.models.base import day_in, now
from app.rollup import derived
from app.services import rollups
from app.services.actors import SYSTEM
from tests.support.institution import Institution


class Kept:
    """What is kept of one institution's initiatives; others are in the database too."""

    def __init__(self, institution: Institution, database: Database) -> None:
        self._code, self._database = institution.code, database

    async def first_until(self) -> Any:
        """When the first of what is kept will no longer hold."""
        return await self._database.read(
            lambda session: session.scalar(
                select(func.min(Initiative.planned_until)).where(self._mine(session))
            )
        )

    async def renew(self) -> int:
        """Bring it up to the present day, where time is Jakarta's."""
        today = day_in("Asia/Jakarta", now())
        return await self._database.write(
            lambda session: derived.renew(session, self._id(session), today)
        )

    async def spoil(self, values: dict[str, Any], *codes: str) -> None:
        """Keep something else, of all or of some."""

        def verb(session: Session) -> None:
            named = (Initiative.code.in_(codes),) if codes else ()
            session.execute(update(Initiative).where(self._mine(session), *named).values(**values))

        await self._database.write(verb)

    async def is_right(self) -> bool:
        """Whether it is what reading all plans and reports says."""
        findings = await self._database.read(
            rollups.audit, SYSTEM, self._code, lambda _done, _all: None
        )
        return not findings.derived

    def _mine(self, session: Session) -> ColumnElement[bool]:
        return Initiative.institution_id == self._id(session)

    def _id(self, session: Session) -> UUID:
        return session.scalars(select(Institution_.id).where(Institution_.code == self._code)).one()
