"""Everything that can go wrong, as one tree. Services raise; `api/problems.py` renders.

    QuickwinError
    ├── Unauthorized           401  unauthorized
    │   ├── InvalidToken       401  unauthorized
    │   └── SessionEnded       401  unauthorized
    ├── Forbidden              403  forbidden
    │   └── OwnReport          403  own_report
    ├── NotFound               404  not_found
    ├── Conflict               409  conflict
    │   ├── CodeTaken          409  code_taken
    │   ├── SubjectTaken       409  subject_taken
    │   ├── AlreadySuperseded  409  already_superseded
    │   ├── AlreadyGranted     409  already_granted
    │   ├── TokenEnded         409  token_ended
    │   ├── NumberTaken        409  number_taken
    │   ├── InUse              409  in_use
    │   ├── AlreadyRestored    409  already_restored
    │   ├── MissingReference   409  missing_reference
    │   ├── AnswerSealed       409  answer_sealed
    │   ├── UnitCycle          409  unit_cycle
    │   ├── RootUnit           409  root_unit
    │   ├── UnitMerged         409  unit_merged
    │   ├── UnitArchived       409  unit_archived
    │   ├── StatusConflict     409  status_conflict
    │   ├── NotReportable      409  not_reportable
    │   └── NotRateable        409  not_rateable
    ├── StaleVersion           412  stale_version
    ├── Invalid                422  invalid
    │   └── IdempotencyKeyReused 422  idempotency_key_reused
    ├── VersionRequired        428  version_required
    ├── InternalError          500  internal_error
    │   └── SchemaBehind       500  schema_behind
    ├── IssuerUnavailable      503  issuer_unavailable
    └── DatabaseUnavailable    503  database_unavailable
        ├── OutcomeUnknown     503  outcome_unknown
        ├── StorageFull        503  storage_full
        └── TimedOut           503  timeout

A class carries its status, its stable `code` and a title; its docstring is the default detail.
What only HTTP knows is in `api/refusals.py`, what only migrations meet beside them. No message repeats what the client sent.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple, Self

_CHALLENGE = 'Bearer realm="quickwin"'


class FieldError(NamedTuple):
    """One thing wrong with one place of a request."""

    pointer: str
    """JSON pointer into the body (`/milestones/0/weight`), or the name of a query parameter."""
    code: str
    detail: str
    is_parameter: bool = False

    @classmethod
    def found(cls, steps: Iterable[int | str], code: str, message: str) -> "FieldError":
        """What pydantic found at a place of the body; long steps are cut."""
        parts = (str(step).replace("~", "~0").replace("/", "~1")[:100] for step in steps)
        pointer = "".join(f"/{part}" for part in parts)
        return cls(pointer, code, message)

    def below(self, pointer: str) -> "FieldError":
        """The same error where the place is part of something larger."""
        return self._replace(pointer=pointer + self.pointer)


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

    def below(self, pointer: str) -> Self:
        """The same error where the body that it is about is part of something larger."""
        self.errors = tuple(place.below(pointer) for place in self.errors)
        return self


class Unauthorized(QuickwinError):
    """A valid bearer token is needed."""

    status, code, title = 401, "unauthorized", "Who are you?"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": _CHALLENGE})


class InvalidToken(Unauthorized):
    """This bearer token is not valid, or not valid any more."""

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail)
        self.headers["WWW-Authenticate"] = f'{_CHALLENGE}, error="invalid_token"'  # RFC 6750, 3.1


class SessionEnded(Unauthorized):
    """You are not signed in, or not any more."""


class Forbidden(QuickwinError):
    """Your token does not allow this."""

    status, code, title = 403, "forbidden", "Not allowed"


class OwnReport(Forbidden):
    """A report is verified by somebody else than its reporter."""

    code = "own_report"


class NotFound(QuickwinError):
    """There is nothing at this address that you may see."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(QuickwinError):
    """The present state forbids this."""

    status, code, title = 409, "conflict", "Conflict"


class CodeTaken(Conflict):
    """This code is in use already; codes do not distinguish upper and lower case."""

    code = "code_taken"


class NumberTaken(Conflict):
    """Another milestone has this number by now."""

    code = "number_taken"


class SubjectTaken(Conflict):
    """Another person of this service has this OIDC subject already."""

    code = "subject_taken"


class AlreadySuperseded(Conflict):
    """Another report has superseded this one; supersede that one instead."""

    code = "already_superseded"


class AlreadyGranted(Conflict):
    """This person has this role on this unit already."""

    code = "already_granted"


class TokenEnded(Conflict):
    """This token was revoked, or has expired: make another."""

    code = "token_ended"


class InUse(Conflict):
    """Other records refer to this one."""

    code = "in_use"


class AlreadyRestored(Conflict):
    """This has been restored already; if it was deleted again, restore that deletion."""

    code = "already_restored"


class MissingReference(Conflict):
    """Something that this belongs to is deleted itself; restore that first."""

    code = "missing_reference"


class AnswerSealed(Conflict):
    """This was done under this Idempotency-Key; its answer shows a secret, to that token alone."""

    code = "answer_sealed"


class UnitCycle(Conflict):
    """A unit cannot be moved below, or merged into, itself or a unit below it."""

    code = "unit_cycle"


class RootUnit(Conflict):
    """The root unit stands for the institution: it cannot be moved, merged, archived or deleted."""

    code = "root_unit"


class UnitMerged(Conflict):
    """This unit has been merged into another: it can be neither restored nor merged again."""

    code = "unit_merged"


class UnitArchived(Conflict):
    """The unit is archived: it takes nothing back; restore the unit first."""

    code = "unit_archived"


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


class IdempotencyKeyReused(Invalid):
    """This Idempotency-Key stands for another request; a new request takes a new key."""

    code, title = "idempotency_key_reused", "Idempotency-Key reused"


class VersionRequired(QuickwinError):
    """Send If-Match with the ETag that you read, or * to overwrite whatever is there."""

    status, code, title = 428, "version_required", "If-Match required"


class InternalError(QuickwinError):
    """Something went wrong on our side; quote `instance` when you report it."""


class SchemaBehind(InternalError):
    """The schema is older than this release: run `quickwin db upgrade` as the owner of the tables."""

    code, title = "schema_behind", "Schema is behind"


class IssuerUnavailable(QuickwinError):
    """The token cannot be checked, since its issuer does not answer at the moment. Try again."""

    status, code, title = 503, "issuer_unavailable", "Issuer unavailable"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "5"})


class DatabaseUnavailable(QuickwinError):
    """The database does not answer at the moment; nothing was written. Try again."""

    status, code, title = 503, "database_unavailable", "Database unavailable"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


class OutcomeUnknown(DatabaseUnavailable):
    """The database went away while this was committed: see whether it is there before you repeat it."""

    code, title = "outcome_unknown", "Outcome unknown"


class StorageFull(DatabaseUnavailable):
    """The database has no space left; nothing was written, and what is there can be read."""

    code, title = "storage_full", "Storage full"


class TimedOut(DatabaseUnavailable):
    """This took longer than a request may take; nothing was written."""

    code, title = "timeout", "Timed out"
