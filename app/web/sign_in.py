"""Signing in and out with a browser, and choosing a language."""

import re
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from app.api import calls, cookies
from app.api.limits import SIGN_IN
from app.api.refusals import SecureOnly
from app.errors import Invalid, InvalidToken, IssuerUnavailable, Unauthorized
from app.languages import noted
from app.schemas.fields import Language, Shape
from app.services import minting, people, sessions
from app.services.actors import Actor
from app.services.sessions import Visit
from app.services.sign_in import OIDC
from app.settings import LONGEST_API_TOKEN
from app.web import forms
from app.web.calls import lifetime_of
from app.web.pages import LANGUAGE_COOKIE, Page, Route, Shown
from app.web.relying import SECONDS, Party

routes = APIRouter(route_class=Route, include_in_schema=False)
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1999}")
"""A path of ours with its query: not `//host`, nor anything that a browser reads as that."""
HINT = cookies.Cookie("quickwin-issued", "/sign-out")
"""Whom the issuer vouched for, as it said it: sealed, and told to the issuer alone, to sign out there."""
_YEAR = timedelta(days=365)
_WRONG = noted("This token is not valid, or not valid any more.")
_MISSING = noted("Enter your token.")


class SignInQuery(Shape):
    """Where to go afterwards."""

    next: str | None = None
    signed_out: str | None = None


class _SignIn(Shape):
    token: Annotated[str, Field(max_length=1_000)]
    next: str = "/"


class _SignOut(Shape):
    everywhere: str | None = None


class _Choice(Shape):
    language: Language
    next: str = "/"


@routes.get(SIGN_IN)
async def show_sign_in(
    request: Request, page: Shown, query: Annotated[SignInQuery, Query()]
) -> Response:
    """The page where one signs in."""
    secure_only(request)
    signed_out = query.signed_out or ""
    there = signed_out == OIDC and await _may_sign_out_there(request)
    return form_page(page, request, local(query.next), signed_out=signed_out, there=there)


@routes.post(SIGN_IN)
async def sign_in(request: Request, page: Shown) -> Response:
    """Sign in with an API token."""
    secure_only(request)
    try:
        form = await forms.read(request, _SignIn)
    except Invalid:
        return form_page(page, request, "/", 422, wrong=_MISSING)
    token = form.token.strip()
    after = local(form.next)
    try:
        if len(token) > LONGEST_API_TOKEN or minting.is_mistyped(token):
            raise InvalidToken
        secret = await request.app.state.database.write(
            sessions.begin_with_token, token, lifetime_of(request)
        )
    except Unauthorized:
        return form_page(page, request, after, 401, wrong=_WRONG)
    return await signed_in(request, secret, after)


@routes.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Sign this browser out, or all that one is signed in with."""
    form = await forms.read(request, _SignOut)
    actor = await _end(request, everywhere=form.everywhere is not None)
    means = OIDC if actor is not None and actor.token_id is None else "yes"
    answer = RedirectResponse(f"{SIGN_IN}?signed_out={means}", 303)
    cookies.drop(request, answer)
    if hint := cookies.read(request, HINT):
        if means == OIDC:
            cookies.keep(request, answer, hint, timedelta(seconds=SECONDS), HINT)
        else:
            cookies.drop(request, answer, HINT)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@routes.post("/language")
async def choose_language(request: Request) -> Response:
    """Read in another language from now on: in this browser, and wherever one signs in."""
    form = await forms.read(request, _Choice)
    secret = cookies.read(request)
    if secret is not None:
        with suppress(Unauthorized):
            call = calls.session_call(request, secret, [])
            await call.write(people.read_in, form.language)
    answer = RedirectResponse(local(form.next), 303)
    answer.set_cookie(
        LANGUAGE_COOKIE,
        form.language.value,
        max_age=int(_YEAR.total_seconds()),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


def local(address: str | None) -> str:
    """Where to go: an address of ours, or the beginning in place of any other."""
    if address is None or not _LOCAL.fullmatch(address) or address.startswith(SIGN_IN):
        return "/"
    return address


async def signed_in(request: Request, secret: str, after: str, hint: str = "") -> Response:
    """The answer to who has signed in: their browser's new secret, and where they wanted to go.

    `hint` is what the issuer is to be told when they sign out, where it let them in.
    """
    await _end(request, everywhere=False)
    answer = RedirectResponse(after, 303)
    longest = lifetime_of(request).longest
    cookies.keep(request, answer, secret, longest)
    if hint:
        cookies.keep(request, answer, hint, longest, HINT)
    elif request.app.state.relying is not None:  # that of who was here before
        cookies.drop(request, answer, HINT)
    return answer


def secure_only(request: Request) -> None:
    """Raise `SecureOnly` where others could read along."""
    if not cookies.may_have(request):
        raise SecureOnly


async def _may_sign_out_there(request: Request) -> bool:
    """Whether the issuer takes people who sign out."""
    party: Party | None = request.app.state.relying
    try:
        return party is not None and await party.sign_out_url(request) is not None
    except IssuerUnavailable:
        return False


async def _end(request: Request, *, everywhere: bool) -> Actor | None:
    """End the session that the browser has, if it has one; answers whose it was."""
    secret = cookies.read(request)
    if secret is None:
        return None
    visits: list[Visit] = []
    call = calls.session_call(request, secret, visits)
    try:
        if everywhere:
            await call.write(sessions.end_all)
        else:
            await call.write(sessions.end, secret)
    except Unauthorized:
        return None
    return visits[-1].actor


def form_page(
    page: Page, request: Request, after: str, status: int = 200, **told: object
) -> Response:
    """The page where one signs in; `wrong` says what went wrong before."""
    party: Party | None = request.app.state.relying
    plain = {"wrong": "", "elsewhere": "", "signed_out": "", "there": False}
    issuer = None if party is None else party.host
    answer = page.render("sign_in.html", status, next=after, issuer=issuer, **plain | told)
    answer.headers["Cache-Control"] = "no-store"
    return answer
