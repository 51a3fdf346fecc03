"""A page: its template, in the reader's language, with what it must know of its request."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import jinja2
from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from app import __version__, terms
from app.api import cookies, origins
from app.api.bodies import Handler
from app.api.denials import Asked
from app.api.routing import LateRoute, refuse_nul
from app.charts.curves import s_curve
from app.charts.paper import Look
from app.charts.plans import timeline
from app.languages import FALLBACK, Words, preferred, words
from app.schemas.fields import Language
from app.schemas.permissions import Permission
from app.services.actors import Actor
from app.terms import term
from app.web import assets

LANGUAGE_COOKIE = "language"
SECURITY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of pages: nothing from elsewhere, no script and no style in the markup."""
_VIEW = "year", "area", "as_of", "since"
_TEMPLATES = Path(__file__).with_name("templates")


class Page:
    """The page that answers a request."""

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def path(self) -> str:
        """The page's own address, without its query."""
        return quote(self._request.url.path)

    @property
    def here(self) -> str:
        """The page's own address with its query, to come back to."""
        query = self._request.url.query
        return f"{self.path}?{query}" if query else self.path

    @property
    def language(self) -> Language:
        """The reader's choice in this browser, else their account's, else what the browser prefers."""
        chosen = self._request.cookies.get(LANGUAGE_COOKIE)
        if chosen in set(Language):
            return Language(chosen)
        if self.actor is not None and self.actor.language is not None:
            return self.actor.language
        return preferred(self._request.headers.get("accept-language")) or FALLBACK

    @property
    def words(self) -> Words:
        """What is said to the reader."""
        return words(self.language)

    @property
    def actor(self) -> Actor | None:
        """Who looks at it, where that is known."""
        asked: Asked | None = getattr(self._request.state, "asked", None)
        return None if asked is None else asked.actor

    @property
    def is_of_stranger(self) -> bool:
        """Whether the browser is not signed in for all it says."""
        return self.actor is None and cookies.read(self._request) is None

    def may(self, permission: str) -> bool:
        """Whether the reader holds a permission anywhere: what the navigation offers."""
        return self.actor is not None and self.actor.reach(Permission(permission)) != frozenset()

    def asked(self, name: str) -> str:
        """A parameter of the address; empty where it is not there."""
        return self._request.query_params.get(name, "")

    def with_query(self, **changes: object) -> str:
        """This address with other parameters; None takes one away. Pages begin at the first again."""
        kept = [
            (name, value)
            for name, value in self._request.query_params.multi_items()
            if name not in changes and name != "cursor"
        ]
        added = [(name, str(value)) for name, value in changes.items() if value is not None]
        query = urlencode(kept + added)
        return f"{self.path}?{query}" if query else self.path

    def only(self, *names: str) -> str:
        """Those of the address's parameters, as a query with its `?`: what other pages share."""
        return self.also(*names).replace("&", "?", 1)

    def also(self, *names: str) -> str:
        """As `only`, to follow parameters that an address has already."""
        kept = [
            (name, value)
            for name, value in self._request.query_params.multi_items()
            if name in names
        ]
        return f"&{urlencode(kept)}" if kept else ""

    @property
    def view(self) -> str:
        """What an overview would be asked for, as a query with its `?`.

        Of what the address has several of, as the list may, no overview is.
        """
        return self.only(*(name for name in _VIEW if len(self.every(name)) == 1))

    def every(self, name: str) -> list[str]:
        """All values of a parameter of the address."""
        return self._request.query_params.getlist(name)

    def but(self, *names: str) -> list[tuple[str, str]]:
        """All of the address's parameters but those: what a form carries on."""
        return [each for each in self._request.query_params.multi_items() if each[0] not in names]

    def query_but(self, *names: str) -> str:
        """The same as a query with its `?`."""
        kept = self.but(*names)
        return f"?{urlencode(kept)}" if kept else ""

    def without(self, name: str, value: str) -> str:
        """This address without one value of a parameter. Pages begin at the first again."""
        kept = [each for each in self.but("cursor") if each != (name, value)]
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def render(self, template: str, status: int = 200, **context: Any) -> Response:  # noqa: ANN401  what a template shows
        """The page as it is sent."""
        text = _environment(self.language).get_template(template).render(page=self, **context)
        return HTMLResponse(
            text,
            status,
            {
                "Content-Security-Policy": SECURITY,
                "Content-Language": self.language.value,
                "Cache-Control": "private, no-cache",
                "Vary": "Accept-Language, Cookie",
            },
        )


Shown = Annotated[Page, Depends(Page)]
"""The dependency of an endpoint that answers with a page."""


class Route(LateRoute):
    """A page's route: what has an effect is sent by pages of ours alone.

    Forms send what is left empty too, and an address is shared without it.
    """

    def get_route_handler(self) -> Handler:
        """The route's handler behind both."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            refuse_nul(request)
            if request.method not in origins.SAFE:
                origins.demand_own(request)
            asked = request.query_params.multi_items()
            if request.method == "GET" and any(not value for _, value in asked):
                query = urlencode([(name, value) for name, value in asked if value])
                path = quote(request.url.path)
                return RedirectResponse(f"{path}?{query}" if query else path, 303)
            return await answer(request)

        return handler


@cache
def _environment(language: Language) -> jinja2.Environment:
    """Templates as readers of a language see them; compiled once."""
    said = words(language)
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(said, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(
        words=said,
        version=__version__,
        languages=tuple(Language),
        asset=assets.address,
        s_curve=lambda curve, width, name: Markup(  # noqa: S704  made of elements, which escape
            s_curve(curve, said, Look(width, inline=True, name=name))
        ),
        timeline=lambda name, plan, stages, today, width: Markup(  # noqa: S704  made of elements, which escape
            timeline(name, plan, stages, today, said, Look(width, inline=True, name=f"plan{width}"))
        ),
    )
    filters: dict[str, Any] = {
        "percent": said.percent,
        "points": said.points,
        "number": said.number,
        "day": said.day,
        "full_day": said.full_day,
        "instant": said.instant,
        "name": said.name,
        "term": lambda value: term(said, value),
        "field": lambda name: terms.field(said, name),
        "value": lambda found, name: terms.value(said, name, found),
        "size": said.size,
        "say": said.say,
    }
    made.filters.update(filters)
    return made
