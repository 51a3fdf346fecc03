"""Where the service may connect to on somebody else's behalf. Pure: nothing is looked up here.

Whoever names an address for the service to call must not get at what only the service can reach:
itself, its neighbours, the metadata of its cloud. An address is public, or the operator has listed
its network.
"""

from collections.abc import Iterable
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
RULES = "outbound"
"""Key of `Session.info`: the process's `Rules`."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given out. Outside are loopback, link-local, unique local and multicast
addresses, IPv4-mapped ones, and both prefixes of NAT64."""
# IANA's registries of special-purpose addresses; what is reachable there is nobody's web server.
_SPECIAL: tuple[IPv4Network | IPv6Network, ...] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
            "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "2001::/23",  # Teredo, ORCHID, benchmarks
            "2001:db8::/32",
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "2620:4f:8000::/48", "3fff::/20",
        ),
    )
)  # fmt: skip


class Objection(StrEnum):
    """Why an address is not called."""

    ADDRESS = "address_refused"
    """It is not public, and of no listed network."""
    PORT = "port_refused"
    PLAIN = "https_needed"
    """Plain http goes to listed networks alone."""


class Rules:
    """What an operator allows beyond the public internet over https."""

    def __init__(self, networks: Iterable[str] = (), ports: Iterable[int] = (443,)) -> None:
        self._networks = tuple(ip_network(network) for network in networks)
        self._ports = frozenset(ports)

    def objection(self, scheme: str, address: Address, port: int) -> Objection | None:
        """What speaks against a connection; None where nothing does."""
        plain = unmapped(address)
        if any(plain in network for network in self._networks):
            return None
        if not is_public(plain):
            return Objection.ADDRESS
        if scheme != "https":
            return Objection.PLAIN
        return None if port in self._ports else Objection.PORT

    def objection_to(self, url: str) -> Objection | None:
        """What can be said against a URL before its name is looked up."""
        parts = urlsplit(url)
        port = port_of(parts)
        literal = _literal(parts.hostname or "")
        if literal is not None:
            return self.objection(parts.scheme, literal, port)
        if self._networks:
            return None
        if parts.scheme != "https":
            return Objection.PLAIN
        return None if port in self._ports else Objection.PORT


def unmapped(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped one stands for, or the address itself."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet at large."""
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _SPECIAL)


def port_of(parts: SplitResult) -> int:
    """The port that a URL leads to; raises `ValueError` for one that is none."""
    return parts.port or _DEFAULT_PORTS[parts.scheme]


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
