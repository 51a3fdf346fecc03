"""The reader's language: messages, numbers and dates in Indonesian and in English.

Messages are written in English in code and templates, and translated by gettext catalogues in
`locales/`; numbers and dates follow Unicode's CLDR, by Babel.
"""

import re
from datetime import date, datetime
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.schemas.fields import Language

CATALOGUES = Path(__file__).with_name("locales")
FALLBACK = Language.ID
"""For readers of whom nothing is known: those of the first user."""
NOTHING = "–"
"""What stands where there is no number or day."""
_KEPT = 4_096
"""Numbers, days and months as they were last written: at most a megabyte of each."""
_TERRITORIES = {Language.ID: "ID", Language.EN: "GB"}
"""Where dates are written day first, as in Indonesia."""
_PREFERENCE = re.compile(
    r"\s*([A-Za-z*]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*"
)


def noted(message: str) -> str:
    """A message that is translated where it is shown: marks it for the catalogues."""
    return message


class Words:
    """What is said to readers of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.locale = Locale(language.value, _TERRITORIES[language])
        self._messages = _catalogue(language)

    def gettext(self, message: str) -> str:
        """A message in this language; in English where it has no translation."""
        return self._messages.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """As `gettext`, by a number of things."""
        return self._messages.ngettext(singular, plural, number)

    def pgettext(self, context: str, message: str) -> str:
        """As `gettext`, for a word that means several things."""
        return self._messages.pgettext(context, message)

    def npgettext(self, context: str, singular: str, plural: str, number: int) -> str:
        """As `pgettext`, by a number of things."""
        return self._messages.npgettext(context, singular, plural, number)

    def say(self, message: str) -> str:
        """A message of an error, which may have values in it."""
        template: str | None = getattr(message, "template", None)
        if template is None:
            return self.gettext(message) if message else message
        values: dict[str, object] = message.values  # type: ignore[attr-defined]
        return self.gettext(template).format(
            **{
                name: self.gettext(value) if isinstance(value, str) and value else value
                for name, value in values.items()
            }
        )

    def number(self, value: float | None, pattern: str = "#,##0.##") -> str:
        """A number by a pattern of CLDR: 1,234.5 in English, 1.234,5 in Indonesian."""
        if value is None:
            return NOTHING
        return _number(value + 0, pattern, self.locale)  # −0 is kept as 0

    def percent(self, value: float | None) -> str:
        """Percent, given as 0-100, with at most two decimals."""
        return NOTHING if value is None else f"{self.number(value)}%"

    def points(self, value: float | None) -> str:
        """A difference of percents, with its sign."""
        return NOTHING if value is None else self.number(value, "+#,##0.##;−#,##0.##")

    def size(self, count: int) -> str:
        """A number of bytes: 1.2 MB."""
        for unit, factor in (("MB", 10**6), ("kB", 10**3)):
            if count >= factor:
                return f"{self.number(count / factor, '#,##0.#')} {unit}"
        return f"{self.number(count)} B"

    def day(self, value: date | None) -> str:
        """A date: 30 Nov 2022."""
        return NOTHING if value is None else _date(value, "d MMM y", self.locale)

    def full_day(self, value: date) -> str:
        """A date in full: 30 November 2022."""
        return _date(value, "d MMMM y", self.locale)

    def month(self, value: date) -> str:
        """A date's month: Nov 2022."""
        return _month(value, self.locale)

    def instant(self, value: datetime | None, time_zone: str) -> str:
        """A date and a time of day in a time zone."""
        if value is None:
            return NOTHING
        local = value.astimezone(ZoneInfo(time_zone))
        return dates.format_datetime(local, "d MMM y HH:mm", locale=self.locale)

    def name(self, names: object) -> str:
        """The one of a name's two languages that is read here."""
        return str(getattr(names, self.language.value))


@cache
def words(language: Language) -> Words:
    """What is said to readers of a language; read once."""
    return Words(language)


# A page writes the same few hundred over and over; Babel reads its pattern anew for each.
_number = lru_cache(_KEPT)(numbers.format_decimal)
_date = lru_cache(_KEPT)(dates.format_date)


@lru_cache(_KEPT)
def _month(value: date, locale: Locale) -> str:
    return dates.format_skeleton("yMMM", value, locale=locale)


def preferred(header: str | None) -> Language | None:
    """The best of our languages by an `Accept-Language` header (RFC 9110, 12.5.4), if any."""
    best: tuple[float, Language] | None = None
    for part in (header or "")[:1_000].split(","):
        found = _PREFERENCE.fullmatch(part)
        if found is None or found[1].lower() not in set(Language):
            continue
        quality = float(found[2] or 1)
        if quality > 0 and (best is None or quality > best[0]):
            best = quality, Language(found[1].lower())
    return best[1] if best else None


def _catalogue(language: Language) -> NullTranslations:
    """A catalogue, compiled when it is read: what is kept is what translators edit."""
    source = CATALOGUES / language.value / "LC_MESSAGES" / "quickwin.po"
    if not source.exists():
        return NullTranslations()  # English is what the messages are written in
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language.value))
    compiled.seek(0)
    return GNUTranslations(compiled)
