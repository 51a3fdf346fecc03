"""What is wrong with the environment, told before anything is started; no value is ever repeated."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.settings import Settings, settings

PREFIX = "QUICKWIN_"
ELSEWHERE = {"QUICKWIN_SERVER", "QUICKWIN_TOKEN", "QUICKWIN_INSTITUTION"}
"""Variables of the commands for a remote server; those of the tests begin with `QUICKWIN_TEST_`."""

_COLLECTORS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_LENGTHS = {"too_short": "this is too short", "too_long": "this is too long"}


class Wrong(NamedTuple):
    """A variable that cannot be used."""

    variable: str
    """Empty where several together are wrong: then the problem names them."""
    problem: str
    allowed: str
    """What it may be, and what it means."""


class Misconfigured(Exception):
    """Settings are wrong."""

    def __init__(self, found: tuple[Wrong, ...]) -> None:
        self.found = found
        super().__init__(", ".join(each.variable for each in found))


def read() -> Settings:
    """The process's settings; raises `Misconfigured` with everything that is wrong with them."""
    try:
        return settings()
    except ValidationError as error:
        raise Misconfigured(tuple(_wrong(error))) from None
    except SettingsError as error:
        raise Misconfigured((Wrong("", str(error), ""),)) from None


def wants_traces() -> bool:
    """Whether OpenTelemetry's own variables ask for traces."""
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_addressed = exporter == "console" or any(map(os.environ.get, _COLLECTORS))
    return is_addressed and not is_disabled and exporter != "none"


def can_trace() -> bool:
    """Whether the packages for traces are installed."""
    return all(find_spec(f"opentelemetry.{name}") for name in ("sdk", "exporter"))


def unknown(environment: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Variables that look like ours and are not, each with the name that was perhaps meant."""
    names = {PREFIX + name.upper() for name in Settings.model_fields}
    strange = [
        name
        for name in sorted(environment)
        if name.upper().startswith(PREFIX)
        and name.upper() not in names | ELSEWHERE
        and not name.upper().startswith(f"{PREFIX}TEST_")
    ]
    return [(name, _nearest(name.upper(), names)) for name in strange]


def _nearest(name: str, names: set[str]) -> str | None:
    return next(iter(get_close_matches(name, sorted(names), n=1, cutoff=0.75)), None)


def _wrong(error: ValidationError) -> Iterator[Wrong]:
    described: dict[str, dict[str, Any]] = Settings.model_json_schema()["properties"]
    told: set[str] = set()
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        problem = _LENGTHS.get(found["type"], found["msg"].removeprefix("Value error, "))
        if not found["loc"]:
            yield Wrong("", problem, "")
            continue
        field = str(found["loc"][0])
        if field not in told:  # of a list each wrong word is found: one is enough to say
            told.add(field)
            yield Wrong(PREFIX + field.upper(), problem, allowed(described.get(field, {})))


def allowed(described: Mapping[str, Any]) -> str:
    """What a setting may be, and what it means, by its JSON schema."""
    kinds = described.get("anyOf", [described])
    kind: Mapping[str, Any] = next((each for each in kinds if each.get("type") != "null"), {})
    limits = _limits(kind)
    if kind.get("type") == "array" or "items" in kind:
        limits = "a list with commas"
        if words := kind.get("items", {}).get("enum"):
            limits += f" of {', '.join(words)}"
    meaning = " ".join(str(described.get("description", "")).split())
    return "; ".join(filter(None, (limits, meaning)))


def _limits(kind: Mapping[str, Any]) -> str:
    if "enum" in kind:
        return ", ".join(map(str, kind["enum"]))
    least, above = kind.get("minimum"), kind.get("exclusiveMinimum")
    match kind.get("type"):
        case "boolean":
            return "true or false"
        case "integer" | "number" as name:
            number = "a whole number" if name == "integer" else "a number"
            bottom = f"from {least}" if above is None else f"above {above}"
            return f"{number} {bottom} to {kind['maximum']}" if "maximum" in kind else number
        case "string" if "maxLength" in kind:
            least = f"{kind['minLength']} to" if "minLength" in kind else "at most"
            return f"{least} {kind['maxLength']} characters"
    return ""
