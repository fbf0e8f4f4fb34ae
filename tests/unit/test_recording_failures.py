"""Recordings when something goes wrong: the session never notices, and what there is stays."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.recording import (
    RecordingWriter,
    TurnBasedSessionRecorder,
    load_meta,
    load_recording,
)
from core.recording.folders import is_being_written
from core.recording.journal import GLANCE_S, Journal
from tests.unit.markdown_page import PROJECT_ROOT
from tests.unit.recorded_sessions import record_call, speech, written

DYING_PROGRAM = """
import os, signal, sys
from tests.unit.recorded_sessions import record_call
recorder, writer = record_call(__import__("pathlib").Path(sys.argv[1]), "LSE")
writer.flush(10)
os.kill(os.getpid(), signal.SIGKILL)
"""


@contextmanager
def largest_file(n_bytes: int) -> Iterator[None]:
    """As on a full disk: no file may become larger."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def wait_for(event: threading.Event) -> None:
    event.wait(10)


def chat_recorder(data_path: Path, writer: RecordingWriter) -> TurnBasedSessionRecorder:
    return TurnBasedSessionRecorder("chat_1", "chat", 0, {}, data_path, writer=writer)


def test_a_worker_that_is_killed_leaves_a_recording_that_can_be_read(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DYING_PROGRAM, str(tmp_path)]
    died = subprocess.run(command, cwd=PROJECT_ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    folder = tmp_path / "sessions" / "call_1"
    assert not (folder / "recording.json").exists()
    assert not is_being_written(folder)
    recording = load_recording(folder)
    assert [chunk["result"]["mode"] for chunk in recording["chunks"]] == [
        "LISTEN",
        "SPEAK",
        "SPEAK",
    ]
    assert json.loads((folder / "meta.json").read_text())["ended_at"] is None
    assert load_meta(folder)["ended_at"] is not None


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "LL", with_frames=False)
    folder = written(recorder, writer)
    journal = folder / "recording.jsonl"
    os.truncate(journal, journal.stat().st_size - 5)
    (folder / "recording.json").unlink()
    assert len(load_recording(folder)["chunks"]) == 1


def test_a_running_session_is_live_and_has_no_recording_yet(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "L")
    assert writer.flush(10)
    assert is_being_written(recorder.folder)
    assert load_meta(recorder.folder)["ended_at"] is None
    with pytest.raises(FileNotFoundError):
        load_recording(recorder.folder)
    assert not is_being_written(written(recorder, writer))


def test_who_only_looks_whether_a_session_is_live_never_ends_its_recording(tmp_path: Path) -> None:
    journal = tmp_path / "recording.jsonl"
    journal.touch()
    with journal.open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(GLANCE_S / 4, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        Journal(tmp_path).close()


def test_two_recorders_never_write_the_same_journal(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    with pytest.raises(BlockingIOError):
        Journal(tmp_path)
    first.close()


def test_a_full_disk_ends_the_recording_with_a_warning_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = RecordingWriter()
    recorder = chat_recorder(tmp_path, writer)
    recorder.start_turn({"text": "Hello"})
    assert writer.flush(10)
    with largest_file(10_000), caplog.at_level(logging.WARNING):
        recorder.save_ai_audio_turn(0, speech(1.0))
        assert writer.flush(10)
        recorder.add_streaming_chunk("more", None)
    warning = recorder.take_warning()
    assert warning is not None
    assert warning.startswith("recording stopped: ")
    assert recorder.take_warning() is None
    assert "event=recording_stopped session_id=chat_1" in caplog.text
    folder = written(recorder, writer)
    assert load_meta(folder)["recording_error"]
    assert load_recording(folder)["turns"][0]["input"] == {"text": "Hello"}


def test_a_disk_that_cannot_keep_up_ends_the_recording(tmp_path: Path) -> None:
    writer = RecordingWriter(limit_jobs=4)
    is_slow = threading.Event()
    recorder = chat_recorder(tmp_path, writer)
    assert writer.flush(10)
    writer.put(lambda: wait_for(is_slow))
    for _ in range(5):
        recorder.start_turn({})
    is_slow.set()
    assert "cannot keep up" in (recorder.take_warning() or "")
    folder = written(recorder, writer)
    assert len(load_recording(folder)["turns"]) < 5
    assert load_meta(folder)["ended_at"] is not None


def test_the_payload_that_waits_is_bounded() -> None:
    writer = RecordingWriter(limit_bytes=100)
    may_go_on = threading.Event()
    writer.put(lambda: wait_for(may_go_on), 150)
    assert not writer.put(lambda: None, 1)
    may_go_on.set()
    assert writer.flush(10)
    assert writer.put(lambda: None, 1000)
    writer.close(10)


def test_a_folder_that_cannot_be_made_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("a file")
    writer = RecordingWriter()
    recorder = chat_recorder(tmp_path, writer)
    recorder.start_turn({})
    recorder.finalize()
    assert writer.flush(10)
    assert recorder.take_warning()


def test_a_job_that_fails_unexpectedly_ends_no_other_recording(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = RecordingWriter()
    writer.put_last(lambda: {}["missing"])
    recorder = chat_recorder(tmp_path, writer)
    recorder.start_turn({"text": "Hello"})
    assert load_recording(written(recorder, writer))["turns"]
    assert "event=recording_failed" in caplog.text


def test_a_session_without_an_answer_can_be_discarded(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = chat_recorder(tmp_path, writer)
    recorder.discard()
    recorder.finalize()
    assert writer.flush(10)
    assert not recorder.folder.exists()
