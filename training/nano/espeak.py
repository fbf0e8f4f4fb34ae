"""eSpeak NG in this process: library and voices come with the package `espeakng-loader`."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from itertools import count

import numpy as np
from numpy.typing import NDArray

from training.nano.phones import Phones
from training.nano.speech_packages import SpeechError, add_packages_to_path

ORDINARY = (160.0, 50.0)
"""Words a minute, and a pitch of 0 to 99."""
SPREAD = (0.15, 0.3)

_RETRIEVAL = 2  # sound comes back instead of being played, and calls wait for it
_WITH_PHONES = 1  # among the events
_LAST_EVENT, _PHONE = 0, 7
_BUFFER_MS = 200
_RATE, _PITCH = 1, 3
_UTF8 = 1


class _Event(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def speak(
    text: str, voice: str, manner: tuple[float, float]
) -> tuple[NDArray[np.float32], int, Phones]:
    """A sentence in a voice such as ``en-us+f3``: float32 ``[n]``, its rate in Hz and its phones.

    Raises:
        SpeechError: the library is missing, or has no such voice.
    """
    return _engine().speak(text, voice, manner)


@lru_cache(maxsize=1)
def _engine() -> _Engine:
    return _Engine()


class _Engine:
    """The library, which keeps one voice and one sentence at a time."""

    def __init__(self) -> None:
        add_packages_to_path()
        try:
            import espeakng_loader  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise SpeechError(f"the package espeakng-loader is missing: {error}") from error
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        folder = espeakng_loader.get_data_path().encode()
        self._sample_rate = self._library.espeak_Initialize(
            _RETRIEVAL, _BUFFER_MS, folder, _WITH_PHONES
        )
        self._pieces: list[NDArray[np.int16]] = []
        self._phones: list[tuple[float, str]] = []
        self._callback = _Callback(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(
        self, text: str, voice: str, manner: tuple[float, float]
    ) -> tuple[NDArray[np.float32], int, Phones]:
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise SpeechError(f"espeak has no voice {voice}")
        words_per_minute, pitch = manner
        self._library.espeak_SetParameter(_RATE, round(words_per_minute), 0)
        self._library.espeak_SetParameter(_PITCH, round(pitch), 0)
        content = text.encode()
        self._pieces.clear()
        self._phones.clear()
        self._library.espeak_Synth(content, len(content) + 1, 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        if not self._pieces:
            raise SpeechError(f"espeak says nothing of {text!r}")
        samples = np.concatenate(self._pieces) / 32768
        return samples.astype(np.float32), self._sample_rate, Phones.of(self._phones)

    def _receive(
        self,
        samples: ctypes._Pointer[ctypes.c_short],
        n_samples: int,
        events: ctypes._Pointer[_Event],
    ) -> int:
        for number in count():
            event = events[number]
            if event.kind == _LAST_EVENT:
                break
            if event.kind == _PHONE:
                self._phones.append((event.audio_ms / 1000, event.name.decode()))
        if samples and n_samples > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        return 0
