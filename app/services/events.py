"""Events: every write records what happened, in its own transaction.

Events wait in the session until just before the commit. Only then the institution's clock is taken,
so its row, for which all writers of the institution queue, is held as briefly as can be; and since
it is held until the commit, the sequence has no gaps, follows the order of commits, and each event
is chained to the one before.
"""

from collections import defaultdict
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.orm import Session

from app.bulk import bulk_insert
from app.faults import Overtaken
from app.models import Event, InstitutionClock
from app.models.base import new_id, now
from app.models.base import table as table_of
from app.services import alterations, chain
from app.services.actors import Actor
from app.wakes import WRITTEN

CATALOGUE = UUID(int=0)
"""The feed above institutions: schemes, areas, operators' tokens, and sign-ins that were refused."""
REQUEST_ID = "request_id"
"""Key of `Session.info`: the id of the request that the transaction is for; absent without one."""
_WAITING = "events"
_EXPECTED = "windows"

_EVENT = table_of(Event)
_HOLD = (
    select(InstitutionClock.sequence, InstitutionClock.digest, InstitutionClock.windows)
    .where(InstitutionClock.institution_id == bindparam("institution"))
    .with_for_update()
)
_LAST = select(InstitutionClock.sequence).where(
    InstitutionClock.institution_id == bindparam("institution")
)
_ADVANCE = (
    update(table_of(InstitutionClock))
    .where(InstitutionClock.institution_id == bindparam("institution"))
    .values(sequence=bindparam("last"), digest=bindparam("head"))
)
# One statement for both, where the database takes it: the last event, and the clock that it sets.
_INSERT_LAST = _ADVANCE.add_cte(
    insert(_EVENT)
    .values({column.name: bindparam(f"its_{column.name}") for column in _EVENT.columns})
    .cte("written")
)


class Subject(NamedTuple):
    """What an event is about."""

    id: UUID
    name: str
    """Its code or address."""


def record(
    session: Session,
    actor: Actor,
    institution_id: UUID,
    kind: str,
    subject: Subject,
    data: dict[str, Any] | BaseModel | None = None,
    *,
    reason: str | None = None,
    unit_id: UUID | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Note that something happened; it is written with the commit.

    `data` is JSON-ready, or a shape of which the fields that were given are kept. `unit_id` and
    `changes` are said of subjects that are written below the ORM; else the flush tells them.
    """
    if isinstance(data, BaseModel):
        data = data.model_dump(mode="json", exclude_unset=True)
    data = dict(data or {})
    if reason is not None:
        data["reason"] = reason
    session.info.setdefault(_WAITING, []).append(
        {
            "institution_id": institution_id,
            "id": new_id(),
            "type": kind,
            "at": now(),
            "actor": actor.name,
            "actor_id": actor.id,
            "token_id": actor.token_id,
            "token_name": actor.token_name,
            "request_id": session.info.get(REQUEST_ID),
            "unit_id": unit_id,
            "subject": subject.name,
            "subject_id": subject.id,
            "data": data,
            "changes": changes or {},
        }
    )


@event.listens_for(Session, "before_commit")
def write(session: Session) -> None:
    """Write the events that wait, last in the transaction; called by the commit itself."""
    waiting: list[dict[str, Any]] = session.info.pop(_WAITING, [])
    if not waiting:
        return
    session.flush()
    altered = alterations.of(session, {row["subject_id"] for row in waiting})
    by_institution: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in waiting:
        if found := altered.get(row["subject_id"]):
            row["unit_id"] = row["unit_id"] or found.unit_id
            row["changes"] = row["changes"] or alterations.told(found)
        by_institution[row["institution_id"]].append(row)
    session.info.setdefault(WRITTEN, set()).update(by_institution)
    for institution_id, rows in sorted(by_institution.items()):
        expected = session.info.get(_EXPECTED, {}).get(institution_id)
        _append(session, institution_id, rows, expected)


def _append(
    session: Session, institution_id: UUID, rows: list[dict[str, Any]], windows: int | None
) -> None:
    """Take the clock, chain the rows to what it has, and set it behind them."""
    connection = session.connection()
    last, head, revision = connection.execute(_HOLD, {"institution": institution_id}).one()
    if windows not in (None, revision):
        raise Overtaken
    for sequence, row in enumerate(rows, start=last + 1):
        row["sequence"] = sequence
        row["digest"] = head = chain.digest(head, row)
    clock = {"institution": institution_id, "last": last + len(rows), "head": head}
    if connection.dialect.name == "postgresql":
        bulk_insert(session, _EVENT, rows[:-1])
        written = {f"its_{name}": value for name, value in rows[-1].items()}
        connection.execute(_INSERT_LAST, written | clock)
    else:
        bulk_insert(session, _EVENT, rows)
        connection.execute(_ADVANCE, clock)


def expect_windows(session: Session, institution_id: UUID, revision: int) -> None:
    """Write nothing unless the reporting periods are at commit what they were when they were read.

    The clock is read last in any case, by a lock that shows its newest row; where a period was
    closed meanwhile, the runner tries the transaction again.
    """
    session.info.setdefault(_EXPECTED, {})[institution_id] = revision


def last(session: Session, institution_id: UUID) -> int:
    """Up to where the institution's feed goes: the sequence of its last event."""
    return session.execute(_LAST, {"institution": institution_id}).scalar_one()


def hold(session: Session, institution_id: UUID) -> int:
    """Keep the institution as it is until this transaction ends, and answer its sequence.

    Every writer takes the clock just before its commit. Whoever holds the clock therefore sees one
    and the same state in all further statements, without the conflicts of a snapshot that writes:
    the other writers do not fail, they wait. Take locks on the tree of units before.
    """
    held = session.connection().execute(_HOLD, {"institution": institution_id}).one()
    return int(held.sequence)
