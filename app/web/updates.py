"""Reporting on a milestone, and a report that was taken."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from app import db
from app.api.calls import InitiativePath, InstitutionPath, MilestoneNumber
from app.api.files import keep
from app.api.refusals import TooLarge
from app.errors import Conflict, Forbidden, NotFound, QuickwinError, Unauthorized
from app.schemas.evidence import EvidenceKind
from app.schemas.fields import InitiativeStatus, MilestoneStatus, Verification
from app.schemas.initiatives import InitiativeWithPlan
from app.schemas.milestones import Milestone
from app.schemas.pages import Paging
from app.schemas.permissions import Permission
from app.schemas.rollups import Rollup, RollupQuery
from app.schemas.updates import Update
from app.schemas.worklists import WorklistQuery
from app.services import access, policies, portfolio, progress, rights, rollups, updates, worklists
from app.services.access import Node, Scope
from app.services.actors import Actor
from app.services.worklists import Task
from app.web import multipart, report_form
from app.web.calls import PageCall
from app.web.pages import Page, Route, Shown
from app.web.report_form import Faults, Kept, Link, Typed

_MILESTONE = "/initiatives/{initiative}/milestones/{number}"
_EARLIER = 3
routes = APIRouter(prefix="/institutions/{institution}", route_class=Route, include_in_schema=False)


class Reported(NamedTuple):
    """A milestone that is reported on, from one snapshot."""

    scope: Scope
    unit: Node
    initiative: InitiativeWithPlan
    milestone: Milestone
    earlier: list[Update]
    """Its latest reports, newest first."""
    people: dict[str, str]
    kinds: tuple[EvidenceKind, ...]
    owed: frozenset[str]
    """Kinds of evidence of which 100 % owes one."""
    may_report: bool
    known: Update | None
    """What was taken under the form's key."""

    @property
    def today(self) -> date:
        """The present day where it is."""
        return self.scope.today()

    @property
    def returned(self) -> Update | None:
        """The newest report, if it came back."""
        newest = self.earlier[0] if self.earlier else None
        is_returned = newest is not None and newest.verification is Verification.RETURNED
        return newest if is_returned else None

    @property
    def is_closed(self) -> bool:
        """Whether no report is taken."""
        return (
            self.milestone.status is MilestoneStatus.DROPPED
            or self.initiative.status is InitiativeStatus.CANCELLED
        )


class Receipt(NamedTuple):
    """A report that was taken, with what it has moved."""

    scope: Scope
    report: Update
    people: dict[str, str]
    initiative: InitiativeWithPlan
    milestone: Milestone
    unit: Rollup
    kinds: tuple[EvidenceKind, ...]
    following: Task | None
    """What waits next for the reader's report."""
    may_report: bool
    may_verify: bool


class OtherReport(Conflict):
    """Under this form's key another report was taken."""

    code = "other_report"

    def __init__(self, known: Update) -> None:
        super().__init__()
        self.known = known


@routes.get(_MILESTONE + "/report")
async def show_report_form(
    call: PageCall,
    page: Shown,
    request: Request,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
) -> Response:
    """The form by which progress on a milestone is reported."""
    found = await call.read(_reported, institution, initiative, number, "")
    today = found.today.isoformat()
    if found.returned is not None:
        typed = report_form.answering(found.returned, today)
    else:
        percent = report_form.plain(found.milestone.percent_complete)
        typed = Typed(report_form.new_key(), percent, today)
    return _form(page, request, found, typed, Faults(page.words))


@routes.post(_MILESTONE + "/report")
async def send_report(
    call: PageCall,
    page: Shown,
    request: Request,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
) -> Response:
    """Take a report from the form; what is wrong is shown there, with what was typed."""
    scope = await call.read(_allowed, institution, initiative, number)
    faults = Faults(page.words)
    async with multipart.received(request, _largest(request)) as sent:
        typed = report_form.read(sent)
        try:
            known = (await call.read(_reported, institution, initiative, number, typed.key)).known
            if known is None:
                typed = await _with_files(request, call, scope, institution, typed, sent, faults)
                new = report_form.to_report(typed)
                if not faults:
                    known, _ = await call.write(
                        progress.report, institution, initiative, number, new
                    )
            if known is not None:
                return _receipt_of(known, typed, institution)
            status = 422
        except (Forbidden, NotFound, Unauthorized):
            raise
        except TooLarge as error:
            status = error.status
            faults.add("files", error.code)
        except OtherReport as error:
            found = await call.read(_reported, institution, initiative, number, "")
            typed = typed._replace(key=report_form.new_key())
            return _form(page, request, found, typed, faults, error.status, other=error.known)
        except QuickwinError as error:
            status = error.status
            faults.take(error, typed)
    found = await call.read(_reported, institution, initiative, number, "")
    return _form(page, request, found, typed, faults, status)


