"""Frozen reports: what was told, kept for ever. They are superseded, never changed."""

import hashlib
from datetime import date
from typing import NamedTuple
from uuid import UUID

import rfc8785
from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session, aliased

from app.errors import AlreadySuperseded, Invalid, NotFound
from app.keyset import Key, paginate
from app.models import FrozenReport, Unit
from app.models.base import new_id, now
from app.rollup import overdue
from app.rollup.figures import Figures
from app.schemas import reports as wire
from app.schemas.comparisons import ChildrenQuery
from app.schemas.curves import CurveQuery
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.schemas.rollups import RollupQuery
from app.services import access, comparisons, curves, events, rollups
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.rollups import Asked

_Successor = aliased(FrozenReport)
_NEWEST_FIRST = [
    Key(FrozenReport.version, descending=True),
    Key(FrozenReport.id, descending=True),
]


class Told(NamedTuple):
    """A frozen report as it is kept."""

    institution: str
    """Code of the institution."""
    report: wire.Report
    unit_id: UUID
    canonical: str
    """The content's canonical JSON, of which the digest is made."""

    @property
    def content(self) -> wire.ReportContent:
        """All that was told, read."""
        return wire.ReportContent.model_validate_json(self.canonical)


def freeze(session: Session, actor: Actor, institution: str, new: wire.NewReport) -> wire.Report:
    """Keep a unit's numbers as they are at this moment.

    Raises `Invalid` for a unit or report that is not there and for a date to come, and
    `AlreadySuperseded` where another report came first.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    today = scope.today()
    if new.as_of is not None and new.as_of > today:
        raise Invalid.field("/as_of", "in_future", "as_of cannot be in the future.")
    unit = (
        access.root(session, scope)
        if new.unit is None
        else access.refer(session, scope, Unit, new.unit, "/unit")
    )
    access.require(session, scope, Permission.REPORTS_FREEZE, unit.id)
    # From here on nobody else's write is seen: all parts are of one state, and of one version.
    version = events.hold(session, scope.id)
    _check_supersedes(session, scope, new.supersedes)
    plain = RollupQuery(year=new.year, as_of=new.as_of or today)
    asked = rollups.resolve(session, actor, str(scope.id), str(unit.id), plain)
    told, figures = _pictured(session, asked)
    curve = CurveQuery(**dict(plain))
    content = wire.ReportContent(
        **dict(told),
        curve=curves.of(session, asked, curve, whole_plan=True, found=figures),
        format=1,
        id=new_id(),
        title=new.title,
        note=new.note,
        supersedes=new.supersedes,
        frozen_at=now(),
        frozen_by=actor.name,
    )
    canonical = rfc8785.dumps(content.model_dump(mode="json"))
    row = FrozenReport(
        institution_id=scope.id,
        id=content.id,
        unit_id=unit.id,
        unit_code=unit.code,
        year=new.year,
        as_of=told.rollup.as_of,
        title=content.title,
        note=content.note,
        version=version,
        digest=hashlib.sha256(canonical).hexdigest(),
        frozen_at=content.frozen_at,
        frozen_by=content.frozen_by,
        supersedes_id=content.supersedes,
        content=canonical.decode(),
    )
    session.add(row)
    made = _report(row, superseded_by=None)
    _record(session, actor, scope, made)
    return made


def get(
    session: Session, actor: Actor, institution: str, report_id: UUID
) -> wire.ReportWithContent:
    """One frozen report with all that was told."""
    return with_content(session, access.institution(session, actor, institution), report_id)


def with_content(session: Session, scope: Scope, report_id: UUID) -> wire.ReportWithContent:
    """As `get`, of an institution that is found already."""
    told = find(session, scope, report_id)
    return wire.ReportWithContent(**dict(told.report), content=told.content)


def download(session: Session, actor: Actor, institution: str, report_id: UUID) -> Told:
    """One frozen report, with its content as it is kept."""
    return find(session, access.institution(session, actor, institution), report_id)


def page(
    session: Session, actor: Actor, institution: str, query: wire.ReportQuery
) -> Page[wire.Report]:
    """Frozen reports without their content, filtered; newest first."""
    return page_of(session, access.institution(session, actor, institution), query)


def page_of(session: Session, scope: Scope, query: wire.ReportQuery) -> Page[wire.Report]:
    """As `page`, of an institution that is found already."""
    statement = _with_successor(scope)
    if query.unit:
        asked = access.below(scope, query.unit, subtree=query.subtree)
        statement = statement.where(FrozenReport.unit_id.in_(asked))
    if query.year:
        statement = statement.where(FrozenReport.year.in_(query.year))
    if query.since is not None:
        statement = statement.where(FrozenReport.frozen_at >= query.since)
    if query.superseded is not None:
        statement = statement.where(_Successor.id.is_not(None) == query.superseded)
    found = paginate(session, statement, _NEWEST_FIRST, query)
    return found.page([_report(*row[:2]) for row in found.rows])


def find(session: Session, scope: Scope, report_id: UUID) -> Told:
    """A frozen report of the scope; raises `NotFound`."""
    row = session.execute(
        _with_successor(scope).add_columns(FrozenReport.content).where(FrozenReport.id == report_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    report, successor, canonical = row
    return Told(scope.code, _report(report, successor), report.unit_id, canonical)


def picture(
    session: Session, actor: Actor, scope: Scope, unit_id: UUID, year: int | None, as_of: date
) -> wire.Picture:
    """The numbers of a unit on a date, with what is overdue, as they are now."""
    query = RollupQuery(year=year, as_of=as_of)
    asked = rollups.resolve(session, actor, str(scope.id), str(unit_id), query)
    return _pictured(session, asked)[0]


def _pictured(session: Session, asked: Asked) -> tuple[wire.Picture, Figures]:
    family = comparisons.family_of(
        session, asked, ChildrenQuery(year=asked.year, as_of=asked.as_of)
    )
    late = overdue.listed(session, asked.scope.id, asked.unit.id, asked.year, asked.as_of)
    told = wire.Picture(
        rollup=family.rollup,
        children=family.children,
        areas=rollups.areas_of(session, asked),
        overdue=_late(late, asked.as_of),
    )
    return told, family.figures


def longest(session: Session, asked: Asked, most: int) -> list[wire.OverdueMilestone]:
    """What is overdue for longest of a unit with all below it, as much of it as wanted."""
    found = overdue.first(
        session,
        asked.scope.id,
        asked.unit.id,
        asked.year,
        asked.as_of,
        most,
        is_today=asked.as_of == asked.scope.today(),
        is_whole=asked.is_whole,
        area_id=asked.area[0],
    )
    return _late(found, asked.as_of)


def _late(milestones: list[overdue.Overdue], as_of: date) -> list[wire.OverdueMilestone]:
    return [
        wire.OverdueMilestone(
            initiative=found.initiative,
            initiative_title=found.initiative_title,
            unit=found.unit,
            milestone=found.milestone,
            milestone_title=found.milestone_title,
            due_on=found.due_on,
            overdue_days=(as_of - found.due_on).days,
            percent_complete=found.basis_points / 100,
        )
        for found in milestones
    ]


def _check_supersedes(session: Session, scope: Scope, report_id: UUID | None) -> None:
    if report_id is None:
        return
    row = session.execute(
        select(FrozenReport.unit_id, _Successor.id)
        .outerjoin(_Successor, _supersedes())
        .where(
            access.within(scope, FrozenReport),
            access.seen(scope, FrozenReport),
            FrozenReport.id == report_id,
        )
    ).one_or_none()
    if row is None:
        raise Invalid.field("/supersedes", "unknown_report", "There is no such report.")
    access.require(session, scope, Permission.REPORTS_FREEZE, row[0])
    if row[1] is not None:
        raise AlreadySuperseded


def _supersedes() -> ColumnElement[bool]:
    return and_(
        _Successor.institution_id == FrozenReport.institution_id,
        _Successor.supersedes_id == FrozenReport.id,
    )


def _with_successor(scope: Scope) -> Select[FrozenReport, UUID | None]:
    return (
        access.visible(scope, FrozenReport)
        .outerjoin(_Successor, _supersedes())
        .add_columns(_Successor.id)
    )


def _record(session: Session, actor: Actor, scope: Scope, made: wire.Report) -> None:
    told = {"title", "unit", "year", "as_of", "version", "digest"}
    if made.supersedes is not None:
        told.add("supersedes")
    subject = events.Subject(made.id, f"reports/{made.id}")
    data = made.model_dump(mode="json", include=told)
    events.record(session, actor, scope.id, "report.frozen", subject, data)


def _report(row: FrozenReport, superseded_by: UUID | None) -> wire.Report:
    return wire.Report(
        id=row.id,
        title=row.title,
        note=row.note,
        unit=row.unit_code,
        year=row.year,
        as_of=row.as_of,
        version=row.version,
        digest=row.digest,
        frozen_at=row.frozen_at,
        frozen_by=row.frozen_by,
        supersedes=row.supersedes_id,
        superseded_by=superseded_by,
    )
