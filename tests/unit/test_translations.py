"""Every message has its Indonesian translation, and the catalogue has nothing else."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from pydantic import BaseModel, Field, ValidationError

from app.languages import CATALOGUES, preferred, words
from app.messages import of_validation
from app.messages import said as said_with
from app.schemas.fields import Language

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
KEYWORDS = {
    "noted": None, "said": None, "_": None, "gettext": None, "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip


def said() -> Catalog:
    """What code and templates say, as `pybabel extract -F pyproject.toml -k noted -k said .` finds it."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    catalogue = Catalog()
    methods = [
        (pattern, found["method"]) for found in mappings for pattern in texts(found["pattern"])
    ]
    for _, _, message, _, context in extract_from_dir(ROOT, methods, keywords=KEYWORDS):
        catalogue.add(message, context=context)
    return catalogue


def translated() -> Catalog:
    with (CATALOGUES / "id" / "LC_MESSAGES" / "quickwin.po").open("rb") as file:
        return read_po(file, locale="id", abort_invalid=True)


def texts(message: Any) -> tuple[str, ...]:
    """Both numbers of a message that has two."""
    return tuple(message) if isinstance(message, list | tuple) else (message,)


def test_every_message_is_translated_and_none_is_left_over() -> None:
    here = {(found.context, found.id) for found in said() if found.id}
    there = {(found.context, found.id) for found in translated() if found.id}
    assert sorted(map(str, here - there)) == []
    assert sorted(map(str, there - here)) == []


def test_translations_are_whole() -> None:
    for found in translated():
        if not found.id:
            continue
        english = texts(found.id)
        indonesian = texts(found.string)
        assert all(indonesian), found.id
        assert not found.fuzzy, found.id
        names = {name for text in english for name in PLACEHOLDER.findall(text)}
        for text in indonesian:
            assert set(PLACEHOLDER.findall(text)) <= names, found.id


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None), ("", None), ("fr, de;q=0.5", None), ("*", None), ("id", Language.ID),
        ("en-US,en;q=0.9,id;q=0.8", Language.EN), ("en;q=0.3, id-ID;q=0.7", Language.ID),
        ("EN", Language.EN), ("id;q=0", None), ("id;q=x, en;q=0.1", Language.EN),
        ("id" * 5_000, None), (",;=,", None),
    ],
)  # fmt: skip
def test_the_browser_says_what_its_reader_prefers(
    header: str | None, expected: Language | None
) -> None:
    assert preferred(header) is expected


def test_a_message_is_translated_with_its_values() -> None:
    message = said_with("There is no such {noun}.", noun="person")
    assert message == "There is no such person."
    assert words(Language.EN).say(message) == message
    assert words(Language.ID).say(message) == "orang itu tidak ada."


class Asked(BaseModel):
    """Of each sort of field one."""

    word: Annotated[str, Field(min_length=2, max_length=3, pattern="^a")] = "aa"
    number: Annotated[int, Field(strict=True, ge=1, le=9)] = 1
    choice: Literal["x", "y"] = "x"
    day: date = date(2022, 1, 1)
    many: Annotated[list[int], Field(min_length=2, max_length=2)] = [1, 2]
    key: UUID | None = None


@pytest.mark.parametrize(
    "given",
    [
        {"word": "a"}, {"word": "aaaa"}, {"word": "bbb"}, {"word": 1}, {"number": 0}, {"number": 10},
        {"number": "1"}, {"choice": "z"}, {"day": "2022-13-01"}, {"many": [1]}, {"many": [1, 2, 3]},
        {"key": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_what_pydantic_finds_is_known_by_its_template(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(given)
    for found in caught.value.errors():
        text = of_validation(found)
        assert text == found["msg"]
        assert words(Language.ID).say(text) != text
