"""What only HTTP refuses: requests that never reach a verb.

QuickwinError
├── Unreadable             400  malformed_body
│   └── MalformedRequest   400  malformed_request
├── Forbidden              403  forbidden
│   ├── CrossSite          403  cross_site
│   └── SecureOnly         403  secure_only
├── MethodNotAllowed       405  method_not_allowed
├── SlowRequest            408  request_timeout
├── TooLarge               413  too_large
├── AddressTooLong         414  address_too_long
├── UnsupportedMediaType   415  unsupported_media_type
│   └── UnsupportedFileType 415 unsupported_media_type
├── RangeNotSatisfiable    416  range_not_satisfiable
├── TooManyRows            422  too_many_rows
├── RateLimited            429  rate_limited
├── HeadTooLarge           431  head_too_large
└── TooManyStreams         503  too_many_streams
"""

from app.errors import Forbidden, QuickwinError


class Unreadable(QuickwinError):
    """The request body is not readable as JSON."""

    status, code, title = 400, "malformed_body", "Unreadable request"


class MalformedRequest(Unreadable):
    """The request is not well-formed HTTP."""

    code = "malformed_request"


class CrossSite(Forbidden):
    """This was sent by another site's page: begin from a page of this service."""

    code = "cross_site"


class SecureOnly(Forbidden):
    """Signing in takes https, so that nobody reads along, or a browser on the server's own machine."""

    code = "secure_only"


class MethodNotAllowed(QuickwinError):
    """This address does not answer this method; see the Allow header."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class SlowRequest(QuickwinError):
    """The request did not arrive in time; the connection is closed."""

    status, code, title = 408, "request_timeout", "Request too slow"


class TooLarge(QuickwinError):
    """The request body is larger than this service accepts."""

    status, code, title = 413, "too_large", "Body too large"


class AddressTooLong(QuickwinError):
    """The address with its parameters is longer than this service reads."""

    status, code, title = 414, "address_too_long", "Address too long"


class UnsupportedMediaType(QuickwinError):
    """Send the body as application/json in UTF-8 (PATCH also as application/merge-patch+json)."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class UnsupportedFileType(UnsupportedMediaType):
    """Send the file itself, with a type that the document of this address names."""


class RangeNotSatisfiable(QuickwinError):
    """The part that is asked for begins behind the end of this file."""

    status, code, title = 416, "range_not_satisfiable", "No such part"


class TooManyRows(QuickwinError):
    """These are more rows than a spreadsheet takes: filter, or take CSV or JSON Lines."""

    status, code, title = 422, "too_many_rows", "Too many rows"


class RateLimited(QuickwinError):
    """Too many requests; wait as long as Retry-After says."""

    status, code, title = 429, "rate_limited", "Too many requests"


class HeadTooLarge(QuickwinError):
    """The header fields are larger than this service reads."""

    status, code, title = 431, "head_too_large", "Header fields too large"


class TooManyStreams(QuickwinError):
    """This server has as many event streams as it can serve, or is about to stop; try again."""

    status, code, title = 503, "too_many_streams", "Too many streams"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})
