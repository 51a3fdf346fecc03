"""Imports as a resource: submitted, listed, cancelled, and forgotten in the end."""

import json
import zlib
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, undefer
from sqlalchemy.sql.base import ExecutableOption

from app import expiry
from app.errors import Conflict, Forbidden, NotFound
from app.keyset import Key, paginate
from app.models import Import, Unit
from app.models.base import new_id, now
from app.models.base import table as table_of
from app.schemas import imports as wire
from app.schemas.imports import UNFINISHED, Fate, ImportMode, ImportStatus, Outcome, SheetFormat
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, events, import_jobs, importing, importing_facts
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.spreadsheets.template import Offer

"""How long an import is kept, finished or not."""
DIRECT_ROWS = 500
"""Up to so many rows are dealt with at once, within the request; more take a job."""
FORGOTTEN_AT_ONCE = 100
_WHOLE = (undefer(Import.outcome), undefer(Import.messages))
_NEWEST_FIRST = [Key(Import.submitted_at, descending=True), Key(Import.id, descending=True)]


class ImportFinished(Conflict):
    """This import is finished: what it has written is changed like anything else."""

    code = "import_finished"


class Submitted(NamedTuple):
    """A spreadsheet that somebody sent, and that was read."""

    mode: ImportMode
    format: SheetFormat
    digest: str
    rows: int
    content: bytes


class Kept(NamedTuple):
    """What is kept of an import that has been checked."""

    institution: str
    """Code of the institution."""
    shape: wire.NotedImport
    content: bytes


def allowed(session: Session, actor: Actor, institution: str, lock: Lock = Lock.NONE) -> Scope:
    """The institution, if there is a unit whose initiatives the actor may change; else `Forbidden`."""
    scope = access.institution(session, actor, institution, lock)
    if actor.reach(Permission.INITIATIVES_CHANGE) == frozenset():
        raise Forbidden
    return scope


def submit(session: Session, actor: Actor, institution: str, given: Submitted) -> wire.NotedImport:
    """Check or apply a small spreadsheet at once; a large one is queued.

    Raises `RowRefused`, upon which the outcome is to be kept by `keep_refused`.
    """
    lock = Lock.SHARED if given.mode is ImportMode.APPLY else Lock.NONE
    scope = allowed(session, actor, institution, lock)
    if given.rows > DIRECT_ROWS:
        return _keep(session, actor, scope, given, None)
    outcome = importing.carry_out(
        session, actor, institution, given.mode, given.content, lambda _: None
    )
    return _keep(session, actor, scope, given, outcome)


def keep_refused(
    session: Session, actor: Actor, institution: str, given: Submitted, outcome: Outcome
) -> wire.NotedImport:
    """Keep what a spreadsheet was refused for, after nothing of it was written."""
    scope = allowed(session, actor, institution)
    return _keep(session, actor, scope, given, outcome)


def _keep(
    session: Session, actor: Actor, scope: Scope, given: Submitted, outcome: Outcome | None
) -> wire.NotedImport:
    at = now()
    row = Import(
        institution_id=scope.id, id=new_id(), mode=given.mode, status=ImportStatus.QUEUED,
        format=given.format, digest=given.digest, total_rows=given.rows, done_rows=0,
        actor_id=actor.id, token_id=actor.token_id,
        request_id=session.info.get(events.REQUEST_ID), submitted_by=actor.name, submitted_at=at,
        finished_at=None, expires_at=at + expiry.kept(session).imports, leased_by=None, leased_until=None, attempts=0,
        counts=None, problem=None, content=given.content, outcome=None, messages=None,
    )  # fmt: skip
    session.add(row)
    if outcome is not None:
        import_jobs.ended(row, outcome)
        tell(session, actor, row)
    session.flush()
    return _whole(row)


def offer(session: Session, actor: Actor, institution: str, unit: str | None) -> Offer:
    """What the actor may choose from in a template; of a unit and those below it, if one is named."""
    scope = access.institution(session, actor, institution)
    units = access.visible(scope, Unit).where(Unit.archived_at.is_(None))
    if unit is not None:
        access.find(session, scope, Unit, unit)
        units = units.where(Unit.id.in_(access.below(scope, [unit])))
    found = session.scalars(units.order_by(Unit.code_key)).all()
    people = importing_facts.people(session, scope).by_code.values()
    areas = importing_facts.areas(session).by_code.values()
    return Offer(
        scope.code,
        [(each.code, each.name) for each in found],
        [(each.code, each.name) for each in people if each.is_open],
        [(each.code, each.name) for each in areas],
    )


