"""The queue of a verifier, and the judgement of one report beside the earlier ones."""

from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.api.calls import InstitutionPath
from app.errors import Conflict, FieldError, IdempotencyKeyReused, Invalid
from app.schemas.evidence import EvidenceKind
from app.schemas.fields import Verdict, Verification
from app.schemas.pages import Page as Items
from app.schemas.pages import Paging
from app.schemas.periods import Period, PeriodsQuery
from app.schemas.permissions import Permission
from app.schemas.schemes import Area
from app.schemas.updates import FINDINGS, NewVerification, Update
from app.schemas.verifications import VerificationCase, VerificationQuery
from app.services import access, idempotency, periods, policies, rights, schemes, units, updates
from app.services import verification as queue
from app.services.access import Node, Scope
from app.services.actors import Actor
from app.services.idempotency import Key
from app.web import multipart, report_form
from app.web.calls import PageCall
from app.web.pages import Page, Route, Shown

_EARLIER = 6
_FILTERS = ("unit", "area", "period", "year", "initiative", "latest")
"""What a verifier keeps from one report to the next."""
routes = APIRouter(prefix="/institutions/{institution}", route_class=Route, include_in_schema=False)


class QueueQuery(VerificationQuery):
    """The queue's filters, and which report was judged just now."""

    judged: UUID | None = None


class Queue(NamedTuple):
    """What waits for a verifier."""

    scope: Scope
    cases: Items[VerificationCase]
    areas: list[Area]
    periods: list[Period]
    may_verify: bool
    judged: VerificationCase | None
    unit_names: dict[str, str]
    people: dict[str, str]


class Judged(NamedTuple):
    """A report that is to be judged, or has been."""

    scope: Scope
    case: VerificationCase
    unit: Node
    earlier: list[Update]
    kinds: tuple[EvidenceKind, ...]
    people: dict[str, str]
    is_own: bool
    may_verify: bool
    following: VerificationCase | None
    """What waits next for the verifier."""
    before: VerificationCase | None
    """What they have judged just now."""


class Typed(NamedTuple):
    """What was typed, as it was."""

    key: str
    seen: str
    """How many verdicts the report had when the form was served."""
    verdict: str = ""
    note: str = ""
    findings: dict[str, str] = {}  # noqa: RUF012  never changed


class JudgedMeanwhile(Conflict):
    """Somebody else has judged this report since the form was opened."""

    code = "judged_meanwhile"


@routes.get("/verifications")
async def show_queue(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    query: Annotated[QueueQuery, Query()],
) -> Response:
    """What waits for the reader as a verifier, the oldest first."""
    found = await call.read(_queue, institution, query)
    return page.render(
        "verifications.html",
        institution=found.scope.code,
        found=found,
        kept=page.only(*_FILTERS),
    )


@routes.get("/updates/{update}/verification")
async def show_judgement(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    update: UUID,
    query: Annotated[QueueQuery, Query()],
) -> Response:
    """A report with its evidence, beside the earlier ones; a form for whoever may verify it."""
    found = await call.read(_judged, institution, update, query)
    typed = Typed(report_form.new_key(), str(len(found.case.verifications)))
    return _form(page, found, typed)


@routes.post("/updates/{update}/verification")
async def send_judgement(
    call: PageCall,
    page: Shown,
    request: Request,
    institution: InstitutionPath,
    update: UUID,
    query: Annotated[QueueQuery, Query()],
) -> Response:
    """Give a verdict, and lead to what waits next; what is wrong is shown with what was typed."""
    await call.read(_allowed, institution, update)
    async with multipart.received(request, 0) as sent:
        typed = _typed(sent)
    try:
        new, key = _verdict(typed), _key(typed, institution, update)
        verb = idempotency.once(_judge, key)
        await call.write(verb, institution, update, new, int(typed.seen))
    except (JudgedMeanwhile, IdempotencyKeyReused):
        found = await call.read(_judged, institution, update, query)
        again = typed._replace(key=report_form.new_key(), seen=str(len(found.case.verifications)))
        return _form(page, found, again, status=409, is_late=True)
    except Invalid as error:
        found = await call.read(_judged, institution, update, query)
        wrong = {place.pointer.strip("/").split("/")[0]: place.code for place in error.errors}
        return _form(page, found, typed, wrong, error.status)
    found = await call.read(_judged, institution, update, query)
    filters = page.only(*_FILTERS)
    below = f"/institutions/{found.scope.code}"
    mark = f"{filters}&judged={update}" if filters else f"?judged={update}"
    if found.following is None:
        return RedirectResponse(f"{below}/verifications{mark}", 303)
    return RedirectResponse(f"{below}/updates/{found.following.id}/verification{mark}", 303)


