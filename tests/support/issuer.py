"""A real OIDC issuer on this machine: it publishes keys over HTTP, signs tokens, and signs people in.

Keys and signatures are made with `cryptography` alone, so that what the tests expect does not
rest on the library that the application checks with; and so that it can sign what no library would.
"""

import json
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Json = dict[str, Any]
AUDIENCE = "https://quickwin.example/api"
CLIENT = "quickwin-pages"
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
        self.codes: dict[str, Json] = {}
        """What was asked for by whom each code was given to; a code is taken once."""
        self.redeemed: list[Json] = []
        """The forms that came to the token endpoint, with who sent them."""
        self.given: list[str] = []
        """The ID tokens that it gave."""
        self.secret: str | None = None
        """The client's, where it has one."""
        self.signs_in: Json = {}
        """Claims of whoever signs in, in place of the plain ones."""
        self.alters_id_token: Callable[[Json], str] | None = None
        """Signs an ID token in place of `signed`, as no issuer should."""

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

    def authorize(self, url: str, **said: str) -> str:
        """Where a browser is sent back to that came to sign in, and did so; `said` changes what is."""
        asked = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}-{time.time_ns()}"
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.url} | said
        return f"{asked['redirect_uri']}?{urlencode({k: v for k, v in back.items() if v != ''})}"

    def redeem(self, form: Json, sender: str | None) -> tuple[int, dict[str, str], bytes]:
        """What the token endpoint answers."""
        self.redeemed.append({**form, "sender": sender})
        asked = self.codes.pop(form.get("code", ""), None)
        password = f"{CLIENT}:{quote(self.secret or '', safe='')}"
        basic = f"Basic {b64encode(password.encode()).decode()}"
        known = sender == basic if self.secret else form.get("client_id") == CLIENT
        challenge = sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or not known
            or asked["redirect_uri"] != form["redirect_uri"]
            or asked["code_challenge"] != encoded(challenge)
        ):
            return 400, {}, b'{"error": "invalid_grant"}'
        claims = self.claims(aud=CLIENT, nonce=asked["nonce"], client_id=..., **self.signs_in)
        sign = self.alters_id_token or (lambda claims: self.signed(claims, header={"typ": "JWT"}))
        self.given.append(sign(claims))
        tokens = {"access_token": "opaque", "token_type": "Bearer", "id_token": self.given[-1]}
        return 200, {"Content-Type": "application/json"}, json.dumps(tokens).encode()

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """What is at a path."""
        self.asked.append(path)
        time.sleep(self.delay)
        if path in self.answers:
            return self.answers[path]
        document: Json
        if path == DISCOVERY:
            document = {
                "issuer": self.url, "jwks_uri": f"{self.url}/jwks",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "authorization_response_iss_parameter_supported": True,
            } | self.described  # fmt: skip
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
            self._answer(*issuer.answer(self.path))

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            form = dict(parse_qsl(self.rfile.read(size).decode(), strict_parsing=True))
            if self.path in issuer.answers:
                status, headers, body = issuer.answers[self.path]
            else:
                status, headers, body = issuer.redeem(form, self.headers["Authorization"])
            self._answer(status, headers, body)

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
