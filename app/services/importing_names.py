"""What cells name: units, people and areas by code or name, as far as the actor sees them; pure."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import NamedTuple

from app.languages import noted
from app.messages import said
from app.models.base import code_key
from app.schemas.fields import InitiativeStatus
from app.services import cells
from app.services.importing_facts import Facts, Named, Names
from app.spreadsheets.columns import STATUS_WORDS, STATUSES, labelled, plain

_NAMING = {"unit": "unit", "accountable": "person", "owners": "person", "areas": "area"}
"""Columns that name something, and what."""
_NOUNS = {"unit": "unit", "person": "person", "area": "reform area"}
_MOST_SUGGESTIONS = 500
"""Names for which something alike is looked for; each takes a while."""


class Told(NamedTuple):
    """Something wrong with a row: in which column, what, and what may have been meant."""

    field: str | None
    code: str
    detail: str
    suggestion: str | None = None


class Amiss(Exception):
    """Something of a row is wrong, or several things are."""

    def __init__(self, *told: Told) -> None:
        self.told = told
        super().__init__(told[0].code)


class Namer:
    """Resolves what cells name, always against the same facts."""

    def __init__(self, facts: Facts) -> None:
        self._names = {"unit": facts.units, "person": facts.people, "area": facts.areas}
        self._suggested: dict[tuple[str, str], str | None] = {}

    def codes(self, column: str, written: str, owners: Collection[str]) -> list[str]:
        """Codes of what a part of a cell names: one thing, or several codes by comma."""
        several = [part.strip() for part in written.split(",") if part.strip()]
        known = self._names[_NAMING[column]].by_code
        if len(several) > 1 and all(code_key(part) in known for part in several):
            return [known[code_key(part)].code for part in several]
        return [self.code(column, written, owners)]

    def code(self, column: str, written: str, owners: Collection[str]) -> str:
        """The code of what a cell names; raises `Amiss`.

        `owners` are those whom the initiative has already, whether the actor sees them or not.
        """
        noun = _NAMING[column]
        names = self._names[noun]
        there = {code_key(code): code for code in owners} if noun == "person" else {}
        for meant in cells.named(written):
            if found := names.by_code.get(code_key(meant)):
                return found.code
            if code_key(meant) in there:
                return there[code_key(meant)]
            same = names.by_name.get(plain(meant), [])
            if len(same) > 1:
                codes = ", ".join(each.code for each in same[:5])
                detail = noted("Several have this name; write the code.")
                raise Amiss(Told(column, f"ambiguous_{noun}", detail, codes))
            if same:
                return same[0].code
        detail = said("There is no such {noun}.", noun=_NOUNS[noun])
        raise Amiss(Told(column, f"unknown_{noun}", detail, self._alike(noun, names, written)))

    def open(self, column: str, code: str) -> Named:
        """What a code names, if it takes anything new; raises `Amiss`."""
        noun = _NAMING[column]
        found = self._names[noun].by_code.get(code_key(code))
        if found is None:
            raise Amiss(
                Told(column, f"unknown_{noun}", said("There is no such {noun}.", noun=_NOUNS[noun]))
            )
        if not found.is_open:
            detail = (
                noted("This unit is archived, or merged away.")
                if noun == "unit"
                else noted(
                    "This person is not active, or a program: neither can own an initiative."
                )
            )
            raise Amiss(Told(column, f"closed_{noun}", detail))
        return found

    def _alike(self, noun: str, names: Names, written: str) -> str | None:
        """Something that the actor sees and may have meant."""
        key = (noun, plain(written)[:100])
        if key not in self._suggested and len(self._suggested) < _MOST_SUGGESTIONS:
            by_text = {name: same[0] for name, same in names.by_name.items()} | names.by_code
            close = get_close_matches(key[1], by_text, n=1)
            found = by_text[close[0]] if close else None
            self._suggested[key] = labelled(found.code, found.name) if found else None
        return self._suggested.get(key)


def status(written: str) -> InitiativeStatus:
    """The status that a word stands for; raises `Amiss`."""
    if found := STATUS_WORDS.get(plain(written)):
        return found
    words = ", ".join(" / ".join(words) for words in STATUSES.values())
    raise Amiss(Told("status", "unknown_status", said("A status is one of: {words}.", words=words)))
