"""What Prometheus reads: who may, which numbers there are, and that they are true."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from app.api import meters, metrics
from app.db import Database
from app.seen import COUNTS
from tests.conftest import OPERATOR, Clients
from tests.support.institution import API, Institution

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "app" / "deploy" / "grafana.json"
README = ROOT / "README.md"
TOKEN = "token-of-prometheus-0123456789"
SEEN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def opened(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With the token set, and every look a new one."""
    before = app.state.settings
    app.state.settings = before.model_copy(update={"metrics_token": SecretStr(TOKEN)})
    monkeypatch.setattr(metrics, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(meters, "SAMPLED_SECONDS", 0.01)
    monkeypatch.setattr(app.state.looker, "_until", 0.0)
    yield
    app.state.settings = before


@pytest.fixture
async def prometheus(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Who reads. Not checked against the document, which is for programs that use the service."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def read(prometheus: httpx.AsyncClient) -> dict[str, Metric]:
    answer = await prometheus.get("/metrics", headers=SEEN)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert answer.headers["cache-control"] == "no-store"
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels."""
    return sum(
        sample.value
        for family in found.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def test_only_who_has_the_token_reads(prometheus: httpx.AsyncClient, app: FastAPI) -> None:
    for headers, status in (
        ({}, 401), ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Bearer {OPERATOR}"}, 401), (SEEN, 200),
    ):  # fmt: skip
        answer = await prometheus.get("/metrics", headers=headers)
        assert answer.status_code == status
        assert (status == 200) == ("quickwin_" in answer.text)
    app.state.settings = app.state.settings.model_copy(update={"metrics_token": None})
    assert (await prometheus.get("/metrics", headers=SEEN)).status_code == 404


async def test_requests_are_counted_by_their_route(
    prometheus: httpx.AsyncClient, clients: Clients, institution: Institution
) -> None:
    route = f"{API}/institutions/{{institution}}/units"
    name = "quickwin_http_request_duration_seconds"
    before = await read(prometheus)
    for client in (clients.operator, clients.operator, clients.nobody):
        await client.get(f"{institution.path}/units")
    await clients.operator.get(f"/nowhere/{institution.code}")
    after = await read(prometheus)

    def more(suffix: str, **labels: str) -> float:
        return value(after, name + suffix, **labels) - value(before, name + suffix, **labels)

    assert more("_count", method="GET", route=route, status="2xx") == 2
    assert more("_count", method="GET", route=route, status="4xx") == 1
    assert more("_bucket", route=route, status="2xx", le="+Inf") == 2
    assert 0 < more("_sum", route=route) < 60
    assert more("_count", route="(none)") == 1
    assert value(after, "quickwin_http_requests_in_flight") >= 0
    routes = {sample.labels["route"] for sample in after[name].samples}
    assert not [each for each in routes if institution.code in each]


async def test_methods_are_bounded(prometheus: httpx.AsyncClient) -> None:
    await prometheus.request("BREW", "/health/live")
    after = await read(prometheus)
    methods = {
        sample.labels["method"]
        for sample in after["quickwin_http_request_duration_seconds"].samples
    }
    assert "other" in methods
    assert "BREW" not in methods


async def test_rows_of_the_ledger_are_counted_when_they_are_committed(
    institution: Institution, database: Database
) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    before = COUNTS.ledger_rows
    await institution.report("QW-1", 1, 40, "2022-06-01")
    written = COUNTS.ledger_rows - before
    assert written > 0
    refused = await institution.operator.post(
        f"{institution.path}/initiatives/QW-1/milestones/1/updates", json={"percent": 101}
    )
    assert refused.status_code == 422
    assert COUNTS.ledger_rows == before + written


async def test_what_others_count_comes_in_time(
    prometheus: httpx.AsyncClient, institution: Institution
) -> None:
    before = value(await read(prometheus), "quickwin_ledger_rows_written_total")
    told = COUNTS.ledger_rows
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    written = COUNTS.ledger_rows - told
    async with asyncio.timeout(60):
        while (
            value(await read(prometheus), "quickwin_ledger_rows_written_total") < before + written
        ):
            await asyncio.sleep(0.05)
    found = await read(prometheus)
    assert value(found, "quickwin_database_pool_size") > 1
    assert value(found, "quickwin_database_pool_waiting") == 0
    assert value(found, "quickwin_processes") == 1


async def test_what_waits_is_told(prometheus: httpx.AsyncClient, institution: Institution) -> None:
    before = await read(prometheus)
    assert value(before, "quickwin_database_up") == 1
    assert value(before, "quickwin_build_info") == 1
    body = {"url": "https://127.0.0.1:9/hook", "unit": institution.code}
    await institution.post("webhooks", body)
    await institution.unit("A")
    await institution.unit("B")
    after = await read(prometheus)

    def more(name: str) -> float:
        return value(after, name) - value(before, name)

    assert more("quickwin_webhooks_behind") == 1
    assert more("quickwin_webhook_events_waiting") >= 2
    assert value(after, "quickwin_webhook_lag_seconds") > 0
    statuses = {sample.labels["status"] for sample in after["quickwin_import_jobs"].samples}
    assert {"queued", "running", "applied", "failed"} <= statuses


async def test_the_rest_is_there_without_the_database(
    prometheus: httpx.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        await asyncio.sleep(3_600)

    monkeypatch.setattr(metrics, "_WAITED_SECONDS", 0.05)
    monkeypatch.setattr(app.state.looker, "_database", app.state.database)
    monkeypatch.setattr(Database, "read", hangs)
    found = await read(prometheus)
    assert value(found, "quickwin_database_up") == 0
    assert "quickwin_webhook_lag_seconds" not in found
    assert value(found, "quickwin_processes") == 1


async def test_a_worker_shows_its_own(database: Database) -> None:
    async with meters.sampling(database), httpx.AsyncClient() as client:
        with meters.exposed(0) as port:
            told = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://127.0.0.1:{port}/metrics")
    found = {family.name: family for family in text_string_to_metric_families(told)}
    assert value(found, "quickwin_processes") == 1
    assert "quickwin_rollup_drift" in found


async def test_the_dashboard_shows_what_there_is(prometheus: httpx.AsyncClient) -> None:
    """Each name that it asks for is exported, and whatever is exported is on it."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    asked += [
        each["query"]["query"] for each in board["templating"]["list"] if each["name"] == "job"
    ]
    assert len(asked) > 20
    await read(prometheus)  # counted once it is over
    families = await read(prometheus)
    exported = {
        sample.name: family.name for family in families.values() for sample in family.samples
    }
    names = {name for each in asked for name in re.findall(r"\bquickwin_\w+", each)}
    assert names <= set(exported)
    assert {exported[name] for name in names} == set(families)
    for each in asked:
        labels = {
            word
            for found in re.findall(r"(?:by|label_values) ?\(([^)]*)\)", each)
            for word in found.split(", ")
        }
        labels -= {"quickwin_build_info", "job", "le"}
        (family,) = {exported[name] for name in re.findall(r"\bquickwin_\w+", each)}
        assert labels <= set().union(*(sample.labels for sample in families[family].samples)), each
        assert each.count("(") == each.count(")")
        assert each.count("{") == each.count("}")
    places = [tuple(panel["gridPos"].values()) for panel in board["panels"]]
    assert len(set(places)) == len(places)
    told = README.read_text(encoding="utf-8")
    short = {family for family in families if f"`{family}" not in told}
    assert all(f"`_{family.rpartition('pool_')[2]}`" in told for family in short), short
