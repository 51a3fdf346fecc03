"""Configuration: every setting, its default and its unit, read from the environment (`QUICKWIN_…`)."""

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LONGEST_API_TOKEN = 200
"""Characters. Nothing that is longer is an API token, and no signed JWT is as short."""
Algorithm = Literal["RS256", "ES256"]


def _listed(value: object) -> object:
    """The words of a list that is written with commas."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        message = "each must be an IP address, or a network such as 10.0.0.0/8 without host bits"
        raise ValueError(message) from None  # theirs repeats the value
    return value


def _database(value: str) -> str:
    if not re.match(r"(sqlite|postgresql)(\+[a-z0-9]+)?://", value):
        message = "it must begin with sqlite:/// or postgresql://"
        raise ValueError(message)
    return value


def _counted(value: SecretStr) -> SecretStr:
    if not re.match(
        r"memory://$|rediss?(\+(unix|sentinel|cluster))?://.", value.get_secret_value()
    ):
        message = "it must be memory:// or begin with redis:// or rediss://"
        raise ValueError(message)
    return value


def _secure(value: str) -> str:
    parts = urlsplit(value)
    if not parts.hostname or "@" in parts.netloc or "?" in value or "#" in value:
        message = "an address of a host and a path is needed"
        raise ValueError(message)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        message = "this must begin with https:// unless it is on this machine"
        raise ValueError(message)
    return value


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


SecureUrl = Annotated[
    str, StringConstraints(max_length=2_000, pattern=r"^[!-~]+$"), AfterValidator(_secure)
]
"""An address without a query that is read over https; over http from this machine alone."""
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.:\[\]-]{1,300}$")]
"""What a browser sends as `Origin`: scheme, host and, if it is another than usual, port."""
Network = Annotated[str, AfterValidator(_network)]
"""An IP address, or a network such as 10.0.0.0/8."""
PerMinute = Annotated[int, Field(ge=0, le=10_000_000)]
"""Requests in a minute; 0 for no limit."""
Seconds = Annotated[float, Field(ge=0, le=3_600)]
"""Seconds; 0 for no limit."""
Delay = Annotated[float, Field(ge=0, le=604_800)]
"""Seconds, at most a week."""
Port = Annotated[int, Field(ge=1, le=65_535)]


_SCANNER = r"^(tcp://[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|unix:///[!-~]{1,200})$"


class Settings(BaseSettings):
    """What an operator may set; `quickwin serve` flags win over the environment."""

    model_config = SettingsConfigDict(
        env_prefix="QUICKWIN_",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    database_url: Annotated[str, AfterValidator(_database)] = Field(
        default="sqlite:///quickwin.db", repr=False
    )
    """`sqlite:///FILE`, or libpq's `postgresql://USER:PASSWORD@HOST/DATABASE`; of several hosts
    (`HOST:PORT,HOST:PORT`) the one is taken that takes writes."""
    database_direct_url: Annotated[str, AfterValidator(_database)] | None = Field(
        default=None, repr=False
    )
    """The same database past a pooler in transaction mode, such as PgBouncer; says that
    `QUICKWIN_DATABASE_URL` leads to one. Migrations, LISTEN and what takes minutes go here."""
    database_read_url: Annotated[str, AfterValidator(_database)] | None = Field(
        default=None, repr=False
    )
    """A streaming replica of the same PostgreSQL; what is read of an institution is read there
    as long as it has all that the primary has of it."""
    database_pool_size: int = Field(default=10, ge=1, le=200)
    """Connections that one process keeps open to PostgreSQL; as many again may be opened under load."""
    database_turns: int = Field(default=2, ge=1, le=200)
    """Reads that one process begins at once on PostgreSQL, and half as many writes; the next when one
    is done, or after a quarter of a second. More where a statement's way takes milliseconds."""
    database_statement_cache: int = Field(default=500, ge=0, le=10_000)
    """Prepared statements kept for each PostgreSQL connection; behind a pooler there are none."""
    database_retries: int = Field(default=8, ge=0, le=50)
    """How often a transaction is tried again after a deadlock, a serialization failure or a busy database."""
    postgres_programs: str | None = Field(default=None, min_length=1, max_length=2_000)
    """Folder of `pg_dump` and `pg_restore`, for backups; by default they are looked for on the PATH."""
    admin_token: SecretStr | None = Field(default=None, min_length=32, max_length=LONGEST_API_TOKEN)
    """The operator's bearer token, 32-200 visible characters; without it one is made at first start."""
    cursor_key: SecretStr | None = Field(default=None, min_length=16, max_length=200)
    """Key that signs list cursors; without it one is made once and kept in the database."""
    max_body_bytes: int = Field(default=1_048_576, ge=1_024, le=104_857_600)
    """Largest request body, bytes."""
    max_file_bytes: int = Field(default=26_214_400, ge=1_024, le=1_073_741_824)
    """Largest file that is taken as evidence, bytes."""
    files_url: str | None = Field(default=None, min_length=1, max_length=2_000, repr=False)
    """Where files are kept: a folder, or a URL that fsspec knows, such as `s3://BUCKET/FOLDER`; by
    default a folder beside the SQLite database, or in the working folder."""
    antivirus_url: Annotated[str, StringConstraints(pattern=_SCANNER)] | None = None
    """ClamAV's daemon that sees each file before it is kept: `tcp://HOST:PORT` or `unix:///SOCKET`."""
    antivirus_seconds: float = Field(default=30, gt=0, le=600)
    """How long the scanner may take for one file."""
    max_head_bytes: int = Field(default=16_384, ge=1_024, le=65_536)
    """Largest request line and header fields together, bytes."""
    receive_seconds: float = Field(default=15, gt=0, le=3_600)
    """How long a request may take to arrive; a body gains a second with each 16 KiB."""
    request_seconds: Seconds = 30
    """How long the work on the database for one request may take; 0 for no limit."""
    shutdown_seconds: int = Field(default=8, ge=1, le=600)
    """How long requests may take to finish when the server is told to stop; then they are cut off."""
    database_statement_seconds: Seconds = 20
    """PostgreSQL's `statement_timeout` of the server's connections; 0 leaves it to the database."""
    database_lock_seconds: Seconds = 10
    """PostgreSQL's `lock_timeout`; the transaction is then tried again."""
    database_idle_seconds: Seconds = 60
    """PostgreSQL's `idle_in_transaction_session_timeout`."""
    migration_lock_seconds: Seconds = 5
    """PostgreSQL's `lock_timeout` of migrations, so that nobody waits behind them for longer; 0 for none."""
    migration_retries: int = Field(default=6, ge=0, le=1_000)
    """How often a migration that had to wait for longer is tried again, after as long a pause."""
    database_pool_seconds: float = Field(default=10, gt=0, le=300)
    """How long a request waits for its turn or a free connection, before it is answered with 503."""
    rate_limit_token: PerMinute = 30_000
    """Requests in a minute with one token."""
    rate_limit_address: PerMinute = 3_000
    """Requests in a minute without an accepted token from one address."""
    rate_limit_failures: PerMinute = 60
    """Refused tokens in a minute from one address; then only tokens known to be good are looked at."""
    rate_limit_public: PerMinute = 600
    """Requests in a minute for what is public from one address, whatever token comes along."""
    rate_limit_storage: Annotated[SecretStr, AfterValidator(_counted)] = SecretStr("memory://")
    """Where requests are counted: `memory://` for each process alone, or `redis://HOST:PORT/DB`."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """How the server's log is written on stderr; `auto`: as text on a terminal, else as JSON lines."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on is logged; each request is a line of `info`."""
    slow_query_ms: int = Field(default=500, ge=0, le=3_600_000)
    """From how many milliseconds on a statement of the database is logged as slow; 0 for none."""
    metrics_token: SecretStr | None = Field(default=None, min_length=16, max_length=200)
    """Bearer token that opens `/metrics`; without it there are none to be read."""
    background: bool = True
    """Whether a server does the background work too; if not, run `quickwin worker` beside it."""
    max_streams: int = Field(default=1_000, ge=0, le=100_000)
    """Event streams that one process serves at once; further ones are answered with 503."""
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Origins whose pages may call the API from a browser, with commas; nobody's by default."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Addresses of proxies whose `X-Forwarded-For` and `-Proto` are believed; none by default."""
    oidc_issuer: SecureUrl | None = None
    """Issuer whose access tokens are accepted too, exactly as they name it in `iss`; none by default."""
    oidc_audience: str | None = Field(default=None, min_length=1, max_length=500)
    """What access tokens name this service in `aud`; needed with an issuer."""
    oidc_algorithms: Annotated[frozenset[Algorithm], NoDecode, BeforeValidator(_listed)] = Field(
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
    oidc_client_id: str | None = Field(default=None, min_length=1, max_length=500)
    """What the issuer calls our pages as a client; with it people sign in there by their browser."""
    oidc_client_secret: SecretStr | None = Field(default=None, min_length=1, max_length=2_000)
    """That client's secret; none for a public client, for which PKCE stands alone."""
    oidc_scopes: str = Field(default="openid email", pattern=r"^openid( [!#-\[\]-~]{1,100}){0,20}$")
    """What is asked of the issuer, with spaces: `openid` first, and what brings the claims above."""
    public_url: Annotated[Origin, AfterValidator(_secure)] | None = None
    """How people's browsers reach this service, such as `https://quickwin.example`; by default it is
    what each request says, behind trusted proxies what these say."""
    session_seconds: int = Field(default=43_200, ge=60, le=2_592_000)
    """How long a browser stays signed in at most."""
    session_idle_seconds: int = Field(default=7_200, ge=60, le=2_592_000)
    """After how long without a request a browser is signed out, to within a twentieth."""

    import_read_seconds: int = Field(default=4, ge=1, le=60)
    """How long a processor may work on reading one spreadsheet; 10,000 rows take about 2 s."""
    import_lease_seconds: float = Field(default=30, ge=1, le=600)
    """After how long another process takes up an import whose process is gone."""
    webhook_networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Networks that webhooks may go to although they are not public, at any port and by plain http."""
    webhook_ports: Annotated[tuple[Port, ...], NoDecode, BeforeValidator(_listed)] = (443, 8443)
    """Ports of public addresses that webhooks may go to, with commas."""
    webhook_seconds: float = Field(default=20, gt=0, le=120)
    """How long a receiver may take for one event, with everything: name, connection, TLS, answer."""
    webhook_retry_seconds: Annotated[
        tuple[Delay, ...], NoDecode, BeforeValidator(_listed), Field(max_length=100)
    ] = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    """Pauses between the attempts for one event; after the last attempt the webhook is disabled."""
    webhook_concurrency: int = Field(default=64, ge=1, le=1_000)
    """Webhooks that one process serves at once; of one institution at most a quarter of them."""
    delivery_days: int = Field(default=14, ge=1, le=3_650)
    """For how many days attempts to send an event to a webhook are kept."""
    idempotency_hours: int = Field(default=24, ge=24, le=720)
    """For how many hours an idempotency key stands for what was done under it; clients rely on a day."""
    import_days: int = Field(default=30, ge=1, le=3_650)
    """For how many days an import is kept with its spreadsheet and its outcome."""
    webhook_key: SecretStr | None = Field(default=None, min_length=32, max_length=200)
    """Key that the webhooks' secrets are encrypted with; without it one is kept beside them."""

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler in transaction mode stands before the database."""
        return self.database_direct_url is not None or self.database_statement_cache == 0

    def past_pooler(self) -> "Settings":
        """The same for what would keep a pooler's connection for minutes."""
        if self.database_direct_url is None:
            return self
        direct = {"database_url": self.database_direct_url, "database_direct_url": None}
        return self.model_copy(update=direct)

    @model_validator(mode="after")
    def _of_one_kind(self) -> "Settings":
        urls = (self.database_url, self.database_direct_url)
        if urls[1] is not None and any(url.startswith("sqlite") for url in urls if url):
            message = (
                "QUICKWIN_DATABASE_DIRECT_URL and QUICKWIN_DATABASE_URL lead to one PostgreSQL"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _issuer_and_audience(self) -> "Settings":
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            message = "QUICKWIN_OIDC_ISSUER and QUICKWIN_OIDC_AUDIENCE are set together"
            raise ValueError(message)
        if self.oidc_client_id is None:
            if self.oidc_client_secret is not None:
                message = "QUICKWIN_OIDC_CLIENT_SECRET is that of a QUICKWIN_OIDC_CLIENT_ID"
                raise ValueError(message)
        elif self.oidc_issuer is None:
            message = "QUICKWIN_OIDC_CLIENT_ID is known to a QUICKWIN_OIDC_ISSUER"
            raise ValueError(message)
        elif self.oidc_plain_jwt and self.oidc_client_id == self.oidc_audience:
            message = (
                "with QUICKWIN_OIDC_PLAIN_JWT the audience must not be the client, as of ID tokens"
            )
            raise ValueError(message)
        return self


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
