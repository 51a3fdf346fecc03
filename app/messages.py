"""What is said with values in it, in a form that can still be translated where it is shown."""

from collections.abc import Mapping
from typing import Any, Self

from app.languages import noted


class Message(str):
    """A message in English that remembers its template and what was put in."""

    __slots__ = ("template", "values")
    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, values: dict[str, Any]) -> Self:
        """The template with its values put in."""
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made


def said(template: str, /, **values: Any) -> str:  # noqa: ANN401  whatever is put into a text
    """A message of a template such as `A range has at most {years} years.`; marks it for the catalogues.

    Values that are words of ours, such as the noun of what is missing, are translated too.
    """
    return Message(template, values)


def kept(text: str) -> dict[str, Any]:
    """What must be stored of a message for it to be told later: JSON of its `template` and `values`.

    Empty for one without values: that is its own template.
    """
    if not isinstance(text, Message):
        return {}
    values = {
        name: value if isinstance(value, str | int | float) else str(value)
        for name, value in text.values.items()
    }
    return {"template": text.template, "values": values}


NOUNS = (
    noted("unit"),
    noted("person"),
    noted("initiative"),
    noted("milestone"),
    noted("area"),
    noted("reform area"),
    noted("decree"),
    noted("criterion"),
    noted("team role"),
    noted("template"),
    noted("indicator"),
    noted("outcome"),
    noted("strategy"),
    noted("level"),
    noted("progress update"),
)
"""What `said` puts into a message that something is not there."""


def unknown(noun: str) -> tuple[str, str]:
    """Code and words of an error about what is not there; a `noun` is called as tables are."""
    return f"unknown_{noun}", said("There is no such {noun}.", noun=noun.replace("_", " "))


_VALIDATION = {
    "missing": noted("Field required"),
    "extra_forbidden": noted("Extra inputs are not permitted"),
    "string_type": noted("Input should be a valid string"),
    "string_too_long": noted("String should have at most {max_length} character{expected_plural}"),
    "string_too_short": noted(
        "String should have at least {min_length} character{expected_plural}"
    ),
    "string_pattern_mismatch": noted("String should match pattern '{pattern}'"),
    "int_type": noted("Input should be a valid integer"),
    "int_parsing": noted("Input should be a valid integer, unable to parse string as an integer"),
    "int_parsing_size": noted("Unable to parse input string as an integer, exceeded maximum size"),
    "int_from_float": noted("Input should be a valid integer, got a number with a fractional part"),
    "float_type": noted("Input should be a valid number"),
    "float_parsing": noted("Input should be a valid number, unable to parse string as a number"),
    "bool_type": noted("Input should be a valid boolean"),
    "bool_parsing": noted("Input should be a valid boolean, unable to interpret input"),
    "list_type": noted("Input should be a valid list"),
    "dict_type": noted("Input should be a valid dictionary"),
    "model_attributes_type": noted(
        "Input should be a valid dictionary or object to extract fields from"
    ),
    "enum": noted("Input should be {expected}"),
    "literal_error": noted("Input should be {expected}"),
    "less_than_equal": noted("Input should be less than or equal to {le}"),
    "greater_than_equal": noted("Input should be greater than or equal to {ge}"),
    "less_than": noted("Input should be less than {lt}"),
    "greater_than": noted("Input should be greater than {gt}"),
    "too_long": noted(
        "{field_type} should have at most {max_length} item{expected_plural} after validation, "
        "not {actual_length}"
    ),
    "too_short": noted(
        "{field_type} should have at least {min_length} item{expected_plural} after validation, "
        "not {actual_length}"
    ),
    "date_type": noted("Input should be a valid date"),
    "date_parsing": noted("Input should be a valid date in the format YYYY-MM-DD, {error}"),
    "date_from_datetime_parsing": noted("Input should be a valid date or datetime, {error}"),
    "datetime_type": noted("Input should be a valid datetime"),
    "datetime_parsing": noted("Input should be a valid datetime, {error}"),
    "datetime_from_date_parsing": noted("Input should be a valid datetime or date, {error}"),
    "uuid_type": noted("UUID input should be a string, bytes or UUID object"),
    "uuid_parsing": noted("Input should be a valid UUID, {error}"),
    "finite_number": noted("Input should be a finite number"),
    "decimal_parsing": noted("Input should be a valid decimal"),
    "multiple_of": noted("Input should be a multiple of {multiple_of}"),
}
"""What pydantic says, by its type of error, as it is translated; the rest stays in English."""
_COUNTED = ("max_length", "min_length")


def of_validation(found: Mapping[str, Any]) -> str:
    """What pydantic found wrong at a place, as it says it, in a form that can be translated."""
    text: str = found["msg"]
    context: dict[str, Any] = dict(found.get("ctx") or {})
    own = context.get("error")
    if isinstance(own, ValueError) and own.args and isinstance(own.args[0], str):
        return own.args[0]
    template = _VALIDATION.get(found["type"])
    if template is None:
        return text
    number = next((context[name] for name in _COUNTED if name in context), 1)
    made = Message(template, context | {"expected_plural": "" if number == 1 else "s"})
    return made if made == text else text
