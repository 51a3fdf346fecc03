"""Everything that can go wrong, as one tree. Services raise; `api/problems.py` renders.

    QuickwinError
    ├── Unreadable             400  malformed_body
    │   └── MalformedRequest   400  malformed_request
    ├── Unauthorized           401  unauthorized
    ├── Forbidden              403  forbidden
    │   └── OwnReport          403  own_report
    ├── NotFound               404  not_found
    ├── MethodNotAllowed       405  method_not_allowed
    ├── SlowRequest            408  request_timeout
    ├── Conflict               409  conflict
    │   ├── CodeTaken          409  code_taken
    │   ├── AlreadySuperseded  409  already_superseded
    │   ├── InUse              409  in_use
    │   ├── UnitCycle          409  unit_cycle
    │   ├── RootUnit           409  root_unit
    │   ├── UnitMerged         409  unit_merged
    │   ├── StatusConflict     409  status_conflict
    │   ├── NotReportable      409  not_reportable
    │   └── NotRateable        409  not_rateable
    ├── StaleVersion           412  stale_version
    ├── TooLarge               413  too_large
    ├── AddressTooLong         414  address_too_long
    ├── UnsupportedMediaType   415  unsupported_media_type
    ├── Invalid                422  invalid
    ├── VersionRequired        428  version_required
    ├── RateLimited            429  rate_limited
    ├── HeadTooLarge           431  head_too_large
    ├── InternalError          500  internal_error
    ├── DatabaseUnavailable    503  database_unavailable
    └── TimedOut               503  timeout

A class carries its status, its stable `code` and a title; its docstring is the default detail.
No message repeats what the client sent.
"""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """One thing wrong with one place of a request."""

    pointer: str
    """JSON pointer into the body (`/milestones/0/weight`), or the name of a query parameter."""
    code: str
    detail: str
    is_parameter: bool = False


class QuickwinError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.errors = errors
        self.headers = dict(headers or {})
        super().__init__(self.detail)


class Unreadable(QuickwinError):
    """The request body is not readable as JSON."""

    status, code, title = 400, "malformed_body", "Unreadable request"


class MalformedRequest(Unreadable):
    """The request is not well-formed HTTP."""

    code = "malformed_request"


class Unauthorized(QuickwinError):
    """A valid bearer token is needed."""

    status, code, title = 401, "unauthorized", "Who are you?"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="quickwin"'})


class Forbidden(QuickwinError):
    """Your token does not allow this."""

    status, code, title = 403, "forbidden", "Not allowed"


class OwnReport(Forbidden):
    """A report is verified by somebody else than its reporter."""

    code = "own_report"


class NotFound(QuickwinError):
    """There is nothing at this address that you may see."""

    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(QuickwinError):
    """This address does not answer this method; see the Allow header."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class SlowRequest(QuickwinError):
    """The request did not arrive in time; the connection is closed."""

    status, code, title = 408, "request_timeout", "Request too slow"


class Conflict(QuickwinError):
    """The present state forbids this."""

    status, code, title = 409, "conflict", "Conflict"


class CodeTaken(Conflict):
    """This code is in use already; codes do not distinguish upper and lower case."""

    code = "code_taken"


class AlreadySuperseded(Conflict):
    """Another report has superseded this one; supersede that one instead."""

    code = "already_superseded"


class InUse(Conflict):
    """Other records refer to this one."""

    code = "in_use"


class UnitCycle(Conflict):
    """A unit cannot be moved below, or merged into, itself or a unit below it."""

    code = "unit_cycle"


class RootUnit(Conflict):
    """The root unit stands for the institution: it cannot be moved, merged, archived or deleted."""

    code = "root_unit"


class UnitMerged(Conflict):
    """This unit has been merged into another: it can be neither restored nor merged again."""

    code = "unit_merged"


class StatusConflict(Conflict):
    """This change of status is not possible from the present state."""

    code = "status_conflict"


class NotReportable(Conflict):
    """Progress cannot be reported here in the present state."""

    code = "not_reportable"


class NotRateable(Conflict):
    """This cannot be judged in the present state."""

    code = "not_rateable"


class StaleVersion(QuickwinError):
    """The resource has changed since the version named in If-Match."""

    status, code, title = 412, "stale_version", "Stale version"


class TooLarge(QuickwinError):
    """The request body is larger than this service accepts."""

    status, code, title = 413, "too_large", "Body too large"


class AddressTooLong(QuickwinError):
    """The address with its parameters is longer than this service reads."""

    status, code, title = 414, "address_too_long", "Address too long"


class UnsupportedMediaType(QuickwinError):
    """Send the body as application/json in UTF-8 (PATCH also as application/merge-patch+json)."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class Invalid(QuickwinError):
    """The request is readable, but not valid; `errors` says where."""

    status, code, title = 422, "invalid", "Invalid request"

    @classmethod
    def field(cls, pointer: str, code: str, detail: str) -> "Invalid":
        """One error at one place of the body."""
        return cls(errors=(FieldError(pointer, code, detail),))

    @classmethod
    def parameter(cls, name: str, code: str, detail: str) -> "Invalid":
        """One error in one query parameter."""
        return cls(errors=(FieldError(name, code, detail, is_parameter=True),))


class VersionRequired(QuickwinError):
    """Send If-Match with the ETag that you read, or * to overwrite whatever is there."""

    status, code, title = 428, "version_required", "If-Match required"


class RateLimited(QuickwinError):
    """Too many requests; wait as long as Retry-After says."""

    status, code, title = 429, "rate_limited", "Too many requests"


class HeadTooLarge(QuickwinError):
    """The header fields are larger than this service reads."""

    status, code, title = 431, "head_too_large", "Header fields too large"


class InternalError(QuickwinError):
    """Something went wrong on our side; quote `instance` when you report it."""


class DatabaseUnavailable(QuickwinError):
    """The database does not answer at the moment; nothing was written. Try again."""

    status, code, title = 503, "database_unavailable", "Database unavailable"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


class TimedOut(QuickwinError):
    """This took longer than a request may take; nothing was written."""

    status, code, title = 503, "timeout", "Timed out"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "5"})
