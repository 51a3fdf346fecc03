"""Reading progress updates: of one milestone, and of the whole institution."""

from collections.abc import Iterable
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.keyset import Key, Slice, paginate
from app.models import Initiative, Milestone, ProgressUpdate
from app.models.base import new_id, now, refers
from app.models.hints import flagged
from app.schemas import updates as wire
from app.schemas.evidence import AttachedFile, Evidence, ShownEvidence
from app.schemas.fields import Verdict, Verification
from app.schemas.files import content_path
from app.schemas.pages import Page, Paging
from app.services import access, milestones, naming, people, windows
from app.services.access import Scope
from app.services.actors import Actor

# Ids are in the order of arrival, and have an index: a page costs the same wherever it is.
_NEWEST_FIRST = [Key(ProgressUpdate.id, descending=True)]


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
    of_milestone = (
        select(ProgressUpdate.id)
        .join(Milestone, refers(ProgressUpdate.milestone_id, Milestone))
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .where(
            access.within(scope, ProgressUpdate),
            naming.named(Initiative, initiative),
            Milestone.number == number,
        )
    )
    statement = _with_address(scope).where(_one_of(of_milestone))
    return _page(paginate(session, statement, _NEWEST_FIRST, paging))


def people_of(reports: Iterable[wire.Update]) -> set[str]:
    """Codes of whoever reported or judged some reports; names of tokens are among them."""
    return {
        who
        for each in reports
        for who in (each.reported_by, *(given.verified_by for given in each.verifications))
    }


def names(session: Session, scope: Scope, reports: Iterable[wire.Update]) -> dict[str, str]:
    """What those are called, as far as the actor may see them; by code."""
    return people.names(session, scope, people_of(reports))


def feed(
    session: Session, actor: Actor, institution: str, query: wire.UpdateQuery
) -> Page[wire.Update]:
    """Every report of the institution, newest first, filtered."""
    scope = access.institution(session, actor, institution)
    statement = _with_address(scope)
    if query.initiative:
        of_initiatives = (
            select(ProgressUpdate.id)
            .join(Initiative, refers(ProgressUpdate.initiative_id, Initiative))
            .where(
                access.within(scope, ProgressUpdate),
                naming.named_any(Initiative, query.initiative),
            )
        )
        statement = statement.where(_one_of(of_initiatives))
    if query.unit:
        statement = statement.where(Initiative.unit_id.in_(access.below(scope, query.unit)))
    if query.verification:
        statement = statement.where(ProgressUpdate.verification.in_(query.verification))
    if query.source:
        statement = statement.where(ProgressUpdate.source.in_(query.source))
    if query.late is not None:
        late = ProgressUpdate.late
        statement = statement.where(flagged(late) if query.late else ~late)
    if query.since is not None:
        statement = statement.where(ProgressUpdate.reported_at >= query.since)
    if query.updated_since is not None:
        moments = (ProgressUpdate.reported_at, ProgressUpdate.verified_at)
        statement = statement.where(or_(*(at >= query.updated_since for at in moments)))
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
            naming.named(Initiative, initiative),
            Milestone.number == number,
            ProgressUpdate.id == update_id,
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return shape(*row)


def sent(
    session: Session, scope: Scope, initiative: str, number: int, name: tuple[str, str]
) -> wire.Update | None:
    """The report on a milestone that was sent under a source and an external id, if there is one."""
    source, external_id = name
    row = session.execute(
        _with_address(scope).where(
            naming.named(Initiative, initiative),
            Milestone.number == number,
            ProgressUpdate.source == source,
            ProgressUpdate.external_id == external_id,
        )
    ).one_or_none()
    return None if row is None else shape(*row)


def is_own(session: Session, scope: Scope, actor: Actor, update_id: UUID) -> bool:
    """Whether the actor has reported it, and so may not verify it."""
    return (
        session.scalar(
            select(ProgressUpdate.reporter_id == actor.id).where(
                access.within(scope, ProgressUpdate), ProgressUpdate.id == update_id
            )
        )
        is True
    )


class Reporter(Protocol):
    """Who reports."""

    @property
    def id(self) -> UUID:
        """The person, or the token that acts for nobody in particular."""

    @property
    def name(self) -> str:
        """How they are called."""


