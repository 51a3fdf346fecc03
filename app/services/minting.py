"""What a token looks like: `qw_<id>_<secret><checksum>`, all letters and digits.

The id says which token it is, so that one that is found somewhere can be revoked by whoever finds
it. The checksum (CRC-32 of all before it, in base 62) lets a scanner for leaked secrets tell a token
from noise, and lets the service refuse a mistyped one without asking the database.
"""

import re
import secrets
import string
import zlib
from uuid import UUID

_DIGITS = string.digits + string.ascii_letters
_ID, _SECRET, _CHECKSUM = 22, 40, 6  # 40 digits of base 62 are 238 random bits
_FORM = re.compile(
    rf"(qw_[0-9A-Za-z]{{{_ID}}}_[0-9A-Za-z]{{{_SECRET}}})([0-9A-Za-z]{{{_CHECKSUM}}})"
)


def mint(token_id: UUID, kind: str = "qw") -> str:
    """A new token of this id; other kinds of secrets begin with another word."""
    secret = "".join(secrets.choice(_DIGITS) for _ in range(_SECRET))
    body = f"{kind}_{_base62(token_id.int, _ID)}_{secret}"
    return body + _checksum(body)


def is_mistyped(token: str) -> bool:
    """Whether a text has a token's form, but a wrong checksum."""
    found = _FORM.fullmatch(token)
    return found is not None and found[2] != _checksum(found[1])


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
