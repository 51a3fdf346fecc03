"""Errors as pages, for people whose browser asked for one."""

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app.api.answers import API
from app.api.limits import SIGN_IN
from app.errors import QuickwinError
from app.schemas.problems import Problem
from app.web.pages import Page


def shown(request: Request, problem: Problem, error: QuickwinError) -> Response | None:
    """A problem as a page with the same status and words; None where a program asks for data.

    Who is not signed in is led there, and back to the page that they wanted.
    """
    path: str = request.scope["path"]
    if path.startswith(f"{API}/") or "text/html" not in request.headers.get("accept", ""):
        return None
    if (
        problem.status == HTTPStatus.UNAUTHORIZED
        and request.method == "GET"
        and "authorization" not in request.headers
        and not path.startswith(SIGN_IN)
    ):
        return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': Page(request).here})}", 303)
    page = Page(request)
    said = problem.told(error, page.words.say)
    return page.render("problem.html", problem.status, problem=said)
