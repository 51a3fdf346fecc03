"""Options of a command, made from what a list can be filtered by: they are the same for ever."""

import functools
import inspect
from collections.abc import Callable
from datetime import date, datetime
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer

from app.schemas.descriptions import descriptions
from app.schemas.pages import Paging


def filtered_by(query: type[Paging]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each filter of a list, in place of its `filters`."""
    names = [name for name in query.model_fields if name not in Paging.model_fields]

    def give(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [each for each in signature.parameters.values() if each.name != "filters"]

        @functools.wraps(command)
        def run(*args: object, **given: object) -> None:
            filters = {name: given.pop(name) for name in names}
            command(*args, filters=filters, **given)

        parameters = [*own, *(_option(query, name) for name in names)]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return run

    return give


def _option(query: type[Paging], name: str) -> inspect.Parameter:
    field = query.model_fields[name]
    kind = _plain(field.annotation)
    spelled = f"--{name.replace('_', '-')}"
    if kind is bool:
        spelled += f"/--no-{spelled.removeprefix('--')}"
    said = field.description or descriptions(query).get(name, "")
    told = " ".join(said.split()).partition(". ")[0] or None
    option = Annotated[kind | None, typer.Option(spelled, help=told)]  # type: ignore[valid-type]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)


def _plain(annotation: Any) -> Any:  # noqa: ANN401  types as values
    """The type as a command line knows it; dates stay text, and the server reads them."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _plain(arguments[0])
    if origin in {Union, UnionType}:
        return _plain(next(each for each in arguments if each is not type(None)))
    if origin is list:
        return list[_plain(arguments[0])]  # type: ignore[misc]
    return str if annotation in {date, datetime} else annotation
