"""The shape of every error (RFC 9457)."""

from pydantic import Field

from app.schemas.fields import Shape


class ProblemField(Shape):
    """One thing wrong with one place of the request."""

    pointer: str | None = None
    """JSON pointer into the body."""
    parameter: str | None = None
    """Name of the parameter, where it is not the body that is wrong."""
    code: str
    """Stable name of what is wrong."""
    detail: str
    """What is wrong, for people."""


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
    request_id: str
    """The request's `X-Request-ID`, also in the server's log."""
    code: str
    """Stable name of the kind of error, for programs."""
    errors: list[ProblemField] = Field(default_factory=list)
    """Where the request is wrong, if that is known."""
