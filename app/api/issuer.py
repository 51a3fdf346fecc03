"""The OIDC issuer's keys: found by discovery, kept, and fetched anew when they change.

Keys are kept for ten minutes and then fetched anew in the background, so that a key that the
issuer withdrew stops working, and a request never waits for keys that are there. While the issuer
is away its keys last for a day.
"""

import asyncio
import logging
import warnings
from collections.abc import Iterable
from time import monotonic
from typing import Annotated, Any, Literal, NamedTuple

import httpx
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.errors import IssuerUnavailable
from app.settings import Algorithm, SecureUrl

FRESH_SECONDS = 600
"""After this, keys are fetched anew in the background."""
LASTING_SECONDS = 86_400
"""After this, keys of an issuer that does not answer are used no more."""
PAUSE_SECONDS = 60
"""Between two fetches, whatever the tokens name: strangers cannot make us knock more often."""
PAUSE_WITHOUT_KEYS_SECONDS = 5
LARGEST_BYTES = 262_144
_DEADLINE_SECONDS = 10
_ANOTHER = "the issuer's own document names another issuer"
_TIMEOUT = httpx.Timeout(5, connect=3)
_log = logging.getLogger(__name__)

Key = RSAKey | ECKey


class UnknownKey(Exception):
    """The issuer answers, but has no such key."""


class Unfit(Exception):
    """What the issuer publishes cannot be had or used; says why, without what it published."""


class _Discovery(BaseModel):
    issuer: str
    jwks_uri: SecureUrl


class Endpoints(BaseModel):
    """Where people sign in at the issuer, and what it does there."""

    authorization_endpoint: SecureUrl
    token_endpoint: SecureUrl
    end_session_endpoint: SecureUrl | None = None
    authorization_response_iss_parameter_supported: bool = False
    """RFC 9207: its answers say whose they are."""
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]


class _SigningKey(BaseModel):
    """What all keys share that may sign tokens."""

    kid: str = Field(min_length=1)
    use: Literal["sig"] = "sig"
    key_ops: list[str] = ["verify"]


class _Rsa(_SigningKey):
    kty: Literal["RSA"]
    alg: Literal["RS256"] = "RS256"
    n: str
    e: str


class _Ec(_SigningKey):
    kty: Literal["EC"]
    alg: Literal["ES256"] = "ES256"
    crv: Literal["P-256"]
    x: str
    y: str


class _KeySet(BaseModel):
    keys: list[dict[str, Any]] = Field(max_length=100)


class Published(NamedTuple):
    """What an issuer says of itself."""

    keys: dict[tuple[Algorithm, str], Key]
    """Those that can check tokens, by algorithm and name."""
    endpoints: Endpoints | None
    """Where people sign in; None where it does not say that."""
    date: str | None
    """What its clock said, as HTTP has it; None where a cache answered in its place."""


_KEY: TypeAdapter[_Rsa | _Ec] = TypeAdapter(Annotated[_Rsa | _Ec, Field(discriminator="kty")])


