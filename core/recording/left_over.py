"""Recordings whose replay was never made, because the worker ended too early."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.recording.folders import (
    JOURNAL,
    MERGED_AUDIO,
    MERGED_VIDEO,
    META,
    USER_FRAMES,
    is_being_written,
    read_json,
    session_folders,
)

AUDIO_TYPE = "audio_duplex"
VIDEO_TYPE = "omni_duplex"


def left_over(data_dir: str | Path) -> Iterator[Path]:
    """The folders of calls that are over, finished or broken off, and have no replay yet.

    Each is looked at when it is asked for, the newest first.
    """
    for folder in reversed(list(session_folders(data_dir))):  # their names begin with the time
        if lacks_replay(folder):
            yield folder


def lacks_replay(folder: Path) -> bool:
    """Whether a replay can be made and nobody has made it, or tried to."""
    try:
        meta = read_json(folder / META)
    except (OSError, ValueError):
        return False
    if meta.get("app_type") not in (AUDIO_TYPE, VIDEO_TYPE) or meta.get("replay_error"):
        return False
    is_video = meta["app_type"] == VIDEO_TYPE and any((folder / USER_FRAMES).glob("*"))
    is_made = (folder / (MERGED_VIDEO if is_video else MERGED_AUDIO)).exists()
    return not is_made and (folder / JOURNAL).exists() and not is_being_written(folder)


@contextmanager
def reserved(folder: Path) -> Iterator[bool]:
    """In the block nobody else makes this replay; False when somebody does already."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield _is_locked_now(descriptor)
    finally:
        os.close(descriptor)


def _is_locked_now(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
