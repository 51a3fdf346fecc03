"""Signing in at the OIDC issuer, and signing out there."""

import logging
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.api import cookies, origins
from app.api.limits import address_of
from app.api.strangers import Strangers
from app.errors import InvalidToken, IssuerUnavailable, NotFound
from app.languages import noted
from app.services import sessions
from app.web.calls import lifetime_of
from app.web.pages import Route, Shown
from app.web.relying import CALLBACK, SECONDS, Declined, Flow, NotOurs, Party
from app.web.sign_in import HINT, SignInQuery, form_page, local, secure_only, signed_in

routes = APIRouter(route_class=Route, include_in_schema=False)
FLOW = cookies.Cookie("quickwin-sign-in")
_log = logging.getLogger(__name__)
_NOT_OURS = noted("That did not belong to a sign-in that was begun here. Begin again.")
_DECLINED = noted("You were not let in there.")
_UNKNOWN = noted("You are known there, but to nobody here. Ask whoever administers your unit.")
_AWAY = noted("It does not answer at the moment. Try again in a while.")


@routes.get("/sign-in/oidc")
async def begin(request: Request, page: Shown, query: Annotated[SignInQuery, Query()]) -> Response:
    """Go to the issuer, and come back to the callback."""
    secure_only(request)
    origins.refuse_foreign(request)
    party = _party(request)
    flow = Flow.begun(local(query.next))
    try:
        answer: Response = RedirectResponse(await party.sign_in_url(request, flow), 303)
    except IssuerUnavailable:
        return form_page(page, request, flow.after, 503, elsewhere=_AWAY)
    cookies.keep(request, answer, party.sealed(flow), timedelta(seconds=SECONDS), FLOW)
    return answer


@routes.get(CALLBACK)
async def come_back(request: Request, page: Shown) -> Response:
    """Come back from the issuer, which says who one is: to a session, or to what went wrong."""
    secure_only(request)
    party = _party(request)
    after, status, wrong = "/", 0, ""
    try:
        flow = party.flow(request, cookies.read(request, FLOW))
        after = flow.after
        came = await party.arrival(request, flow)
        secret = await request.app.state.database.write(
            sessions.begin_with_oidc, came.identity, lifetime_of(request)
        )
        answer = await signed_in(request, secret, after, came.hint)
    except NotOurs:
        status, wrong = 401, _NOT_OURS
    except InvalidToken:
        status, wrong = 403, _UNKNOWN
    except Declined:
        status, wrong = 403, _DECLINED
    except IssuerUnavailable:
        status, wrong = 503, _AWAY
    if wrong:
        _log.warning("OIDC: nobody was let in, request %s: %s", request.state.request_id, wrong)
        if status == 403:  # noqa: PLR2004  of a 401 the limits know already
            strangers: Strangers = request.app.state.strangers
            strangers.note("oidc", address_of(request.scope), request.state.request_id)
        answer = form_page(page, request, after, status, elsewhere=wrong)
    cookies.drop(request, answer, FLOW)
    return answer


@routes.get("/sign-out/oidc")
async def sign_out_there(request: Request) -> Response:
    """Go and sign out at the issuer, too; only from here, since it may not ask whether one wants to."""
    origins.refuse_foreign(request)
    url = await _party(request).sign_out_url(request, cookies.read(request, HINT))
    if url is None:
        raise NotFound
    answer = RedirectResponse(url, 303)
    cookies.drop(request, answer, HINT)
    return answer


def _party(request: Request) -> Party:
    party: Party | None = request.app.state.relying
    if party is None:
        raise NotFound
    return party
