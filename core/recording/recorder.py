"""One session on its way to the disk. Nothing here waits, and no failure reaches the session."""

from __future__ import annotations

import base64
import logging
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.logs import event
from core.recording.contents import turn_audio, write_recording
from core.recording.earlier import EarlierTurns
from core.recording.folders import (
    AI_AUDIO,
    MEDIA_FOLDERS,
    META,
    USER_AUDIO,
    USER_FRAMES,
    USER_IMAGES,
    USER_VIDEOS,
    session_folder,
    write_json,
)
from core.recording.journal import Event, Journal
from core.recording.pcm import append_wav, to_pcm16
from core.recording.writer import RecordingWriter
from core.schemas import MODEL_SAMPLE_RATE, SPEECH_SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np

    Sound = np.ndarray | str

logger = logging.getLogger(__name__)

STOPPED = "recording stopped: {reason}; the session itself goes on"


class SessionRecorder:
    """Media files and a journal, written behind the session's back by a `RecordingWriter`.

    When the writer cannot keep up or the disk fails, recording stops, and `take_warning` says so
    once. Its methods may be called from any thread.

    Sound is float32 [n_samples], and sound and files may also be given in base64, as they come over
    the wire: then they are decoded behind the session's back, too.

    Args:
        app_type: `chat`, `streaming`, `half_duplex_audio`, `audio_duplex` or `omni_duplex`.
        worker_id: the label of the worker's GPU.
        config_snapshot: what the client set, without media.
        writer: by default a new one.
        earlier: what there is of a recording that was finalized and now goes on.
        on_finished: called in the writer's thread with the folder of a recording that is complete.
    """

    def __init__(
        self,
        session_id: str,
        app_type: str,
        worker_id: int,
        config_snapshot: dict[str, Any],
        data_dir: str | Path = "data",
        *,
        writer: RecordingWriter | None = None,
        earlier: EarlierTurns | None = None,
        on_finished: Callable[[Path], None] | None = None,
    ) -> None:
        self.session_id = session_id
        self.folder = session_folder(data_dir, session_id)
        self.started_at = datetime.now(timezone.utc)
        self._started_s = time.monotonic()
        self._writer = writer or RecordingWriter()
        self._on_finished = on_finished
        self._journal: Journal | None = None
        self._problem: str | None = None
        self._warning: str | None = None
        self._is_broken = self._is_ended = False
        self._meta: dict[str, Any] = {
            "session_id": session_id,
            "app_type": app_type,
            "created_at": self.started_at.isoformat(),
            "ended_at": None,
            "duration_s": None,
            "worker_id": worker_id,
            "title": f"对话 {self.started_at:%m-%d %H:%M}",
            "config": dict(config_snapshot),
        }
        if earlier is not None:
            self._resume(earlier)
        self._put(self._open)
        if earlier is None:
            self._note(
                {
                    "event": "session",
                    "session_id": session_id,
                    "mode": self.mode,
                    "worker_id": worker_id,
                    "start_ts": self._meta["created_at"],
                    "config": dict(config_snapshot),
                }
            )

    @property
    def mode(self) -> str:
        """What `recording.json` calls it."""
        return self._meta["app_type"]

    @property
    def elapsed_ms(self) -> float:
        """Time since the session began."""
        return round((time.monotonic() - self._started_s) * 1000, 1)

    def take_warning(self) -> str | None:
        """What the client should be told, once."""
        warning, self._warning = self._warning, None
        return warning

    def save_user_audio(self, index: int, pcm: Sound) -> str:
        """Sound of the user at 16 kHz; more for the same index is added at its end."""
        return self._save_sound(f"{USER_AUDIO}/{index:03d}.wav", pcm, MODEL_SAMPLE_RATE)

    def save_user_frame(self, index: int, data: bytes | str) -> str:
        """What the user's camera saw."""
        return self._save_file(f"{USER_FRAMES}/{index:03d}.jpg", data)

    def save_user_image(self, number: int, data: bytes | str) -> str:
        """A picture the user sent, whatever its format."""
        return self._save_file(f"{USER_IMAGES}/img_{number}.jpg", data)

    def save_user_video(self, number: int, data: bytes | str, ext: str = "mp4") -> str:
        """A video the user sent."""
        return self._save_file(f"{USER_VIDEOS}/vid_{number}.{ext}", data)

    def save_ai_audio(self, turn: int, index: int, pcm: Sound) -> str:
        """Sound of one chunk of a turn, at 24 kHz."""
        name = f"{AI_AUDIO}/turn_{turn}_chunk_{index:03d}.wav"
        return self._save_sound(name, pcm, SPEECH_SAMPLE_RATE)

    def save_ai_audio_turn(self, turn: int, pcm: Sound) -> str:
        """Sound of a turn at 24 kHz; more for the same turn is added at its end."""
        return self._save_sound(turn_audio(turn), pcm, SPEECH_SAMPLE_RATE)

    def update_config(self, changes: dict[str, Any]) -> None:
        """Settings that are known only now."""

        def update() -> None:
            self._meta["config"] |= changes
            write_json(self.folder / META, self._meta)
            self._append({"event": "config", "config": changes})

        self._put(update)

    def finalize(self) -> None:
        """The session is over: complete what describes it, in the writer's thread."""
        if not self._is_ended:
            self._is_ended = True
            self._writer.put_last(self._finish)

    def discard(self) -> None:
        """The session is over and was not worth keeping."""
        if not self._is_ended:
            self._is_ended = True
            self._writer.put_last(self._remove)

    # -- for the kinds of recorders ----------------------------------------------------------------

    def _resume(self, earlier: EarlierTurns) -> None:
        """Go on counting from where the recording began."""
        self._meta = earlier.meta | {"ended_at": None, "duration_s": None}
        created_at = datetime.fromisoformat(self._meta["created_at"])
        self._started_s -= (self.started_at - created_at).total_seconds()
        self.started_at = created_at

    def _note(self, happened: Event) -> None:
        """Have an event written to the journal."""
        self._put(lambda: self._append(happened))

    def _put(self, job: Callable[[], None], n_bytes: int = 0) -> None:
        """Have something written, unless recording has stopped."""
        if self._is_ended or self._problem is not None:
            return
        if not self._writer.put(lambda: self._attempt(job), n_bytes):
            self._stop("the disk cannot keep up")

    def _save_sound(self, name: str, pcm: Sound, sample_rate: int) -> str:
        path = self.folder / name
        n_bytes = len(pcm) if isinstance(pcm, str) else pcm.nbytes
        self._put(lambda: append_wav(path, to_pcm16(_float_bytes(pcm)), sample_rate), n_bytes)
        return name

    def _save_file(self, name: str, data: bytes | str) -> str:
        path = self.folder / name
        self._put(lambda: _write(path, data), len(data))
        return name

    # -- in the writer's thread --------------------------------------------------------------------

    def _attempt(self, job: Callable[[], None]) -> None:
        if self._is_broken:
            return
        try:
            job()
        except OSError as error:
            self._is_broken = True
            self._stop(error.strerror or type(error).__name__)
        except Exception as error:  # whatever it is, it ends the recording and not the session
            self._is_broken = True
            logger.exception(event("recording_failed", session_id=self.session_id))
            self._stop(type(error).__name__)

    def _stop(self, reason: str) -> None:
        self._problem = reason
        self._warning = STOPPED.format(reason=reason)
        logger.warning(event("recording_stopped", session_id=self.session_id, reason=reason))

    def _open(self) -> None:
        for name in MEDIA_FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._journal = Journal(self.folder)
        write_json(self.folder / META, self._meta)

    def _append(self, happened: Event) -> None:
        assert self._journal is not None, "_open comes first"
        self._journal.append(happened)

    def _finish(self) -> None:
        if self._journal is None:
            return
        ended_at = datetime.now(timezone.utc)
        duration_s = (ended_at - self.started_at).total_seconds()
        self._meta |= {"ended_at": ended_at.isoformat(), "duration_s": round(duration_s, 1)}
        if self._problem is not None:
            self._meta["recording_error"] = self._problem
        try:
            write_recording(self.folder)
            write_json(self.folder / META, self._meta)
        except (OSError, ValueError) as error:
            reason = str(error)
            logger.warning(event("recording_open", session_id=self.session_id, reason=reason))
            return
        finally:
            self._journal.close()
        if self._on_finished is not None:
            self._on_finished(self.folder)

    def _remove(self) -> None:
        if self._journal is not None:
            self._journal.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def _write(path: Path, data: bytes | str) -> None:
    path.write_bytes(base64.b64decode(data) if isinstance(data, str) else data)


def _float_bytes(pcm: Sound) -> bytes:
    return base64.b64decode(pcm) if isinstance(pcm, str) else pcm.astype("<f4").tobytes()
