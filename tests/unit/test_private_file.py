"""Secrets that an installation makes for itself."""

from __future__ import annotations

import stat
from pathlib import Path

from gateway_modules.private_file import read_or_make


def test_the_token_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "admin_token"
    token = read_or_make(path)
    assert read_or_make(path) == token
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_token_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "admin_token"
    path.write_text("given\n")
    path.chmod(0o644)
    assert read_or_make(path) == "given"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
