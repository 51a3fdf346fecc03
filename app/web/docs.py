"""The API to be explored: Swagger UI, with a place for the token and the first calls above it."""

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html

from app.web.pages import Route, Shown

routes = APIRouter(route_class=Route, include_in_schema=False)
STATIC = "/static"
"""Where the files of Swagger UI and ReDoc are."""
REDIRECT = "/docs/oauth2-redirect"
_MOUNT = '<div id="swagger-ui">'
_PARAMETERS = {
    "persistAuthorization": True,
    "tryItOutEnabled": True,
    "docExpansion": "none",
    "filter": True,
    "displayRequestDuration": True,
}


@routes.get("/docs")
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


@routes.get(REDIRECT)
async def show_redirect() -> Response:
    """Where an issuer sends Swagger UI's window back to."""
    return get_swagger_ui_oauth2_redirect_html()
