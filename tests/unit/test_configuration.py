"""Settings are looked at before anything starts: what is wrong is named, and never repeated."""

from collections.abc import Iterator

import pytest

from app import configuration
from app.configuration import Misconfigured
from app.settings import Settings, settings
from tests.support.typed import quickwin

SECRET = "geheim-0815"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


WRONG = {
    "database_url": (f"mysql://root:{SECRET}@db/x", "sqlite:/// or postgresql://"),
    "database_pool_size": (SECRET, "a whole number from 1 to 200"),
    "receive_seconds": ("0", "a number above 0 to 3600"),
    "admin_token": (SECRET, "32 to 200 characters"),
    "background": (SECRET, "true or false"),
    "trusted_proxies": (f"10.0.0.1,{SECRET}", "10.0.0.0/8"),
    "oidc_algorithms": (f"RS256,{SECRET}", "RS256, ES256"),
    "webhook_ports": (SECRET, "a list with commas"),
    "antivirus_url": (SECRET, "tcp://HOST:PORT"),
    "rate_limit_storage": (f"mongodb://:{SECRET}@x", "redis://"),
    "oidc_audience": ("x" * 501, "1 to 500 characters"),
}


def test_everything_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (value, _) in WRONG.items():
        monkeypatch.setenv(f"QUICKWIN_{name.upper()}", value)
    with pytest.raises(Misconfigured) as caught:
        configuration.read()
    found = {each.variable: f"{each.problem} {each.allowed}" for each in caught.value.found}
    assert set(found) == {f"QUICKWIN_{name.upper()}" for name in WRONG}
    for name, (_, allowed) in WRONG.items():
        assert allowed in found[f"QUICKWIN_{name.upper()}"]
    assert SECRET not in str(found)


def test_what_is_wrong_together_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUICKWIN_OIDC_AUDIENCE", "quickwin")
    with pytest.raises(Misconfigured) as caught:
        configuration.read()
    assert "QUICKWIN_OIDC_ISSUER and" in caught.value.found[0].problem


def test_a_way_past_a_pooler_leads_to_the_same_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUICKWIN_DATABASE_DIRECT_URL", "postgresql://db/quickwin")
    with pytest.raises(Misconfigured) as caught:
        configuration.read()
    assert "QUICKWIN_DATABASE_DIRECT_URL and" in caught.value.found[0].problem


def test_every_setting_can_be_explained() -> None:
    described = Settings.model_json_schema()["properties"]
    for name, schema in described.items():
        assert configuration.allowed(schema), name


def test_unknown_variables_get_the_nearest_name() -> None:
    environment = {
        "QUICKWIN_DATABASE_POOLSIZE": "1", "quickwin_max_body_byte": "1", "QUICKWIN_SPEED": "1",
        "QUICKWIN_DATABASE_URL": "x", "quickwin_background": "x", "QUICKWIN_SERVER": "x",
        "QUICKWIN_TEST_POSTGRES_URL": "x", "_QUICKWIN_COMPLETE": "x", "PATH": "x",
    }  # fmt: skip
    assert configuration.unknown(environment) == [
        ("QUICKWIN_DATABASE_POOLSIZE", "QUICKWIN_DATABASE_POOL_SIZE"),
        ("QUICKWIN_SPEED", None),
        ("quickwin_max_body_byte", "QUICKWIN_MAX_BODY_BYTES"),
    ]


@pytest.mark.parametrize(
    ("url", "given", "told", "status"),
    [
        ("sqlite:///x.db", {"RECEIVE_SECOND": "9", "MAX_STREAMS": "-1"}, "did you mean QUICKWIN_RECEIVE_SECONDS?", 2),
        ("postgresql://u:geheim-0815@127.0.0.1:port/x", {}, "QUICKWIN_DATABASE_URL: ", 2),
        ("sqlite:///x.db", {"FILES_URL": "gopher://geheim-0815/"}, "QUICKWIN_FILES_URL: ", 2),
        ("postgresql://u:geheim-0815@127.0.0.1:1/x", {}, "The database cannot be reached: ", 1),
        ("sqlite:////nowhere/x.db", {}, "unable to open database file", 1),
    ],
)  # fmt: skip
def test_nothing_is_started(url: str, given: dict[str, str], told: str, status: int) -> None:
    done = quickwin(url, "serve", **given)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)
    assert told in done.stderr
    assert SECRET not in done.stderr + done.stdout
