"""Where a recording lies: its id, its folder, and the files that describe it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

META = "meta.json"
RECORDING = "recording.json"
JOURNAL = "recording.jsonl"
COMMENT = "comment.txt"
MERGED_AUDIO = "merged_replay.wav"
MERGED_VIDEO = "merged_replay.mp4"
CAPTIONS = "captions.vtt"
USER_AUDIO = "user_audio"
USER_FRAMES = "user_frames"
USER_IMAGES = "user_images"
USER_VIDEOS = "user_videos"
AI_AUDIO = "ai_audio"
MEDIA_FOLDERS = (USER_AUDIO, USER_FRAMES, USER_IMAGES, USER_VIDEOS, AI_AUDIO)

SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
CLIENT_ID_CHARACTERS = 64


def generate_session_id(prefix: str) -> str:
    """`prefix` and 128 random bits: whoever has the id was given it."""
    return f"{prefix}_{secrets.token_hex(16)}"


def half_duplex_id(client_id: str) -> str:
    """The id of a half-duplex recording; a client may use its own id again and again."""
    return generate_session_id(client_id[:CLIENT_ID_CHARACTERS])


def duplex_id(client_id: str) -> str:
    """The id of a full-duplex recording, which begins with the time in UTC."""
    name = client_id[:CLIENT_ID_CHARACTERS] or "duplex"
    return generate_session_id(f"{datetime.now(timezone.utc):%Y%m%d_%H%M%S}_{name}")


def sessions_folder(data_dir: str | Path) -> Path:
    """All recordings of a service."""
    return Path(data_dir) / "sessions"


def session_folder(data_dir: str | Path, session_id: str) -> Path:
    """The folder of a recording, there or not.

    Raises:
        ValueError: the id is none that a recording could have.
    """
    if not SAFE_ID.fullmatch(session_id):
        raise ValueError(f"not the id of a recording: {session_id!r}")
    return sessions_folder(data_dir) / session_id


def session_folders(data_dir: str | Path) -> Iterator[Path]:
    """The folders of all recordings; files and links beside them are left alone."""
    root = sessions_folder(data_dir)
    if root.is_dir():
        for path in sorted(root.iterdir()):
            if path.is_dir() and not path.is_symlink() and SAFE_ID.fullmatch(path.name):
                yield path


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        OSError, ValueError: there is none.
    """
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds no JSON object")
    return value


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a file as a whole: readers see the old one or the new one."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def note_in_meta(folder: Path, **notes: object) -> None:
    """Add to what `meta.json` says."""
    write_json(folder / META, read_json(folder / META) | notes)


def is_being_written(folder: Path) -> bool:
    """Whether a process has the recording open; the lock goes when the process does."""
    try:
        journal = (folder / JOURNAL).open("rb")
    except OSError:
        return False
    with journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def size_bytes(folder: Path) -> int:
    """How much the files of a recording hold; what vanishes meanwhile counts nothing."""
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(directory, name)).st_size
            except FileNotFoundError:
                continue
    return total
