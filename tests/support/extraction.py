"""Finds what errors say, for the catalogues: `pybabel extract` asks for it by `pyproject.toml`.

A class of errors has its words in its docstring and its title, and raises of it name others by the
words of the house: a literal that is assigned to `detail` or `message`, or handed to `Invalid.field`,
`Invalid.parameter` or the error itself.
"""

import ast
from collections.abc import Iterator
from inspect import cleandoc
from typing import IO, Any

from babel.messages.extract import extract_python

_NAMES = {"detail", "message"}
_PLACES = {"field", "parameter"}


def messages(file: IO[bytes], keywords: Any, tags: Any, options: Any) -> Iterator[Any]:
    """What Babel finds in Python, and what errors say: (line, function, message, comments)."""
    yield from extract_python(file, keywords, tags, options)
    file.seek(0)
    for node in ast.walk(ast.parse(file.read())):
        for text in _said(node):
            yield node.lineno, None, text, []  # type: ignore[attr-defined]


def _said(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        yield from _of_class(node)
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        if node.targets[0].id in _NAMES:
            yield from _literals(node.value)
    elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        name = node.exc.func.id if isinstance(node.exc.func, ast.Name) else "_"
        if node.exc.args and not name.startswith("_"):  # what is private is shown to nobody
            yield from _literals(node.exc.args[0])
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _PLACES
        and len(node.args) == len(("place", "code", "detail"))
    ):
        yield from _literals(node.args[2])


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    named = {
        target.id: value
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target, value in _pairs(statement)
    }
    if "code" not in named and not any(
        isinstance(base, ast.Name) and base.id in {"Unauthorized", "QuickwinError"}
        for base in node.bases
    ):
        return
    if text := ast.get_docstring(node):
        yield cleandoc(text)
    if isinstance(title := named.get("title"), ast.Constant):  # of one word, too
        yield str(title.value)


def _pairs(statement: ast.Assign) -> Iterator[tuple[ast.Name, ast.expr]]:
    """`status, code, title = 404, …` name by name."""
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Name):
        yield target, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for name, part in zip(target.elts, value.elts, strict=True):
            if isinstance(name, ast.Name):
                yield name, part


def _literals(value: ast.expr) -> Iterator[str]:
    """A literal, both of a choice; what is built with values is found by its mark."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and " " in value.value:
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _literals(value.body)
        yield from _literals(value.orelse)
