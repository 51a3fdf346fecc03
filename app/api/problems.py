"""Every error as `application/problem+json` (RFC 9457); nothing that was sent is repeated."""

import json
import logging
from collections.abc import Callable

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from app import errors, logs
from app.api import refusals
from app.api.denials import Asked
from app.errors import FieldError, QuickwinError
from app.languages import preferred, words
from app.messages import of_validation
from app.schemas.fields import Language
from app.schemas.problems import Problem, Say

MEDIA_TYPE = "application/problem+json"
_BY_STATUS: dict[int, type[QuickwinError]] = {
    400: refusals.Unreadable,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: refusals.MethodNotAllowed,
    413: refusals.TooLarge,
    415: refusals.UnsupportedMediaType,
    422: errors.Invalid,
    503: errors.DatabaseUnavailable,
}
_log = logging.getLogger(__name__)


Shown = Callable[[Request, Problem, QuickwinError], Response | None]
"""Shows a problem to a person as a page; None where it is a program that asks."""


def as_data(_: Request, __: Problem, ___: QuickwinError) -> None:
    """For services without pages."""


def install(app: FastAPI, shown: Shown = as_data) -> None:
    """Let every error of the application answer as a problem, or as a page where one is wanted."""
    app.state.shown = shown
    app.add_exception_handler(QuickwinError, _raised)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def render(error: QuickwinError, request_id: str) -> Response:
    """An error as a response; errors of the server are logged with the request's id."""
    return _as_json(_noted(error, request_id), error)


def answer(request: Request, error: QuickwinError, shown: Shown) -> Response:
    """An error as the one who asks wants it: as `render` does, in their language, or as a page."""
    problem = _noted(error, request.state.request_id)
    answered = shown(request, problem, error)
    if answered is None:
        language = language_of(request)
        answered = _as_json(problem.told(error, words(language).say), error)
        answered.headers.update({"Content-Language": language.value, "Vary": "Accept-Language"})
    answered.headers.update(error.headers)
    return answered


def language_of(request: Request, otherwise: Language = Language.EN) -> Language:
    """What whoever asks wants to be told in, as far as it is known by now who it is.

    A program says what it wants only if it means it, so that goes before the account's language; a
    browser always says something, so there it is the other way round.
    """
    asked: Asked | None = getattr(request.state, "asked", None)
    account = None if asked is None else asked.actor.language
    wanted = preferred(request.headers.get("accept-language"))
    if "authorization" in request.headers:
        return wanted or account or otherwise
    return account or wanted or otherwise


def teller(request: Request) -> Say:
    """Says messages to whoever asks; the language is looked up then, when it is known who it is."""

    def say(text: str) -> str:
        return words(language_of(request)).say(text)

    return say


def _noted(error: QuickwinError, request_id: str) -> Problem:
    problem = Problem.of(error, request_id)
    if error.status >= 500:  # noqa: PLR2004  server errors
        _log.error(
            "%s request %s %s\n%s", problem.instance, request_id, problem.code, logs.places(error)
        )
    return problem


def _as_json(problem: Problem, error: QuickwinError) -> Response:
    body = problem.model_dump(mode="json")
    return Response(
        json.dumps(body),  # ASCII, so that any code point can be named in a pointer
        error.status,
        error.headers,
        MEDIA_TYPE,
    )


async def _raised(request: Request, error: Exception) -> Response:
    assert isinstance(error, QuickwinError)  # noqa: S101  registered for this class
    await request.app.state.denials.note(request, error)
    return answer(request, error, request.app.state.shown)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class
    places = [_place(found["loc"], found["type"], of_validation(found)) for found in error.errors()]
    if any(found["loc"][0] == "path" for found in error.errors()):
        return answer(
            request, errors.NotFound(), request.app.state.shown
        )  # an address that cannot exist
    return answer(request, errors.Invalid(errors=tuple(places)), request.app.state.shown)


def _place(location: tuple[int | str, ...], code: str, message: str) -> FieldError:
    """An error at a place in the body, or in a parameter by its name."""
    kind, *steps = location
    found = FieldError.found(steps, code, message)
    if kind == "body":
        return found
    return found._replace(pointer=str(steps[0]), is_parameter=True)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class
    problem = _BY_STATUS.get(error.status_code, errors.InternalError)()
    problem.headers.update(error.headers or {})
    if isinstance(problem, refusals.MethodNotAllowed) and (methods := _methods(request)):
        problem.headers["Allow"] = ", ".join(sorted(methods))
    return answer(request, problem, request.app.state.shown)


def _methods(request: Request) -> set[str]:
    """All methods of an address; Starlette names those of its first route alone.

    `…/periods/standard` is an address of its own, though `…/periods/{period}` would take it too.
    """
    found = [
        route
        for route in request.app.router.routes
        if isinstance(route, Route) and route.path_regex.match(request.scope["path"])
    ]
    fewest = min((len(route.param_convertors) for route in found), default=0)
    own = (route.methods or () for route in found if len(route.param_convertors) == fewest)
    methods = {method for methods in own for method in methods}
    return methods | {"HEAD"} if "GET" in methods else methods
