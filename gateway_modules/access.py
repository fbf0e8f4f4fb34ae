"""Who may use what: web origins, keys for inference, the token for administration."""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from config import SecurityConfig
from core import errors

FORWARDING_HEADERS = ("forwarded", "x-forwarded-for")


class AccessPolicy:
    """The checks of one gateway.

    Args:
        security: the configured keys, token and origins.
        generated_token: the token made for this installation when none is configured; requests
            from the same machine do not need it.
    """

    def __init__(self, security: SecurityConfig, generated_token: str | None = None) -> None:
        self._api_keys = security.api_keys
        self._allowed_origins = {origin.rstrip("/") for origin in security.allowed_origins}
        self._admin_token = security.admin_token
        self._generated_token = generated_token

    def check_origin(self, connection: HTTPConnection) -> None:
        """Refuse pages of other sites; programs, which send no Origin, always pass."""
        origin = connection.headers.get("origin")
        if origin is None or origin.rstrip("/") in self._allowed_origins:
            return
        if urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower():
            raise errors.OriginForbiddenError("Pages of this origin may not use the service")

    def check_api_key(self, connection: HTTPConnection) -> None:
        """Ask for one of the configured keys, if there are any."""
        if not self._api_keys:
            return
        given = _bearer_token(connection) or connection.headers.get("x-api-key")
        if given is None or not any(_equal(given, key) for key in self._api_keys):
            raise errors.UnauthorizedError("A valid API key is required")

    def check_admin(self, connection: HTTPConnection) -> None:
        """Ask for the admin token, unless there is none or the caller sits on this machine."""
        token = self._admin_token
        if token is None and not is_local(connection):
            token = self._generated_token
        if token is None:
            return
        given = _bearer_token(connection)
        if given is None or not _equal(given, token):
            raise errors.UnauthorizedError("The admin token is required")


def is_local(connection: HTTPConnection) -> bool:
    """Whether the peer is this machine itself, and not a proxy on it."""
    if connection.client is None or any(name in connection.headers for name in FORWARDING_HEADERS):
        return False
    return is_loopback(connection.client.host)


def is_loopback(host: str) -> bool:
    """Whether an address or host name reaches only this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_or_make_token(path: Path) -> str:
    """The token kept in `path`, made (mode 0600) on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    return path.read_text().strip()


def _bearer_token(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