class Issuer:
    """One issuer and its keys; use from one event loop."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(
            timeout=_TIMEOUT,
            follow_redirects=False,
            # Unpacked, a small answer could be larger than any limit.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )
        self._keys: dict[tuple[Algorithm, str], Key] = {}
        self._endpoints: Endpoints | None = None
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, algorithm: Algorithm, kid: str) -> Key:
        """The key of this name for this algorithm.

        Raises `UnknownKey`, or `IssuerUnavailable` when the issuer could not be asked.
        """
        found = self._known(algorithm, kid)
        if found is not None:
            if _age(self._fetched_at) > FRESH_SECONDS:
                self._fetch()
            return found
        if fetching := self._fetch():
            # A request that is given up must not end the fetch that others wait for.
            await asyncio.shield(fetching)
        found = self._known(algorithm, kid)
        if found is not None:
            return found
        if self._fetched_at is None or self._fetched_at != self._tried_at:
            raise IssuerUnavailable
        raise UnknownKey

    async def endpoints(self) -> Endpoints:
        """Where people sign in; raises `IssuerUnavailable`, also where it does not say that."""
        if self._endpoints is None or _age(self._fetched_at) > LASTING_SECONDS:
            if fetching := self._fetch():
                await asyncio.shield(fetching)
        elif _age(self._fetched_at) > FRESH_SECONDS:
            self._fetch()
        if self._endpoints is None or _age(self._fetched_at) > LASTING_SECONDS:
            raise IssuerUnavailable
        return self._endpoints

    async def redeem(self, body: str, auth: httpx.Auth | None) -> bytes:
        """What the token endpoint answers to a form; raises `Refusal`, or `IssuerUnavailable`."""
        url = (await self.endpoints()).token_endpoint
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                told, _ = await self._read("POST", url, content=body, headers=headers, auth=auth)
                return told
        except Refusal:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, _Unusable) as error:
            _log.error("OIDC: a code could not be redeemed: %r", error)
            raise IssuerUnavailable from error

    async def close(self) -> None:
        """End a fetch that is under way, and all connections."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
        await self._http.aclose()

    def _known(self, algorithm: Algorithm, kid: str) -> Key | None:
        lasting = _age(self._fetched_at) <= LASTING_SECONDS
        return self._keys.get((algorithm, kid)) if lasting else None

    def _fetch(self) -> asyncio.Task[None] | None:
        """The fetch that is under way, or a new one unless there was one just now."""
        if self._fetching is None or self._fetching.done():
            pause = PAUSE_WITHOUT_KEYS_SECONDS if self._fetched_at is None else PAUSE_SECONDS
            if _age(self._tried_at) < pause:
                return None
            self._tried_at = monotonic()
            self._fetching = asyncio.create_task(self._renew(self._tried_at))
        return self._fetching

    async def published(self) -> Published:
        """What it publishes now, past everything that is kept; raises `Unfit`."""
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                document, headers = await self._read("GET", discovery_url(self.url))
                described = _Discovery.model_validate_json(document)
                if described.issuer != self.url:
                    raise Unfit(_ANOTHER)
                keys, _ = await self._read("GET", described.jwks_uri)
                key_set = _KeySet.model_validate_json(keys)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, _Unusable) as error:
            raise Unfit(f"the issuer's keys could not be fetched: {error!r}") from error
        except ValidationError as error:
            places = [
                f"{'/'.join(map(str, place['loc']))}: {place['type']}" for place in error.errors()
            ]
            raise Unfit(f"the issuer's documents are not as they should be: {places}") from error
        date = None if "Age" in headers else headers.get("Date")
        return Published(dict(_usable(key_set.keys)), _endpoints(document), date)

    async def _renew(self, at: float) -> None:
        try:
            published = await self.published()
        except Unfit as error:
            _log.error("OIDC: %s", error)
            return
        self._keys, self._endpoints, self._fetched_at = published.keys, published.endpoints, at

    async def _read(
        self,
        method: str,
        url: str,
        **sent: Any,  # noqa: ANN401  httpx's own
    ) -> tuple[bytes, httpx.Headers]:
        async with self._http.stream(method, url, **sent) as answer:
            if answer.status_code in {400, 401, 403}:
                raise Refusal(f"status {answer.status_code}")
            if answer.status_code != httpx.codes.OK:
                raise _Unusable(f"status {answer.status_code}")
            content = bytearray()
            async for part in answer.aiter_raw():
                content += part
                if len(content) > LARGEST_BYTES:
                    raise _Unusable(f"more than {LARGEST_BYTES} bytes")
            return bytes(content), answer.headers


class _Unusable(Exception):
    """The issuer answered something that cannot be used."""


class Refusal(_Unusable):
    """The issuer refused what it was asked for."""


def discovery_url(issuer: str) -> str:
    """Where an issuer describes itself (OpenID Connect Discovery 1.0, section 4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def _endpoints(document: bytes) -> Endpoints | None:
    """Where people sign in, if the issuer says it; access tokens are checked without."""
    try:
        return Endpoints.model_validate_json(document)
    except ValidationError as error:
        places = ["/".join(map(str, place["loc"])) for place in error.errors()]
        _log.info("OIDC: nobody can sign in at the issuer with a browser: %s", places)
        return None


def _usable(published: Iterable[dict[str, Any]]) -> Iterable[tuple[tuple[Algorithm, str], Key]]:
    """Keys that can check tokens, by algorithm and name; what is for something else is left out."""
    for each in published:
        try:
            shape = _KEY.validate_python(each, strict=True)
            if "verify" in shape.key_ops:
                yield (shape.alg, shape.kid), _imported(shape)
        except (ValidationError, JoseError, SecurityWarning, ValueError) as error:
            _log.info("OIDC: a key of the issuer is not used: %s", type(error).__name__)


def _imported(shape: _Rsa | _Ec) -> Key:
    with warnings.catch_warnings():
        # The library only warns of keys that are too short, and takes them.
        warnings.simplefilter("error", SecurityWarning)
        if isinstance(shape, _Rsa):
            return RSAKey.import_key(shape.model_dump())
        return ECKey.import_key(shape.model_dump())


def _age(instant: float | None) -> float:
    return float("inf") if instant is None else monotonic() - instant
