"""What is typed into the form of a report: read, kept where something is wrong, and what is wrong."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple
from uuid import uuid4

from pydantic import ValidationError

from app.errors import DatabaseUnavailable, FieldError, Invalid, NotReportable, QuickwinError
from app.languages import Words, noted
from app.schemas.updates import NewUpdate, Update
from app.services.windows import PeriodLocked
from app.web.multipart import Sent

SOURCE = "web"
"""What a report of this form says that it comes from; the form's key is its external id there."""
ROWS = 2
"""Links that an empty form offers."""
_MESSAGES = {
    "percent_complete": noted("Give a number from 0 to 100, with at most two decimals."),
    "effective_on": noted("Give a day, such as 2022-11-30."),
    "in_future": noted("This day has not come yet."),
    "period_locked": noted(
        "The reporting period of this day is closed: choose a later day, or have it reopened."
    ),
    "note": noted("A note has at most 10,000 characters."),
    "link": noted(
        "A link begins with https:// or http:// and has no spaces; its title is one line."
    ),
    "evidence_owed": noted(
        "What is reported as complete owes a document of a kind that is marked with *."
    ),
    "unknown_evidence_kind": noted("This kind of evidence is not there any more: choose another."),
    "unknown_file": noted("One of the files is not there any more: choose it again."),
    "file_refused": noted("This is no file that is taken: PDF, image, or document without macros."),
    "has_macros": noted("This document has macros or controls: save it without them, or as PDF."),
    "infected": noted("Something harmful was found in this file; it was not kept."),
    "too_large": noted("This file is larger than may be sent."),
    "too_many_waiting": noted(
        "You have sent as many files today as may wait for a report: use links, or wait a day."
    ),
    "scanner_unavailable": noted("Files cannot be checked at the moment: send again in a minute."),
    "files_unavailable": noted("Files cannot be kept at the moment: send again in a minute."),
    "resubmits": noted("The returned report was answered meanwhile: look at the reports below."),
    "key": noted("This form is not whole: open it again."),
    "not_reportable": noted(
        "No report is taken here: the milestone is dropped, or its initiative is cancelled."
    ),
    "unavailable": noted(
        "The service did not answer in time. Nothing that you typed is lost: send it again."
        " A report that was taken is not taken twice."
    ),
}


class Link(NamedTuple):
    """A link as it was typed."""

    title: str = ""
    url: str = ""
    kind: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed."""
        return not (self.title or self.url)


class Kept(NamedTuple):
    """A file that has arrived, for the report to name."""

    id: str
    title: str
    kind: str


class Typed(NamedTuple):
    """What was typed, as it was."""

    key: str
    percent_complete: str
    effective_on: str
    note: str = ""
    resubmits: str = ""
    links: tuple[Link, ...] = (Link(),) * ROWS
    files: tuple[Kept, ...] = ()
    kind: str = ""
    """Of the files that come with it."""


def new_key() -> str:
    """A name for what one form sends: sent again under it, a report is taken once."""
    return str(uuid4())


def read(sent: Sent) -> Typed:
    """What a form sent, but for its files."""
    links = zip(*(sent.fields.get(f"link_{part}", []) for part in Link._fields), strict=False)
    files = zip(*(sent.fields.get(f"file_{part}", []) for part in Kept._fields), strict=False)
    return Typed(
        key=sent.one("key"),
        percent_complete=sent.one("percent_complete"),
        effective_on=sent.one("effective_on"),
        note=sent.one("note"),
        resubmits=sent.one("resubmits"),
        links=tuple(Link(*(part.strip() for part in parts)) for parts in links),
        files=tuple(Kept(*parts) for parts in files),
        kind=sent.one("kind"),
    )


def answering(returned: Update, today: str) -> Typed:
    """A form that begins with what a returned report said."""
    links = [each for each in returned.evidence if each.file is None]
    files = [(each, each.file) for each in returned.evidence if each.file is not None]
    rows = [Link(each.title, each.url, each.kind or "") for each in links]
    return Typed(
        key=new_key(),
        percent_complete=plain(returned.percent_complete),
        effective_on=today,
        resubmits=str(returned.id),
        links=(*rows, Link()),
        files=tuple(Kept(str(file.id), each.title, each.kind or "") for each, file in files),
    )


def plain(percent: float) -> str:
    """A percent as a number input has it."""
    return f"{percent:.2f}".rstrip("0").rstrip(".")


def to_report(typed: Typed) -> NewUpdate:
    """The report; raises `Invalid` with pointers into it."""
    links = [each for each in typed.links if not each.is_empty]
    evidence = [
        {"title": each.title or each.url[:500], "url": each.url, "kind": each.kind or None}
        for each in links
    ]
    evidence += [
        {"title": each.title, "file": each.id, "kind": each.kind or None} for each in typed.files
    ]
    given = {
        "percent_complete": _number(typed.percent_complete),
        "effective_on": typed.effective_on or None,
        "note": typed.note or None,
        "evidence": evidence,
        "source": SOURCE,
        "external_id": typed.key,
        "resubmits": typed.resubmits or None,
    }
    try:
        return NewUpdate.model_validate(given)
    except ValidationError as error:
        places = [
            FieldError.found(each["loc"], each["type"], each["msg"]) for each in error.errors()
        ]
        raise Invalid(errors=tuple(places)) from error


def is_same(typed: Typed, known: Update) -> bool:
    """Whether a report that was taken under the form's key says what is typed now."""
    return (
        _number(typed.percent_complete) == _number(plain(known.percent_complete))
        and typed.effective_on in {"", known.effective_on.isoformat()}
        and typed.note == (known.note or "").strip()
        and typed.resubmits == str(known.resubmits or "")
    )


