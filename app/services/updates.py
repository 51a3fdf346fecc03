"""Reading progress updates: of one milestone, and of the whole institution."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.keyset import Key, Slice, paginate
from app.models import Initiative, Milestone, ProgressUpdate
from app.schemas import updates as wire
from app.schemas.pages import Page, Paging
from app.services import access, milestones
from app.services.access import Actor, Scope

_NEWEST_FIRST = [
    Key(ProgressUpdate.reported_at, descending=True),
    Key(ProgressUpdate.id, descending=True),
]


def page(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    number: int,
    paging: Paging,
) -> Page[wire.Update]:
    """The reports on one milestone, newest first."""
    scope = access.institution(session, actor, institution)
    milestones.get(session, actor, institution, initiative, number)
    statement = _with_address(scope).where(
        access.named(Initiative, initiative), Milestone.number == number
    )
    return _page(paginate(session, statement, _NEWEST_FIRST, paging))


def feed(
    session: Session, actor: Actor, institution: str, query: wire.UpdateQuery
) -> Page[wire.Update]:
    """Every report of the institution, newest first, filtered."""
    scope = access.institution(session, actor, institution)
    statement = _with_address(scope)
    if query.initiative:
        statement = statement.where(access.named_any(Initiative, query.initiative))
    if query.unit:
        statement = statement.where(Initiative.unit_id.in_(access.below(scope, query.unit)))
    if query.verification:
        statement = statement.where(ProgressUpdate.verification.in_(query.verification))
    if query.source:
        statement = statement.where(ProgressUpdate.source.in_(query.source))
    if query.since is not None:
        statement = statement.where(ProgressUpdate.reported_at >= query.since)
    if query.effective_after is not None:
        statement = statement.where(ProgressUpdate.effective_on > query.effective_after)
    if query.effective_before is not None:
        statement = statement.where(ProgressUpdate.effective_on < query.effective_before)
    return _page(paginate(session, statement, _NEWEST_FIRST, query))


def get(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    number: int,
    update_id: UUID,
) -> wire.Update:
    """One report."""
    scope = access.institution(session, actor, institution)
    row = session.execute(
        _with_address(scope).where(
            access.named(Initiative, initiative),
            Milestone.number == number,
            ProgressUpdate.id == update_id,
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return shape(*row)


def shape(row: ProgressUpdate, initiative: str, milestone: int) -> wire.Update:
    """A report as it is answered."""
    return wire.Update(
        id=row.id,
        initiative=initiative,
        milestone=milestone,
        percent_complete=row.percent / 100,
        previous_percent=row.previous / 100,
        effective_on=row.effective_on,
        note=row.note,
        evidence=[wire.Evidence.model_validate(link) for link in row.evidence],
        source=row.source,
        external_id=row.external_id,
        reported_by=row.reported_by,
        reported_at=row.reported_at,
        verification=row.verification,
        verified_by=row.verified_by,
        verified_at=row.verified_at,
        verification_note=row.verification_note,
    )


def _with_address(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        access.visible(scope, ProgressUpdate)
        .join(
            Milestone,
            and_(
                Milestone.institution_id == ProgressUpdate.institution_id,
                Milestone.id == ProgressUpdate.milestone_id,
            ),
        )
        .join(Initiative, milestones.parent_of_milestone())
        .add_columns(Initiative.code, Milestone.number)
    )


def _page(found: Slice) -> Page[wire.Update]:
    return Page(
        items=[shape(*row[:3]) for row in found.rows],
        next_cursor=found.next_cursor,
        total=found.total,
    )
