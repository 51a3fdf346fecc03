"""No regular expression takes more than linear time, whatever a client sends."""

import importlib
import pkgutil
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import app

LENGTH = 20_000
OWN_PAGES = "app.api.headers"  # reads pages of ours, nothing that a client sent
REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT}


def compiled() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Every pattern that a module keeps."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name != OWN_PAGES:
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    yield f"{module.name}.{name}", value


PATTERNS = dict(compiled())


def nested(parsed: Any, *, inside: bool = False) -> bool:
    """Whether a repetition without a small bound stands inside another repetition."""
    for operation, argument in parsed:
        if operation in REPEATS:
            _, most, repeated = argument
            if (inside and most > 16) or nested(repeated, inside=inside or most > 1):
                return True
        elif isinstance(argument, tuple | list):
            parts = [part for part in argument if isinstance(part, _parser.SubPattern)]
            parts += [p for part in argument if isinstance(part, list) for p in part
                      if isinstance(p, _parser.SubPattern)]  # fmt: skip
            if any(nested(part, inside=inside) for part in parts):
                return True
    return False


def attacks(pattern: re.Pattern[Any]) -> Iterator[Any]:
    """Long strings that almost fit: one of the pattern's letters over and over, then a wrong end."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    for letter in {*re.findall(r"[A-Za-z0-9.:@/_\"<-]", text), "a", "0", "A", "-", ".", " ", "\n"}:
        for end in ("!", "\x00", "\n"):
            attack = letter * LENGTH + end
            yield attack if isinstance(pattern.pattern, str) else attack.encode()


def is_searched(name: str) -> bool:
    """Whether a module looks for its pattern anywhere in a text, and not only at its beginning."""
    module, _, pattern = name.rpartition(".")
    source = Path(str(sys.modules[module].__file__)).read_text(encoding="utf-8")
    return bool(re.search(rf"{pattern}\.(search|findall|finditer|sub|split)\(", source))


def test_there_are_patterns() -> None:
    assert len(PATTERNS) >= 8


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_linear_time(name: str) -> None:
    pattern = PATTERNS[name]
    assert not nested(_parser.parse(pattern.pattern)), "nested repetition"
    for attack in attacks(pattern):
        # Processor time: another program's load does not count. What is quadratic takes seconds.
        started = time.process_time()
        pattern.fullmatch(attack)
        if is_searched(name):
            pattern.search(attack)
        assert time.process_time() - started < 0.5


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|b*)*c", r"([a-z]+)*!"])
def test_bad_patterns_are_found(pattern: str) -> None:
    assert nested(_parser.parse(pattern))


def test_shapes_use_an_engine_without_backtracking() -> None:
    """Patterns of fields are matched by pydantic's own engine, which is linear by construction."""
    for path in Path(app.__path__[0]).rglob("*.py"):
        assert "python-re" not in path.read_text(encoding="utf-8")
    assert "pydantic_core" in sys.modules
