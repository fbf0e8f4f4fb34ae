"""Voices as pages and programs get them, and send them back: float32 samples in base64."""

from __future__ import annotations

import contextlib
import wave
from array import array
from base64 import b64encode
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, Field

from core.schemas import MODEL_SAMPLE_RATE
from gateway_modules.sound_decoding import BYTES_PER_SAMPLE, Pcm16, SoundError, decode_sound

KEPT_SOUNDS = 4  # of up to 3 MB each
FULL_SCALE = 32768


class VoiceSound(BaseModel):
    """One voice with its samples."""

    name: str
    duration: float = Field(description="Seconds.")
    sample_rate: int = MODEL_SAMPLE_RATE
    samples: int
    base64: str = Field(description="Little-endian float32, mono, 16 kHz.")


def load_voice(path: Path, max_s: float) -> VoiceSound:
    """The first `max_s` seconds of a sound file. Blocks; use a thread.

    Raises:
        FileNotFoundError: there is no such file.
        SoundError: it holds no readable sound.
    """
    stamp = path.stat()
    return _load(path, stamp.st_mtime_ns, stamp.st_size, max_s)


def voice_etag(path: Path) -> str:
    """Changes when the file does.

    Raises:
        FileNotFoundError: there is no such file.
    """
    stamp = path.stat()
    return f'"{stamp.st_mtime_ns:x}-{stamp.st_size:x}"'


def voice_duration_s(path: Path, max_s: float) -> float | None:
    """How long `load_voice` would be, from the header where it tells; None if it would fail."""
    not_told = (OSError, EOFError, wave.Error, ZeroDivisionError)
    with contextlib.suppress(*not_told), wave.open(str(path)) as file:
        return round(min(file.getnframes() / file.getframerate(), max_s), 1)
    try:
        return load_voice(path, max_s).duration
    except (OSError, SoundError):
        return None


@lru_cache(maxsize=KEPT_SOUNDS)
def _load(path: Path, modified_ns: int, n_bytes: int, max_s: float) -> VoiceSound:
    """Remembered until the file changes, which its time and size tell."""
    pcm = _read_as_kept(path, max_s) or decode_sound(path.read_bytes(), max_s)
    return VoiceSound(
        name=path.name,
        duration=round(pcm.duration_s, 1),
        samples=pcm.n_samples,
        base64=_float32_base64(pcm.data),
    )


def _read_as_kept(path: Path, max_s: float) -> Pcm16 | None:
    """A file that needs no decoding; None for every other one."""
    with contextlib.suppress(EOFError, wave.Error), wave.open(str(path)) as file:
        if file.getparams()[:3] == (1, BYTES_PER_SAMPLE, MODEL_SAMPLE_RATE):
            data = file.readframes(int(max_s * MODEL_SAMPLE_RATE))
            return Pcm16(data[: len(data) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE])
    return None


def _float32_base64(pcm16: bytes) -> str:
    floats = array("f", (sample / FULL_SCALE for sample in array("h", pcm16)))
    return b64encode(floats).decode()
