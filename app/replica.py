"""A read replica: what is read there is what the primary has acknowledged before the request.

Who is asking is found on the primary, and with them how far the institution's events go there, by
one statement. The verb then runs on the replica if its snapshot goes as far; else, and whenever the
replica cannot be used, on the primary. So a client need not tell what it has written, and whatever
it holds (a `version`, an ETag, the `id` of an event) is never newer than what it is answered from.

No write of what people keep goes without an event. Where one does (an import's progress, the attempts
of webhooks), the primary is read: `api/calls` says where.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import db
from app.addresses import HOST_SECONDS
from app.db import Database
from app.errors import DatabaseUnavailable
from app.models import Institution, InstitutionClock
from app.models.base import table as table_of
from app.seen import COUNTS
from app.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
Key = UUID | str
"""Id of an institution, or its code as it is compared."""
Position = dict[UUID, int]
"""How far the events go: of an institution, and of the catalogues above all."""

PAUSE_SECONDS = 5.0
"""After how long a replica that could not be used is tried again."""
SILENT_SECONDS = 8.0
"""How long a replica may take for its first answer; what was begun is then given up within 2 more."""
_POOL_SECONDS = 1.0
_CATALOGUE = UUID(int=0)
_INSTITUTION, _CLOCK = table_of(Institution).c, table_of(InstitutionClock).c
_POSITIONS = {
    by_id: select(_CLOCK.institution_id, _CLOCK.sequence).where(
        or_(
            _CLOCK.institution_id == _CATALOGUE,
            _CLOCK.institution_id.in_(
                select(_INSTITUTION.id).where(
                    (_INSTITUTION.id if by_id else _INSTITUTION.code_key) == bindparam("key")
                )
            ),
        )
    )
    for by_id in (False, True)
}
_log = logging.getLogger(__name__)


class Behind(Exception):
    """The replica has not got as far as the primary."""


def position(session: Session, key: Key) -> Position:
    """How far the events of an institution and of the catalogues go in this snapshot."""
    statement = _POSITIONS[isinstance(key, UUID)]
    rows = session.connection().execute(statement, {"key": key}).all()
    return {row.institution_id: row.sequence for row in rows}


class Replica:
    """The replica of one process; use from one event loop."""

    def __init__(self, settings: Settings, url: str, primary: Database) -> None:
        if "connect_timeout" not in url:
            url += f"{'&' if '?' in url else '?'}connect_timeout={HOST_SECONDS:.0f}"
        changes = {
            "database_url": url,
            "database_direct_url": None,
            "database_read_url": None,
            "database_pool_seconds": _POOL_SECONDS,
            "database_retries": 0,  # the primary is what it is tried again on
        }
        self.database = Database(settings.model_copy(update=changes), limited=True)
        self.database.session_info = primary.session_info
        self._away_until = 0.0
        """When to look whether it is back; 0 while it is there."""

    @property
    def is_worth_asking(self) -> bool:
        """Whether it was there when it was last asked, or has had its pause."""
        return monotonic() >= self._away_until

    async def read(self, verb: Callable[[Session], T], wanted: Position) -> T:
        """Run a verb on the replica's snapshot; raises `Behind` unless it goes as far as wanted.

        Also raises `DatabaseUnavailable` or a `DBAPIError`: it is then left alone for a while.
        """
        key = next((key for key in wanted if key != _CATALOGUE), _CATALOGUE)
        # A process that hangs answers nothing, and its machine goes on to take what it is sent.
        silence = asyncio.timeout(SILENT_SECONDS)

        def checked(session: Session) -> T:
            found = position(session, key)
            silence.reschedule(None)  # from here on the limits of a request hold
            if found.keys() != wanted.keys() or any(found[k] < wanted[k] for k in wanted):
                raise Behind
            return verb(session)

        if self._away_until:  # one looks whether it is back: it may take long to find out
            self._away_until = monotonic() + PAUSE_SECONDS
        try:
            async with silence:
                answer = await self.database.read(checked)
        except (DatabaseUnavailable, DBAPIError) as failure:
            self._leave(failure)
            raise
        except TimeoutError as failure:
            self._leave(TimeoutError())  # the cause of this one is the cancelled wait
            raise DatabaseUnavailable from failure
        if self._away_until:
            self._away_until = 0.0
            _log.warning("The replica is read again.")
        return answer

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()

    def _leave(self, failure: Exception) -> None:
        if not self._away_until:
            kind = type(failure.__cause__ or failure).__qualname__
            _log.warning("The replica cannot be used, the primary is read: %s", kind)
        self._away_until = monotonic() + PAUSE_SECONDS


def opened(settings: Settings, primary: Database) -> Replica | None:
    """The replica, where one is set."""
    url = settings.database_read_url
    return None if url is None else Replica(settings, url, primary)


class Call(db.Call[A]):
    """A call that reads from a replica when that has all that the primary has of an institution."""

    def __init__(
        self,
        database: Database,
        identify: Callable[[Session], A],
        note: Callable[[Session, A], A],
        replica: Replica,
        key: Key,
    ) -> None:
        super().__init__(database, identify)
        self._note = note
        """Tells a session who is asking, as `identify` does, but does not ask."""
        self._replica, self._key = replica, key

    async def read(
        self, verb: Callable[Concatenate[Session, A, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `verb(session, actor, …)` on one read-only snapshot, as fresh as the primary's."""
        if self._replica.is_worth_asking:
            actor, wanted = await self._database.read(
                lambda session: (self._identify(session), position(session, self._key))
            )
            try:
                answer = await self._replica.read(
                    lambda session: verb(session, self._note(session, actor), *args, **kwargs),
                    wanted,
                )
            except (Behind, DatabaseUnavailable, DBAPIError):
                pass  # the primary answers
            else:
                COUNTS.replica_reads += 1
                return answer
        COUNTS.replica_misses += 1
        return await super().read(verb, *args, **kwargs)
