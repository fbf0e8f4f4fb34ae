"""Flite, whose voices are made from recordings of people, as a program."""

from __future__ import annotations

import os
import subprocess
import tempfile
import wave
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.nano.phones import Phones
from training.nano.speech_packages import SpeechError, find_program, library_path

ORDINARY = (1.0, 1.0)
"""Pace and pitch relative to the recorded person's."""
SPREAD = (0.12, 0.1)

_ESPEAK_NAMES = {
    **{"aa": "A", "ae": "a", "ah": "V", "ao": "O", "aw": "aU", "ax": "@", "ay": "aI", "eh": "E"},
    **{"er": "3", "ey": "eI", "ih": "I", "iy": "i", "ow": "oU", "oy": "OI", "uh": "U", "uw": "u"},
    **{"ch": "tS", "dh": "D", "hh": "h", "jh": "dZ", "ng": "N", "sh": "S", "th": "T", "y": "j"},
    **{"zh": "Z", "pau": ""},
}
_PITCH_HZ = {"slt": 170.0, "awb": 130.0, "rms": 95.0, "kal16": 95.0}


def speak(
    text: str, voice: str, manner: tuple[float, float]
) -> tuple[NDArray[np.float32], int, Phones]:
    """A sentence in a voice such as ``slt``: float32 ``[n]`` and its rate in Hz.

    Raises:
        SpeechError: the program is missing, or failed.
    """
    pace, pitch = manner
    settings = [f"duration_stretch={1 / pace:.3f}"]
    if pitch != 1.0:
        settings.append(f"int_f0_target_mean={_PITCH_HZ[voice] * pitch:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = [_program(), "-voice", voice, "-t", text, "-o", str(path), "-psdur"]
        for setting in settings:
            command += ["--setf", setting]
        finished = subprocess.run(command, env=_environment(), capture_output=True, check=False)
        if finished.returncode or not path.exists():
            raise SpeechError(f"flite failed on {text!r}: {finished.stderr.decode()[-200:]}")
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
            rate = file.getframerate()
        return (samples / 32768).astype(np.float32), rate, _phones(finished.stdout.decode())


def _phones(printed: str) -> Phones:
    """Of names with the times at which they end."""
    pairs = [part.rpartition(":") for part in printed.split()]
    starts_s = [0.0, *(float(end) for _, _, end in pairs)]
    names = (_ESPEAK_NAMES.get(name, name) for name, _, _ in pairs)
    return Phones.of(zip(starts_s, names, strict=False))


@lru_cache(maxsize=1)
def _program() -> str:
    return find_program("flite")


@lru_cache(maxsize=1)
def _environment() -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": library_path(_program())}
