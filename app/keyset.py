"""Keyset pagination: pages by the last row's sort values, in signed cursors.

A page costs the same wherever it is in the list, and rows that come or go between two pages
neither repeat nor hide others. A cursor carries the sort values of the last row and a fingerprint
of the query that it belongs to; it grants nothing, since every page passes the same access rules.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import ColumnElement, FromClause, Select, and_, func, literal, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import Invalid
from app.messages import said
from app.schemas.pages import Page, Paging

KeyExpression = ColumnElement[Any] | InstrumentedAttribute[Any]
ROW = TypeVar("ROW")
ITEM = TypeVar("ITEM")
CURSOR_KEY = "cursor_key"
"""Where `Session.info` holds the key that signs cursors."""


class Key(NamedTuple):
    """One sort key: an expression that is never null, and its direction."""

    expression: KeyExpression
    descending: bool


class Slice(NamedTuple):
    """One page of rows."""

    rows: Sequence[Any]
    next_cursor: str | None
    total: int | None

    def page(self, items: list[ITEM]) -> Page[ITEM]:
        """The page as it is answered: its rows as `items`."""
        return Page(items=items, next_cursor=self.next_cursor, total=self.total)


def parse_sort(text: str, allowed: Mapping[str, KeyExpression], *last: Key) -> list[Key]:
    """Sort keys for `-due_on,code`, closed by `last`, which must be unique together."""
    directions = sort_directions(text, allowed)
    return [
        *(Key(allowed[name], descending) for name, descending in directions.items()),
        *last,
    ]


def sort_directions(text: str, allowed: Iterable[str]) -> dict[str, bool]:
    """The fields of `-due_on,code` in their order, and whether each descends.

    Raises `Invalid` (parameter `sort`) for a field that is unknown or named twice.
    """
    found: dict[str, bool] = {}
    for part in text.split(","):
        name = part.removeprefix("-")
        if name not in allowed or name in found:
            fields = ", ".join(allowed)
            detail = said(
                "Sort by these fields, each at most once, '-' for descending: {fields}.",
                fields=fields,
            )
            raise Invalid.parameter("sort", "unknown_sort", detail)
        found[name] = part.startswith("-")
    return found


def paginate(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    keys: Sequence[Key],
    paging: Paging,
    among: Select[UUID] | None = None,
    *,
    scarce: bool = False,
) -> Slice:
    """One page of a filtered statement, in the order of `keys`.

    `among` selects the ids of the filtered rows, where `statement` is not filtered itself: these are
    found first. So of a list that no index has in its order all is read, but nothing joined to it.
    `scarce` says that few are among them: then all is read as it lies, and no index is walked until
    there are enough.

    Raises `Invalid` (parameter `cursor`) for a cursor that is damaged, foreign or of another query.
    """
    total = None
    if paging.include_total:
        total = session.execute(
            select(func.count()).select_from(
                (statement if among is None else among).order_by(None).subquery()
            )
        ).scalar_one()

    signer = _signer(session)
    # Names of what the columns are of: the whole FROM would have to be compiled, for each page anew.
    tables = ",".join(sorted(_name(source) for source in statement.columns_clause_froms))
    fingerprint = _fingerprint(tables, paging)
    after: ColumnElement[bool] = true()
    if paging.cursor is not None:
        after = _after(keys, _last_values(signer, paging.cursor, fingerprint, keys))
    page, most = statement.add_columns(*(key.expression for key in keys)), paging.limit + 1
    if among is None:
        page = page.where(after).order_by(*_ordered(keys)).limit(most)
    else:
        (row_id,) = among.selected_columns
        # The few that are found are sorted again, by what no index is of: SQLite would walk one of
        # all rows to meet the few in their order.
        again = [key._replace(expression=func.coalesce(*2 * (key.expression,))) for key in keys]
        order = _ordered(again if scarce else keys)
        wanted = among.where(after).order_by(*order).limit(most)
        # Within the statement, what finding the few is guessed to cost would hide what the joins do.
        few = wanted.correlate(None).cte("few").prefix_with("MATERIALIZED")
        page = page.where(row_id.in_(select(few.c[row_id.name]))).order_by(*_ordered(again))

    found = session.execute(page).all()
    rows = found[: paging.limit]
    next_cursor = None
    if len(found) > paging.limit:
        last = [_encode(value) for value in rows[-1][-len(keys) :]]
        next_cursor = str(signer.dumps([fingerprint, last]))
    return Slice(rows, next_cursor, total)


def paginate_sorted(
    session: Session,
    about: str,
    rows: Sequence[ROW],
    key: Callable[[ROW], list[Any]],
    paging: Paging,
) -> Slice:
    """One page of rows that are in memory, by a unique key of numbers and strings, ascending.

    `about` says what the list is of. Raises `Invalid` as `paginate` does.
    """
    signer, fingerprint = _signer(session), _fingerprint(about, paging)
    ordered = sorted(rows, key=key)
    start = 0
    if paging.cursor is not None:
        last = _load(signer, paging.cursor, fingerprint)
        try:
            start = bisect_right(ordered, last, key=key)
        except TypeError as error:  # another list's values
            raise _foreign() from error
    page = ordered[start : start + paging.limit]
    following = None
    if start + paging.limit < len(ordered):
        following = str(signer.dumps([fingerprint, key(page[-1])]))
    return Slice(page, following, len(ordered) if paging.include_total else None)


def _ordered(keys: Sequence[Key]) -> list[ColumnElement[Any]]:
    return [key.expression.desc() if key.descending else key.expression.asc() for key in keys]


def _name(source: FromClause) -> str:
    """What a table or a named query is called; a name that is made up differs each time."""
    name: str = getattr(source, "name", "")
    return "" if "%" in name else name


def _signer(session: Session) -> URLSafeSerializer:
    return URLSafeSerializer(session.info[CURSOR_KEY], salt="cursor")


def _fingerprint(about: str, paging: Paging) -> str:
    query = paging.model_dump_json(exclude={"limit", "cursor", "include_total"})
    return hashlib.sha256(f"{about}\n{query}".encode()).hexdigest()[:16]


def _last_values(
    signer: URLSafeSerializer, cursor: str, fingerprint: str, keys: Sequence[Key]
) -> list[Any]:
    values = _load(signer, cursor, fingerprint)
    if len(values) != len(keys):
        raise _foreign()
    return [
        _decode(value, key.expression.type.python_type)
        for value, key in zip(values, keys, strict=True)
    ]


def _load(signer: URLSafeSerializer, cursor: str, fingerprint: str) -> list[Any]:
    try:
        found, values = signer.loads(cursor)
    except (BadData, ValueError, TypeError) as error:
        detail = "This cursor is damaged; take next_cursor as it is."
        raise Invalid.parameter("cursor", "bad_cursor", detail) from error
    if found != fingerprint:
        raise _foreign()
    return list(values)


def _foreign() -> Invalid:
    detail = "This cursor belongs to another list, sort or filter."
    return Invalid.parameter("cursor", "bad_cursor", detail)


def _after(keys: Sequence[Key], values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows behind `values` in a mixed order: greater in the first key, or equal there and so on."""
    alternatives = []
    for i, key in enumerate(keys):
        bound = literal(values[i], key.expression.type)
        further = key.expression < bound if key.descending else key.expression > bound
        equal = [
            before.expression == literal(value, before.expression.type)
            for before, value in zip(keys[:i], values[:i], strict=True)
        ]
        alternatives.append(and_(*equal, further))
    # Said again of the first key alone, for then an index begins at it; of the alternatives no
    # database makes a bound, and each page would read all that came before.
    first, least = keys[0], literal(values[0], keys[0].expression.type)
    within = first.expression <= least if first.descending else first.expression >= least
    return and_(within, or_(*alternatives))


def _encode(value: Any) -> Any:  # noqa: ANN401  any column value
    return (
        value.isoformat()
        if isinstance(value, date)
        else str(value)
        if isinstance(value, UUID)
        else value
    )


def _decode(value: Any, kind: type) -> Any:  # noqa: ANN401  any column value
    if issubclass(kind, date):  # datetime too
        return kind.fromisoformat(value)
    return UUID(value) if kind is UUID else value
