"""Parts of texts, found without regard to case: alike on both databases, whatever their locale."""

from sqlalchemy import ColumnElement, String, func, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def has(part: str, *texts: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether one of the texts has the part in it, whatever the case of either."""
    # The letters of ASCII are folded by the database. Others would be by PostgreSQL alone, where its
    # locale knows them, and it costs several times as much: so those that are asked for are replaced,
    # all by one call, however many they are.
    small = "".join(map(_lower, part))
    others = {letter: upper for letter in sorted(set(small)) if (upper := _upper(letter))}
    lower, upper = "".join(others), "".join(others.values())
    folded = (func.translate(text, upper, lower) if others else text.expression for text in texts)
    return or_(*(_InAscii(each).icontains(small, autoescape=True) for each in folded))


def _lower(letter: str) -> str:
    lower = letter.lower()
    return lower if len(lower) == 1 else letter


def _upper(letter: str) -> str | None:
    upper = letter.upper()
    return upper if len(upper) == 1 and upper != letter and not upper.isascii() else None


class _InAscii(FunctionElement[str]):
    """A text of which the letters of ASCII alone have case, as on SQLite."""

    inherit_cache = True
    type = String()


@compiles(_InAscii)
def _as_it_is(element: _InAscii, compiler: SQLCompiler, **kw: object) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(_InAscii, "postgresql")
def _collated(element: _InAscii, compiler: SQLCompiler, **kw: object) -> str:
    return f'({compiler.process(element.clauses, **kw)} COLLATE "C")'
