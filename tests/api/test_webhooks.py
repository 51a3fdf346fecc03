"""Webhooks: what arrives, in which order and how signed; what fails, and what happens then."""

import asyncio
import hashlib
import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from app.db import Database
from app.delivery import rounds
from app.settings import Settings
from tests.support.institution import Institution, Json
from tests.support.receiver import LocalReceiver, Received, receiving

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
AT_ONCE = {"webhook_retry_seconds": (0.0,) * 3, "webhook_seconds": 5.0}


@pytest.fixture
def receiver() -> Iterator[LocalReceiver]:
    """A receiver on this machine."""
    with receiving() as running:
        yield running


@pytest.fixture(autouse=True)
def poll_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "POLL_SECONDS", 0.02)


@asynccontextmanager
async def delivering(
    database: Database, configuration: Settings, **changed: Any
) -> AsyncIterator[None]:
    """Deliver meanwhile, as a worker does."""
    settings = Settings(**configuration.model_dump() | AT_ONCE | changed)
    stop = asyncio.Event()
    task = asyncio.create_task(rounds.deliver(database, settings, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(come: Callable[[], bool]) -> None:
    """Wait for something to happen."""
    async with asyncio.timeout(15):
        while not come():
            await asyncio.sleep(0.01)


async def subscribe(institution: Institution, receiver: LocalReceiver, **more: Any) -> Json:
    """A webhook to the receiver."""
    return await institution.post("webhooks", {"url": receiver.url, **more})


async def read(institution: Institution, webhook: Json) -> Json:
    """A webhook as it is now."""
    return await institution.get(f"webhooks/{webhook['id']}")


async def settled(institution: Institution, webhook: Json, wanted: Callable[[Json], bool]) -> Json:
    """The webhook once it is as wanted."""
    async with asyncio.timeout(15):
        while not wanted(found := await read(institution, webhook)):
            await asyncio.sleep(0.01)
        return found


def is_signed(received: Received, secret: str) -> bool:
    """What the specification's own library says."""
    try:
        Verifier(secret).verify(received.body, received.headers)
    except WebhookVerificationError:
        return False
    return True


async def test_events_arrive_signed_and_in_the_order_of_the_feed(
    institution: Institution, receiver: LocalReceiver, database: Database, configuration: Settings
) -> None:
    webhook = await subscribe(institution, receiver)
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=[{"title": "M", "due_on": "2022-01-01"}])
    await institution.report("QW-1", 1, 33.33)
    async with delivering(database, configuration):
        await until(lambda: len(receiver.received) == 4)
        await institution.unit("B")  # while it goes on
        await until(lambda: len(receiver.received) == 5)
        await settled(institution, webhook, lambda w: w["delivered_to"] == sent[-1]["sequence"]
                      if (sent := [r.content["data"] for r in receiver.received]) else False)  # fmt: skip
    feed = (await institution.get("events", after=webhook["delivered_to"]))["items"]
    assert [each.content["data"] for each in receiver.received] == feed
    assert receiver.types == [
        "webhook.created", "unit.created", "initiative.created", "update.reported", "unit.created",
    ]  # fmt: skip
    for received, event in zip(receiver.received, feed, strict=True):
        assert received.content.keys() == {"type", "timestamp", "data"}
        assert received.content["timestamp"] == event["at"]
        assert received.headers["webhook-id"] == event["id"]
        assert received.headers["content-type"] == "application/json"
        assert is_signed(received, webhook["secret"])
        assert not is_signed(received._replace(body=received.body + " "), webhook["secret"])
        # By hand, as the specification says it.
        signed = (f"{event['id']}.{received.headers['webhook-timestamp']}.{received.body}").encode()
        key = b64decode(webhook["secret"].removeprefix("whsec_"))
        signature = b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert received.headers["webhook-signature"] == f"v1,{signature}"
    logged = await institution.get(f"webhooks/{webhook['id']}/deliveries")
    assert [(each["sequence"], each["outcome"], each["status"]) for each in logged["items"]] == [
        (event["sequence"], "succeeded", 204) for event in reversed(feed)
    ]


async def test_the_readme_says_how_to_subscribe_and_verify(
    institution: Institution, receiver: LocalReceiver, database: Database, configuration: Settings
) -> None:
    section = README.split("\n## Webhooks\n")[1].split("\n## ")[0]
    said: Json = json.loads(re.findall(r"-d '(.*?)'", section)[0])
    await institution.unit(said["unit"])
    webhook = await institution.post("webhooks", said | {"url": receiver.url, "events": ["*"]})
    shown: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0], shown)  # noqa: S102  our own
    verify = shown["verify"]
    await institution.post(f"webhooks/{webhook['id']}/secrets", {})
    async with delivering(database, configuration):
        await until(lambda: bool(receiver.received))
    headers, body, _ = receiver.received[0]
    assert verify(webhook["secret"], headers, body.encode())
    assert not verify(webhook["secret"], headers, body.encode() + b" ")
    assert not verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", headers, body.encode())
    old = headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}
    assert not verify(webhook["secret"], old, body.encode())


