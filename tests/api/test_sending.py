"""Sending: to addresses that were checked, over verified TLS, bounded whatever the receiver does."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from app.delivery.guard import NameNotFound, resolve
from app.delivery.sender import Sender, retry_after
from app.models.base import new_id, now
from app.outbound import Address as IpAddress
from app.schemas.webhooks import DeliveryError
from app.services.parcels import Address, Parcel
from app.settings import Settings
from tests.support.receiver import LocalReceiver, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOCAL = "127.0.0.1"
NAME = "hooks.test"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Names:
    """A resolver that answers something else each time, as whoever owns a name can make it."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = [tuple(map(ip_address, answer)) for answer in answers]
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[IpAddress]:
        self.asked.append((host, port))
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


def parcel(url: str) -> Parcel:
    return Parcel(
        Address(new_id(), new_id()), 1, url, (SECRET,), '{"type":"unit.created"}', UUID(int=7), 1,
        "unit.created", 1, 0, None,
    )  # fmt: skip


def settings(**changed: Any) -> Settings:
    plain: dict[str, Any] = {"webhook_networks": (LOCAL,), "webhook_seconds": 2.0}
    return Settings(**plain | changed)


async def sent(url: str, names: Names, **changed: Any) -> DeliveryError | int | None:
    """What becomes of one sending: an error, or the status."""
    async with Sender(settings(**changed), names) as sender:
        result = await sender.send(parcel(url))
    return result.error or result.status


@pytest.fixture
def receiver() -> Iterator[LocalReceiver]:
    """A receiver on this machine."""
    with receiving() as running:
        yield running


async def test_the_address_that_was_checked_is_called_and_no_other(receiver: LocalReceiver) -> None:
    """A name that is public when it is checked and private a moment later (DNS rebinding)."""
    names = Names([LOCAL], ["10.0.0.1"], ["10.0.0.1"])
    assert await sent(f"http://{NAME}:{receiver.port}/", names) == 204
    assert names.asked == [(NAME, receiver.port)]
    assert receiver.received[0].headers["host"] == f"{NAME}:{receiver.port}"
    # And the other way round: what was refused is refused, whatever it would be next.
    names = Names(["10.0.0.1"], [LOCAL])
    assert await sent(f"http://{NAME}:{receiver.port}/", names) == "address_refused"
    assert len(names.asked) == len(receiver.received) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        [LOCAL, "10.0.0.1"], ["10.0.0.1", LOCAL], [LOCAL, "::1"], ["::ffff:10.0.0.1"],
        ["64:ff9b::7f00:1"], ["169.254.169.254"],
    ],
)  # fmt: skip
async def test_every_address_of_a_name_is_checked(
    receiver: LocalReceiver, addresses: list[str]
) -> None:
    url = f"http://{NAME}:{receiver.port}/"
    assert await sent(url, Names(addresses)) == "address_refused"
    assert receiver.received == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost"])
async def test_other_spellings_of_an_address_are_the_address(
    receiver: LocalReceiver, host: str
) -> None:
    async with Sender(settings(webhook_networks=())) as sender:
        result = await sender.send(parcel(f"https://{host}:{receiver.port}/"))
    assert result.error in {"address_refused", "name_not_found"}
    assert receiver.received == []


async def test_public_addresses_need_https_and_a_listed_port() -> None:
    names = Names(["203.0.113.9", "1.1.1.1"])
    assert await sent(f"https://{NAME}/", names) == "address_refused"
    names = Names(["1.1.1.1"])
    assert await sent(f"http://{NAME}/", names) == "https_needed"
    assert await sent(f"https://{NAME}:22/", names) == "port_refused"


async def test_redirects_are_not_followed(receiver: LocalReceiver) -> None:
    receiver.answers = [(307, {"Location": receiver.url}), (302, {"Location": receiver.url})]
    for _ in range(2):
        assert await sent(receiver.url, Names([LOCAL])) == "status"
    assert len(receiver.received) == 2


