"""The vocabulary of the wire: field types with their ranges, and the closed lists of words."""

import re
from datetime import MAXYEAR, UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from app.schemas.descriptions import Described

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]{8,15}([Zz]|[+-][0-9]{2}:[0-9]{2})")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Shape(Described):
    """How every shape behaves: unknown fields are refused, docstrings describe the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def example(body: dict[str, Any]) -> ConfigDict:
    """Shape configuration with an example of the whole body, for the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": [body]})


class Language(StrEnum):
    """What a reader reads: Indonesian or English."""

    ID = "id"
    EN = "en"


class InitiativeStatus(StrEnum):
    """Where an initiative is in its life."""

    PROPOSED = "proposed"
    SHORTLISTED = "shortlisted"
    ACTIVE = "active"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class InitiativeKind(StrEnum):
    """What sort of initiative it is."""

    QUICK_WIN = "quick_win"
    ACTION_PLAN = "action_plan"
    INNOVATION = "innovation"


class PersonKind(StrEnum):
    """Whether it is a human being, or a program that acts by its own name."""

    PERSON = "person"
    SERVICE = "service"


class Origin(StrEnum):
    """Who chose the initiative: the unit itself, or somebody above it."""

    SELF_SELECTED = "self_selected"
    MANDATED = "mandated"


class OwnerRole(StrEnum):
    """What an owner answers for."""

    ACCOUNTABLE = "accountable"
    RESPONSIBLE = "responsible"
    SUPPORTING = "supporting"


class Technique(StrEnum):
    """How a milestone earns: `percent` its reported percent, `binary` nothing before 100 %."""

    PERCENT = "percent"
    BINARY = "binary"


class MilestoneStatus(StrEnum):
    """Follows from the reports; `dropped` is set by hand, with a reason."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    DROPPED = "dropped"


class Verification(StrEnum):
    """Whether somebody else has looked at a report, and what they found."""

    REPORTED = "reported"
    VERIFIED = "verified"
    RETURNED = "returned"


class Verdict(StrEnum):
    """What a verifier finds."""

    VERIFIED = "verified"
    RETURNED = "returned"


class Interval(StrEnum):
    """How far the points of a curve lie apart."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Health(StrEnum):
    """Computed from the schedule performance index and the institution's thresholds."""

    NOT_MEASURABLE = "not_measurable"
    COMPLETED = "completed"
    NOT_STARTED = "not_started"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"


class Confidence(StrEnum):
    """How confident a person is that it will be delivered as planned.

    The five points of the United Kingdom's delivery confidence assessment (Infrastructure and
    Projects Authority): `green` highly likely, no major issue in sight; `amber_green` probable,
    with constant attention to risks; `amber` feasible, but significant issues exist that appear
    resolvable; `amber_red` in doubt, major issues in key areas need urgent action; `red` appears
    unachievable.
    """

    GREEN = "green"
    AMBER_GREEN = "amber_green"
    AMBER = "amber"
    AMBER_RED = "amber_red"
    RED = "red"


def _plain_code(value: str) -> str:
    if not value.strip("."):
        message = "a code needs more than dots"
        raise ValueError(message)
    if _UUID.fullmatch(value):
        message = "a code cannot look like a UUID, since addresses take either"
        raise ValueError(message)
    return value


