"""Reference voices: where one comes from, and the vocoder that speaks in it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError

from core.errors import InvalidFieldError, UnsupportedError
from core.processors.limits import RequestLimits
from core.processors.media import decode_audio, decode_base64
from core.processors.sound_track import read_sound_track
from core.schemas import MODEL_SAMPLE_RATE, TTSConfig, TTSMode
from MiniCPMO45 import ChatMessage, MediaError, MiniCPMO, voice_system_message
from MiniCPMO45.token2wav.voice import content_key
from MiniCPMO45.vocoder import Vocoder

REFERENCE_FIELD = "tts.ref_audio_data"
PATH_FIELD = "tts.ref_audio_path"
WAV_START = "UklGR"  # what the first bytes, RIFF, become in base64
NOTHING_ELSE = {"protocol_whitelist": "none"}  # FFmpeg opens nothing that a file names
FindFile = Callable[[str], Path]
KEPT_VOICES = 4  # a long recording takes up to a gigabyte on the device


def load_voice_file(path: Path, field: str = "audio.ref_audio_path") -> np.ndarray:
    """A sound file as float32 [n_samples], 16 kHz mono.

    Args:
        field: what named the file.

    Raises:
        InvalidFieldError: it is missing or holds no readable sound.
    """
    try:
        with path.open("rb") as file:  # FFmpeg would take a path that looks like one for an address
            return _read_file(file, path.name, field)
    except OSError as error:
        raise _unreadable(path.name, field) from error


def decode_voice(text: str, field: str, limit_s: float) -> np.ndarray:
    """Base64 of a WAV file at any rate, or of float32 PCM -> float32 [n_samples], 16 kHz mono.

    Raises:
        TooLargeError: PCM that lasts longer than `limit_s` seconds.
        InvalidFieldError: it is neither.
    """
    if not text.startswith(WAV_START):
        return decode_audio(text, field, limit_s)
    data = decode_base64(text, field)
    return _read_file(BytesIO(data), field, field, "wav")


def _read_file(file: BinaryIO, name: str, field: str, demuxer: str | None = None) -> np.ndarray:
    """FFmpeg guesses the format only of files of the service: some formats name others to open."""
    try:
        with av.open(file, format=demuxer, options=NOTHING_ELSE) as container:
            assert isinstance(container, InputContainer)
            recording = read_sound_track(container)
        if not recording.size:
            raise ValueError("no sound")
        return recording
    except (FFmpegError, ValueError, IndexError) as error:
        raise _unreadable(name, field) from error


def _unreadable(name: str, field: str) -> InvalidFieldError:
    return InvalidFieldError(f"{name} is not a readable sound file", field=field)


def with_voice_prompt(
    messages: list[ChatMessage], tts: TTSConfig, recording: np.ndarray
) -> list[ChatMessage]:
    """The messages after a system message that gives the voice, unless they bring their own."""
    if tts.mode is TTSMode.DEFAULT or any(message.role == "system" for message in messages):
        return messages
    return [voice_system_message(tts.mode.value, tts.language, recording), *messages]


class Voices:
    """The voices of one worker. Preparing one costs time, so recent ones are kept ready.

    `choose` may run on any thread, `vocoder` and `opener` only on the model's own.

    Args:
        default_path: spoken with when a request brings no voice.
        find_file: gives the file that a request names, or refuses it.
    """

    def __init__(
        self,
        model: MiniCPMO,
        default_path: str | None,
        limits: RequestLimits,
        find_file: FindFile = Path,
    ) -> None:
        self._model = model
        self._default_path = default_path
        self._default: np.ndarray | None = None
        self._limits = limits
        self._find_file = find_file
        self._ready: OrderedDict[str, Any] = OrderedDict()

    @property
    def can_speak(self) -> bool:
        """Whether the weights of the vocoder are there."""
        return self._model.vocoder is not None

    @property
    def has_default(self) -> bool:
        """Whether a voice is configured for requests that bring none."""
        return self._default_path is not None

    def choose(self, tts: TTSConfig, field: str = REFERENCE_FIELD) -> tuple[np.ndarray, str | None]:
        """The recording to speak like, float32 16 kHz mono, and a warning when it was cropped.

        Args:
            field: what the client calls its recording.

        Raises:
            InvalidFieldError: the recording is unusable, or none is configured.
        """
        limit_s = self._limits.ref_audio_max_s
        if tts.ref_audio_data is not None:
            recording = decode_voice(tts.ref_audio_data, field, self._limits.audio_s)
        elif tts.ref_audio_path is not None:
            recording = load_voice_file(self._find_file(tts.ref_audio_path), PATH_FIELD)
        else:
            recording = self._default_recording(field)
        if tts.ref_audio_max_ms is not None:
            limit_s = min(limit_s, tts.ref_audio_max_ms / 1000)
        if recording.size <= limit_s * MODEL_SAMPLE_RATE:
            return recording, None
        cropped = recording[: int(limit_s * MODEL_SAMPLE_RATE)]
        return cropped, f"the reference voice was cropped to {limit_s:g} seconds"

    def vocoder(self, recording: np.ndarray, field: str = REFERENCE_FIELD) -> Vocoder:
        """A fresh stream that speaks like `recording`; see `opener`."""
        return self.opener(recording, field)()

    def opener(self, recording: np.ndarray, field: str = REFERENCE_FIELD) -> Callable[[], Vocoder]:
        """Gives fresh streams that speak like `recording`, each for a turn of one call.

        Args:
            field: what the client calls its recording.

        Raises:
            InvalidFieldError: it is silent or too short.
            UnsupportedError: there is no vocoder.
        """
        model = self._model.vocoder
        if model is None:
            raise UnsupportedError("speech output needs assets/token2wav beside the weights")
        key = content_key(recording, MODEL_SAMPLE_RATE)
        voice = self._ready.pop(key, None)
        if voice is None:
            try:
                voice = model.prepare_voice(recording, MODEL_SAMPLE_RATE)
            except MediaError as error:
                raise InvalidFieldError(f"{field}: {error}", field=field) from error
        self._ready[key] = voice
        while len(self._ready) > KEPT_VOICES:
            self._ready.popitem(last=False)
        return lambda: model.stream(voice)

    def _default_recording(self, field: str) -> np.ndarray:
        if self._default is None:
            if self._default_path is None:
                raise InvalidFieldError(
                    f"no default voice is configured; send {field}", field=field
                )
            self._default = load_voice_file(Path(self._default_path))
        return self._default
