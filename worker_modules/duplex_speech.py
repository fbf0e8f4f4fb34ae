"""What a client hears of the model's speech: epochs, and whether any of it is still to come."""

from __future__ import annotations

import time

from core.schemas import SPEECH_SAMPLE_RATE


class SentSpeech:
    """Sound sent so far. A cut begins a new epoch, and sound of earlier ones is void.

    Speech is unfinished while a turn is open, and until what was sent has had the time to be heard.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.played_ms: dict[int, float] = {}
        self._turn_is_open = False
        self._sounds_until_s = 0.0
        self._sent_ms = 0.0

    @property
    def is_unfinished(self) -> bool:
        """Whether a cut now takes anything away."""
        is_heard = self.played_ms.get(self.epoch, 0.0) >= self._sent_ms
        return self._turn_is_open or (not is_heard and time.monotonic() < self._sounds_until_s)

    def send(self, n_samples: int, *, turn_is_open: bool) -> None:
        """Count in sound at 24 kHz."""
        duration_s = n_samples / SPEECH_SAMPLE_RATE
        self._turn_is_open = turn_is_open
        self._sounds_until_s = max(self._sounds_until_s, time.monotonic()) + duration_s
        self._sent_ms += duration_s * 1000

    def cut(self) -> bool:
        """Begin a new epoch if any speech is unfinished; whether it is so."""
        if not self.is_unfinished:
            return False
        self.epoch += 1
        self._turn_is_open = False
        self._sounds_until_s = self._sent_ms = 0.0
        return True

    def hear(self, epoch: int, played_ms: float) -> None:
        """The client has played so much of an epoch."""
        if epoch <= self.epoch:
            self.played_ms[epoch] = max(played_ms, self.played_ms.get(epoch, 0.0))