class Faults:
    """What is wrong, by the field at which it is shown; `form` for the whole."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._found: defaultdict[str, list[str]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self._found)

    def at(self, field: str) -> list[str]:
        """What is wrong with a field."""
        return self._found.get(field, [])

    def add(self, field: str, code: str, about: str = "") -> None:
        """Something more; `about` names the file that it is about."""
        known = _MESSAGES.get(code)
        said = self._words.gettext(known or noted("This is not right."))
        told = f"{about}: {said}" if about else said
        if told not in self._found[field]:
            self._found[field].append(told)

    def take(self, error: QuickwinError, typed: Typed) -> None:
        """What a verb, or a shape, finds wrong with a report."""
        if isinstance(error, PeriodLocked):
            self.add("effective_on", error.code)
        elif isinstance(error, DatabaseUnavailable):
            self.add("form", "unavailable")
        elif isinstance(error, NotReportable):
            self.add("form", "not_reportable")
        elif not error.errors:
            is_known = error.code == "already_resubmitted"
            self.add("form", "resubmits" if is_known else error.code)
        for place in error.errors:
            self.add(*_placed(place, typed))

    def of_file(self, error: QuickwinError, name: str) -> None:
        """What is wrong with a file."""
        self.add("files", error.code, name[:80])


def _placed(place: FieldError, typed: Typed) -> tuple[str, str]:
    """The field of the form, and the message."""
    first, *rest = place.pointer.strip("/").split("/")
    if first == "evidence" and rest and rest[0].isdecimal():
        rows = list(_rows(typed))
        index = int(rest[0])
        if index >= len(rows):
            return "files", place.code
        known = place.code == "unknown_evidence_kind"
        return f"link-{rows[index]}", place.code if known else "link"
    if first == "evidence":
        return "evidence", place.code
    if first == "effective_on" and place.code == "in_future":
        return first, place.code
    if first in {"percent_complete", "effective_on", "note"}:
        return first, first
    return "form", "resubmits" if first == "resubmits" else "key"


def _rows(typed: Typed) -> Iterable[int]:
    """Places of the links that something was typed into."""
    return (place for place, each in enumerate(typed.links) if not each.is_empty)


def _number(text: str) -> Decimal | None:
    """A number with a point or a comma; None for anything else."""
    try:
        found = Decimal(text.replace(",", ".").removesuffix("%").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
