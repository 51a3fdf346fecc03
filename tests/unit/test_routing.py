"""Routes that are made whole by their first request: each can be, and what cannot says so again."""

import pytest

from app.api.routing import LateRoute
from app.main import create_app
from app.settings import Settings


def test_every_route_can_be_made() -> None:
    """Also those of pages, which no document has."""
    routes = [each for each in create_app(Settings()).routes if isinstance(each, LateRoute)]
    assert len(routes) > 250
    for route in routes:
        assert route.dependant.call is route.endpoint


def test_what_cannot_be_made_says_so_each_time() -> None:
    def endpoint() -> None: ...

    options = {"name": None, "methods": ["GET"], "include_in_schema": True}
    route = LateRoute("/x", endpoint, **options, response_model=int, status_code=204)
    assert route.path == "/x"
    for _ in range(2):
        with pytest.raises(AssertionError, match="must not have a response body"):
            _ = route.app
