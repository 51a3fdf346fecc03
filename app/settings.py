"""Configuration: every setting, its default and its unit, read from the environment (`QUICKWIN_…`)."""

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.schemas.fields import SecureUrl

LONGEST_API_TOKEN = 200
"""Characters. Nothing that is longer is an API token, and no signed JWT is as short."""
Algorithm = Literal["RS256", "ES256"]


def _words(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


class Settings(BaseSettings):
    """What an operator may set; `quickwin serve` flags win over the environment."""

    model_config = SettingsConfigDict(
        env_prefix="QUICKWIN_", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    database_url: str = "sqlite:///quickwin.db"
    """SQLAlchemy URL: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`."""
    database_pool_size: int = Field(default=10, ge=1, le=200)
    """Connections that one process keeps open to PostgreSQL; as many again may be opened under load."""
    database_statement_cache: int = Field(default=500, ge=0, le=10_000)
    """Prepared statements kept for each PostgreSQL connection; 0 behind a pooler in transaction mode."""
    database_retries: int = Field(default=8, ge=0, le=50)
    """How often a transaction is tried again after a deadlock, a serialization failure or a busy database."""
    admin_token: SecretStr | None = Field(default=None, min_length=32, max_length=LONGEST_API_TOKEN)
    """The operator's bearer token, 32-200 visible characters; without it one is made at first start."""
    cursor_key: SecretStr | None = Field(default=None, min_length=16, max_length=200)
    """Key that signs list cursors; without it one is made once and kept in the database."""
    max_body_bytes: int = Field(default=1_048_576, ge=1_024, le=104_857_600)
    """Largest request body, bytes."""
    oidc_issuer: SecureUrl | None = None
    """Issuer whose access tokens are accepted too, exactly as they name it in `iss`; none by default."""
    oidc_audience: str | None = Field(default=None, min_length=1, max_length=500)
    """What access tokens name this service in `aud`; needed with an issuer."""
    oidc_algorithms: Annotated[frozenset[Algorithm], NoDecode, BeforeValidator(_words)] = Field(
        default=frozenset[Algorithm]({"RS256", "ES256"}), min_length=1
    )
    """How the issuer may sign: `RS256`, `ES256`, or both with a comma between them."""
    oidc_plain_jwt: bool = False
    """Also take tokens of the type `JWT` or without one, which `at+jwt` (RFC 9068) tells from ID tokens."""
    oidc_subject_claim: str = Field(default="sub", min_length=1, max_length=100)
    """Claim that is compared with a person's `oidc_subject`."""
    oidc_email_claim: str = Field(default="email", max_length=100)
    """Claim with an e-mail address that finds people without a subject; empty turns this off."""
    oidc_email_verified_claim: str = Field(default="email_verified", min_length=1, max_length=100)
    """Claim that must be true for the e-mail address to count."""
    oidc_leeway_seconds: int = Field(default=30, ge=0, le=60)
    """By how much the issuer's clock and this one's may differ, seconds."""

    @model_validator(mode="after")
    def _issuer_and_audience(self) -> "Settings":
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            message = "QUICKWIN_OIDC_ISSUER and QUICKWIN_OIDC_AUDIENCE are set together"
            raise ValueError(message)
        return self


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
