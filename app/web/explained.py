"""Every error by its code, with its cause and its cure."""

from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from inspect import cleandoc
from itertools import groupby
from typing import NamedTuple

from fastapi import APIRouter, Response

from app.errors import QuickwinError
from app.web.calls import MEET
from app.web.cures import CURES, PLACES
from app.web.pages import Route, Shown

routes = APIRouter(route_class=Route, include_in_schema=False)
_PASSING = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
}


class Explained(NamedTuple):
    """What one code stands for; texts as they are translated."""

    code: str
    title: str
    causes: tuple[str, ...]
    cure: str


class Group(NamedTuple):
    """The errors that share a status."""

    status: HTTPStatus
    is_passing: bool
    """Whether the same request may succeed later."""
    errors: tuple[Explained, ...]


@routes.get("/errors", dependencies=[MEET])
async def show_errors(page: Shown) -> Response:
    """Every error that an answer can name."""
    return page.render("errors.html", groups=groups(), places=PLACES)


@cache
def groups() -> tuple[Group, ...]:
    """All errors of the service, by status and code."""
    kinds = sorted(set(_kinds(QuickwinError)), key=lambda kind: (kind.status, kind.code))
    return tuple(
        Group(HTTPStatus(status), status in _PASSING, tuple(_explained(list(found))))
        for status, found in groupby(kinds, key=lambda kind: kind.status)
    )


def _kinds(kind: type[QuickwinError]) -> Iterator[type[QuickwinError]]:
    if kind is not QuickwinError:  # the root is raised by nothing
        yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith("app."):
            yield from _kinds(below)


def _explained(kinds: list[type[QuickwinError]]) -> Iterator[Explained]:
    for code, same in groupby(kinds, key=lambda kind: kind.code):
        named = sorted(same, key=lambda kind: (len(kind.__mro__), kind.__name__))
        causes = tuple(cleandoc(kind.__doc__ or "") for kind in named)
        yield Explained(code, named[0].title, causes, CURES[code])
