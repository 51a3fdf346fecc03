"""The shape of every error (RFC 9457)."""

from collections.abc import Callable
from uuid import uuid4

from pydantic import Field

from app.errors import FieldError, QuickwinError
from app.schemas.fields import Shape

Say = Callable[[str], str]
"""Translates a message for whoever reads it; English, if nobody does."""


def _absent(value: object) -> bool:
    return value is None


class ProblemField(Shape):
    """One thing wrong with one place of the request."""

    pointer: str | None = Field(default=None, exclude_if=_absent)
    """JSON pointer into the body."""
    parameter: str | None = Field(default=None, exclude_if=_absent)
    """Name of the parameter, where it is not the body that is wrong."""
    code: str
    """Stable name of what is wrong."""
    detail: str
    """What is wrong, for people."""

    @classmethod
    def of(cls, place: FieldError, say: Say = str) -> "ProblemField":
        """An error at one place, as it is told in a language."""
        named = {"parameter" if place.is_parameter else "pointer": place.pointer}
        return cls(code=place.code, detail=say(place.detail), **named)


class Problem(Shape):
    """An error, as `application/problem+json`."""

    type: str
    """`urn:quickwin:problem:` and the code."""
    title: str
    status: int
    """The HTTP status again."""
    detail: str
    """What went wrong, for people; never repeats what was sent."""
    instance: str
    """Names this occurrence: `urn:uuid:…`, also in the server's log."""
    request_id: str | None = Field(default=None, exclude_if=_absent)
    """The request's `X-Request-ID`, also in the server's log."""
    code: str
    """Stable name of the kind of error, for programs."""
    errors: list[ProblemField] = Field(default_factory=list)
    """Where the request is wrong, if that is known."""

    @classmethod
    def of(cls, error: QuickwinError, request_id: str | None) -> "Problem":
        """An error as it is told in English; each occurrence gets a name of its own."""
        return cls(
            type=f"urn:quickwin:problem:{error.code}",
            title=error.title,
            status=error.status,
            detail=error.detail,
            instance=f"urn:uuid:{uuid4()}",
            request_id=request_id,
            code=error.code,
            errors=[ProblemField.of(place) for place in error.errors],
        )

    def told(self, error: QuickwinError, say: Say) -> "Problem":
        """The same occurrence of an error in another language."""
        places = [ProblemField.of(place, say) for place in error.errors]
        said = {"title": say(error.title), "detail": say(error.detail), "errors": places}
        return self.model_copy(update=said)
