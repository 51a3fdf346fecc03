"""Where one is signed in, and how to end it."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.api import cookies
from app.services import sessions
from app.web.calls import PageCall
from app.web.pages import Route, Shown

ADDRESS = "/sessions"
routes = APIRouter(prefix=ADDRESS, route_class=Route, include_in_schema=False)


@routes.get("")
async def show_sessions(call: PageCall, page: Shown, request: Request) -> Response:
    """The browsers in which the reader is signed in."""
    found = await call.read(sessions.of_actor, cookies.read(request))
    return page.render("sessions.html", found=found)


@routes.post("/{session}/end")
async def end_session(call: PageCall, session: UUID) -> Response:
    """Sign one of them out."""
    await call.write(sessions.end_one, session)
    return RedirectResponse(ADDRESS, 303)