@routes.get(_MILESTONE + "/updates/{update}")
async def show_report(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
    update: UUID,
) -> Response:
    """A report that was taken, and the numbers of today."""
    found = await call.read(_receipt, institution, initiative, number, update)
    return page.render("update.html", institution=found.scope.code, found=found)


def _form(
    page: Page,
    request: Request,
    found: Reported,
    typed: Typed,
    faults: Faults,
    status: int = 200,
    *,
    other: Update | None = None,
) -> Response:
    if not any(link.is_empty for link in typed.links):
        typed = typed._replace(links=(*typed.links, Link()))
    return page.render(
        "report_form.html",
        status,
        institution=found.scope.code,
        found=found,
        typed=typed,
        faults=faults,
        other=other,
        most_files=multipart.MOST_FILES,
        largest=_largest(request),
    )


async def _with_files(
    request: Request,
    call: db.Call[Actor],
    scope: Scope,
    institution: str,
    typed: Typed,
    sent: multipart.Sent,
    faults: Faults,
) -> Typed:
    """The form with its files kept, each judged for itself; those that are refused are told.

    Raises `TooLarge` where the form was too large as a whole.
    """
    if sent.is_cut:
        raise TooLarge
    for each in sent.files:
        try:
            if each.upload.size > _largest(request):
                raise TooLarge
            file = await keep(request, call, scope, institution, each.upload, each.name)
        except (Forbidden, NotFound, Unauthorized):
            raise
        except QuickwinError as error:
            faults.of_file(error, each.name)
        else:
            kept = Kept(str(file.id), file.name, typed.kind)
            typed = typed._replace(files=(*typed.files, kept))
    return typed


def _receipt_of(known: Update, typed: Typed, institution: str) -> Response:
    """Lead to the report that was taken; raises `OtherReport` where something else is typed now."""
    if not report_form.is_same(typed, known):
        raise OtherReport(known)
    address = (
        f"/institutions/{institution}/initiatives/{known.initiative}"
        f"/milestones/{known.milestone}/updates/{known.id}?taken={typed.key}"
    )
    return RedirectResponse(address, 303)


def _largest(request: Request) -> int:
    largest: int = request.app.state.settings.max_file_bytes
    return largest


def _allowed(
    session: Session, actor: Actor, institution: str, initiative: str, number: int
) -> Scope:
    """The institution; raises `Forbidden` for whoever may not report there, before a byte is read."""
    found = _reported(session, actor, institution, initiative, number, "")
    access.require(session, found.scope, Permission.UPDATES_REPORT, found.unit.id)
    return found.scope


def _reported(
    session: Session, actor: Actor, institution: str, initiative: str, number: int, key: str
) -> Reported:
    scope = access.institution(session, actor, institution)
    plan, _ = portfolio.get(session, actor, institution, initiative)
    unit = access.place(session, actor, institution, plan.unit).unit
    milestone = next((each for each in plan.plan if each.number == number), None)
    if milestone is None:
        raise NotFound
    paging = Paging(limit=_EARLIER)
    earlier = updates.page(session, actor, institution, plan.code, number, paging).items
    policy = policies.policy(scope)
    reach = actor.reach(Permission.UPDATES_REPORT)
    return Reported(
        scope=scope,
        unit=unit,
        initiative=plan,
        milestone=milestone,
        earlier=earlier,
        people=updates.names(session, scope, earlier),
        kinds=policy.evidence_kinds,
        owed=frozenset(policy.evidence_for_completion),
        may_report=rights.covers(session, scope.id, reach, unit.id),
        known=updates.sent(session, scope, plan.code, number, (report_form.SOURCE, key)),
    )


def _receipt(
    session: Session, actor: Actor, institution: str, initiative: str, number: int, update: UUID
) -> Receipt:
    scope = access.institution(session, actor, institution)
    report = updates.get(session, actor, institution, initiative, number, update)
    plan, _ = portfolio.get(session, actor, institution, report.initiative)
    unit = access.place(session, actor, institution, plan.unit).unit
    waiting = worklists.get(session, actor, institution, WorklistQuery(limit=2))
    others = [
        task
        for task in (*waiting.returned, *waiting.tasks)
        if task.may_report and (task.initiative, task.number) != (plan.code, number)
    ]
    may = {
        permission: rights.covers(session, scope.id, actor.reach(permission), unit.id)
        for permission in (Permission.UPDATES_REPORT, Permission.UPDATES_VERIFY)
    }
    return Receipt(
        scope=scope,
        report=report,
        people=updates.names(session, scope, [report]),
        initiative=plan,
        milestone=next(each for each in plan.plan if each.number == number),
        unit=rollups.get(session, actor, institution, plan.unit, RollupQuery()),
        kinds=policies.policy(scope).evidence_kinds,
        following=others[0] if others else None,
        may_report=may[Permission.UPDATES_REPORT],
        may_verify=may[Permission.UPDATES_VERIFY]
        and not updates.is_own(session, scope, actor, report.id),
    )
