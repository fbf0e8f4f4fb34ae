"""Float sound into 16-bit WAV files that grow while they are recorded."""

from __future__ import annotations

import struct
from pathlib import Path

SAMPLE_BYTES = 2
HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
FULL_SCALE = 32767


def to_pcm16(floats: bytes) -> bytes:
    """Little-endian float32 samples -> little-endian 16-bit ones, clipped and truncated."""
    import numpy as np  # here, because the gateway reads recordings and does without it

    samples = np.frombuffer(floats, "<f4").astype(np.float64) * FULL_SCALE
    return samples.clip(-FULL_SCALE - 1, FULL_SCALE).astype("<i2").tobytes()


def append_wav(path: Path, pcm: bytes, sample_rate: int) -> None:
    """Add mono PCM to a WAV file, made if need be; it is a valid one after each call."""
    if not path.exists():
        path.write_bytes(_header(len(pcm), sample_rate) + pcm)
        return
    with path.open("r+b") as file:
        file.seek(0, 2)
        file.write(pcm)
        n_bytes = file.tell() - HEADER.size
        file.seek(0)
        file.write(_header(n_bytes, sample_rate))


def cut_wav(path: Path, n_samples: int, sample_rate: int) -> int:
    """Keep the first samples of a mono WAV file; without any, the file goes. How many it has."""
    if not path.exists():
        return 0
    n_bytes = min(n_samples * SAMPLE_BYTES, path.stat().st_size - HEADER.size)
    if n_bytes <= 0:
        path.unlink()
        return 0
    with path.open("r+b") as file:
        file.truncate(HEADER.size + n_bytes)
        file.write(_header(n_bytes, sample_rate))
    return n_bytes // SAMPLE_BYTES


def _header(n_bytes: int, sample_rate: int) -> bytes:
    return HEADER.pack(
        b"RIFF",
        HEADER.size - 8 + n_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,  # PCM
        1,  # channel
        sample_rate,
        sample_rate * SAMPLE_BYTES,
        SAMPLE_BYTES,
        8 * SAMPLE_BYTES,
        b"data",
        n_bytes,
    )
