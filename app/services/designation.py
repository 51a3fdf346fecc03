"""Designation: by which decree an initiative became active, and on which day one was cancelled."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import MISSING
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.bulk import bulk_insert
from app.errors import Invalid
from app.models import Decree, Designation, Initiative
from app.models.base import refers
from app.models.base import table as table_of
from app.schemas.fields import InitiativeStatus
from app.schemas.initiatives import InitiativeChanges, NewInitiative
from app.services import access, alterations, decrees, policies
from app.services.access import Scope

FIELDS = ("decree", "designated_on", "cancelled_on")
"""Of an initiative on the wire: what is left out of a PUT stays."""
_UNDECIDED = {InitiativeStatus.PROPOSED, InitiativeStatus.SHORTLISTED}


class Settled(NamedTuple):
    """A decree and the day on which it designates."""

    decree_id: UUID
    decree: str
    """Its code."""
    designated_on: date

    def told(self) -> dict[str, Any]:
        """As the trail has it."""
        return {"decree": self.decree, "designated_on": self.designated_on.isoformat()}


_NOTHING: dict[str, Any] = {"decree": None, "designated_on": None}


def check_owed(*, required: bool, status: InitiativeStatus, has_decree: bool) -> None:
    """Raise `Invalid` where the policy lets nothing become active without a decree."""
    if required and status is InitiativeStatus.ACTIVE and not has_decree:
        detail = "An initiative becomes active by a decree here: send its code with the status."
        raise Invalid.field("/decree", "decree_owed", detail)


def cancelled_on(scope: Scope, status: InitiativeStatus, given: date | None) -> date | None:
    """The day of the cancelling, today if none is given; None for what is not cancelled."""
    if status is not InitiativeStatus.CANCELLED:
        if given is not None:
            detail = "Only a cancelled initiative has a day on which it was cancelled."
            raise Invalid.field("/cancelled_on", "not_cancelled", detail)
        return None
    return _past(scope, given or scope.today(), "/cancelled_on")


def of_new(
    scope: Scope, new: NewInitiative, status: InitiativeStatus, by: Settled | None
) -> Settled | None:
    """How a new initiative is designated; raises `Invalid` where that does not fit its status."""
    return _settled(scope, status, by, new.designated_on)


def of_changed(
    session: Session, scope: Scope, row: Initiative, changes: InitiativeChanges
) -> tuple[Settled | None, Settled | None]:
    """How an initiative is designated before and after a change, which is not made yet."""
    status = row.status if changes.status is MISSING else changes.status
    is_given = {"decree", "designated_on"} & changes.model_fields_set
    if not is_given and status is row.status:
        return None, None
    before = standing(session, scope, [row.id]).get(row.id)
    by = None if changes.decree is MISSING else named(session, scope, changes.decree)
    on = None if changes.designated_on is MISSING else changes.designated_on
    kept = before if changes.decree is MISSING else None
    return before, _settled(scope, status, by, on, kept)


def named(session: Session, scope: Scope, key: str | None) -> Settled | None:
    """What a decree that a body names says by itself; raises `Invalid` where there is none."""
    if key is None:
        return None
    found = decrees.refer(session, scope, key, "/decree")
    return Settled(found.id, found.code, found.issued_on)


def by(scope: Scope, decree: Decree, on: date | None) -> Settled:
    """What a decree settles, on its own day or another; raises `Invalid` for one that has not come."""
    day = decree.issued_on if on is None else _past(scope, on, "/designated_on")
    return Settled(decree.id, decree.code, day)


def put_all(
    session: Session, scope: Scope, before: Mapping[UUID, Settled | None], after: Settled
) -> None:
    """Write that many initiatives are designated, where it differs, and tell the trail."""
    differing = {id_: was for id_, was in before.items() if was != after}
    gone = [id_ for id_, was in differing.items() if was is not None]
    if gone:
        session.execute(
            delete(Designation)
            .where(access.within(scope, Designation), Designation.initiative_id.in_(gone))
            .execution_options(synchronize_session=False)
        )
    rows = [columns(scope, id_, after) for id_ in differing]
    bulk_insert(session, table_of(Designation), rows)
    for id_, was in differing.items():
        alterations.note(session, id_, _NOTHING if was is None else was.told(), after.told())


def put(
    session: Session,
    scope: Scope,
    initiative_id: UUID,
    before: Settled | None,
    after: Settled | None,
) -> None:
    """Write how an initiative is designated, where it differs, and tell the trail."""
    if before == after:
        return
    if before is not None:
        session.delete(session.get_one(Designation, (scope.id, initiative_id)))
        session.flush()
    if after is not None:
        session.add(Designation(**columns(scope, initiative_id, after)))
    told = [_NOTHING if each is None else each.told() for each in (before, after)]
    alterations.note(session, initiative_id, *told)


def columns(scope: Scope, initiative_id: UUID, settled: Settled) -> dict[str, Any]:
    """The row of a designation."""
    return {
        "institution_id": scope.id,
        "initiative_id": initiative_id,
        "decree_id": settled.decree_id,
        "designated_on": settled.designated_on,
    }


def _settled(
    scope: Scope,
    status: InitiativeStatus,
    by: Settled | None,
    on: date | None,
    kept: Settled | None = None,
) -> Settled | None:
    if status in _UNDECIDED:
        if by is not None or on is not None:
            detail = "A decree makes an initiative active: send it with that status, or later."
            raise Invalid.field("/decree" if by else "/designated_on", "not_active", detail)
        return None
    settled = by or kept
    required = policies.policy(scope).decree_required
    check_owed(required=required, status=status, has_decree=settled is not None)
    if on is None:
        return settled
    if settled is None:
        detail = "The day of designation goes with a decree."
        raise Invalid.field("/designated_on", "decree_missing", detail)
    return settled._replace(designated_on=_past(scope, on, "/designated_on"))


def standing(
    session: Session, scope: Scope, initiative_ids: Collection[UUID]
) -> dict[UUID, Settled]:
    """How some initiatives are designated; those that are not are left out."""
    statement = (
        select(Designation.initiative_id, Decree.id, Decree.code, Designation.designated_on)
        .join(Designation, refers(Designation.decree_id, Decree))
        .where(access.within(scope, Designation), Designation.initiative_id.in_(initiative_ids))
    )
    return {
        row.initiative_id: Settled(row.id, row.code, row.designated_on)
        for row in session.execute(statement)
    }


def _past(scope: Scope, day: date, pointer: str) -> date:
    if day > scope.today():
        raise Invalid.field(pointer, "in_future", "This day has not come.")
    return day
