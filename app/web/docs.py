"""The API to be explored: Swagger UI, with a place for the token and the first calls above it; and ReDoc."""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import (
    get_swagger_ui_html,
    get_swagger_ui_oauth2_redirect_html,
)

from app.web import assets
from app.web.calls import MEET
from app.web.pages import Route, Shown

routes = APIRouter(route_class=Route, include_in_schema=False)
STATIC = "/static"
"""Where the files of Swagger UI and ReDoc are."""
REDIRECT = "/docs/oauth2-redirect"
REDOC = f"{assets.ADDRESS}/redoc.js"
LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
"""What ReDoc shows in its margin, without a setting that says otherwise."""
_MOUNT = '<div id="swagger-ui">'
_PARAMETERS = {
    "persistAuthorization": True,
    "tryItOutEnabled": True,
    "docExpansion": "none",
    "filter": True,
    "displayRequestDuration": True,
}


@routes.get("/docs", dependencies=[MEET])
async def show_docs(request: Request, page: Shown) -> Response:
    """Swagger UI below our own introduction."""
    made = get_swagger_ui_html(
        openapi_url=request.app.openapi_url,
        title="API · Quickwin",
        oauth2_redirect_url=REDIRECT,
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC}/favicon.png",
        swagger_ui_parameters=_PARAMETERS,
    )
    head, mount, rest = bytes(made.body).decode().partition(_MOUNT)
    return page.render("docs.html", head=head, rest=mount + rest)


@routes.get("/redoc", dependencies=[MEET])
async def show_redoc(request: Request, page: Shown) -> Response:
    """ReDoc, to read, below the way back."""
    return page.render("redoc.html", document=request.app.openapi_url, script=REDOC)


@routes.get(REDOC)
async def download_redoc() -> Response:
    """ReDoc's own script, which asks nobody else for anything."""
    return Response(_redoc(), media_type="text/javascript")


@cache
def _redoc() -> bytes:
    """With no picture in place of its logo: it leaves the logo out where there is none."""
    script = files("fastapi_offline").joinpath("static", "redoc.standalone.js").read_bytes()
    return script.replace(LOGO, b"data:,")


@routes.get(REDIRECT)
async def show_redirect() -> Response:
    """Where an issuer sends Swagger UI's window back to."""
    return get_swagger_ui_oauth2_redirect_html()
