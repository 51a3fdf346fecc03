"""Tokens of an OIDC issuer: who they speak of, if they are genuine and meant for us.

They are checked before the transaction; whom of our people they speak of is found within it.
"""

import binascii
import json
import logging
import math
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws
from joserfc.errors import ClaimError, JoseError
from joserfc.jwt import JWTClaimsRegistry
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from app.api.issuer import Issuer, UnknownKey
from app.errors import InvalidToken
from app.schemas.fields import OidcSubject
from app.services.sign_in import Identity
from app.settings import LONGEST_API_TOKEN, Algorithm, Settings

LONGEST_TOKEN = 16_384
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_TYPES = {"at+jwt", "application/at+jwt"}  # RFC 9068, section 2.1
_OLDER_TYPES = {"jwt", "application/jwt", ""}
_ID_TOKEN_ONLY = {"at_hash", "c_hash", "s_hash"}
_BEARER = "Bearer"  # what some issuers say of access tokens within; of others `ID`, `Refresh`
_ID = "ID"
_LONGEST_SESSION = 2_592_000
"""Seconds; no session of ours is longer."""
_EMAIL = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,189}", re.ASCII)
_SUBJECT: TypeAdapter[str] = TypeAdapter(OidcSubject)
_log = logging.getLogger(__name__)


class _Refused(Exception):
    """A token is not accepted; says why, for the log, in words of ours alone."""


class _Header(BaseModel):
    """What the header of a token may say of interest; `jku`, `jwk`, `x5u` and the like are not."""

    model_config = ConfigDict(strict=True)

    alg: Algorithm
    kid: str
    typ: str = ""


def is_jwt(token: str) -> bool:
    """Whether a bearer token has the form of a signed JWT, which no API token has."""
    return len(token) > LONGEST_API_TOKEN and _FORM.fullmatch(token) is not None


class Verifier:
    """Checks the access tokens of one issuer."""

    def __init__(self, settings: Settings) -> None:
        assert settings.oidc_issuer and settings.oidc_audience  # noqa: S101, PT018  settings hold both or neither
        self._settings = settings
        self.issuer = Issuer(settings.oidc_issuer)
        self._registry = jws.JWSRegistry(
            algorithms=settings.oidc_algorithms, strict_check_header=False
        )
        self._types = _TYPES | (_OLDER_TYPES if settings.oidc_plain_jwt else set())
        self._claims = JWTClaimsRegistry(
            leeway=settings.oidc_leeway_seconds,
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "value": settings.oidc_audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )

    async def verify(self, token: str) -> Identity:
        """Who an access token speaks of.

        Raises `InvalidToken`, whose reason is told to the log alone, or `IssuerUnavailable`.
        """
        return await _told(self._of_access_token(token), "an access token")

    async def verify_id_token(
        self, token: str, client_id: str, nonce: str, access_token: str | None
    ) -> Identity:
        """Who an ID token speaks of, which the issuer has just given us for a code; raises as `verify`.

        `until` is the issuer's `session_expiry` (OpenID Connect Enterprise Extensions), if it says one.
        """
        found = self._of_id_token(token, client_id, nonce, access_token)
        return await _told(found, "an ID token")

    async def _of_access_token(self, token: str) -> Identity:
        _, claims = await self._opened(token, self._types)
        self._claims.validate(claims)
        if claims.keys() & _ID_TOKEN_ONLY or claims.get("typ", _BEARER) != _BEARER:
            raise _Refused("not an access token")
        if "cnf" in claims:
            # Bound to a key of its sender; as a mere bearer token a stolen one would do, too.
            raise _Refused("sender-constrained")
        return self._identity(claims, claims["exp"] + self._settings.oidc_leeway_seconds)

    async def _of_id_token(
        self, token: str, client_id: str, nonce: str, access_token: str | None
    ) -> Identity:
        header, claims = await self._opened(token, _OLDER_TYPES)
        if claims.get("typ", _ID) != _ID:
            raise _Refused("not an ID token")
        at_hash = claims.get("at_hash", "")
        if not isinstance(at_hash, str) or not at_hash.isascii():
            raise _Refused("unusable at_hash")
        CodeIDToken(
            claims,
            {"alg": header.alg},
            {
                "iss": {"essential": True, "value": self.issuer.url},
                "aud": {"essential": True, "value": client_id},
            },
            {"nonce": nonce, "client_id": client_id, "access_token": access_token},
        ).validate(int(time.time()), self._settings.oidc_leeway_seconds)
        until = time.time() + _LONGEST_SESSION
        expiry = claims.get("session_expiry")
        if isinstance(expiry, int | float) and not math.isnan(expiry):
            until = min(until, expiry)
        return self._identity(claims, until)

    async def close(self) -> None:
        """Close the connections to the issuer."""
        await self.issuer.close()

    async def _opened(self, token: str, types: set[str]) -> tuple[_Header, dict[str, Any]]:
        """A token's header and claims, if the issuer has signed it."""
        header = self._header(token, types)
        key = await self.issuer.key(header.alg, header.kid)
        signed = jws.deserialize_compact(token, key, registry=self._registry)
        return header, _object(signed.payload or b"")

    def _header(self, token: str, types: set[str]) -> _Header:
        segment = token.partition(".")[0]
        try:
            found = _object(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
            header = _Header.model_validate(found)
        except ValidationError as error:
            raise _Refused(f"header {error.errors()[0]['loc'][0]}") from error
        except binascii.Error as error:
            raise _Refused("not base64") from error
        if found.keys() & {"crit", "b64"}:
            raise _Refused("critical header")
        if header.alg not in self._settings.oidc_algorithms:
            raise _Refused("algorithm not allowed")
        if header.typ.lower() not in types:
            raise _Refused("wrong type")
        return header

    def _identity(self, claims: dict[str, Any], until: float) -> Identity:
        chosen = self._settings
        try:
            subject = _SUBJECT.validate_python(claims.get(chosen.oidc_subject_claim), strict=True)
        except ValidationError as error:
            raise _Refused("unusable subject") from error
        email = claims.get(chosen.oidc_email_claim)
        verified = claims.get(chosen.oidc_email_verified_claim) is True
        usable = verified and isinstance(email, str) and _EMAIL.fullmatch(email) is not None
        return Identity(subject, email if usable and chosen.oidc_email_claim else None, until)


async def _told(identity: Awaitable[Identity], what: str) -> Identity:
    """The identity; why a token is refused is told to the log alone."""
    try:
        return await identity
    except UnknownKey:
        reason = "unknown key"
    except _Refused as error:
        reason = str(error)
    except ClaimError as error:
        reason = f"{error.error} {error.claim}"
    except JoseError as error:
        reason = error.error
    _log.warning("OIDC: %s was refused: %s", what, reason)
    raise InvalidToken


def _object(text: bytes) -> dict[str, Any]:
    """A JSON object, in which no name is there twice: readers differ in which one they take."""
    try:
        found = json.loads(text.decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _Refused("not a JSON object") from error
    if not isinstance(found, dict):
        raise _Refused("not a JSON object")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("a name is there twice")
    return found
