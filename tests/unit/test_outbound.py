"""Which addresses are called: judged by the registries of special addresses, one by one."""

from ipaddress import ip_address, ip_network

import pytest

from app.outbound import Objection, Rules, is_public, unmapped

REFUSED = [
    "0.0.0.2", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:0:7f00:1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1",
    "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:20::1", "2001:db8::1",
    "2002:7f00:1::", "2002:808:808::", "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.0",
    "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2001:200::1", "2001:4860:4860::8888", "2400:cb00::1", "2606:4700::1111", "2a00::1",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_special_addresses_are_refused(text: str) -> None:
    address = ip_address(text)
    assert not is_public(unmapped(address))
    assert Rules().objection("https", address, 443) is Objection.ADDRESS


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_called(text: str) -> None:
    assert is_public(ip_address(text))
    assert Rules().objection("https", ip_address(text), 443) is None


def test_nothing_that_python_knows_as_special_is_public() -> None:
    """A second opinion: each end of each network that the standard library keeps."""
    for first in (*range(0, 1 << 32, 65_536), *range((192 << 24), (192 << 24) + 65_536, 64)):
        address = ip_address(first)
        if not address.is_global or address.is_multicast or address.is_reserved:
            assert not is_public(address), address


def test_public_addresses_take_https_at_listed_ports() -> None:
    rules, address = Rules(ports=(443, 8443)), ip_address("1.1.1.1")
    assert rules.objection("http", address, 80) is Objection.PLAIN
    assert rules.objection("https", address, 8443) is None
    for port in (22, 25, 80, 6379, 8080):
        assert rules.objection("https", address, port) is Objection.PORT


def test_listed_networks_are_called_as_they_are() -> None:
    rules = Rules(["10.1.0.0/16", "fd00:1::/32", "127.0.0.1"])
    for text in ("10.1.2.3", "fd00:1::7", "127.0.0.1", "::ffff:10.1.2.3"):
        assert rules.objection("http", ip_address(text), 8080) is None
    for text in ("10.2.0.1", "fd00:2::7", "127.0.0.2", "::ffff:10.2.2.3", "64:ff9b::a01:203"):
        assert rules.objection("https", ip_address(text), 443) is Objection.ADDRESS
    assert ip_address("10.1.2.3") in ip_network("10.1.0.0/16")


@pytest.mark.parametrize(
    ("url", "objection"),
    [
        ("https://example.org/hook", None),
        ("https://example.org:8443/hook", Objection.PORT),
        ("http://example.org/hook", Objection.PLAIN),
        ("https://127.0.0.1/", Objection.ADDRESS),
        ("https://[::1]/", Objection.ADDRESS),
        ("https://[::ffff:169.254.169.254]/latest/meta-data", Objection.ADDRESS),
        ("https://1.1.1.1/", None),
    ],
)
def test_what_a_url_says_by_itself(url: str, objection: Objection | None) -> None:
    assert Rules().objection_to(url) is objection


def test_with_listed_networks_a_name_may_lead_there() -> None:
    rules = Rules(["10.0.0.0/8"])
    assert rules.objection_to("http://hooks.internal:8080/") is None
    assert rules.objection_to("http://127.0.0.1:8080/") is Objection.ADDRESS
