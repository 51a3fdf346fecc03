"""How a row is named in addresses, queries and bodies: by its code or its id."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_

from app.models.base import code_key


def key_of(key: str) -> UUID | str:
    """An id, or else a code as it is compared: codes cannot look like ids."""
    try:
        if len(key) == 36 and key.isascii():  # noqa: PLR2004  a UUID's length
            return UUID(key)
    except ValueError:
        pass
    return code_key(key)


def named(model: Any, key: str) -> ColumnElement[bool]:  # noqa: ANN401  a mapped class or an alias of one
    """A row by its code or its id."""
    value = key_of(key)
    column = model.id if isinstance(value, UUID) else model.code_key
    return column == value  # type: ignore[no-any-return]


def named_any(model: Any, keys: list[str]) -> ColumnElement[bool]:  # noqa: ANN401  as in `named`
    """Rows by their codes or ids."""
    return or_(*(named(model, key) for key in keys))
