"""Who may use what: web origins, keys for inference, the token for administration, the secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from config import KEY_HASH_PREFIX, SecurityConfig
from core import errors
from core.schemas import WORKER_SECRET_HEADER
from gateway_modules.addresses import ClientAddresses, household, is_local
from gateway_modules.client_limits import Rate
from gateway_modules.login import COOKIE, LoginCookies

KEY_HEADER = "x-api-key"
SOCKET_PROTOCOL = "minicpmo"
KEY_PROTOCOL = "minicpmo.key."  # and the key: pages of other origins can send it no other way
MOST_WRONG_A_MINUTE = 10


class AccessPolicy:
    """The checks of one gateway.

    Keys, tokens and secrets that are wrong count against the household that they come from, on
    sockets as over REST and at the sign-in. Once it was wrong too often, RateLimitedError is raised
    in place of an answer to the next ones, right or wrong.

    Args:
        security: the configured keys, token, secret, origins and proxies.
        generated_token: the token made for this installation when none is configured; requests
            from the same machine do not need it. None lets everybody administer.
        cookies: what pages send in place of a key or the token.
    """

    def __init__(
        self,
        security: SecurityConfig,
        generated_token: str | None = None,
        cookies: LoginCookies | None = None,
    ) -> None:
        self._key_digests = [key_digest(key) for key in security.api_keys]
        self._allowed_origins = {origin.rstrip("/") for origin in security.allowed_origins}
        self._admin_token = security.admin_token
        self._generated_token = generated_token
        self._worker_secret = security.worker_secret
        self._cookies = cookies or LoginCookies()
        self._wrong = Rate(MOST_WRONG_A_MINUTE, "wrong keys or tokens")
        self._addresses = ClientAddresses(security.trusted_proxies)

    @property
    def needs_key(self) -> bool:
        """Whether chats and calls need a key."""
        return bool(self._key_digests)

    def check_origin(self, connection: HTTPConnection) -> None:
        """Refuse pages of other sites; programs, which send no Origin, always pass."""
        if not self._is_welcome(connection):
            raise errors.OriginForbiddenError("Pages of this origin may not use the service")

    def check_api_key(self, connection: HTTPConnection) -> None:
        """Ask for one of the configured keys, if there are any; the admin token is as good."""
        if self.needs_key and not self.is_signed_in(connection):
            raise errors.UnauthorizedError("A valid API key is required")

    def check_admin(self, connection: HTTPConnection) -> None:
        """Ask for the admin token, unless there is none or the caller sits on this machine."""
        if not self.is_admin(connection):
            raise errors.UnauthorizedError("The admin token is required")

    def is_admin(self, connection: HTTPConnection) -> bool:
        """Whether the caller may administer the service."""
        needs_token = self._generated_token is not None and not is_local(connection)
        if self._admin_token is None and not needs_token:
            return True
        return self._proves(connection, self._has_admin_token)

    def is_signed_in(self, connection: HTTPConnection) -> bool:
        """Whether the request comes with a key or with the admin token, or their cookie."""
        return self._proves(connection, self._has_key_or_token)

    def sign_in(self, connection: HTTPConnection, token: str) -> str:
        """A cookie that stands for this key or admin token from now on.

        Raises:
            UnauthorizedError: it is neither.
        """
        household = self.household_of(connection)
        self._wrong.check(household)
        number = self._number_of(token)
        if number is not None:
            return self._cookies.make(self._key_digests[number])
        if self._is_admin_token(token):
            return self._cookies.make(self._admin_credential())
        self._wrong.count(household)
        raise errors.UnauthorizedError("This is neither an API key nor the admin token")

    def check_worker(self, connection: HTTPConnection) -> None:
        """Ask for the secret of the workers; without one, none may register."""
        if self._worker_secret is None:
            raise errors.UnauthorizedError("Workers cannot register: set security.worker_secret")
        if not self._proves(connection, self._has_worker_secret):
            raise errors.UnauthorizedError("The worker secret is required")

    def check_worker_or_admin(self, connection: HTTPConnection) -> None:
        """Ask for the secret of the workers or for what an administrator needs."""
        if not self._proves(connection, self._has_worker_secret):
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
        return self.household_of(connection)

    def household_of(self, connection: HTTPConnection) -> str:
        """Whom an address belongs to: itself, or of an IPv6 one the network of one customer."""
        return household(self.address_of(connection))

    def address_of(self, connection: HTTPConnection) -> str:
        """Where a request comes from, as far as the proxies on its way can be believed."""
        return self._addresses.of(connection)

    def _proves(self, connection: HTTPConnection, holds: Callable[[HTTPConnection], bool]) -> bool:
        """Whether `holds` is true of a request; what it says of itself may be a guess."""
        if is_local(connection) or not _may_be_guess(connection):
            return holds(connection)
        household = self.household_of(connection)
        self._wrong.check(household)
        if not (self._has_key_or_token(connection) or self._has_worker_secret(connection)):
            self._wrong.count(household)
        return holds(connection)

    def _is_welcome(self, connection: HTTPConnection) -> bool:
        """Whether a program asks, or a page of ours or of an origin that is allowed."""
        origin = connection.headers.get("origin")
        if origin is None or origin.rstrip("/") in self._allowed_origins:
            return True
        site = urlsplit(origin).netloc.lower()
        return bool(site) and site == connection.headers.get("host", "").lower()

    def _key_number(self, connection: HTTPConnection) -> int | None:
        """Which of the configured keys a request carries, itself or as its cookie."""
        given = _bearer_token(connection) or connection.headers.get(KEY_HEADER)
        number = self._number_of(given) if given is not None else None
        cookie = self._cookie(connection)
        if number is not None or cookie is None:
            return number
        found = [self._cookies.is_for(digest, cookie) for digest in self._key_digests]
        return found.index(True) if any(found) else None

    def _number_of(self, key: str) -> int | None:
        digest = hashlib.sha256(key.encode()).digest()
        found = [hmac.compare_digest(digest, known) for known in self._key_digests]
        return found.index(True) if any(found) else None

    def _has_key_or_token(self, connection: HTTPConnection) -> bool:
        return self._has_admin_token(connection) or self._key_number(connection) is not None

    def _has_admin_token(self, connection: HTTPConnection) -> bool:
        if self._is_admin_token(_bearer_token(connection)):
            return True
        cookie = self._cookie(connection)
        return cookie is not None and self._cookies.is_for(self._admin_credential(), cookie)

    def _is_admin_token(self, given: str | None) -> bool:
        return _is_equal(given, self._admin_token or self._generated_token)

    def _admin_credential(self) -> bytes:
        """What cookies of administrators are signed for; it is no digest of a key."""
        return b"admin " + (self._admin_token or self._generated_token or "").encode()

    def _cookie(self, connection: HTTPConnection) -> str | None:
        """The cookie of a page of ours; browsers add it to what other pages ask as well."""
        return connection.cookies.get(COOKIE) if self._is_welcome(connection) else None

    def _has_worker_secret(self, connection: HTTPConnection) -> bool:
        return _is_equal(connection.headers.get(WORKER_SECRET_HEADER), self._worker_secret)


def key_digest(key: str) -> bytes:
    """The SHA-256 of a configured key, which may be given as that already."""
    if key.startswith(KEY_HASH_PREFIX):
        return bytes.fromhex(key.removeprefix(KEY_HASH_PREFIX))
    return hashlib.sha256(key.encode()).digest()


def _may_be_guess(connection: HTTPConnection) -> bool:
    """Whether a request comes with a key, token or secret; a cookie is too long to be guessed."""
    headers = connection.headers
    given = (_bearer_token(connection), headers.get(KEY_HEADER), headers.get(WORKER_SECRET_HEADER))
    return any(given)


def _bearer_token(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    offered = connection.headers.get("sec-websocket-protocol", "").split(",")
    keys = [name.strip() for name in offered if name.strip().startswith(KEY_PROTOCOL)]
    return keys[0].removeprefix(KEY_PROTOCOL) or None if keys else None


def _is_equal(given: str | None, expected: str | None) -> bool:
    if not given or not expected:
        return False
    return hmac.compare_digest(given.encode(), expected.encode())
