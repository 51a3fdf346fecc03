"""Access tokens that must not let anybody in, each wrong in one way."""

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Relying
from tests.conftest import Clients
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution, Json
from tests.support.issuer import AUDIENCE, EcKey, LocalIssuer, RsaKey, encoded

HOUR = 3_600


@pytest.fixture(scope="module")
async def victim(
    relying_app: Relying, running: LocalIssuer, clients: Clients, checked: CheckedTransport
) -> AsyncIterator[str]:
    """The subject of somebody who may come in; the issuer's keys are known already."""
    institution = Institution(f"victims-{uuid4().hex[:8]}", clients.operator, checked)
    await institution.create()
    subject = f"6f1c|{institution.code}"
    await institution.patch("people/reporter", {"oidc_subject": subject})
    running.restore()
    await relying_app.configure()
    assert await relying_app.status(running.token(sub=subject)) == 200
    running.answers["/stolen"] = (200, {}, json.dumps({"keys": [RsaKey("rsa-1").jwk]}).encode())
    yield subject
    await institution.close()


def by_hmac(issuer: LocalIssuer, subject: str, secret: bytes, alg: str = "HS256") -> str:
    header = {"alg": alg, "kid": issuer.rsa.kid, "typ": "at+jwt"}
    content = f"{encoded(header)}.{encoded(issuer.claims(sub=subject))}"
    return f"{content}.{encoded(hmac.digest(secret, content.encode(), hashlib.sha256))}"


def unsigned_as(alg: str) -> Callable[[LocalIssuer, str], str]:
    header = {"alg": alg, "kid": "rsa-1", "typ": "at+jwt"}
    return lambda issuer, subject: f"{encoded(header)}.{encoded(issuer.claims(sub=subject))}."


def self_named(issuer: LocalIssuer, subject: str, **named: object) -> str:
    """Signed with a key of the attacker's, which the header names."""
    own = RsaKey(issuer.rsa.kid)
    return issuer.token(
        own, {name: own.jwk if at == "key" else at for name, at in named.items()}, sub=subject
    )


def tampered(issuer: LocalIssuer, subject: str) -> str:
    header, _, signature = issuer.token(sub="somebody").split(".")
    return f"{header}.{encoded(issuer.claims(sub=subject))}.{signature}"


def cut(issuer: LocalIssuer, subject: str, signature: Callable[[str], str]) -> str:
    content, _, signed = issuer.token(sub=subject).rpartition(".")
    return f"{content}.{signature(signed)}"


def twice(issuer: LocalIssuer, subject: str, name: str) -> str:
    """A claim that is there twice; whoever takes the last would let it pass."""
    claims = json.dumps(issuer.claims(sub=subject))
    return issuer.signed(f'{{"{name}": "other", {claims[1:]}'.encode())


def header_twice(issuer: LocalIssuer, subject: str) -> str:
    header = b'{"alg": "none", "alg": "RS256", "kid": "rsa-1", "typ": "at+jwt"}'
    return issuer.signed(issuer.claims(sub=subject), header=header)


def with_claims(**changed: Any) -> Callable[[LocalIssuer, str], str]:
    return lambda issuer, subject: issuer.token(**{"sub": subject} | changed)


def with_header(**changed: Any) -> Callable[[LocalIssuer, str], str]:
    return lambda issuer, subject: issuer.token(header=changed, sub=subject)


def with_payload(content: bytes) -> Callable[[LocalIssuer, str], str]:
    return lambda issuer, _: issuer.signed(content + b" " * 200)


