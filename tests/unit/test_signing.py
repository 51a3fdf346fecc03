"""Signatures, against the specification's own example, and secrets that only their key opens."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.fernet import InvalidToken

from app.services import sealing, signing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1_614_265_330, UTC)
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""Of the reference implementations' tests, for this body."""
BODY = '{"test": 2432232314}'


@pytest.mark.parametrize("at", [AT, AT.astimezone(timezone(timedelta(hours=7)))])
def test_the_vector_of_the_specification(at: datetime) -> None:
    assert signing.signatures([SECRET], MESSAGE, at, BODY) == SIGNATURE


def test_each_secret_signs() -> None:
    other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    both = signing.signatures([other, SECRET], MESSAGE, AT, BODY).split(" ")
    assert both[1] == SIGNATURE
    assert both[0] == signing.signatures([other], MESSAGE, AT, BODY) != SIGNATURE


def test_what_is_sealed_opens_with_its_own_key_purpose_and_place() -> None:
    sealed = sealing.cipher("service", b"webhook", b"1").encrypt(b"secret")
    assert sealing.cipher("service", b"webhook", b"1").decrypt(sealed) == b"secret"
    for secret, purpose, salt in (
        ("other", b"webhook", b"1"),
        ("service", b"idempotency", b"1"),
        ("service", b"webhook", b"2"),
    ):
        with pytest.raises(InvalidToken):
            sealing.cipher(secret, purpose, salt).decrypt(sealed)
