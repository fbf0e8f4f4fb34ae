"""Recordings made for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.recording import (
    DuplexSessionRecorder,
    RecordingWriter,
    TurnBasedSessionRecorder,
)
from tests.wire_media import image_file, picture, tone

WRITTEN_S = 10.0


def written(recorder: Any, writer: RecordingWriter) -> Path:
    """End a session; its folder, once all is on the disk."""
    recorder.finalize()
    assert writer.flush(WRITTEN_S)
    return recorder.folder


def speech(seconds: float, level: float = 0.5) -> np.ndarray:
    """float32 [n_samples], 24 kHz."""
    return np.full(round(seconds * 24_000), level, np.float32)


def result(**fields: Any) -> dict[str, Any]:
    """A `result` of a call, listening unless it says otherwise."""
    return {"is_listen": True, "text": "", "end_of_turn": False, "audio_epoch": 0} | fields


def record_call(
    data_path: Path,
    script: str = "LSEL",
    *,
    speech_s: float = 1.0,
    app_type: str = "omni_duplex",
    with_frames: bool = True,
) -> tuple[DuplexSessionRecorder, RecordingWriter]:
    """A call still open: L listens, S speaks, E speaks and ends its turn; one second each."""
    writer = RecordingWriter()
    recorder = DuplexSessionRecorder("call_1", app_type, 0, {"a": 1}, data_path, writer=writer)
    for index, letter in enumerate(script):
        sound = recorder.save_user_audio(index, tone(1.0))
        frame = None
        if with_frames:
            data = image_file(picture(96 + 32 * (index % 2), 64), "JPEG")
            frame = recorder.save_user_frame(index, data)
        says, path = result(), None
        if letter in "SE":
            says = result(is_listen=False, text=f"word{index} ", end_of_turn=letter == "E")
            path = recorder.save_ai_audio(recorder.turn_index, index, speech(speech_s))
        n_samples = round(speech_s * 24_000)
        recorder.record_chunk(index, 1000.0 * index, says, 60.04, sound, frame, path, n_samples)
    return recorder, writer


def record_chat(data_path: Path, session_id: str = "chat_1", app_type: str = "chat") -> Path:
    """A finished chat of one turn."""
    writer = RecordingWriter()
    settings = {"system_prompt": "Be brief."}
    recorder = TurnBasedSessionRecorder(session_id, app_type, 0, settings, data_path, writer=writer)
    image = recorder.save_user_image(
        recorder.next_image_index(), image_file(picture(64, 48), "PNG")
    )
    asked = {"text": "What is shown?", "images": [image]}
    timing = {"elapsed_ms": 812.5, "tokens": 5, "input_tokens": 320}
    recorder.record_chat_turn(asked, "A cat.", speech(1.24), timing)
    return written(recorder, writer)