def spelt(issuer: LocalIssuer, subject: str) -> str:
    """The same bytes in another spelling: of the last letter only two bits count."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = issuer.token(issuer.ec, sub=subject)
    return token[:-1] + letters[letters.index(token[-1]) + 1]


NOW = time.time()
ATTACKS: dict[str, Callable[[LocalIssuer, str], str]] = {
    **{f"alg {alg}": unsigned_as(alg)
       for alg in ("none", "None", "NONE", "nOnE", "", "RS256", "ES256")},
    "hmac with the public key": lambda i, s: by_hmac(i, s, i.rsa.pem),
    "hmac with its bare text": lambda i, s: by_hmac(i, s, i.rsa.pem.strip()),
    "hmac with the published key": lambda i, s: by_hmac(i, s, json.dumps(i.rsa.jwk).encode()),
    "hmac called RS256": lambda i, s: by_hmac(i, s, i.rsa.pem, "RS256"),
    "hmac with nothing": lambda i, s: by_hmac(i, s, b""),
    "key in jwk": lambda i, s: self_named(i, s, jwk="key"),
    "key at jku": lambda i, s: self_named(i, s, jku=f"{i.url}/stolen"),
    "key at x5u": lambda i, s: self_named(i, s, x5u=f"{i.url}/stolen"),
    "own key": self_named,
    "crit": with_header(crit=["exp"], exp=int(NOW) + HOUR),
    "crit unknown": with_header(crit=["urn:x"], **{"urn:x": 1}),
    "crit empty": with_header(crit=[]),
    "crit no list": with_header(crit=7),
    "b64": with_header(b64=False),
    "alg a list": with_header(alg=["RS256"]),
    "alg a number": with_header(alg=1),
    "no alg": with_header(alg=...),
    "RS512": with_header(alg="RS512"),
    "PS256": with_header(alg="PS256"),
    "rs256": with_header(alg="rs256"),
    "ES256 by an RSA key": with_header(alg="ES256"),
    "RS256 by an EC key": lambda i, s: i.token(i.ec, {"alg": "RS256"}, sub=s),
    "RSA token by the EC key's name": with_header(kid="ec-1"),
    "EC token by the RSA key's name": lambda i, s: i.token(i.ec, {"kid": "rsa-1"}, sub=s),
    "unknown kid": with_header(kid="rsa-2"),
    "no kid": with_header(kid=...),
    "kid a number": with_header(kid=1),
    "kid null": with_header(kid=None),
    "kid a path": with_header(kid="../../../../dev/null"),
    "kid a statement": with_header(kid="x' UNION SELECT 'key"),
    "header no object": lambda i, s: i.signed(i.claims(sub=s), header=b'["RS256"]'),
    "header no JSON": lambda i, s: i.signed(i.claims(sub=s), header=b"\xff\xfe"),
    "header deep": lambda i, s: i.signed(i.claims(sub=s), header=b"[" * 5_000),
    "header twice": header_twice,
    "typ JWT": with_header(typ="JWT"),
    "no typ": with_header(typ=...),
    "typ null": with_header(typ=None),
    "typ a list": with_header(typ=["at+jwt"]),
    "typ of a logout": with_header(typ="logout+jwt"),
    "iss of another": with_claims(iss="https://login.example"),
    "iss with a slash": lambda i, s: i.token(sub=s, iss=i.url + "/"),
    "iss in capitals": lambda i, s: i.token(sub=s, iss=i.url.upper()),
    "iss a list": lambda i, s: i.token(sub=s, iss=[i.url]),
    "no iss": with_claims(iss=...),
    "aud of another": with_claims(aud="https://other.example"),
    "aud begins alike": with_claims(aud=f"{AUDIENCE}/more"),
    "aud a list without ours": with_claims(aud=["account", "https://other.example"]),
    "aud an empty list": with_claims(aud=[]),
    "aud a list of lists": with_claims(aud=[[AUDIENCE]]),
    "aud an object": with_claims(aud={AUDIENCE: True}),
    "aud a number": with_claims(aud=1),
    "no aud": with_claims(aud=...),
    "expired": with_claims(exp=int(NOW) - HOUR),
    "no exp": with_claims(exp=...),
    "exp null": with_claims(exp=None),
    "exp text": with_claims(exp=str(int(NOW) + HOUR)),
    "exp true": with_claims(exp=True),
    "exp a list": with_claims(exp=[int(NOW) + HOUR]),
    "exp NaN": with_claims(exp=float("nan")),
    "exp infinite": with_claims(exp=float("inf")),
    "exp before there was time": with_claims(exp=-(10**30)),
    "nbf to come": with_claims(nbf=int(NOW) + HOUR),
    "nbf text": with_claims(nbf="0"),
    "iat to come": with_claims(iat=int(NOW) + HOUR),
    "iat text": with_claims(iat="0"),
    "no iat": with_claims(iat=...),
    "no sub": with_claims(sub=...),
    "sub empty": with_claims(sub=""),
    "sub null": with_claims(sub=None),
    "sub a number": with_claims(sub=7),
    "sub a list": lambda i, s: i.token(sub=[s]),
    "sub an object": lambda i, s: i.token(sub={"$ne": s}),
    "sub in capitals": lambda i, s: i.token(sub=s.upper()),
    "sub with a space": lambda i, s: i.token(sub=s + " "),
    "sub with NUL": lambda i, s: i.token(sub=s + "\0"),
    "sub no text": lambda i, s: i.signed(json.dumps(i.claims(sub="S")).replace('"S"', '"\\ud800"').encode()),
    "sub endless": with_claims(sub="x" * 5_000),
    "sub unknown": with_claims(sub="somebody else"),
    "email a list": with_claims(sub="x", email=["a@b.example"], email_verified=True),
    "email no text": with_claims(sub="x", email="\ud800@b.example", email_verified=True),
    "email with NUL": with_claims(sub="x", email="a\0@b.example", email_verified=True),
    "email null": with_claims(sub="x", email=None, email_verified=True),
    "bound to a key of the sender": with_claims(cnf={"jkt": "x"}),
    "an ID token within": with_claims(typ="ID"),
    "of a type within that is no text": with_claims(typ=["Bearer"]),
    "with what ID tokens have": with_claims(at_hash="x"),
    "sub twice": lambda i, s: twice(i, s, "sub"),
    "exp twice": lambda i, s: twice(i, s, "exp"),
    "claim twice within": lambda i, s: i.signed(json.dumps(i.claims(sub=s, a=1)).replace('"a": 1', '"a": {"b": 1, "b": 2}').encode()),
    "payload no object": with_payload(b"[]"),
    "payload no JSON": with_payload(b"{'sub': 1}"),
    "payload no text": with_payload(b"\xff"),
    "payload deep": with_payload(b"[" * 5_000),
    "payload empty": with_payload(b""),
    "payload huge number": with_payload(b'{"exp": ' + b"9" * 5_000 + b"}"),
    "tampered": tampered,
    "no signature": lambda i, s: cut(i, s, lambda _: ""),
    "short signature": lambda i, s: cut(i, s, lambda signed: signed[:-4]),
    "long signature": lambda i, s: cut(i, s, lambda signed: signed + "AAAA"),
    "zeros for a signature": lambda i, s: i.token(i.ec, sub=s).rpartition(".")[0] + "." + "A" * 86,
    "padding": lambda i, s: i.token(sub=s) + "==",
    "plain base64": lambda i, s: cut(i, s, lambda signed: signed[:-2] + "+/"),
    "other spelling": spelt,
    "four parts": lambda i, s: i.token(sub=s) + ".x",
    "five parts": lambda i, s: i.token(sub=s) + ".x.y",
    "JSON": lambda i, s: base64.b64encode(i.token(sub=s).encode()).decode(),
    "huge": with_claims(pad="x" * 20_000),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_an_attack(
    relying_app: Relying,
    running: LocalIssuer,
    victim: str,
    attack: Callable[[LocalIssuer, str], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = attack(running, victim)
    answer = await relying_app.me(token)
    assert answer.status_code == 401, answer.text
    told = answer.json()
    assert (told["code"], told["detail"]) == (
        "unauthorized",
        "This bearer token is not valid, or not valid any more.",
    )
    assert answer.headers["www-authenticate"] == 'Bearer realm="quickwin", error="invalid_token"'
    assert "/stolen" not in running.asked
    for record in caplog.records:
        assert not any(part and part in record.getMessage() for part in token.split("."))
        assert "\n" not in record.getMessage()
    assert await relying_app.status(running.token(sub=victim)) == 200


async def test_a_token_beyond_what_is_read_at_all(
    relying: Relying, issuer: LocalIssuer, victim: str
) -> None:
    answer = await relying.me(issuer.token(sub=victim, pad="x" * 500_000))
    assert (answer.status_code, answer.json()["code"]) == (431, "head_too_large")
    assert issuer.asked == []


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        ("unknown kid", "unknown key"),
        ("tampered", "bad_signature"),
        ("expired", "expired_token exp"),
        ("aud of another", "invalid_claim aud"),
        ("no sub", "missing_claim sub"),
        ("typ JWT", "wrong type"),
        ("alg none", "header alg"),
        ("crit", "critical header"),
        ("sub twice", "a name is there twice"),
    ],
)
async def test_the_log_has_the_reason(
    relying: Relying,
    issuer: LocalIssuer,
    victim: str,
    attack: str,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    assert await relying.status(ATTACKS[attack](issuer, victim)) == 401
    (line,) = [r.getMessage() for r in caplog.records if r.name == "app.api.oidc"]
    assert line == f"OIDC: an access token was refused: {reason}"


UNFIT: dict[str, Callable[[], tuple[RsaKey | EcKey, Json]]] = {
    "RSA of 1024 bits": lambda: (RsaKey("k", 1024), {}),
    "RSA of 2040 bits": lambda: (RsaKey("k", 2040), {}),
    "curve P-384": lambda: (EcKey("k", ec.SECP384R1(), "P-384"), {}),
    "curve P-384 for its own algorithm": lambda: (EcKey("k", ec.SECP384R1(), "P-384", "ES384"), {}),
    "curve P-521": lambda: (EcKey("k", ec.SECP521R1(), "P-521"), {}),
    "curve P-384 called P-256": lambda: (EcKey("k", ec.SECP384R1(), "P-256"), {}),
    "secp256k1": lambda: (EcKey("k", ec.SECP256K1(), "secp256k1", "ES256K"), {}),
    "secp256k1 for ES256": lambda: (EcKey("k", ec.SECP256K1(), "secp256k1"), {}),
    "secp256k1 called P-256": lambda: (EcKey("k", ec.SECP256K1(), "P-256"), {}),
    "for encryption": lambda: (RsaKey("k"), {"use": "enc"}),
    "for signing alone": lambda: (RsaKey("k"), {"key_ops": ["sign"]}),
    "for RS512": lambda: (RsaKey("k"), {"alg": "RS512"}),
    "for ES256, of RSA": lambda: (RsaKey("k"), {"alg": "ES256"}),
    "of no type": lambda: (RsaKey("k"), {"kty": None}),
    "without a name": lambda: (RsaKey("k"), {"kid": ""}),
    "not base64": lambda: (RsaKey("k"), {"n": "!" * 342}),
    "exponent 1": lambda: (RsaKey("k"), {"e": "AQ"}),
    "exponent 2": lambda: (RsaKey("k"), {"e": "Ag"}),
    "no point of the curve": lambda: (EcKey("k"), {"y": "A" * 43}),
    "a secret": lambda: (RsaKey("k"), {"kty": "oct", "k": "c2VjcmV0"}),
}  # fmt: skip


@pytest.mark.parametrize("made", UNFIT.values(), ids=UNFIT)
async def test_a_published_key_that_is_not_fit(
    relying: Relying,
    issuer: LocalIssuer,
    victim: str,
    made: Callable[[], tuple[RsaKey | EcKey, Json]],
) -> None:
    """It is left out, signatures made with it are worthless, and the others go on."""
    key, changed = made()
    issuer.keys.insert(0, key.jwk | changed)
    assert await relying.status(issuer.token(key, sub=victim)) == 401
    assert await relying.status(issuer.token(sub=victim)) == 200


async def test_a_private_key_that_was_published_is_not_kept(
    relying: Relying, issuer: LocalIssuer, victim: str
) -> None:
    issuer.keys = [issuer.rsa.jwk | {"d": "AQAB", "p": "AQAB"}]
    assert await relying.status(issuer.token(sub=victim)) == 200


async def test_a_secret_beside_the_keys_is_none_to_sign_with(
    relying: Relying, issuer: LocalIssuer, victim: str
) -> None:
    issuer.keys.append({"kty": "oct", "kid": "rsa-1", "k": encoded(b"secret"), "alg": "HS256"})
    assert await relying.status(by_hmac(issuer, victim, b"secret")) == 401
    assert await relying.status(by_hmac(issuer, victim, b"secret", "RS256")) == 401


BYTES = st.binary(max_size=300)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
CLAIMS = st.sampled_from(
    ["iss", "aud", "exp", "nbf", "iat", "sub", "email", "email_verified", "typ"]
)
HEADERS = st.sampled_from(["alg", "kid", "typ", "crit", "jku", "jwk", "x5c", "b64", "zip", "cty"])


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    claims=st.dictionaries(CLAIMS, JSON, max_size=3),
    header=st.dictionaries(HEADERS, JSON, max_size=2),
    raw=st.none() | st.tuples(BYTES, BYTES, BYTES),
)
async def test_nothing_that_is_sent_makes_it_stumble(
    relying: Relying,
    issuer: LocalIssuer,
    claims: Json,
    header: Json,
    raw: tuple[bytes, bytes, bytes] | None,
) -> None:
    """Whatever a token holds, truly signed or not: 401, for nobody has this subject."""
    if raw is None:
        token = issuer.token(header=header, **claims)
    else:
        token = ".".join(encoded(part or b"x") for part in raw) + "A" * 200
    assert await relying.status(token) == 401
