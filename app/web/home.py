"""The front door, and where the institutions are."""

from contextlib import suppress

from fastapi import APIRouter, Response

from app.errors import Unauthorized
from app.schemas.pages import ChangesPaging
from app.services import institutions
from app.web.calls import MaybeCall, PageCall
from app.web.pages import Route, Shown

routes = APIRouter(route_class=Route, include_in_schema=False)


@routes.get("/")
async def show_front_door(call: MaybeCall, page: Shown) -> Response:
    """Where things are; with their institutions for who is signed in."""
    found = None
    if call is not None:
        with suppress(Unauthorized):  # a session that has ended is no reason to show nothing
            found = await call.read(institutions.page, ChangesPaging(limit=10))
    return page.render("home.html", found=found)


@routes.get("/institutions")
async def show_institutions(call: PageCall, page: Shown) -> Response:
    """The institutions that the reader may see."""
    found = await call.read(institutions.page, ChangesPaging(limit=200))
    return page.render("institutions.html", found=found)
