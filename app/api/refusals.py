"""What HTTP itself refuses: more leaves of the tree in `app/errors.py`.

QuickwinError
├── Unreadable
│   └── MalformedRequest   400  malformed_request
├── SlowRequest            408  request_timeout
├── AddressTooLong         414  address_too_long
├── RateLimited            429  rate_limited
└── HeadTooLarge           431  head_too_large
"""

from app.errors import QuickwinError, Unreadable


class MalformedRequest(Unreadable):
    """The request is not well-formed HTTP."""

    code = "malformed_request"


class SlowRequest(QuickwinError):
    """The request did not arrive in time; the connection is closed."""

    status, code, title = 408, "request_timeout", "Request too slow"


class AddressTooLong(QuickwinError):
    """The address with its parameters is longer than this service reads."""

    status, code, title = 414, "address_too_long", "Address too long"


class RateLimited(QuickwinError):
    """Too many requests; wait as long as Retry-After says."""

    status, code, title = 429, "rate_limited", "Too many requests"


class HeadTooLarge(QuickwinError):
    """The header fields are larger than this service reads."""

    status, code, title = 431, "head_too_large", "Header fields too large"
