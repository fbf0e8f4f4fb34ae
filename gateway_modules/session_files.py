"""Where the files of recorded sessions are, and that nobody reaches any others."""

from __future__ import annotations

import mimetypes
import zipfile
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any

from core.recording.folders import META, SAFE_ID, session_folder

MEDIA_TYPES = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webm": "video/webm",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt",
    ".json": "application/json",
    ".jsonl": "application/json",
    ".txt": "text/plain",
}
PIECE_BYTES = 1 << 18
UPLOADED_REPLAY = "frontend_replay"  # and a suffix


def find_session(data_path: Path, session_id: str) -> Path | None:
    """The folder of a recording; None when there is no such recording."""
    if not SAFE_ID.fullmatch(session_id):
        return None
    folder = session_folder(data_path, session_id)
    if folder.is_symlink() or not (folder / META).is_file():
        return None
    return folder


def find_asset(folder: Path, relative: str) -> Path | None:
    """A file of a recording; None when there is no such file.

    Raises:
        ValueError: the path leads, or may lead, out of the folder.
    """
    path = Path(relative)
    if "\0" in relative or "\\" in relative or path.is_absolute() or ".." in path.parts:
        raise ValueError("the path leads out of the session")
    found = (folder / path).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise ValueError("the path leads out of the session")
    is_hidden = any(part.startswith(".") for part in path.parts)
    try:
        return found if found.is_file() and not is_hidden else None
    except OSError:  # a name that is longer than any file's
        return None


def uploaded_replay(folder: Path) -> str | None:
    """The name of the recording that a page has uploaded, the latest where there are several."""
    found = list(folder.glob(f"{UPLOADED_REPLAY}.*"))
    return max(found, key=lambda path: path.stat().st_mtime).name if found else None


def media_type(path: Path) -> str:
    """What a browser shall take a file for."""
    suffix = path.suffix.lower()
    return MEDIA_TYPES.get(suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"


def zipped(folder: Path) -> Iterator[bytes]:
    """A zip archive of a recording, piece by piece; it is never whole in memory or on the disk."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file() or path.name.startswith("."):
                continue
            entry = zipfile.ZipInfo.from_file(path, f"{folder.name}/{path.relative_to(folder)}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(entry, "w") as target:
                while piece := source.read(PIECE_BYTES):
                    target.write(piece)
                    yield pipe.take()
    yield pipe.take()


class _Pipe(RawIOBase):
    """Takes what the archive writes until it is fetched; one cannot go back in it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
