"""Configuration: every setting, its default and its unit, read from the environment (`QUICKWIN_…`)."""

from functools import lru_cache

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    admin_token: SecretStr | None = Field(default=None, min_length=32, max_length=200)
    """The operator's bearer token, 32-200 visible characters; without it one is made at first start."""
    cursor_key: SecretStr | None = Field(default=None, min_length=16, max_length=200)
    """Key that signs list cursors; without it one is made once and kept in the database."""
    max_body_bytes: int = Field(default=1_048_576, ge=1_024, le=104_857_600)
    """Largest request body, bytes."""


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
