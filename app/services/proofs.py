"""Proofs: what reports bring beside a percent, by the institution's policy, for many at once.

Nothing is read for reports that bring none of it: the everyday report costs no statement more.
"""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.orm import Session, aliased

from app.errors import Conflict, FieldError, Invalid
from app.given import Statement
from app.models import Milestone, ProgressUpdate
from app.models.base import refers
from app.models.base import table as table_of
from app.schemas import updates as wire
from app.schemas.evidence import Evidence
from app.schemas.fields import Verification
from app.services import access, files, policies, updates
from app.services.access import Scope

_WHOLE = 100


class EvidenceOwed(Invalid):
    """By the institution's policy, 100 % owes a document of a kind that its policy lists."""

    code, title = "evidence_owed", "Evidence owed"


class CompletionUnproven(Conflict):
    """By the institution's policy, completion owes a report with a document of a listed kind."""

    code = "completion_unproven"


class AlreadyResubmitted(Conflict):
    """Another report has answered this returned one; answer that one if it was returned too."""

    code = "already_resubmitted"


class _Target(Protocol):
    @property
    def milestone_id(self) -> UUID: ...


class Proofs:
    """What new reports bring: looked up at once, then taken with each report in order."""

    def __init__(
        self,
        session: Session,
        scope: Scope,
        asked: Sequence[tuple[_Target, wire.NewUpdate]],
    ) -> None:
        self._scope = scope
        self._owed = owed_kinds(scope)
        answered = [{"update": new.resubmits} for _, new in asked if new.resubmits is not None]
        self._returned: dict[UUID, Any] = {}
        if answered:
            found = _RETURNED.run(session, answered, institution=scope.id)
            self._returned = {row.id: row for row in found}
        self._answered: set[UUID] = set()
        sent = {link.file for _, new in asked for link in new.evidence if link.file is not None}
        self._files = files.nameable(session, scope, sent) if sent else {}
        self._attached: set[tuple[UUID, UUID]] = set()

    def take(self, target: _Target, new: wire.NewUpdate, row: dict[str, Any]) -> None:
        """Take what a report brings, and put the files that it names into its row.

        Raises `EvidenceOwed`, `AlreadyResubmitted`, or `Invalid` for a kind of evidence or a file
        that is unknown, and for a report that is not a returned one of this milestone.
        """
        self._check_kinds(new)
        if self._owed and new.percent_complete == _WHOLE and not self._owed & _kinds(new):
            raise EvidenceOwed(errors=(_owed_at("/evidence", self._owed),))
        shown = [self._link(place, link) for place, link in enumerate(new.evidence)]
        if new.resubmits is not None:
            self._answer(target, new.resubmits)
        row["evidence"] = shown
        self._attached |= {(row["id"], link.file) for link in new.evidence if link.file is not None}

    def write(self, session: Session) -> None:
        """Note which files the reports name that were taken; their rows are there."""
        if self._attached:
            files.attach(session, self._scope, sorted(self._attached))

    def _link(self, place: int, link: Evidence) -> dict[str, Any]:
        """A document as its report keeps it."""
        if link.file is None:
            return updates.kept_link(link)
        found = self._files.get(link.file)
        if found is None:
            detail = "There is no such file, or it is not yours to name."
            raise Invalid.field(f"/evidence/{place}/file", "unknown_file", detail)
        return updates.kept_link(link, found)

    def _check_kinds(self, new: wire.NewUpdate) -> None:
        if not _kinds(new):
            return
        known = {kind.code for kind in policies.policy(self._scope).evidence_kinds}
        for place, link in enumerate(new.evidence):
            if link.kind is not None and link.kind not in known:
                detail = "The institution's policy has no such kind of evidence."
                raise Invalid.field(f"/evidence/{place}/kind", "unknown_evidence_kind", detail)

    def _answer(self, target: _Target, returned_id: UUID) -> None:
        returned = self._returned.get(returned_id)
        if returned is None or returned.milestone_id != target.milestone_id:
            detail = "This milestone has no such report."
            raise Invalid.field("/resubmits", "unknown_update", detail)
        if returned.answered_by is not None or returned_id in self._answered:
            raise AlreadyResubmitted
        if returned.verification is not Verification.RETURNED:
            detail = "Only a returned report is answered; a correction is another report."
            raise Invalid.field("/resubmits", "not_returned", detail)
        self._answered.add(returned_id)


def owed_kinds(scope: Scope) -> frozenset[str]:
    """Kinds of evidence of which 100 % owes one; none where the policy asks for nothing."""
    return frozenset(scope.policy.get("evidence_for_completion", ()))


def check_completion(session: Session, scope: Scope, initiative_id: UUID) -> None:
    """Raise `CompletionUnproven` unless a report that stands shows a document that policy asks for.

    Reports that were returned, or are on dropped milestones, prove nothing.
    """
    owed = owed_kinds(scope)
    if not owed:
        return
    shown = session.scalars(
        select(ProgressUpdate.evidence)
        .join(Milestone, refers(ProgressUpdate.milestone_id, Milestone))
        .where(
            access.within(scope, ProgressUpdate),
            ProgressUpdate.initiative_id == initiative_id,
            ProgressUpdate.verification != Verification.RETURNED,
            Milestone.dropped_at.is_(None),
        )
    )
    if not any(link.get("kind") in owed for links in shown for link in links):
        raise CompletionUnproven


def _kinds(new: wire.NewUpdate) -> set[str]:
    return {link.kind for link in new.evidence if link.kind is not None}


def _owed_at(pointer: str, owed: frozenset[str]) -> FieldError:
    listed = ", ".join(sorted(owed))
    return FieldError(pointer, "evidence_owed", f"100 % owes a document of one of these: {listed}.")


_UPDATE, _ANSWER = table_of(ProgressUpdate), aliased(table_of(ProgressUpdate))
_RETURNED = Statement(
    lambda asked: (
        select(
            _UPDATE.c.id,
            _UPDATE.c.milestone_id,
            _UPDATE.c.verification,
            _ANSWER.c.id.label("answered_by"),
        )
        .select_from(asked)
        .join(_UPDATE, _UPDATE.c.id == asked.c.update)
        .outerjoin(
            _ANSWER,
            (_ANSWER.c.institution_id == _UPDATE.c.institution_id)
            & (_ANSWER.c.resubmits_id == _UPDATE.c.id),
        )
        .where(_UPDATE.c.institution_id == bindparam("institution"))
    ),
    update=Uuid(),
)
