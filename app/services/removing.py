"""Removing: what nothing depends on is deleted, and kept whole so that it can be restored."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from app.errors import InUse, Invalid, RootUnit
from app.models import (
    ApiToken,
    Appointment,
    BrowserSession,
    CalendarFeed,
    FollowUp,
    FrozenReport,
    Indicator,
    Initiative,
    InitiativeOwner,
    Obstacle,
    Person,
    ProgressUpdate,
    Rating,
    RoleGrant,
    Score,
    Unit,
    UnitClosure,
    UnitMerger,
    Webhook,
)
from app.models.base import table as table_of
from app.rollup import ledger
from app.schemas.permissions import Permission
from app.services import (
    access,
    alterations,
    deletions,
    events,
    files,
    initiatives,
    milestones,
    people,
    portfolio,
    sessions,
    units,
    versions,
)
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.deletions import Doomed
from app.services.versions import Expected

_Uses = list[Select[*tuple[Any, ...]]]


def unit(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Delete a unit that nothing belongs to, such as units, initiatives or people; else `InUse`."""
    scope = access.institution(session, actor, institution, Lock.ALONE)
    row = access.find(session, scope, Unit, key, lock=True)
    access.require(session, scope, Permission.UNITS_CHANGE, row.parent_id)
    versions.check(row, expected)
    if row.parent_id is None:
        raise RootUnit
    if _any(session, _uses_of_unit(scope, row.id)):
        detail = "Units, initiatives, people, reports, roles and the like belong to it: archive it."
        raise InUse(detail)
    before = units.shape(session, scope, row).model_dump(mode="json")
    subject = units.subject(row)
    doomed = Doomed(row, subject, row.name, row.parent_id)
    deletions.keep(session, actor, scope, doomed, reason, table_of(UnitMerger).c.unit_id)
    ledger.forget(session, scope.id, row.id)
    for link, column in (
        (UnitClosure, UnitClosure.descendant_id),
        (UnitMerger, UnitMerger.unit_id),
    ):
        session.execute(delete(link).where(access.within(scope, link), column == row.id))
    session.delete(row)
    events.record(session, actor, scope.id, "unit.deleted", subject, before, reason=reason)


def person(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Delete a person who has left no trace, such as a report, a judgement or a role; else `InUse`."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Person, key, lock=True)
    access.require(session, scope, Permission.PEOPLE_CHANGE, row.unit_id)
    versions.check(row, expected)
    if _any(session, _uses_of_person(scope, row.id)):
        detail = (
            "This person owns, reported, judged, sees to something, is in a team, or has roles, tokens"
            " or calendars: set active to false."
        )
        raise InUse(detail)
    before = people.by_id(session, scope, row.id).model_dump(mode="json")
    subject = events.Subject(row.id, row.code)
    doomed = Doomed(row, subject, row.name, row.unit_id)
    deletions.keep(session, actor, scope, doomed, reason)
    session.execute(delete(BrowserSession).where(sessions.of_person(scope.id, row.id)))
    session.delete(row)
    events.record(session, actor, scope.id, "person.deleted", subject, before, reason=reason)


def initiative(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Delete an initiative with its milestones and reports; its event keeps what it was."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    row = access.find(session, scope, Initiative, key, lock=True)
    access.require(session, scope, Permission.INITIATIVES_CHANGE, row.unit_id)
    versions.check(row, expected)
    before = portfolio.one(session, scope, row.id).model_dump(mode="json")
    subject = initiatives.subject(row)
    doomed = Doomed(row, subject, row.title, row.unit_id)
    until = deletions.keep(session, actor, scope, doomed, reason)
    files.release(session, scope, row.id, until)
    with ledger.recorded(session, scope.id, row.id):
        session.execute(
            delete(Initiative).where(access.within(scope, Initiative), Initiative.id == row.id)
        )
    events.record(
        session, actor, scope.id, "initiative.deleted", subject, before, reason=reason,
        unit_id=row.unit_id, changes=alterations.of_removed(session, row),
    )  # fmt: skip


def milestone(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    number: int,
    expected: Expected,
    reason: str | None = None,
) -> None:
    """Delete a milestone without reports; one with reports is dropped instead (`InUse`)."""
    scope, parent = milestones.changing(session, actor, institution, initiative)
    row = milestones.find(session, scope, parent.id, number)
    versions.check(row, expected)
    if row.reports:
        detail = "This milestone has reports; drop it with a reason instead."
        raise InUse(detail)
    if (row.baseline_due_on or parent.baseline) is not None and reason is None:
        raise Invalid.parameter("reason", "reason_owed", "This change owes a reason.")
    before = milestones.shape(row, parent.weight, scope.today()).model_dump(mode="json")
    with ledger.recorded(session, scope.id, parent.id):
        milestones.take_away(session, actor, scope, parent, row, reason)
        versions.touch(parent)
        milestones.touch_siblings(session, scope, row)
    subject = milestones.subject(parent, row)
    events.record(session, actor, scope.id, "milestone.deleted", subject, before, reason=reason)


def _any(session: Session, uses: _Uses) -> bool:
    return any(session.execute(use.limit(1)).first() for use in uses)


def _uses_of_unit(scope: Scope, unit_id: UUID) -> _Uses:
    return [
        select(column).where(access.within(scope, table), column == unit_id)
        for table, column in (
            (Unit, Unit.parent_id),
            (UnitMerger, UnitMerger.into_id),
            (Initiative, Initiative.unit_id),
            (Indicator, Indicator.unit_id),
            (Person, Person.unit_id),
            (FrozenReport, FrozenReport.unit_id),
            (RoleGrant, RoleGrant.unit_id),
            (Webhook, Webhook.unit_id),
            (Appointment, Appointment.unit_id),
            (Obstacle, Obstacle.unit_id),
            (Obstacle, Obstacle.escalated_to_id),
        )
    ]


def _uses_of_person(scope: Scope, person_id: UUID) -> _Uses:
    return [
        select(column).where(access.within(scope, table), column == person_id)
        for table, column in (
            (InitiativeOwner, InitiativeOwner.person_id),
            (ProgressUpdate, ProgressUpdate.reporter_id),
            (Rating, Rating.judge_id),
            (Score, Score.scorer_id),
            (ApiToken, ApiToken.person_id),
            (CalendarFeed, CalendarFeed.person_id),
            (Obstacle, Obstacle.owner_id),
            (FollowUp, FollowUp.owner_id),
            (RoleGrant, RoleGrant.person_id),
            (Appointment, Appointment.person_id),
        )
    ]
