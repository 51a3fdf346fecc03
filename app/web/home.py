"""The front door, and where the institutions are."""

from fastapi import APIRouter, Response

from app.schemas.pages import ChangesPaging
from app.services import institutions
from app.web.calls import PageCall
from app.web.pages import Route, Shown

routes = APIRouter(route_class=Route, include_in_schema=False)


@routes.get("/")
async def show_front_door(page: Shown) -> Response:
    """Where things are."""
    return page.render("home.html")


@routes.get("/institutions")
async def show_institutions(call: PageCall, page: Shown) -> Response:
    """The institutions that the reader may see."""
    found = await call.read(institutions.page, ChangesPaging(limit=200))
    return page.render("institutions.html", found=found)
