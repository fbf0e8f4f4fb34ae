"""Merge a full-duplex recording into one sound file and, with pictures, one video.

`python -m core.recording.replay FOLDER` does it in a process of its own; `ReplayQueue` starts it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.logs import configure_logging, event
from core.recording.captions import captions_of, write_webvtt
from core.recording.contents import write_recording
from core.recording.folders import (
    CAPTIONS,
    MERGED_AUDIO,
    MERGED_VIDEO,
    META,
    note_in_meta,
    read_json,
)
from core.recording.left_over import VIDEO_TYPE, lacks_replay, reserved
from core.recording.merged_audio import write_merged_audio
from core.recording.merged_video import write_merged_video
from core.recording.reader import load_recording
from core.recording.timeline import units_of

logger = logging.getLogger(__name__)


def merge(folder: Path) -> list[str]:
    """Make the merged files, each as a whole or not at all; the names of those made."""
    units = list(units_of(load_recording(folder), folder))
    if not units:
        return []
    captions = captions_of(units)
    made = []
    with _whole_file(folder, MERGED_AUDIO, made) as path:
        write_merged_audio(units, path)
    if captions:
        with _whole_file(folder, CAPTIONS, made) as path:
            write_webvtt(captions, path)
    write_recording(folder)  # a long video may not be done in time
    is_video = read_json(folder / META)["app_type"] == VIDEO_TYPE
    if is_video and any(unit.frames for unit in units):
        with _whole_file(folder, MERGED_VIDEO, made) as path:
            write_merged_video(units, captions, folder / MERGED_AUDIO, path)
        write_recording(folder)
    return made


@contextmanager
def _whole_file(folder: Path, name: str, made: list[str]) -> Iterator[Path]:
    """A place to write to; the file gets its name, and joins `made`, when the block succeeds."""
    unfinished = folder / f".{name}"
    try:
        yield unfinished
        if unfinished.exists():
            os.replace(unfinished, folder / name)
            made.append(name)
    finally:
        unfinished.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status; what went wrong is in the log and in the recording's `meta.json`."""
    configure_logging()
    (given,) = sys.argv[1:] if arguments is None else arguments
    folder = Path(given)
    with reserved(folder) as is_ours:
        return make(folder) if is_ours else 0


def make(folder: Path) -> int:
    """Make the merged files, or note why there are none, so that nobody tries again."""
    try:
        made = merge(folder)
        if lacks_replay(folder):
            note_in_meta(folder, replay_error="there was nothing to make it of")
    except Exception as error:  # whatever the media hold, the recording itself stays usable
        logger.exception(event("replay_failed", session_id=folder.name))
        note_in_meta(folder, replay_error=f"{type(error).__name__}: {error}")
        return 1
    logger.info(event("replay_made", session_id=folder.name, files=",".join(made)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
