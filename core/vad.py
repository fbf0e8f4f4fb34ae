"""Voice activity: where somebody speaks in a recording, or in sound as it comes in.

The network is the one of the `silero-vad` package, run by onnxruntime. All sound is float32, mono,
16 kHz. A session owns a `StreamingVAD`; the network itself is shared and remembers nothing.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from math import inf
from typing import Any, cast

import numpy as np
import onnxruntime

from core.errors import UnsupportedError
from core.schemas import MODEL_SAMPLE_RATE

WINDOW_SAMPLES = 512
CONTEXT_SAMPLES = 64
SAMPLES_PER_MS = MODEL_SAMPLE_RATE // 1000
HYSTERESIS = 0.15  # speech that has begun goes on down to this much below the threshold
LOWEST_THRESHOLD = 0.01


@dataclass(frozen=True)
class StreamingVadOptions:
    """When live speech begins and ends.

    Args:
        threshold: probability from which a window begins an utterance.
        min_speech_duration_ms: shorter utterances are dropped; the silence after is not counted.
        min_silence_duration_ms: silence that ends an utterance.
        speech_pad_ms: sound from before the first window that an utterance is given.
        max_speech_duration_s: an utterance ends here even if the speaker goes on.
    """

    threshold: float = 0.8
    min_speech_duration_ms: int = 128
    min_silence_duration_ms: int = 800
    speech_pad_ms: int = 30
    max_speech_duration_s: float = 60.0


@dataclass(frozen=True)
class BatchVadOptions(StreamingVadOptions):
    """The same for whole recordings, where `speech_pad_ms` is given on both sides."""

    threshold: float = 0.5
    min_speech_duration_ms: int = 250
    min_silence_duration_ms: int = 500
    speech_pad_ms: int = 100
    max_speech_duration_s: float = inf


VadOptions = StreamingVadOptions


@dataclass
class VadMemory:
    """What the network knows of the sound before a window."""

    state: np.ndarray = field(default_factory=lambda: np.zeros((2, 1, 128), np.float32))
    context: np.ndarray = field(default_factory=lambda: np.zeros(CONTEXT_SAMPLES, np.float32))


class SileroVADModel:
    """The network; any number of threads may use it.

    Raises:
        UnsupportedError: the `silero-vad` package is not installed.
    """

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            _network_file(), options, providers=["CPUExecutionProvider"]
        )
        self._sample_rate = np.array(MODEL_SAMPLE_RATE, np.int64)

    def probability(self, window: np.ndarray, memory: VadMemory) -> float:
        """How likely it is that somebody speaks in the window [512]; `memory` moves on with it."""
        sound = np.concatenate([memory.context, window])  # [576]
        inputs = {"input": sound[None], "state": memory.state, "sr": self._sample_rate}
        outputs = self._session.run(None, inputs)
        probability, memory.state = cast(Any, outputs)  # [1, 1], [2, 1, 128]
        memory.context = sound[-CONTEXT_SAMPLES:]
        return float(probability[0, 0])


@lru_cache(maxsize=1)
def get_vad_model() -> SileroVADModel:
    """The network, loaded once per process."""
    return SileroVADModel()


def _network_file() -> bytes:
    """The network's file, found without running the package's code, which changes torch."""
    package = importlib.util.find_spec("silero_vad")
    if package is None:
        raise UnsupportedError("voice activity detection needs the package silero-vad")
    folder = importlib.resources.files(importlib.util.module_from_spec(package))
    return (folder / "data" / "silero_vad.onnx").read_bytes()


@dataclass(frozen=True)
class _Utterance:
    """Sample positions: where speech begins, after its last voiced window, and where it is over."""

    start: int
    voiced_until: int
    end: int


class _SpeechGate:
    """Decides, window by window, whether speech begins, goes on or is over."""

    def __init__(self, options: StreamingVadOptions) -> None:
        self._begin_at = options.threshold
        self._go_on_at = max(options.threshold - HYSTERESIS, LOWEST_THRESHOLD)
        self._min_speech = options.min_speech_duration_ms * SAMPLES_PER_MS
        self._min_silence = max(options.min_silence_duration_ms * SAMPLES_PER_MS, 1)
        self._max_speech = options.max_speech_duration_s * MODEL_SAMPLE_RATE
        self._position = 0
        self._start = 0
        self._voiced_until = 0
        self.is_open = False

    def step(self, probability: float) -> _Utterance | None:
        """Take in the next window; the utterance if it ends one."""
        window_start = self._position
        self._position += WINDOW_SAMPLES
        if not self.is_open:
            if probability >= self._begin_at:
                self.is_open, self._start = True, window_start
                self._voiced_until = self._position
            return None
        if probability >= self._go_on_at:
            self._voiced_until = self._position
        is_silent = self._position - self._voiced_until >= self._min_silence
        is_too_long = self._position - self._start >= self._max_speech
        return self.close() if is_silent or is_too_long else None

    def close(self) -> _Utterance:
        """End the utterance here."""
        self.is_open = False
        return _Utterance(self._start, self._voiced_until, self._position)

    def is_long_enough(self, utterance: _Utterance) -> bool:
        """Whether it is more than a click."""
        return utterance.voiced_until - utterance.start >= self._min_speech


@dataclass(frozen=True)
class SpeechEdge:
    """Speech begins or ends; at its end, what was said, unless that was too short.

    `segment` is float32 [n_samples], from the padding before to the end of the silence after.
    """

    is_speaking: bool
    segment: np.ndarray | None = None


class StreamingVAD:
    """Cuts live sound into utterances. Pieces may have any length; the rest of a window is kept."""

    def __init__(
        self, options: StreamingVadOptions | None = None, model: SileroVADModel | None = None
    ) -> None:
        self.options = options or StreamingVadOptions()
        self._model = model or get_vad_model()
        self.reset()

    @property
    def is_speaking(self) -> bool:
        """Whether an utterance is going on."""
        return self._gate.is_open

    def feed(self, waveform: np.ndarray) -> list[np.ndarray]:
        """The utterances that this piece, float32 [n_samples], brought to their end, in order."""
        edges = self.edges(waveform)
        return [edge.segment for edge in edges if edge.segment is not None]

    def edges(self, waveform: np.ndarray) -> list[SpeechEdge]:
        """Every beginning and end of speech in this piece, in order."""
        self._rest = np.concatenate([self._rest, np.asarray(waveform, np.float32).reshape(-1)])
        n_ready = len(self._rest) - len(self._rest) % WINDOW_SAMPLES
        ready, self._rest = self._rest[:n_ready], self._rest[n_ready:]
        steps = [self._step(window) for window in ready.reshape(-1, WINDOW_SAMPLES)]
        return [edge for edge in steps if edge is not None]

    def flush(self) -> np.ndarray | None:
        """End the utterance that is going on, if any; nothing of what came before is kept."""
        segment = None
        if self._gate.is_open:
            self._pieces.append(self._rest)
            segment = self._segment(self._gate.close())
        self.reset()
        return segment

    def reset(self) -> None:
        """Forget all sound."""
        self._memory = VadMemory()
        self._gate = _SpeechGate(self.options)
        self._rest = np.zeros(0, np.float32)
        self._recent = np.zeros(0, np.float32)
        self._pieces: list[np.ndarray] = []

    def _step(self, window: np.ndarray) -> SpeechEdge | None:
        was_speaking = self.is_speaking
        utterance = self._gate.step(self._model.probability(window, self._memory))
        before, self._recent = self._recent, self._newest(np.concatenate([self._recent, window]))
        if utterance is not None:
            self._pieces.append(window)
            return SpeechEdge(False, self._segment(utterance))
        if not self.is_speaking:
            return None
        if was_speaking:
            self._pieces.append(window)
            return None
        self._pieces = [before, window]
        return SpeechEdge(True)

    def _newest(self, sound: np.ndarray) -> np.ndarray:
        n_padding = self.options.speech_pad_ms * SAMPLES_PER_MS
        return sound[max(0, len(sound) - n_padding) :]

    def _segment(self, utterance: _Utterance) -> np.ndarray | None:
        pieces, self._pieces = self._pieces, []
        return np.concatenate(pieces) if self._gate.is_long_enough(utterance) else None


def get_speech_timestamps(
    waveform: np.ndarray, options: StreamingVadOptions | None = None
) -> list[dict[str, int]]:
    """Where speech is in a recording: `start` and `end` in samples, in order, never overlapping."""
    options = options or BatchVadOptions()
    gate = _SpeechGate(options)
    utterances = [
        utterance
        for probability in _probabilities(waveform)
        if (utterance := gate.step(probability)) is not None
    ]
    if gate.is_open:
        utterances.append(gate.close())
    spans = [
        [utterance.start, min(utterance.voiced_until, len(waveform))]
        for utterance in utterances
        if gate.is_long_enough(utterance)
    ]
    return _padded(spans, options.speech_pad_ms * SAMPLES_PER_MS, len(waveform))


def collect_chunks(waveform: np.ndarray, chunks: Sequence[dict[str, int]]) -> np.ndarray:
    """The given parts of a recording, one after the other, float32 [n_samples]."""
    parts = [waveform[chunk["start"] : chunk["end"]] for chunk in chunks]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def run_vad(waveform: np.ndarray, options: StreamingVadOptions | None = None) -> np.ndarray:
    """A recording without its silence, float32 [n_samples]."""
    return collect_chunks(waveform, get_speech_timestamps(waveform, options))


def _probabilities(waveform: np.ndarray) -> Iterator[float]:
    model, memory = get_vad_model(), VadMemory()
    sound = np.pad(np.asarray(waveform, np.float32), (0, -len(waveform) % WINDOW_SAMPLES))
    for window in sound.reshape(-1, WINDOW_SAMPLES):
        yield model.probability(window, memory)


def _padded(spans: list[list[int]], n_padding: int, n_samples: int) -> list[dict[str, int]]:
    """Widen each span by the padding, or to the middle of the gap where there is less room."""
    middles = [(left[1] + right[0]) // 2 for left, right in pairwise(spans)]
    return [
        {"start": max(start - n_padding, lowest), "end": min(end + n_padding, highest)}
        for (start, end), lowest, highest in zip(
            spans, [0, *middles], [*middles, n_samples], strict=False
        )
    ]
