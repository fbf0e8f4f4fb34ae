"""Secrets that an installation makes for itself."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

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


def test_a_file_that_a_full_disk_left_empty_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "admin_token"
    path.touch()
    token = read_or_make(path)
    assert (len(token) >= 32, read_or_make(path)) == (True, token)


def test_a_disk_that_refuses_leaves_a_secret_that_nobody_knows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").write_text("a file")
    path = tmp_path / "data" / "admin_token"
    assert read_or_make(path) != read_or_make(path)
    assert "event=secret_not_kept" in caplog.text


def test_nothing_is_left_of_a_file_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, mode: str) -> object:
        os.close(descriptor)
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fdopen", full)
    path = tmp_path / "admin_token"
    read_or_make(path)
    assert not path.exists()
