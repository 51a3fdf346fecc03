"""Parts: rows that belong to another row, and are replaced as a whole."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.models import Base
from app.models.base import table
from app.services import access
from app.services.access import Scope


def replace(
    session: Session,
    scope: Scope,
    model: type[Base],
    of: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Make the rows of a model that have these values the given ones, and no others.

    Below the ORM: whoever replaces them tells the trail (`alterations.note`).
    """
    columns = table(model).c
    session.execute(
        delete(model)
        .where(access.within(scope, model), *(columns[name] == value for name, value in of.items()))
        .execution_options(synchronize_session=False)
    )
    add(session, scope, model, of, rows)


def add(
    session: Session,
    scope: Scope,
    model: type[Base],
    of: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Give what is new its rows of a model; see `replace`."""
    if rows:
        shared = {"institution_id": scope.id, **of}
        session.execute(insert(model), [{**shared, **row} for row in rows])