async def test_only_what_was_asked_for_is_sent(
    institution: Institution, receiver: LocalReceiver, database: Database, configuration: Settings
) -> None:
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(unit, parent)
    mine = await subscribe(institution, receiver, unit="A", events=["unit.*", "person.created"])
    await institution.post("people", {"code": "a", "name": "A", "unit": "A1"})
    await institution.post("people", {"code": "b", "name": "B", "unit": "B"})
    await institution.post("people", {"code": "whole", "name": "Whole"})
    await institution.unit("A2", "A")
    await institution.unit("B2", "B")
    await institution.post("grants", {"person": "a", "role": "viewer", "unit": "A"})
    await institution.patch("units/A1", {"name": "New"})
    async with delivering(database, configuration):
        version = (await institution.rollup())["version"]
        await settled(institution, mine, lambda webhook: webhook["delivered_to"] == version)
    told = [(each.content["type"], each.content["data"]["subject"]) for each in receiver.received]
    assert told == [("person.created", "a"), ("unit.created", "A2"), ("unit.changed", "A1")]


async def test_what_fails_is_sent_again_under_its_id_before_all_else(
    institution: Institution, receiver: LocalReceiver, database: Database, configuration: Settings
) -> None:
    receiver.answers = [(500, {}), (302, {"Location": receiver.url}), (204, {})]
    webhook = await subscribe(institution, receiver)
    await institution.unit("A")
    async with delivering(database, configuration):
        await until(lambda: len(receiver.received) == 4)
        found = await settled(institution, webhook, lambda w: not w["failed_attempts"])
    assert receiver.types == ["webhook.created"] * 3 + ["unit.created"]
    assert len({each.headers["webhook-id"] for each in receiver.received[:3]}) == 1
    assert (found["active"], found["next_attempt_at"]) == (True, None)
    logged = (await institution.get(f"webhooks/{webhook['id']}/deliveries"))["items"]
    assert [(e["attempt"], e["status"], e["error"]) for e in logged[-3:]] == [
        (3, 204, None), (2, 302, "status"), (1, 500, "status"),
    ]  # fmt: skip
    assert all(each["duration_ms"] >= 0 and each["attempted_at"] for each in logged)


@pytest.mark.parametrize(
    ("answers", "reason"), [([(410, {})], "gone"), ([(503, {})] * 4, "failing")]
)
async def test_a_webhook_is_disabled_and_goes_on_where_it_was(
    institution: Institution,
    receiver: LocalReceiver,
    database: Database,
    configuration: Settings,
    answers: list[tuple[int, dict[str, str]]],
    reason: str,
) -> None:
    receiver.answers = list(answers)
    webhook = await subscribe(institution, receiver, events=["unit.*", "webhook.*"])
    await institution.unit("A")
    async with delivering(database, configuration):
        found = await settled(institution, webhook, lambda w: not w["active"])
        assert (found["disabled_reason"], found["next_attempt_at"]) == (reason, None)
        assert found["disabled_at"] is not None
        assert len(receiver.received) == len(answers)
        await institution.patch(f"webhooks/{webhook['id']}", {"active": True})
        await until(lambda: len(receiver.received) == len(answers) + 4)
    assert receiver.types[len(answers) :] == [
        "webhook.created", "unit.created", "webhook.disabled", "webhook.changed",
    ]  # fmt: skip
    (event,) = (await institution.get("events", type="webhook.disabled"))["items"]
    assert (event["actor"], event["subject_id"]) == ("quickwin", webhook["id"])
    assert event["data"]["reason"] == reason
    assert event["data"]["failed_attempts"] == (4 if reason == "failing" else 1)
    found = await read(institution, webhook)
    assert (found["active"], found["disabled_reason"], found["disabled_at"]) == (True, None, None)


