"""Signing in: a cookie stands for a key or the admin token, which pages cannot send on sockets."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, Field

from gateway_modules.private_file import read_or_make

COOKIE = "minicpmo_login"
SIGNED_IN_S = 12 * 3600
MAX_TOKEN_CHARACTERS = 1000
_COOKIE = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64})")


class LoginRequest(BaseModel):
    """An API key, or the admin token."""

    token: str = Field(max_length=MAX_TOKEN_CHARACTERS)


class LoginStatus(BaseModel):
    required: bool = Field(description="Chats and calls need a key.")
    signed_in: bool = Field(description="The request came with a key or with the admin token.")
    admin: bool = Field(description="The request may use the routes marked admin.")


class LoginCookies:
    """Makes and checks cookies, each signed for one credential and until one moment.

    A cookie holds nothing but that moment and the signature. It stops working as soon as its key or
    token is taken out of the configuration.

    Args:
        key_file: holds what cookies are signed with, so that they outlive the process and hold for
            every gateway of an installation; made on first use. None keeps it in memory.
    """

    def __init__(self, key_file: Path | None = None) -> None:
        self._key_file = key_file

    def make(self, credential: bytes) -> str:
        expires_at_s = int(time.time()) + SIGNED_IN_S
        return f"{expires_at_s}.{self._signature(str(expires_at_s), credential)}"

    def is_for(self, credential: bytes, cookie: str | None) -> bool:
        """Whether the cookie was made for this credential and still holds."""
        parts = _COOKIE.fullmatch(cookie or "")
        if parts is None or int(parts[1]) < time.time():
            return False
        return hmac.compare_digest(parts[2], self._signature(parts[1], credential))

    def _signature(self, expires_at_s: str, credential: bytes) -> str:
        message = expires_at_s.encode() + b" " + credential
        return hmac.new(self._signing_key, message, hashlib.sha256).hexdigest()

    @cached_property
    def _signing_key(self) -> bytes:
        if self._key_file is None:
            return secrets.token_bytes(32)
        return read_or_make(self._key_file).encode()
