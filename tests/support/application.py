"""What is the same in every application of the tests, made once in each process: it takes seconds."""

from functools import cache
from typing import Any

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
