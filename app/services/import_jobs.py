"""Imports that are not finished: taken by a process under a lease, finished once, or taken again."""

import json
import zlib
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session, undefer

from app.errors import QuickwinError
from app.languages import noted
from app.models import Import
from app.models.base import now
from app.schemas.imports import ImportMode, ImportStatus, Outcome

MOST_ATTEMPTS = 5
"""A job that has ended its process so often is not tried again."""
_LOOKED_AT = 20
"""Jobs that are tried to be taken, while others take some of them."""


class Job(NamedTuple):
    """An import that a process has taken."""

    institution_id: UUID
    id: UUID
    worker: UUID
    """Whose lease it is."""
    mode: ImportMode
    content: bytes
    actor_id: UUID
    token_id: UUID | None
    request_id: str | None


class LeaseLost(Exception):
    """Another process has this job by now, or it was cancelled: what was done must not be kept."""


def is_waiting(session: Session) -> bool:
    """Whether there is an import that nobody works on."""
    return session.execute(select(Import.id).where(_is_free()).limit(1)).first() is not None


def _taken(session: Session, institution_id: UUID, import_id: UUID) -> Import | None:
    """An import that is locked now, unless somebody else has it by now."""
    return session.scalars(
        select(Import)
        .where(Import.institution_id == institution_id, Import.id == import_id, _is_free())
        .with_for_update(skip_locked=True)
        .options(undefer(Import.content))
    ).one_or_none()


def claim(session: Session, worker: UUID, seconds: float) -> Job | None:
    """Take the oldest import that nobody works on, for so many seconds; None if there is none."""
    # Citus locks rows of one institution alone: they are found first, and then locked one by one.
    waiting = session.execute(
        select(Import.institution_id, Import.id)
        .where(_is_free())
        .order_by(Import.submitted_at, Import.id)
        .limit(_LOOKED_AT)
    ).all()
    row = next(filter(None, (_taken(session, *each) for each in waiting)), None)
    if row is None:
        return None
    if row.attempts >= MOST_ATTEMPTS:
        detail = noted("This was begun several times, and the process ended each time.")
        _end(row, ImportStatus.FAILED, problem={"code": "given_up", "detail": detail})
        return None
    row.status = ImportStatus.RUNNING
    row.leased_by, row.leased_until = worker, now() + timedelta(seconds=seconds)
    row.attempts += 1
    row.done_rows = 0
    return Job(
        row.institution_id, row.id, worker, row.mode, row.content, row.actor_id, row.token_id,
        row.request_id,
    )  # fmt: skip


def renew(session: Session, job: Job, seconds: float, done_rows: int) -> bool:
    """Keep a job for so many seconds more and say how far it is; false where it is not ours any more."""
    until = now() + timedelta(seconds=seconds)
    result = session.connection().execute(
        update(Import).where(_is_ours(job)).values(leased_until=until, done_rows=done_rows)
    )
    return bool(result.rowcount)


def release(session: Session, job: Job) -> None:
    """Give a job back, so that another process goes on with it at once."""
    session.connection().execute(
        update(Import)
        .where(_is_ours(job))
        .values(
            status=ImportStatus.QUEUED, leased_by=None, leased_until=None,
            attempts=Import.attempts - 1,
        )
    )  # fmt: skip


def finish(session: Session, job: Job, outcome: Outcome) -> Import:
    """Keep how a job ended, in the transaction that did it; raises `LeaseLost`."""
    row = _held(session, job)
    ended(row, outcome)
    return row


def fail(session: Session, job: Job, error: QuickwinError) -> None:
    """Keep why a job could not be done; raises `LeaseLost`."""
    row = _held(session, job)
    _end(row, ImportStatus.FAILED, problem={"code": error.code, "detail": error.detail})


def cancelled(row: Import) -> None:
    """Let nothing come of an import that is not finished."""
    _end(row, ImportStatus.CANCELLED)


def ended(row: Import, outcome: Outcome) -> None:
    """Put an outcome into an import's row."""
    if outcome.total_faults:
        status = ImportStatus.REFUSED
    else:
        is_applied = row.mode is ImportMode.APPLY
        status = ImportStatus.APPLIED if is_applied else ImportStatus.CHECKED
    # Apart from the outcome, which a server of the release before must be able to read.
    apart = {"template", "values"}
    row.outcome = zlib.compress(
        outcome.model_dump_json(exclude={"faults": {"__all__": apart}}).encode()
    )
    messages = [fault.model_dump(mode="json", include=apart) for fault in outcome.faults]
    row.messages = zlib.compress(json.dumps(messages).encode())
    row.counts = outcome.model_dump(mode="json", include={"counts", "total_faults", "formulas"})
    row.total_rows = row.done_rows = len(outcome.rows)
    _end(row, status)


def _end(row: Import, status: ImportStatus, problem: dict[str, str] | None = None) -> None:
    row.status, row.problem, row.finished_at = status, problem, now()
    row.leased_by = row.leased_until = None


def _held(session: Session, job: Job) -> Import:
    """The row of a job, locked; raises `LeaseLost` unless it is ours still."""
    row = session.scalars(select(Import).where(_is_ours(job)).with_for_update()).one_or_none()
    if row is None:
        raise LeaseLost
    return row


def _is_free() -> ColumnElement[bool]:
    return or_(
        Import.status == ImportStatus.QUEUED,
        and_(Import.status == ImportStatus.RUNNING, Import.leased_until <= now()),
    )


def _is_ours(job: Job) -> ColumnElement[bool]:
    return and_(
        Import.institution_id == job.institution_id,
        Import.id == job.id,
        Import.status == ImportStatus.RUNNING,
        Import.leased_by == job.worker,
    )