async def test_secrets_are_rotated_without_a_gap(
    institution: Institution, receiver: LocalReceiver, database: Database, configuration: Settings
) -> None:
    webhook = await subscribe(institution, receiver)
    path = f"webhooks/{webhook['id']}/secrets"
    (old,) = webhook["secrets"]
    only = await institution.delete(f"{path}/{old['id']}", 409)
    assert only["code"] == "conflict"
    second = await institution.post(path, {})
    assert [s["id"] for s in (await read(institution, webhook))["secrets"]] == [
        old["id"], second["id"],
    ]  # fmt: skip
    async with delivering(database, configuration):
        await until(lambda: len(receiver.received) == 2)
        for received in receiver.received:
            assert len(received.headers["webhook-signature"].split(" ")) == 2
            assert is_signed(received, webhook["secret"])
            assert is_signed(received, second["secret"])
        await institution.delete(f"{path}/{old['id']}")
        await until(lambda: len(receiver.received) == 3)
        assert not is_signed(receiver.received[-1], webhook["secret"])
        assert is_signed(receiver.received[-1], second["secret"])
        soon = {"others_expire_at": "2020-01-01T00:00:00Z"}
        third = await institution.post(path, soon)
        await until(lambda: len(receiver.received) == 4)
        assert not is_signed(receiver.received[-1], second["secret"])
        assert is_signed(receiver.received[-1], third["secret"])
    for _ in range(4):
        await institution.post(path, {})
    full = await institution.expect(409, "POST", f"{institution.path}/{path}", {})
    assert full["code"] == "conflict"
    told = str([await institution.get("events", limit=200), await read(institution, webhook)])
    assert "whsec_" not in told
    assert "tenant=1" not in str(await institution.get("events", limit=200))


async def test_it_ends_with_the_rights_of_who_is_responsible(
    institution: Institution, receiver: LocalReceiver, database: Database, configuration: Settings
) -> None:
    await institution.unit("A")
    admin = await institution.person("admin", "admin", "A")
    new = {"url": receiver.url, "unit": "A"}
    made = await institution.expect(201, "POST", f"{institution.path}/webhooks", new, client=admin)
    assert made["responsible"] == "admin"
    async with delivering(database, configuration):
        await until(lambda: len(receiver.received) == 1)
        (grant,) = (await institution.get("grants", person="admin"))["items"]
        await institution.delete(f"grants/{grant['id']}")
        found = await settled(institution, made, lambda w: not w["active"])
        assert found["disabled_reason"] == "rights_ended"
        assert len(receiver.received) == 1
        # Whoever switches it on again is responsible from then on.
        changed = await institution.patch(f"webhooks/{made['id']}", {"active": True})
        assert changed["responsible"] != "admin"
        await until(lambda: "webhook.disabled" in receiver.types)
    await admin.aclose()