def tell(session: Session, actor: Actor, row: Import) -> None:
    """Record that an import was applied, beside the events of its rows, if it changed any."""
    if row.status is not ImportStatus.APPLIED or row.counts is None:
        return
    counts = row.counts["counts"]
    if counts[Fate.CREATE] or counts[Fate.CHANGE]:
        subject = events.Subject(row.id, f"imports/{row.id}")
        data = {"digest": row.digest, **counts}
        events.record(session, actor, row.institution_id, "import.applied", subject, data)


def get(session: Session, actor: Actor, institution: str, import_id: UUID) -> wire.NotedImport:
    """One import, with the fate of its rows."""
    scope = access.institution(session, actor, institution)
    return _whole(_one(session, scope, import_id))


def annotated(session: Session, actor: Actor, institution: str, import_id: UUID) -> Kept:
    """One import with the cells that were read; raises `NotFound` before there are any."""
    scope = access.institution(session, actor, institution)
    row = _one(session, scope, import_id, undefer(Import.content))
    if row.outcome is None:
        raise NotFound
    return Kept(scope.code, _whole(row), row.content)


def page(
    session: Session, actor: Actor, institution: str, query: wire.ImportQuery
) -> Page[wire.ImportSummary]:
    """Imports without their rows, filtered; newest first."""
    scope = access.institution(session, actor, institution)
    statement = _visible(scope)
    if query.mode:
        statement = statement.where(Import.mode.in_(query.mode))
    if query.status:
        statement = statement.where(Import.status.in_(query.status))
    found = paginate(session, statement, _NEWEST_FIRST, query)
    return found.page([wire.ImportSummary(**_summary(row[0])) for row in found.rows])


def cancel(session: Session, actor: Actor, institution: str, import_id: UUID) -> None:
    """Cancel an import that is not finished; whoever works on it writes nothing. Raises `ImportFinished`."""
    scope = access.institution(session, actor, institution)
    row = session.scalars(
        _visible(scope).where(Import.id == import_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.status not in UNFINISHED:
        raise ImportFinished
    import_jobs.cancelled(row)


def forget(session: Session) -> int:
    """Remove some imports whose time is over, for good; answers how many."""
    return EXPIRED.remove(session, now(), FORGOTTEN_AT_ONCE)


EXPIRED = expiry.Expiring(table_of(Import), table_of(Import).c.expires_at)


def _visible(scope: Scope) -> Select[Import]:
    """One's own; and all, for whoever may change the institution."""
    mine = select(Import).where(access.within(scope, Import), Import.expires_at > now())
    if scope.actor.reach(Permission.INSTITUTION_CHANGE) is None:
        return mine
    return mine.where(Import.actor_id == scope.actor.id)


def _one(session: Session, scope: Scope, import_id: UUID, *options: ExecutableOption) -> Import:
    statement = _visible(scope).where(Import.id == import_id)
    row = session.scalars(statement.options(*_WHOLE, *options)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _whole(row: Import) -> wire.NotedImport:
    rows: list[wire.RowFate] = []
    faults: list[wire.NotedFault] = []
    if row.outcome is not None:
        outcome = Outcome.model_validate_json(zlib.decompress(row.outcome))
        rows, faults = outcome.rows, outcome.faults
    if row.messages is not None:
        messages = json.loads(zlib.decompress(row.messages))
        faults = [
            fault.model_copy(update=message)
            for fault, message in zip(faults, messages, strict=True)
        ]
    return wire.NotedImport(**_summary(row), rows=rows, faults=faults)


def _summary(row: Import) -> dict[str, Any]:
    counts = row.counts or {}
    return {
        "id": row.id,
        "mode": row.mode,
        "status": row.status,
        "format": row.format,
        "digest": row.digest,
        "total_rows": row.total_rows,
        "done_rows": row.done_rows,
        "counts": counts.get("counts"),
        "total_faults": counts.get("total_faults"),
        "formulas": counts.get("formulas"),
        "problem": row.problem,
        "submitted_by": row.submitted_by,
        "submitted_at": row.submitted_at,
        "finished_at": row.finished_at,
        "expires_at": row.expires_at,
    }
