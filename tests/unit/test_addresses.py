"""libpq's addresses: several hosts, what is said of them, and what is no address."""

import socket
import sys

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.addresses import HOST_SECONDS, Host, address, connect
from tests.support.postgres import free_port


def test_one_host_is_left_as_it_is() -> None:
    found = address("postgresql+asyncpg://me:p%40ss@db:5433/quickwin?sslmode=verify-full")
    assert found.dsn == "postgresql://me:p%40ss@db:5433/quickwin?sslmode=verify-full"
    assert found.hosts == ()
    assert (found.url.host, found.url.port, found.url.password) == ("db", 5433, "p@ss")
    assert found.url.drivername == "postgresql+asyncpg"


def test_of_several_hosts_the_one_that_takes_writes_is_meant() -> None:
    found = address("postgresql://me@a:5433,[::1]:5434,b,[fe80::1]/quickwin")
    assert found.hosts == (
        Host("a", 5433), Host("::1", 5434), Host("b", 5432), Host("fe80::1", 5432)
    )  # fmt: skip
    assert found.dsn.endswith("?target_session_attrs=read-write")
    assert (found.url.host, found.url.port) == ("a", 5433)


def test_what_is_said_holds() -> None:
    found = address("postgresql://a,b/x?target_session_attrs=any&ssl=require")
    assert found.dsn == "postgresql://a,b/x?target_session_attrs=any&sslmode=require"
    assert found.seconds == HOST_SECONDS
    patient = address("postgresql://a/x?connect_timeout=7")
    assert (patient.dsn, patient.seconds) == ("postgresql://a/x", 7)


@pytest.mark.parametrize("url", ["postgresql://a:x/y", "postgresql://a:1,b:x/y"])
def test_a_port_is_a_number(url: str) -> None:
    with pytest.raises((ValueError, ArgumentError)):
        address(url)


async def test_each_host_that_cannot_be_used_is_named_without_the_password() -> None:
    first, second = free_port(), free_port()
    url = f"postgresql://me:secret@127.0.0.1:{first},127.0.0.1:{second}/quickwin"
    with pytest.raises(ConnectionError) as caught:
        await connect(address(url), list(address(url).hosts))
    assert f":{first}: " in str(caught.value)
    assert f":{second}: " in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="the option is Linux's")
async def test_the_host_that_answered_is_asked_first_and_its_silence_is_noticed(
    postgres_server: str,
) -> None:
    there = make_url(postgres_server)
    away = free_port()
    found = address(
        f"postgresql://{there.username}@127.0.0.1:{away},127.0.0.1:{there.port}/postgres"
    )
    hosts = list(found.hosts)
    connection = await connect(found, hosts)
    assert [host.port for host in hosts] == [there.port, away]
    sock = connection._transport.get_extra_info("socket")  # noqa: SLF001
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    await connection.close()
