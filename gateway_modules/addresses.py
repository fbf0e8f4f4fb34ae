"""Where a request comes from: this machine, an address, the network of one customer."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from functools import lru_cache

from starlette.requests import HTTPConnection

from config import is_loopback

FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
IPV6_PREFIX_BITS = 64  # what one customer of a provider has for himself


class ClientAddresses:
    """Finds the address of a client behind proxies.

    Args:
        trusted_proxies: networks of proxies that tell whom they pass on; one on this machine is
            always believed.
    """

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._trusted = [ipaddress.ip_network(network, strict=False) for network in trusted_proxies]

    def of(self, connection: HTTPConnection) -> str:
        """The last address on the way of a request that is no trusted proxy."""
        address = connection.client.host if connection.client else ""
        passed_on = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        while passed_on and self._is_trusted_proxy(address):
            sender = _without_port(passed_on.pop().strip())
            if not _is_address(sender):
                break
            address = sender
        return address

    def _is_trusted_proxy(self, address: str) -> bool:
        if not _is_address(address):
            return False
        parsed = ipaddress.ip_address(address)
        return parsed.is_loopback or any(parsed in network for network in self._trusted)


def is_local(connection: HTTPConnection) -> bool:
    """Whether this machine itself asks, and neither a proxy on it nor a page that only seems to.

    The name of another site in `Host` is that of a page whose site gave itself the address of this
    machine, or of a proxy that does not tell whom it passes on.
    """
    if connection.client is None or any(name in connection.headers for name in FORWARDING_HEADERS):
        return False
    return is_loopback(connection.client.host) and _names_this_machine(connection)


def household(address: str) -> str:
    """The address, or of an IPv6 one the network that belongs to one customer."""
    if not _is_address(address):
        return address
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX_BITS), strict=False))


def _names_this_machine(connection: HTTPConnection) -> bool:
    host = _without_port(connection.headers.get("host", "")).lower().rstrip(".")
    return not host or _is_address(host) or host in _own_names() or host.endswith(".localhost")


@lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    name = socket.gethostname().lower()
    return frozenset({"localhost", name, name.partition(".")[0]})


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(text: str) -> str:
    """`192.0.2.7:80` -> `192.0.2.7`, `[2001:db8::1]:80` -> `2001:db8::1`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