class Target(Protocol):
    """The milestone that a report is on."""

    @property
    def initiative_id(self) -> UUID:
        """Its initiative."""

    @property
    def milestone_id(self) -> UUID:
        """Its id."""

    @property
    def reports(self) -> int:
        """How many reports it has."""


def columns(
    scope: Scope,
    target: Target,
    new: wire.NewUpdate,
    effective_on: date,
    previous: int,
    by: Reporter,
) -> dict[str, Any]:
    """A new report's row; `previous` in basis points. Raises `PeriodLocked`."""
    windows.check(scope, effective_on)
    at = now()
    return {
        "institution_id": scope.id,
        "id": new_id(),
        "initiative_id": target.initiative_id,
        "milestone_id": target.milestone_id,
        "sequence": target.reports + 1,
        "percent": basis_points(new),
        "previous": previous,
        "effective_on": effective_on,
        "late": windows.is_late(scope, effective_on, scope.day_of(at)),
        "note": new.note,
        "evidence": [kept_link(link) for link in new.evidence],
        "source": new.source,
        "external_id": new.external_id,
        "reported_by": by.name,
        "reporter_id": by.id,
        "reported_at": at,
        "verification": Verification.REPORTED,
        "verified_by": None,
        "verified_at": None,
        "verification_note": None,
        "verifications": [],
        "resubmits_id": new.resubmits,
    }


def kept_link(given: Evidence, file: AttachedFile | None = None) -> dict[str, Any]:
    """A document as its report keeps it: a link, or what its file was when it was named."""
    link: dict[str, Any] = {"title": given.title}
    if file is None:
        link["url"] = given.url
    else:
        link["file"] = file.model_dump(mode="json")
    return link if given.kind is None else {**link, "kind": given.kind}


def basis_points(new: wire.NewUpdate) -> int:
    """A new report's percent, as it is kept."""
    return int(new.percent_complete * 100)


def shape(row: ProgressUpdate | SimpleNamespace, initiative: str, milestone: int) -> wire.Update:
    """A report as it is answered."""
    return wire.Update(
        id=row.id,
        initiative=initiative,
        milestone=milestone,
        percent_complete=row.percent / 100,
        previous_percent=row.previous / 100,
        effective_on=row.effective_on,
        late=row.late,
        note=row.note,
        evidence=[shown_link(row.institution_id, link) for link in row.evidence],
        source=row.source,
        external_id=row.external_id,
        reported_by=row.reported_by,
        reported_at=row.reported_at,
        verification=row.verification,
        verified_by=row.verified_by,
        verified_at=row.verified_at,
        verification_note=row.verification_note,
        verifications=[wire.GivenVerification.model_validate(given) for given in given_on(row)],
        resubmits=row.resubmits_id,
    )


def shown_link(institution_id: UUID, link: dict[str, Any]) -> ShownEvidence:
    """A document of a report as it is answered."""
    if "file" not in link:
        return ShownEvidence.model_validate(link)
    return ShownEvidence(**link, url=content_path(institution_id, UUID(link["file"]["id"])))


def given_on(row: ProgressUpdate | SimpleNamespace) -> list[dict[str, Any]]:
    """All verdicts on a report, oldest first."""
    if row.verifications or row.verified_at is None:
        return list(row.verifications)
    # Judged when only the latest verdict was kept.
    found = wire.NewVerification(
        verdict=Verdict(row.verification.value), note=row.verification_note
    )
    return [given(found, row.verified_by or "", row.verified_at)]


def given(found: wire.NewVerification, by: str, at: datetime) -> dict[str, Any]:
    """A verdict as its report keeps it."""
    made = wire.GivenVerification(**found.model_dump(), verified_by=by, verified_at=at)
    return made.model_dump(mode="json")


def _one_of(ids: Select[UUID]) -> ColumnElement[bool]:
    # By ids, since SQLite would rather walk all of the institution's in their order until it has a page.
    return ProgressUpdate.id.in_(ids)


def _with_address(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        access.visible(scope, ProgressUpdate)
        .join(
            Milestone,
            refers(ProgressUpdate.milestone_id, Milestone),
        )
        .join(Initiative, refers(Milestone.initiative_id, Initiative))
        .add_columns(Initiative.code, Milestone.number)
    )


def _page(found: Slice) -> Page[wire.Update]:
    return found.page([shape(*row[:3]) for row in found.rows])
