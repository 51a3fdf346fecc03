"""What the OpenAPI document says of parameters that a shape groups: the docstrings of its fields."""

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi._compat import get_cached_model_fields
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.schemas.descriptions import descriptions
from app.schemas.fields import Shape


def describe(app: FastAPI) -> None:
    """Describe the parameters of all routes: FastAPI takes them field by field, without their shape."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for shape in _shapes(route.dependant):
                for name, told in descriptions(shape).items():
                    field = shape.model_fields[name]
                    field.description = field.description or told
    get_cached_model_fields.cache_clear()  # made by requests, from fields without descriptions


def _shapes(dependant: Dependant) -> Iterator[type[Shape]]:
    for each in dependant.dependencies:
        yield from _shapes(each)
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, Shape):
            yield kind
