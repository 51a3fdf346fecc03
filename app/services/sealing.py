"""Sealing: what must be readable later, but not by whoever has the database alone."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def cipher(secret: str, purpose: bytes, salt: bytes) -> Fernet:
    """A cipher whose key follows from a secret of over 128 bits, for one purpose and one thing."""
    derived = HKDF(SHA256(), 32, salt=salt, info=b"quickwin " + purpose).derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
