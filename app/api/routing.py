"""Routes that are made whole when somebody comes by them.

To make the parameters and answers of all 280 took a third of what a process needs to import the
application, and most processes are asked at few addresses.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.routing import compile_path

from app.errors import NotFound


class LateRoute(APIRoute):
    """A route that knows its address; the rest comes with the first request, or the document."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401  FastAPI's
        self.path, self.endpoint = path, endpoint
        self.name = options["name"] or endpoint.__name__
        self.methods = set(options["methods"])
        self.include_in_schema = options["include_in_schema"]
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._complete = partial(super().__init__, path, endpoint, **options)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  as the attribute
        """What nobody needs to find the route."""
        complete = self.__dict__.pop("_complete", None)
        if complete is None:
            raise AttributeError(name)
        try:
            complete()
        except BaseException:
            self._complete = complete  # whoever comes next is told the same
            raise
        return getattr(self, name)


def refuse_nul(request: Request) -> None:
    """Raise `NotFound` for an address with a NUL: nothing is called so, and PostgreSQL takes none."""
    if any("\x00" in value for value in request.path_params.values()):
        raise NotFound
