"""Progress: reports on milestones, the verb that is called most, alone and in batches."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Integer, String, Uuid, bindparam, or_, select
from sqlalchemy.orm import Session

from app.errors import FieldError, Forbidden, Invalid, NotFound, QuickwinError
from app.given import Statement
from app.models import Initiative, Milestone
from app.models.base import refers
from app.schemas import updates as wire
from app.schemas.batches import (
    Batch,
    BatchItem,
    BatchSummary,
    NewBatch,
    Refused,
    Taken,
)
from app.schemas.permissions import Permission
from app.schemas.problems import Problem, Say
from app.services import access, events, naming, rights
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.reporting import Reporting, Target


def report(
    session: Session,
    actor: Actor,
    institution: str,
    initiative: str,
    number: int,
    new: wire.NewUpdate,
) -> tuple[wire.Update, bool]:
    """Report progress on a milestone; answers the report, and whether it is new.

    A report with a known `source` and `external_id` is not new: it answers the one that is there.
    Raises `NotReportable` for a dropped milestone or a cancelled initiative, and `Invalid` for an
    effective date in the future.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    key = naming.key_of(initiative)
    row = (
        session.connection()  # below the ORM: this is the verb that is called most
        .execute(
            _TARGETS[isinstance(key, UUID)],
            {"institution": scope.id, "key": key, "number": number},
        )
        .one_or_none()
    )
    if row is None or not access.sees(session, scope, row.unit_id):
        raise NotFound
    access.require(session, scope, Permission.UPDATES_REPORT, row.unit_id)
    target = Target._make(row)
    reporting = Reporting(session, scope, [(target, new)])
    made, is_new = reporting.take(target, new)
    reporting.write()
    return made, is_new


def report_batch(
    session: Session, actor: Actor, institution: str, new: NewBatch, say: Say = str
) -> Batch:
    """Report on many milestones in one transaction, in order; answers what became of each item.

    An item is refused for what `report` raises, or for its form, and the others are taken. Raises
    `Invalid` with the places of all that are refused, when the batch is atomic. `say` puts what is
    told of an item into the language of whoever asks.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    desk = _Desk(session, scope, new.items)
    outcomes = [desk.serve(index, item) for index, item in enumerate(new.items)]
    if new.atomic:
        insist_on_all(outcomes)
    desk.reporting.write()
    return _answer(outcomes, session.info.get(events.REQUEST_ID), say)


Outcome = tuple[wire.Update, bool] | QuickwinError
"""What a single report would have answered, or raised."""
Address = tuple[UUID | str, int]
"""An initiative by its id or by its code as codes are compared, and the number of a milestone."""


def _address(item: BatchItem) -> Address:
    return naming.key_of(item.initiative), item.milestone


def _lock(session: Session, scope: Scope, addresses: Sequence[Address]) -> dict[Address, Target]:
    """The milestones that are there. Rows are locked by their ids, so that batches never cross."""
    asked = [
        {
            "place": place,
            "id": key if isinstance(key, UUID) else None,
            "code": None if isinstance(key, UUID) else key,
            "number": number,
        }
        for place, (key, number) in enumerate(addresses)
    ]
    found = _TARGETS_GIVEN.run(session, asked, institution=scope.id)
    return {addresses[place]: Target(*columns) for place, *columns in found}


class _Desk:
    """Where the items of a batch are taken or refused, one after the other."""

    def __init__(
        self, session: Session, scope: Scope, items: Sequence[BatchItem | Invalid]
    ) -> None:
        """Look up for all of them what they are on, and what the actor may do there."""
        addresses = [_address(item) if isinstance(item, BatchItem) else None for item in items]
        there = _lock(session, scope, list({each for each in addresses if each is not None}))
        self._targets = [each and there.get(each) for each in addresses]
        self._seen, self._held = rights.sort_out(
            session,
            scope.actor,
            scope.id,
            Permission.UPDATES_REPORT,
            frozenset(target.unit_id for target in there.values()),
        )
        asked = [
            (target, item)
            for target, item in zip(self._targets, items, strict=True)
            if target is not None and isinstance(item, BatchItem)
        ]
        self.reporting = Reporting(session, scope, asked)

    def serve(self, index: int, item: BatchItem | Invalid) -> Outcome:
        """What becomes of an item; what is wrong has its place in the batch."""
        try:
            if isinstance(item, Invalid):
                raise item
            return self.reporting.take(self._allowed(index), item)
        except QuickwinError as error:
            return error.below(f"/items/{index}")

    def _allowed(self, index: int) -> Target:
        target = self._targets[index]
        if target is None or target.unit_id not in self._seen:
            raise NotFound
        if target.unit_id not in self._held:
            raise Forbidden
        return target


def insist_on_all(outcomes: Sequence[object]) -> None:
    """Raise `Invalid` with the places of all that is refused in a batch."""
    places: list[FieldError] = []
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, QuickwinError):
            whole = FieldError(f"/items/{index}", outcome.code, outcome.detail)
            places += outcome.errors or (whole,)
    if places:
        raise Invalid(errors=tuple(places))


def _answer(outcomes: Sequence[Outcome], request_id: str | None, say: Say) -> Batch:
    results: list[Taken | Refused] = []
    summary = dict.fromkeys(BatchSummary.model_fields, 0)
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, QuickwinError):
            problem = Problem.of(outcome, request_id).told(outcome, say)
            results.append(Refused(index=index, status=problem.status, problem=problem))
            summary["failed"] += 1
        else:
            made, is_new = outcome
            results.append(Taken(index=index, status=201 if is_new else 200, update=made))
            summary["created" if is_new else "replayed"] += 1
    return Batch(results=results, summary=BatchSummary(**summary))


_TARGET = (
    select(
        Initiative.id.label("initiative_id"),
        Initiative.code,
        Initiative.unit_id,
        Initiative.year,
        Initiative.status,
        Milestone.id.label("milestone_id"),
        Milestone.number,
        Milestone.technique,
        Milestone.due_on,
        Milestone.baseline_due_on,
        Milestone.dropped_at,
        Milestone.share,
        Milestone.percent,
        Milestone.done_on,
        Milestone.reports,
    )
    .join(Milestone, refers(Milestone.initiative_id, Initiative))
    .where(
        Initiative.institution_id == bindparam("institution"),
        Milestone.institution_id == bindparam("institution"),
    )
    # The initiative first, as all who change a plan do.
    .with_for_update(of=[Initiative, Milestone])
)
_TARGETS = {
    by_id: _TARGET.where(
        Initiative.id == bindparam("key") if by_id else Initiative.code_key == bindparam("key"),
        Milestone.number == bindparam("number"),
    )
    for by_id in (False, True)
}
_TARGETS_GIVEN = Statement(
    lambda asked: (
        _TARGET.join(asked, Milestone.number == asked.c.number)
        .where(or_(Initiative.id == asked.c.id, Initiative.code_key == asked.c.code))
        .with_only_columns(asked.c.place, *_TARGET.selected_columns)
        .order_by(Initiative.id, Milestone.id)
    ),
    place=Integer(),
    id=Uuid(),
    code=String(),
    number=Integer(),
)
