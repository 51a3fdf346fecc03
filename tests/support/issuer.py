"""A real OIDC issuer on this machine: it publishes keys over HTTP and signs tokens with them.

Keys and signatures are made with `cryptography` alone, so that what the tests expect does not
rest on the library that the application checks with; and so that it can sign what no library would.
"""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Json = dict[str, Any]
AUDIENCE = "https://quickwin.example/api"
DISCOVERY = "/.well-known/openid-configuration"


def encoded(content: bytes | Json) -> str:
    """Base64url without padding, of JSON where it is not bytes."""
    plain = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urlsafe_b64encode(plain).rstrip(b"=").decode()


def _number(value: int, size: int) -> str:
    return encoded(value.to_bytes(size, "big"))


class RsaKey:
    """An RSA key, published for RS256."""

    def __init__(self, kid: str, bits: int = 2048) -> None:
        self.kid, self.alg = kid, "RS256"
        self._private = rsa.generate_private_key(65537, bits)

    @property
    def jwk(self) -> Json:
        """The public key as it is published."""
        numbers = self._private.public_key().public_numbers()
        return {
            "kty": "RSA", "use": "sig", "alg": self.alg, "kid": self.kid, "e": "AQAB",
            "n": _number(numbers.n, (numbers.n.bit_length() + 7) // 8),
        }  # fmt: skip

    @property
    def pem(self) -> bytes:
        """The public key as a file."""
        return self._private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, content: bytes) -> bytes:
        """A signature by RS256."""
        return self._private.sign(content, padding.PKCS1v15(), SHA256())


class EcKey:
    """A key on an elliptic curve, published for ES256 unless said otherwise."""

    def __init__(
        self,
        kid: str,
        curve: ec.EllipticCurve | None = None,
        crv: str = "P-256",
        alg: str = "ES256",
    ) -> None:
        self.kid, self.crv, self.alg = kid, crv, alg
        self._private = ec.generate_private_key(curve or ec.SECP256R1())
        self._size = (self._private.curve.key_size + 7) // 8

    @property
    def jwk(self) -> Json:
        """The public key as it is published."""
        numbers = self._private.public_key().public_numbers()
        return {
            "kty": "EC", "use": "sig", "alg": self.alg, "kid": self.kid, "crv": self.crv,
            "x": _number(numbers.x, self._size), "y": _number(numbers.y, self._size),
        }  # fmt: skip

    def sign(self, content: bytes) -> bytes:
        """A signature with SHA-256, both numbers at their full length."""
        der = self._private.sign(content, ec.ECDSA(SHA256()))
        return b"".join(number.to_bytes(self._size, "big") for number in decode_dss_signature(der))


Key = RsaKey | EcKey


class LocalIssuer:
    """What the issuer publishes, which a test may change, and what it was asked for."""

    url: str

    def __init__(self) -> None:
        self.rsa, self.ec = RsaKey("rsa-1"), EcKey("ec-1")
        self.restore()

    def restore(self) -> None:
        """Everything as it is when all is well, and nothing asked for yet."""
        self.keys: list[Json] = [self.rsa.jwk, self.ec.jwk]
        self.described: Json = {}
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        """Answers in place of the true ones, by path."""
        self.delay = 0.0
        self.asked: list[str] = []

    def claims(self, **changed: Any) -> Json:
        """Claims of a good token, with changes; a claim that is `...` is left out."""
        now = int(time.time())
        plain = {
            "iss": self.url, "aud": AUDIENCE, "sub": "subject-of-nobody", "client_id": "web",
            "iat": now, "nbf": now, "exp": now + 300, "jti": "1",
        }  # fmt: skip
        return {name: value for name, value in (plain | changed).items() if value is not ...}

    def token(self, key: Key | None = None, header: Json | None = None, **claims: Any) -> str:
        """A token signed with a key; `header` changes its header."""
        return self.signed(self.claims(**claims), key, header)

    def signed(
        self, payload: Json | bytes, key: Key | None = None, header: Json | bytes | None = None
    ) -> str:
        """A token with whatever payload and header, truly signed."""
        signer = key or self.rsa
        if not isinstance(header, bytes):
            plain: Json = {"alg": signer.alg, "kid": signer.kid, "typ": "at+jwt"} | (header or {})
            header = json.dumps({k: v for k, v in plain.items() if v is not ...}).encode()
        content = f"{encoded(header)}.{encoded(payload)}"
        return f"{content}.{encoded(signer.sign(content.encode()))}"

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """What is at a path."""
        self.asked.append(path)
        time.sleep(self.delay)
        if path in self.answers:
            return self.answers[path]
        document: Json
        if path == DISCOVERY:
            document = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"} | self.described
        elif path == "/jwks":
            document = {"keys": self.keys}
        else:
            return 404, {}, b""
        return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


@contextmanager
def running_issuer() -> Iterator[LocalIssuer]:
    """An issuer on a free port of this machine, until the block ends."""
    issuer = LocalIssuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = issuer.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  its name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
