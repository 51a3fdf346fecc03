"""What is the same in every application of the tests, made once in each process: it takes seconds."""

from functools import cache
from typing import Any

from fastapi import FastAPI

from app.api.strangers import Strangers
from app.main import create_app
from app.settings import Settings
from tests.support.contract import Contract


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document: of whatever database, since it says nothing of it."""
    made: dict[str, Any] = create_app(Settings(database_url="sqlite://")).openapi()
    return made


@cache
def contract() -> Contract:
    """The document's promises, with the schemas that were needed so far."""
    return Contract(document())


def sum_up_late(app: FastAPI) -> None:
    """Have an application on the tests' database tell of refused sign-ins at its end alone.

    A summary comes a minute later, between two events of whatever test runs then.
    """
    app.state.strangers = Strangers(app.state.database, shortest=86_400)
