"""What goes wrong between a program and a server.

    Failure
    ├── Unreachable          nothing was answered
    ├── NotUnderstood        the answer is not one of Quickwin's
    └── Refused              a problem (RFC 9457), with its stable `code`
        ├── Unauthorized     401
        ├── Forbidden        403
        ├── NotFound         404
        ├── Conflict         409
        ├── StaleVersion     412
        ├── Invalid          422
        ├── RateLimited      429
        └── Unavailable      503

All other refusals are plain `Refused`. What cannot even be asked is a ValueError, `Unsayable`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.schemas.problems import Problem, ProblemField


class Unsayable(ValueError):
    """What was given cannot be sent: a name that leads elsewhere, or a value that JSON lacks."""


class Failure(Exception):
    """A call failed."""

    status: int | None = None
    """HTTP status of the answer, if there was one."""
    retry_after: float = 0.0
    """Seconds that the server wants to be left alone; 0 if it did not say."""


class Unreachable(Failure):
    """The server did not answer, or its answer got lost."""

    def __init__(self, detail: str, *, was_sent: bool) -> None:
        super().__init__(detail)
        self.was_sent = was_sent
        """False: the server never saw the request. True: it may have done what was asked."""


class NotUnderstood(Failure):
    """What was answered is not what Quickwin answers: another server, a proxy, or another release."""

    def __init__(self, status: int, detail: str, retry_after: float = 0.0) -> None:
        super().__init__(f"{detail} (status {status})")
        self.status = status
        self.retry_after = retry_after


class Refused(Failure):
    """The server said no, and why."""

    status: int

    def __init__(self, problem: Problem, retry_after: float = 0.0) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.status = problem.status
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        """Stable name of the kind of error."""
        return self.problem.code

    @property
    def detail(self) -> str:
        """What went wrong, for people."""
        return self.problem.detail

    @property
    def errors(self) -> list[ProblemField]:
        """Where the request is wrong: each has a `pointer` into the body, or a `parameter`."""
        return self.problem.errors

    def __str__(self) -> str:
        places = "; ".join(f"{e.pointer or e.parameter}: {e.detail}" for e in self.errors)
        return f"{places or self.detail} ({self.code})"


class Unauthorized(Refused):
    """The token is not valid, or not valid any more."""


class Forbidden(Refused):
    """The token does not allow this."""


class NotFound(Refused):
    """It is not there, or not for you."""


class Conflict(Refused):
    """The present state forbids this."""


class StaleVersion(Refused):
    """It has changed since you read it: read it again."""


class Invalid(Refused):
    """The request is not valid; `errors` says where."""


class RateLimited(Refused):
    """Too many requests; wait as long as `retry_after` says."""


class Unavailable(Refused):
    """The server cannot do this at the moment."""


_BY_STATUS: Mapping[int, type[Refused]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: StaleVersion,
    422: Invalid,
    429: RateLimited,
    503: Unavailable,
}


def refused(problem: Problem, retry_after: str | None) -> Refused:
    """The failure that a problem tells; `retry_after` is the header field."""
    return _BY_STATUS.get(problem.status, Refused)(problem, seconds(retry_after))


def seconds(retry_after: str | None) -> float:
    """How long `Retry-After` says to wait: it has seconds, or an HTTP date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return 0.0
    if retry_after.isdecimal() and retry_after.isascii():
        return float(retry_after[:9])
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
