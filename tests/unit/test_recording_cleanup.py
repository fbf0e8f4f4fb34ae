"""Deleting old recordings."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import session_cleanup
from core.recording import cleanup_sessions, get_session_info
from tests.unit.recorded_sessions import record_call, written

KIBIBYTE_IN_GB = 1 / (1 << 20)
DAY_S = 86_400


def session(data_path: Path, name: str, age_days: float, n_bytes: int = 1000, **meta: Any) -> Path:
    """A recording of that age that has ended."""
    folder = data_path / "sessions" / name
    folder.mkdir(parents=True)
    created_at = datetime.now(timezone.utc) - timedelta(days=age_days)
    described = {"session_id": name, "created_at": created_at.isoformat()}
    described |= {"ended_at": created_at.isoformat()} | meta
    (folder / "meta.json").write_text(json.dumps(described))
    (folder / "media.wav").write_bytes(bytes(n_bytes))
    return folder


def test_without_limits_nothing_is_done(tmp_path: Path) -> None:
    session(tmp_path, "old", 900)
    answer = cleanup_sessions(tmp_path)
    assert (answer["status"], answer["deleted"]) == ("skipped", 0)
    assert answer["message"]


def test_without_recordings_there_is_nothing_to_do(tmp_path: Path) -> None:
    answer = cleanup_sessions(tmp_path, 30, 50)
    assert (answer["status"], answer["deleted"]) == ("ok", 0)
    assert answer["message"]


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    old, young = session(tmp_path, "old", 31), session(tmp_path, "young", 29)
    answer = cleanup_sessions(tmp_path, 30)
    assert not old.exists()
    assert young.exists()
    assert set(answer) == {
        "status",
        "scanned",
        "deleted",
        "deleted_expired",
        "deleted_capacity",
        "remaining",
        "remaining_size_mb",
        "errors",
    }
    assert answer["scanned"] == 2
    assert (answer["deleted"], answer["deleted_expired"], answer["remaining"]) == (1, 1, 1)


def test_the_oldest_go_until_the_rest_fits(tmp_path: Path) -> None:
    folders = [session(tmp_path, f"s{age}", age, 400 * 1024) for age in (1, 3, 2)]
    answer = cleanup_sessions(tmp_path, -1, 500 * KIBIBYTE_IN_GB)
    assert [folder.exists() for folder in folders] == [True, False, False]
    assert (answer["deleted_capacity"], answer["remaining"]) == (2, 1)


def test_a_session_that_goes_on_is_never_deleted(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "L")
    assert writer.flush(10)
    meta = recorder.folder / "meta.json"
    long_ago = {"created_at": "2020-01-01T00:00:00+00:00"}
    meta.write_text(json.dumps(json.loads(meta.read_text()) | long_ago))
    age_files(recorder.folder)
    assert cleanup_sessions(tmp_path, 1, 1e-9)["deleted"] == 0
    assert recorder.folder.exists()
    written(recorder, writer)


def age_files(folder: Path, days: float = 100) -> None:
    changed_at = time.time() - days * DAY_S
    for path in (folder, *folder.iterdir()):
        os.utime(path, (changed_at, changed_at))


@pytest.mark.parametrize(("silent_days", "remains"), [(0, True), (2, False)])
def test_an_unfinished_session_counts_as_live_while_something_happens(
    tmp_path: Path, silent_days: float, remains: bool
) -> None:
    folder = session(tmp_path, "unfinished", 3, ended_at=None)
    age_files(folder, silent_days)
    cleanup_sessions(tmp_path, 1)
    assert folder.exists() is remains


def test_a_broken_folder_is_reported_and_kept(tmp_path: Path) -> None:
    folder = session(tmp_path, "broken", 100)
    (folder / "meta.json").write_text("{")
    answer = cleanup_sessions(tmp_path, 30, 1e-9)
    assert folder.exists()
    assert answer["remaining"] == 0
    assert ["broken" in error for error in answer["errors"]] == [True]


@pytest.mark.parametrize(("age_days", "remains"), [(1, True), (100, False)])
def test_a_folder_without_description_goes_when_it_is_old(
    tmp_path: Path, age_days: float, remains: bool
) -> None:
    folder = session(tmp_path, "nameless", 0)
    (folder / "meta.json").unlink()
    age_files(folder, age_days)
    cleanup_sessions(tmp_path, 30)
    assert folder.exists() is remains


def test_a_link_beside_the_recordings_is_left_alone(tmp_path: Path) -> None:
    elsewhere = session(tmp_path / "elsewhere", "old", 100)
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "link").symlink_to(elsewhere)
    assert cleanup_sessions(tmp_path, 30)["scanned"] == 0
    assert elsewhere.exists()


def test_a_dry_run_tells_and_keeps(tmp_path: Path) -> None:
    folder = session(tmp_path, "old", 100)
    answer = cleanup_sessions(tmp_path, 30, dry_run=True)
    assert folder.exists()
    assert (answer["deleted"], answer["would_delete"]) == (1, ["old"])


def test_the_age_of_a_session_is_that_of_its_description(tmp_path: Path) -> None:
    folder = session(tmp_path, "s", 0, 10, created_at="2026-05-04T07:12:00")
    name, created_at, n_bytes = get_session_info(folder)
    assert (name, created_at) == ("s", datetime(2026, 5, 4, 7, 12, tzinfo=timezone.utc))
    assert n_bytes == 10 + (folder / "meta.json").stat().st_size
    (folder / "meta.json").unlink()
    with pytest.raises(ValueError, match=r"no meta\.json"):
        get_session_info(folder)


def test_the_program_deletes_or_only_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = session(tmp_path, "old", 100)
    place = ["--data-dir", str(tmp_path)]
    assert session_cleanup.main([*place, "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["would_delete"] == ["old"]
    assert folder.exists()
    assert session_cleanup.main([*place, "--retention-days", "30", "--max-gb", "1"]) == 0
    assert not folder.exists()