async def test_proxies_of_the_environment_are_not_asked(
    receiver: LocalReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await sent(receiver.url, Names([LOCAL])) == 204


async def test_a_name_that_leads_nowhere() -> None:
    assert await sent("http://hooks.test/", Names([])) == "name_not_found"
    with pytest.raises(NameNotFound):
        await resolve("a" * 64 + ".test", 443)


class Raw(NamedTuple):
    """A server that answers whatever a test likes."""

    port: int


@pytest.fixture
async def raw(request: pytest.FixtureRequest) -> AsyncIterator[Raw]:
    """A server that behaves as its parameter says."""
    serve: Serve = request.param
    server = await asyncio.start_server(serve, LOCAL, 0)
    yield Raw(server.sockets[0].getsockname()[1])
    server.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never ends, and never pauses for long."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-More: 1\r\n")
        await asyncio.sleep(0.05)


async def interim(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await asyncio.sleep(0.05)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer without an end: its status counts, the rest is not waited for."""
    await reader.readuntil(b"}")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        while not writer.is_closing():
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()
    except OSError:
        writer.close()


async def no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    writer.close()


async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize(
    ("raw", "became"),
    [
        (silent, "timeout"), (dripping, "timeout"), (interim, "timeout"), (endless, 200),
        (no_http, "broken"), (hanging_up, "broken"),
    ],
    indirect=["raw"],
    ids=["silent", "dripping", "interim", "endless", "no HTTP", "hanging up"],
)  # fmt: skip
async def test_whatever_a_receiver_does_ends_in_time(raw: Raw, became: DeliveryError | int) -> None:
    async with asyncio.timeout(3):
        url = f"http://{NAME}:{raw.port}/"
        assert await sent(url, Names([LOCAL]), webhook_seconds=0.3) == became


async def test_a_resolver_that_does_not_answer_ends_in_time() -> None:
    class Slow(Names):
        async def __call__(self, host: str, port: int) -> Sequence[IpAddress]:
            await asyncio.sleep(10)
            return []

    async with asyncio.timeout(3):
        assert await sent("http://hooks.test/", Slow(), webhook_seconds=0.1) == "timeout"


async def test_nobody_listens() -> None:
    server = await asyncio.start_server(hanging_up, LOCAL, 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert await sent(f"http://{NAME}:{port}/", Names([LOCAL])) == "not_connected"


def certificate(folder: Path, name: str) -> Path:
    """A file with a self-signed certificate for a name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return file


async def test_tls_is_verified_for_the_name_not_the_address(tmp_path: Path) -> None:
    file, told = certificate(tmp_path, NAME), list[str | None]()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(file)
    server_side.sni_callback = lambda _socket, name, _context: told.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, LOCAL, 0, ssl=server_side)
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=str(file))
    for name, context, error in (
        (NAME, trusting, None),
        ("other.test", trusting, DeliveryError.NOT_CONNECTED),
        (NAME, None, DeliveryError.NOT_CONNECTED),  # nobody vouches for it
    ):
        async with Sender(settings(), Names([LOCAL]), context) as sender:
            result = await sender.send(parcel(f"https://{name}:{port}/"))
        assert result.error == error
    assert told == [NAME, "other.test", NAME]
    server.close()


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (b"120", 120), (b" 0 ", 0), (b"-1", None), (b"1.5", None), (b"soon", None), (b"", None),
        (b"9" * 40, None), (b"\xff", None), (b"Mon, 99 Foo 2026 00:00:00 GMT", None),
        (b"Fri, 01 Jan 1999 00:00:00 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after_is_read_or_passed_over(given: bytes, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after([(b"Retry-After", given)], now()) == expected


def test_retry_after_may_be_a_date() -> None:
    at = now().replace(microsecond=0)
    given = format_datetime(at + timedelta(hours=1), usegmt=True).encode()
    assert retry_after([(b"retry-after", given)], at) == timedelta(hours=1)
    assert retry_after([], at) is None
