"""Which text goes with which stretch of speech, so that an answer can be cut to what was heard."""

from __future__ import annotations

from dataclasses import dataclass

from core.schemas import SPEECH_SAMPLE_RATE


@dataclass(frozen=True)
class SpokenPart:
    """The beginning of an answer: its text, and from how many of its tokens that comes."""

    text: str = ""
    n_tokens: int = 0


@dataclass
class _Piece:
    start_ms: float
    end: SpokenPart


class SpokenAnswer:
    """An answer as it was sent, chunk by chunk.

    Args:
        audio_epoch: the epoch in which its sound was sent.
    """

    def __init__(self, audio_epoch: int = 0) -> None:
        self.audio_epoch = audio_epoch
        self._pieces: list[_Piece] = []
        self._duration_ms = 0.0

    @property
    def has_sound(self) -> bool:
        return self._duration_ms > 0

    @property
    def duration_s(self) -> float:
        """How long its sound is."""
        return self._duration_ms / 1000

    @property
    def whole(self) -> SpokenPart:
        """All of it."""
        return self._pieces[-1].end if self._pieces else SpokenPart()

    def add(self, text: str, n_tokens: int, n_samples: int) -> None:
        """A chunk was sent, with `n_samples` of sound at 24 kHz; text without sound of its own
        belongs to the sound before it.
        """
        end = SpokenPart(self.whole.text + text, n_tokens)
        if n_samples or not self._pieces:
            self._pieces.append(_Piece(self._duration_ms, end))
            self._duration_ms += n_samples / SPEECH_SAMPLE_RATE * 1000
        else:
            self._pieces[-1].end = end

    def cut(self, played_ms: float) -> SpokenPart:
        """Keep only the chunks that had begun to play after `played_ms`; what is left."""
        if self.has_sound:
            self._pieces = [piece for piece in self._pieces if piece.start_ms < played_ms]
        return self.whole
