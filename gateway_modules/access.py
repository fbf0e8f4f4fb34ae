"""Who may use what: web origins, keys for inference, the token for administration, the secret."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from config import KEY_HASH_PREFIX, SecurityConfig, is_loopback
from core import errors
from core.schemas import WORKER_SECRET_HEADER

FORWARDING_HEADERS = ("forwarded", "x-forwarded-for")
IPV6_PREFIX_BITS = 64  # what one customer of a provider has for himself
OWNER_ONLY = 0o600


class AccessPolicy:
    """The checks of one gateway.

    Args:
        security: the configured keys, token, secret, origins and proxies.
        generated_token: the token made for this installation when none is configured; requests
            from the same machine do not need it.
    """

    def __init__(self, security: SecurityConfig, generated_token: str | None = None) -> None:
        self._key_digests = [key_digest(key) for key in security.api_keys]
        self._allowed_origins = {origin.rstrip("/") for origin in security.allowed_origins}
        self._admin_token = security.admin_token
        self._generated_token = generated_token
        self._worker_secret = security.worker_secret
        self._trusted_proxies = [
            ipaddress.ip_network(network, strict=False) for network in security.trusted_proxies
        ]

    def check_origin(self, connection: HTTPConnection) -> None:
        """Refuse pages of other sites; programs, which send no Origin, always pass."""
        origin = connection.headers.get("origin")
        if origin is None or origin.rstrip("/") in self._allowed_origins:
            return
        if urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower():
            raise errors.OriginForbiddenError("Pages of this origin may not use the service")

    def check_api_key(self, connection: HTTPConnection) -> None:
        """Ask for one of the configured keys, if there are any."""
        if self._key_digests and self._key_number(connection) is None:
            raise errors.UnauthorizedError("A valid API key is required")

    def check_admin(self, connection: HTTPConnection) -> None:
        """Ask for the admin token, unless there is none or the caller sits on this machine."""
        needs_token = self._generated_token is not None and not is_local(connection)
        if self._admin_token is None and not needs_token:
            return
        if not self._has_admin_token(connection):
            raise errors.UnauthorizedError("The admin token is required")

    def check_worker(self, connection: HTTPConnection) -> None:
        """Ask for the secret of the workers; without one, none may register."""
        if self._worker_secret is None:
            raise errors.UnauthorizedError("Workers cannot register: set security.worker_secret")
        if not self._has_worker_secret(connection):
            raise errors.UnauthorizedError("The worker secret is required")

    def check_worker_or_admin(self, connection: HTTPConnection) -> None:
        """Ask for the secret of the workers or for what an administrator needs."""
        if not self._has_worker_secret(connection):
            self.check_admin(connection)

    def client_of(self, connection: HTTPConnection) -> str | None:
        """Whose share of the limits a request uses: that of a key or of an address.

        None is whoever has no limits: this machine itself, administrators and workers.
        """
        if is_local(connection):
            return None
        if self._has_admin_token(connection) or self._has_worker_secret(connection):
            return None
        number = self._key_number(connection)
        if number is not None:
            return f"key {number}"
        return _household(self.address_of(connection))

    def address_of(self, connection: HTTPConnection) -> str:
        """Where a request comes from, as far as the proxies on its way can be believed."""
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
        return parsed.is_loopback or any(parsed in network for network in self._trusted_proxies)

    def _key_number(self, connection: HTTPConnection) -> int | None:
        """Which of the configured keys a request carries."""
        given = _bearer_token(connection) or connection.headers.get("x-api-key")
        if given is None:
            return None
        digest = hashlib.sha256(given.encode()).digest()
        found = [hmac.compare_digest(digest, known) for known in self._key_digests]
        return found.index(True) if any(found) else None

    def _has_admin_token(self, connection: HTTPConnection) -> bool:
        token = self._admin_token or self._generated_token
        return _is_equal(_bearer_token(connection), token)

    def _has_worker_secret(self, connection: HTTPConnection) -> bool:
        return _is_equal(connection.headers.get(WORKER_SECRET_HEADER), self._worker_secret)


def key_digest(key: str) -> bytes:
    """The SHA-256 of a configured key, which may be given as that already."""
    if key.startswith(KEY_HASH_PREFIX):
        return bytes.fromhex(key.removeprefix(KEY_HASH_PREFIX))
    return hashlib.sha256(key.encode()).digest()


def is_local(connection: HTTPConnection) -> bool:
    """Whether the peer is this machine itself, and not a proxy on it."""
    if connection.client is None or any(name in connection.headers for name in FORWARDING_HEADERS):
        return False
    return is_loopback(connection.client.host)


def load_or_make_token(path: Path) -> str:
    """The token kept in `path`, made on first use; the file is for its owner alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    path.chmod(OWNER_ONLY)
    return path.read_text().strip()


def _bearer_token(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _is_equal(given: str | None, expected: str | None) -> bool:
    if given is None or expected is None:
        return False
    return hmac.compare_digest(given.encode(), expected.encode())


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


def _household(address: str) -> str:
    """The address, or of an IPv6 one the network that belongs to one customer."""
    if not _is_address(address):
        return address
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX_BITS), strict=False))