async def test_redelivery_test_and_replay(
    institution: Institution, receiver: LocalReceiver, database: Database, configuration: Settings
) -> None:
    webhook = await subscribe(institution, receiver, events=["unit.*"])
    path = f"webhooks/{webhook['id']}"
    for unit in ("A", "B"):
        await institution.unit(unit)
    async with delivering(database, configuration):
        await until(lambda: len(receiver.received) == 2)
        await institution.patch(path, {"active": False})
        logged = (await institution.get(f"{path}/deliveries"))["items"]
        again = await institution.post(f"{path}/deliveries/{logged[-1]['id']}/redelivery", {})
        assert (again["cause"], again["outcome"], again["attempted_at"]) == (
            "redelivery", "pending", None,
        )  # fmt: skip
        await until(lambda: len(receiver.received) == 3)
        assert receiver.received[2].body == receiver.received[0].body
        assert receiver.received[2].headers["webhook-id"] == again["event_id"]

        receiver.answers = [(500, {})]
        tried = await institution.post(f"{path}/test", {})
        await until(lambda: len(receiver.received) == 4)
        assert receiver.types[-1] == "webhook.test"
        assert receiver.received[-1].content["data"] == {"webhook_id": webhook["id"]}
        assert is_signed(receiver.received[-1], webhook["secret"])
        async with asyncio.timeout(10):
            while (await institution.get(f"{path}/deliveries/{tried['id']}"))["status"] != 500:
                await asyncio.sleep(0.01)
        assert not (await read(institution, webhook))["failed_attempts"]
        once = f"{institution.path}/{path}/deliveries/{tried['id']}/redelivery"
        await institution.expect(409, "POST", once)

        await institution.patch(path, {"active": True})
        replay = f"{institution.path}/{path}/replay"
        await institution.expect(200, "POST", replay, {"after": webhook["delivered_to"]})
        await until(lambda: len(receiver.received) == 6)
        assert [each.body for each in receiver.received[4:]] == [
            each.body for each in receiver.received[:2]
        ]
        told = await institution.expect(422, "POST", replay, {"after": 10**9})
        assert told["errors"][0]["code"] == "in_future"


async def test_a_slow_receiver_delays_nobody_else(
    institution: Institution, receiver: LocalReceiver, database: Database, configuration: Settings
) -> None:
    with receiving() as slow:
        slow.delay = 1.0
        await subscribe(institution, slow)
        await subscribe(institution, receiver)
        for number in range(5):
            await institution.unit(f"U{number}")
        async with delivering(database, configuration):
            await until(lambda: len(receiver.received) == 6)
            assert len(slow.received) <= 1
            await until(lambda: len(slow.received) == 1)


async def test_a_pause_is_not_cut_short_by_others(
    institution: Institution, receiver: LocalReceiver, database: Database, configuration: Settings
) -> None:
    receiver.answers = [(500, {})]
    webhook = await subscribe(institution, receiver)
    async with delivering(database, configuration, webhook_retry_seconds=(60.0,)):
        await settled(institution, webhook, lambda w: w["failed_attempts"] == 1)
        await institution.unit("A")
        await asyncio.sleep(0.2)
        assert len(receiver.received) == 1
        # Any change of the webhook ends the pause.
        await institution.patch(f"webhooks/{webhook['id']}", {"description": "Again"})
        await until(lambda: len(receiver.received) == 4)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://example.org/", "value_error"),
        ("https://", "value_error"),
        ("https://user:pw@example.org/", "value_error"),
        ("https://example.org/#part", "value_error"),
        ("https://example.org:0/", "value_error"),
        ("https://example.org:70000/", "value_error"),
        ("https://example.org:x/", "value_error"),
        ("https://[::1/", "value_error"),
        ("https://example.org\\@10.0.0.1/", "value_error"),
        ("https://10.0.0.1/", "address_refused"),
        ("https://[::ffff:10.0.0.1]/", "address_refused"),
        ("https://169.254.169.254/latest/meta-data/", "address_refused"),
        ("http://1.1.1.1/", "https_needed"),
        ("https://1.1.1.1:22/", "port_refused"),
    ],
)
async def test_what_is_no_address_of_a_receiver(
    institution: Institution, url: str, code: str
) -> None:
    told = await institution.expect(422, "POST", f"{institution.path}/webhooks", {"url": url})
    assert [(at["pointer"], at["code"]) for at in told["errors"]] == [("/url", code)]
    assert "10.0.0.1" not in str(told)


@pytest.mark.parametrize(
    "pattern", ["", "Unit.created", "unit.", "*.created", "unit*", "a..b", "%"]
)
async def test_what_is_no_pattern(institution: Institution, pattern: str) -> None:
    body = {"url": "https://hooks.invalid/", "events": [pattern]}
    told = await institution.expect(422, "POST", f"{institution.path}/webhooks", body)
    assert told["errors"][0]["pointer"] == "/events/0"


async def test_a_unit_with_a_webhook_is_not_deleted(institution: Institution) -> None:
    await institution.unit("A")
    made = await institution.post("webhooks", {"url": "https://hooks.invalid/", "unit": "A"})
    assert (await institution.delete("units/A", 409))["code"] == "in_use"
    await institution.delete(f"webhooks/{made['id']}")
    await institution.delete("units/A")