def _form(
    page: Page,
    found: Judged,
    typed: Typed,
    wrong: dict[str, str] | None = None,
    status: int = 200,
    *,
    is_late: bool = False,
) -> Response:
    return page.render(
        "verification.html",
        status,
        institution=found.scope.code,
        found=found,
        typed=typed,
        wrong=wrong or {},
        is_late=is_late,
        kept=page.only(*_FILTERS),
    )


def _typed(sent: multipart.Sent) -> Typed:
    return Typed(
        key=sent.one("key"),
        seen=sent.one("seen"),
        verdict=sent.one("verdict"),
        note=sent.one("note"),
        findings={name: sent.one(name) for name in FINDINGS},
    )


def _verdict(typed: Typed) -> NewVerification:
    """The verdict; raises `Invalid`."""
    yes_or_no = {"yes": True, "no": False}
    wanted = {name: yes_or_no[said] for name, said in typed.findings.items() if said in yes_or_no}
    if not (typed.seen.isascii() and typed.seen.isdecimal() and len(typed.seen) <= 3):  # noqa: PLR2004  digits of a hundred
        raise Invalid.field("/key", "missing", "This form is not whole.")
    try:
        new = NewVerification.model_validate(
            {"verdict": typed.verdict or None, "note": typed.note or None, **wanted}
        )
    except ValidationError as error:
        places = [FieldError.found(e["loc"], e["type"], e["msg"]) for e in error.errors()]
        raise Invalid(errors=tuple(places)) from error
    queue.check_note(new.verdict, new.note, "/note")
    return new


def _key(typed: Typed, institution: str, update: UUID) -> Key:
    if not (0 < len(typed.key) <= 100 and typed.key.isascii() and typed.key.isprintable()):  # noqa: PLR2004  ours are 36 long
        raise Invalid.field("/key", "missing", "This form is not whole.")
    return idempotency.of_form(typed.key, [institution.lower(), str(update), repr(typed)])


def _allowed(session: Session, actor: Actor, institution: str, update: UUID) -> None:
    """Raise `Forbidden` for whoever may not verify there, before the form is read."""
    scope = access.institution(session, actor, institution)
    *_, unit_id = queue.address(session, actor, institution, update)
    access.require(session, scope, Permission.UPDATES_VERIFY, unit_id)


def _judge(
    session: Session,
    actor: Actor,
    institution: str,
    update: UUID,
    new: NewVerification,
    seen: int,
) -> Update:
    """Judge a report of which so many verdicts were seen; raises `JudgedMeanwhile` of another."""
    initiative, number, _ = queue.address(session, actor, institution, update)
    made = queue.verify(session, actor, institution, initiative, number, update, new)
    if len(made.verifications) != seen + 1:
        raise JudgedMeanwhile
    return made


def _queue(session: Session, actor: Actor, institution: str, query: QueueQuery) -> Queue:
    scope = access.institution(session, actor, institution)
    asked = PeriodsQuery(sort="-starts_on", limit=24)
    cases = queue.page(session, actor, institution, query)
    return Queue(
        scope=scope,
        cases=cases,
        areas=schemes.named_areas(session, scope.scheme_id),
        periods=periods.page(session, actor, institution, asked).items,
        may_verify=actor.reach(Permission.UPDATES_VERIFY) != frozenset(),
        judged=_before(session, actor, institution, query),
        unit_names=units.names(session, scope, {each.unit for each in cases.items}),
        people=updates.names(session, scope, cases.items),
    )


def _judged(
    session: Session, actor: Actor, institution: str, update: UUID, query: QueueQuery
) -> Judged:
    scope = access.institution(session, actor, institution)
    case, reporter_id = queue.case(session, actor, institution, update)
    unit = access.place(session, actor, institution, case.unit).unit
    earlier = updates.page(
        session, actor, institution, case.initiative, case.milestone, Paging(limit=_EARLIER + 1)
    ).items
    waiting = [
        each
        for each in queue.page(session, actor, institution, query).items
        if each.id != update and each.verification is Verification.REPORTED
    ]
    later = [each for each in waiting if each.id > update]
    reach = actor.reach(Permission.UPDATES_VERIFY)
    return Judged(
        scope=scope,
        case=case,
        unit=unit,
        earlier=[each for each in earlier if each.id != update][:_EARLIER],
        kinds=policies.policy(scope).evidence_kinds,
        people=updates.names(session, scope, [case, *earlier]),
        is_own=reporter_id == actor.id,
        may_verify=rights.covers(session, scope.id, reach, unit.id),
        following=next(iter(later or waiting), None),
        before=_before(session, actor, institution, query),
    )


def _before(
    session: Session, actor: Actor, institution: str, query: QueueQuery
) -> VerificationCase | None:
    if query.judged is None:
        return None
    found, _ = queue.case(session, actor, institution, query.judged)
    by_them = found.verified_by == actor.name
    return found if by_them and found.verification.value in set(Verdict) else None
