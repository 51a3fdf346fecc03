"""The relying party: what our pages ask of the OIDC issuer, and what they believe of its answers.

Authorization code with PKCE (RFC 7636), state and nonce. What belongs to a sign-in that is under way
is kept by the browser that began it, encrypted, for ten minutes: so an answer that this browser did
not ask for is nothing, and nobody can fill our database.
"""

import hmac
import json
import re
import secrets
from contextlib import suppress
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from cryptography import fernet
from cryptography.fernet import Fernet
from fastapi import Request
from pydantic import BaseModel, Field, ValidationError

from app import db
from app.api import origins
from app.api.issuer import Refusal
from app.api.oidc import Verifier
from app.errors import InvalidToken, QuickwinError
from app.services import sealing
from app.services.operators import service_secret
from app.services.sign_in import Identity
from app.settings import Settings

CALLBACK = "/sign-in/callback"
SECONDS = 600
"""How long somebody may take at the issuer, or before they go there."""
_LONGEST_HINT = 2_800
"""Of a sealed ID token. Browsers keep cookies of 4,096 bytes with their names and attributes, and many
proxies take 4 kB of an answer's head."""
_CODE = re.compile(r"[ -~]{1,4000}", re.ASCII)


class NotOurs(QuickwinError):
    """This answer does not belong to a sign-in that was begun here; begin again."""

    status, code, title = 401, "unauthorized", "Sign in again"


class Declined(QuickwinError):
    """The issuer did not let you in."""

    status, code, title = 403, "forbidden", "Not let in"


class Flow(BaseModel):
    """A sign-in that is under way."""

    state: str
    nonce: str
    verifier: str
    after: str
    """Where to go afterwards."""

    @classmethod
    def begun(cls, after: str) -> Self:
        """A new one, of secrets that nobody can guess."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state=state, nonce=nonce, verifier=verifier, after=after)


class Arrival(NamedTuple):
    """Somebody who comes from the issuer."""

    identity: Identity
    hint: str
    """Their ID token as the browser keeps it, for the issuer to know whom it signs out; empty if too long."""


class _Tokens(BaseModel):
    id_token: str = Field(max_length=16_384)
    access_token: str | None = Field(None, max_length=16_384, pattern=r"^[!-~]+$")


class Party:
    """This service as a client of its issuer."""

    def __init__(self, settings: Settings, flows: Fernet, hints: Fernet) -> None:
        assert settings.oidc_issuer and settings.oidc_client_id  # noqa: S101, PT018  `party` asks
        self._id, self._flows, self._hints = settings.oidc_client_id, flows, hints
        secret = settings.oidc_client_secret
        self._secret = None if secret is None else secret.get_secret_value()
        self.host = urlsplit(settings.oidc_issuer).netloc
        self._client = OAuth2Client(
            session=None,
            client_id=self._id,
            scope=settings.oidc_scopes,
            code_challenge_method="S256",
        )

    def sealed(self, flow: Flow) -> str:
        """A flow as its browser keeps it."""
        return self._flows.encrypt(flow.model_dump_json().encode()).decode()

    async def sign_in_url(self, request: Request, flow: Flow) -> str:
        """Where the issuer asks people who they are; raises `IssuerUnavailable`."""
        endpoints = await _verifier(request).issuer.endpoints()
        url, _ = self._client.create_authorization_url(
            endpoints.authorization_endpoint,
            state=flow.state,
            code_verifier=flow.verifier,
            nonce=flow.nonce,
            redirect_uri=_callback(request),
        )
        return str(url)

    async def sign_out_url(self, request: Request, hint: str | None = None) -> str | None:
        """Where the issuer lets people sign out (RP-Initiated Logout 1.0), if it does.

        `hint` is what `arrival` gave: with it the issuer knows whom it signs out, and need not ask.
        """
        endpoint = (await _verifier(request).issuer.endpoints()).end_session_endpoint
        if endpoint is None:
            return None
        query = {"client_id": self._id, "post_logout_redirect_uri": f"{origins.own(request)}/"}
        with suppress(fernet.InvalidToken):  # without it the issuer asks
            query["id_token_hint"] = self._hints.decrypt((hint or "").encode()).decode()
        return str(httpx.URL(endpoint).copy_merge_params(query))

    def flow(self, request: Request, kept: str | None) -> Flow:
        """What a browser keeps, if the issuer's answer belongs to it; raises `NotOurs`."""
        try:
            content = self._flows.decrypt((kept or "").encode(), SECONDS)
            flow = Flow.model_validate_json(content)
        except (fernet.InvalidToken, ValidationError) as error:
            raise NotOurs from error
        state = _only(request, "state") or ""
        if not hmac.compare_digest(state.encode(), flow.state.encode()):
            raise NotOurs
        return flow

    async def arrival(self, request: Request, flow: Flow) -> Arrival:
        """Who the issuer says somebody is, in its answer to a flow.

        Raises `NotOurs`, `Declined` and `IssuerUnavailable`.
        """
        verifier = _verifier(request)
        endpoints = await verifier.issuer.endpoints()
        named = _only(request, "iss")
        is_named = named is not None or endpoints.authorization_response_iss_parameter_supported
        if is_named and named != verifier.issuer.url:
            raise NotOurs  # another issuer's answer: RFC 9207
        if "error" in request.query_params:
            raise Declined
        code = _only(request, "code")
        if code is None or not _CODE.fullmatch(code):
            raise NotOurs
        tokens = await self._redeem(
            request, endpoints.token_endpoint_auth_methods_supported, code, flow
        )
        try:
            identity = await verifier.verify_id_token(
                tokens.id_token, self._id, flow.nonce, tokens.access_token
            )
        except InvalidToken as error:
            raise NotOurs from error
        hint = self._hints.encrypt(tokens.id_token.encode()).decode()
        return Arrival(identity, hint if len(hint) <= _LONGEST_HINT else "")

    async def _redeem(self, request: Request, methods: list[str], code: str, flow: Flow) -> _Tokens:
        body: str = prepare_token_request(
            "authorization_code",
            code=code,
            redirect_uri=_callback(request),
            code_verifier=flow.verifier,
        )
        auth = None
        if self._secret is not None and "client_secret_basic" in methods:
            # Encoded as RFC 6749 wants it in 2.3.1; Authlib leaves that out.
            auth = httpx.BasicAuth(quote(self._id, safe=""), quote(self._secret, safe=""))
        else:
            kind = "none" if self._secret is None else "client_secret_post"
            _, _, body = ClientAuth(self._id, self._secret, kind).prepare("POST", "", {}, body)
        try:
            answer = await _verifier(request).issuer.redeem(body, auth)
            return _Tokens.model_validate(json.loads(answer), strict=True)
        except (Refusal, ValueError) as error:
            raise NotOurs from error


async def party(settings: Settings, database: db.Database) -> Party | None:
    """This service as a client of its issuer, if it is one."""
    if settings.oidc_client_id is None:
        return None
    secret = await database.write(service_secret, "sign_in")
    flows, hints = (sealing.cipher(secret, kind, b"") for kind in (b"sign-in", b"id-token"))
    return Party(settings, flows, hints)


def _verifier(request: Request) -> Verifier:
    found: Any = request.app.state.oidc
    assert isinstance(found, Verifier)  # noqa: S101  there is an issuer where there is a client
    return found


def _callback(request: Request) -> str:
    return origins.own(request) + CALLBACK


def _only(request: Request, name: str) -> str | None:
    """A parameter's value, if it is there once."""
    values = request.query_params.getlist(name)
    return values[0] if len(values) == 1 else None