def number(value: object) -> object:
    """A JSON number, as it is: not a truth value, not text."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        message = "a JSON number is needed"
        raise ValueError(message)  # noqa: TRY004  pydantic turns ValueError into a field error
    return value


def _iso_date(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and _ISO_DATE.fullmatch(value)):
        return value
    message = "a date is written YYYY-MM-DD"
    raise ValueError(message)


def _rfc_3339(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339.fullmatch(value)):
        return value
    message = "an instant is written like 2026-01-31T09:00:00Z, with its offset"
    raise ValueError(message)


def _storable(value: datetime) -> datetime:
    # Years 1 and 9999 come first: there the offset would lead out of the calendar.
    if not (
        1 < value.year < MAXYEAR and FIRST_DAY.year <= value.astimezone(UTC).year <= LAST_DAY.year
    ):
        message = "an instant is in the years 1900-2199"
        raise ValueError(message)
    return value.astimezone(UTC)


def _digits(value: object) -> object:
    if isinstance(value, str) and not value.removeprefix("-").isdecimal():
        message = "a whole number is written in digits"
        raise ValueError(message)
    return value


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        message = "unknown time zone; use an IANA name such as Asia/Jayapura"
        raise ValueError(message)
    return value


def _one_line(value: str) -> str:
    if _UNSEEN.search(value):
        message = (
            "control characters, and those that turn the direction of writing, are not allowed"
        )
        raise ValueError(message)
    return value


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        message = "a link begins with https:// or http://"
        raise ValueError(message)
    return value


CODE_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
Code = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=CODE_PATTERN),
    AfterValidator(_plain_code),
]
"""Unique in its institution without regard to case: letters, digits, `.`, `_`, `-`; 1-64."""
Reference = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=CODE_PATTERN)]
"""Somebody's code, or their id."""
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""A lower-case word: letters, digits, `_`, `-`; 1-64."""
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(_one_line),
]
"""One line of text, 1-500 characters."""
Text = Annotated[str, StringConstraints(max_length=10_000)]
"""Free text, at most 10,000 characters."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
"""Why; kept in the event. 1-2,000 characters."""
Weight = Annotated[int, Field(strict=True, ge=1, le=1000)]
"""How much something counts among its siblings: 1-1000."""
Year = Annotated[int, Field(strict=True, ge=1900, le=2199)]
"""A calendar year, 1900-2199."""
Digits = BeforeValidator(_digits)
"""For whole numbers in addresses and parameters, where Python would also read `1_0`."""
Percent = Annotated[
    Decimal,
    BeforeValidator(number),
    Field(ge=0, le=100, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100}),
]
"""Percent, 0-100, at most two decimals."""
Ratio = Annotated[
    Decimal,
    BeforeValidator(number),
    Field(ge=0, le=10, decimal_places=4),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 10}),
]
"""A ratio, 0-10, at most four decimals."""
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY), BeforeValidator(_iso_date)]
"""A date, YYYY-MM-DD, 1900-2199."""
Instant = Annotated[AwareDatetime, BeforeValidator(_rfc_3339), AfterValidator(_storable)]
"""An RFC 3339 instant with its offset, 1900-2199."""
Flag = Annotated[bool, Field(strict=True)]
"""True or false, not a word or number for it."""
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]
"""An IANA time zone."""
Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s.]{2,63}$")
]
"""An e-mail address."""
Url = Annotated[
    str,
    StringConstraints(max_length=2_000, pattern=r"^[!-~]+$"),
    AfterValidator(_web_address),
]
"""An http or https address of printable ASCII, at most 2,000 characters."""

OidcSubject = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]{0,253}[!-~])?$")]
"""Who somebody is to the OIDC issuer: 1-255 characters of printable ASCII, compared exactly."""


class _ShownOnce:
    """Marks a field that shows a secret."""


Secret = Annotated[str, _ShownOnce()]
"""A secret of the service's own making, shown this once: wherever it is kept, not in the clear."""


def shows_secret(answer: object) -> bool:
    """Whether there is a secret anywhere in an answer."""
    if isinstance(answer, BaseModel):
        return any(
            any(isinstance(mark, _ShownOnce) for mark in field.metadata)
            or shows_secret(getattr(answer, name))
            for name, field in type(answer).model_fields.items()
        )
    return isinstance(answer, list | tuple) and any(map(shows_secret, answer))


class Names(Shape):
    """A name in both languages."""

    id: Name
    """Indonesian."""
    en: Name
    """English."""
