"""The life of an initiative: which status follows which, and what each asks for."""

from collections.abc import Sequence
from datetime import date

from app.errors import Invalid, StatusConflict
from app.messages import said
from app.schemas.fields import InitiativeStatus, MilestoneStatus, OwnerRole
from app.schemas.initiatives import Owner
from app.schemas.milestones import Milestone

_PROPOSED, _SHORTLISTED, _ACTIVE, _ON_HOLD, _COMPLETED, _CANCELLED = InitiativeStatus

NEXT: dict[InitiativeStatus, frozenset[InitiativeStatus]] = {
    _PROPOSED: frozenset({_SHORTLISTED, _ACTIVE, _CANCELLED}),
    _SHORTLISTED: frozenset({_PROPOSED, _ACTIVE, _CANCELLED}),
    _ACTIVE: frozenset({_ON_HOLD, _COMPLETED, _CANCELLED}),
    _ON_HOLD: frozenset({_ACTIVE, _COMPLETED, _CANCELLED}),
    _COMPLETED: frozenset({_ACTIVE, _CANCELLED}),
    _CANCELLED: frozenset({_PROPOSED, _ACTIVE}),
}
"""proposed → shortlisted → active ⇄ on_hold → completed; cancelled from anywhere; both last reopen."""
_OWNED = {_ACTIVE, _ON_HOLD, _COMPLETED}


def check_transition(
    before: InitiativeStatus,
    after: InitiativeStatus,
    plan: Sequence[Milestone],
    *,
    has_reason: bool,
) -> None:
    """Raise `StatusConflict` or `Invalid` where a status cannot follow another.

    Cancelling, and bringing back a completed or cancelled initiative, owe a reason. Completed is
    only what has milestones, each live one at 100 %.
    """
    if after not in NEXT[before]:
        following = ", ".join(sorted(NEXT[before]))
        detail = said(
            "From this status an initiative can become: {following}.", following=following
        )
        raise StatusConflict(detail)
    if after is _COMPLETED:
        live = [m for m in plan if m.status is not MilestoneStatus.DROPPED]
        if not live or any(m.status is not MilestoneStatus.DONE for m in live):
            detail = "Completed needs milestones, every one of them at 100 %."
            raise StatusConflict(detail)
    if after is _CANCELLED or before in (_COMPLETED, _CANCELLED):
        _check_reason(has_reason=has_reason)


def check_creation(status: InitiativeStatus, *, has_reason: bool) -> None:
    """Raise `Invalid` where what is created as it stands owes a reason: what is cancelled does."""
    if status is _CANCELLED:
        _check_reason(has_reason=has_reason)


def _check_reason(*, has_reason: bool) -> None:
    if not has_reason:
        raise Invalid.field("/reason", "reason_owed", "This change of status owes a reason.")


def check_owners(status: InitiativeStatus, owners: Sequence[Owner]) -> None:
    """Raise `Invalid` unless the owners fit the status: one accountable once it is active."""
    accountable = [i for i, owner in enumerate(owners) if owner.role is OwnerRole.ACCOUNTABLE]
    if len(accountable) > 1:
        detail = "Only one owner is accountable."
        raise Invalid.field(f"/owners/{accountable[1]}/role", "two_accountable_owners", detail)
    if status in _OWNED and not accountable:
        detail = "An initiative that is active, on hold or completed has one accountable owner."
        raise Invalid.field("/owners", "accountable_owner_missing", detail)


def check_has_accountable(status: InitiativeStatus, roles: Sequence[OwnerRole]) -> None:
    """Raise `StatusConflict` where the present owners do not allow the status."""
    if status in _OWNED and OwnerRole.ACCOUNTABLE not in roles:
        detail = "Name an accountable owner first: send owners with this change."
        raise StatusConflict(detail)


def check_dates(start_on: date | None, due_on: date | None) -> None:
    """Raise `Invalid` where the end comes before the start."""
    if start_on is not None and due_on is not None and due_on < start_on:
        raise Invalid.field("/due_on", "due_before_start", "due_on cannot be before start_on.")
