"""Errors as pages, for people whose browser asked for one."""

from http import HTTPStatus

from fastapi import Request, Response

from app.api.answers import API
from app.schemas.problems import Problem
from app.web.pages import Page


def shown(request: Request, problem: Problem) -> Response | None:
    """A problem as a page with the same status and words; None where a program asks for data."""
    path: str = request.scope["path"]
    if path.startswith(f"{API}/") or "text/html" not in request.headers.get("accept", ""):
        return None
    phrase = HTTPStatus(problem.status).phrase
    return Page(request).render("problem.html", problem.status, problem=problem, phrase=phrase)
