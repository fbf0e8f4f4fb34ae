"""The spoken side of a full-duplex turn: audio codes and their rendering, unit by unit."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.sessions.speech import (
    LOOKAHEAD_CODES,
    SILENCE_CODE,
    WINDOW_CODES,
    Vocoder,
)
from MiniCPMO45.speech_sampling import PENALTY_WINDOW
from MiniCPMO45.speech_tokens import UNIT_LIMIT, SpeechDecoder

UNIT_SAMPLES = 24000
SMALLEST_WINDOW = LOOKAHEAD_CODES + 5
CLOSING_LIMIT = 76  # choices of a closing unit: up to 75 codes, three seconds


class DuplexVoice:
    """Speaks one turn after another.

    Args:
        make_vocoder: gives a fresh vocoder, in the voice of the conversation, for each turn.
        compat: cut a closing unit at 25 codes, and let forced listening keep the speech context.
    """

    def __init__(
        self,
        decoder: SpeechDecoder,
        make_vocoder: Callable[[], Vocoder],
        options: DuplexOptions,
        *,
        compat: bool,
    ) -> None:
        self.decoder = decoder
        self._make_vocoder = make_vocoder
        self._compat = compat
        self._filtered = options.speech_top_k > 0 or options.speech_top_p < 1
        self._across_units = options.speech_penalty_across_units
        self._turn_codes: list[int] = []
        self._new_rendering()

    def speak(self, rows: Tensor, *, end_of_turn: bool) -> list[int]:
        """Codes of one unit, to be rendered before the next one is spoken.

        Args:
            rows: condition ``[T, hidden]``, the audio-begin row included.
        """
        opening = self.decoder.position == 0
        limit = UNIT_LIMIT if self._compat or not end_of_turn else CLOSING_LIMIT
        if not self.decoder.has_room(rows.shape[0] + limit):
            self.decoder.reset()  # after minutes without a pause the intonation starts afresh
        history = None
        if self._across_units and self._turn_codes:
            history = torch.tensor(self._turn_codes, device=rows.device)
        codes = self.decoder.unit(
            rows,
            limit=limit,
            minimum=0 if end_of_turn or opening else UNIT_LIMIT,
            filtered=self._filtered,
            history=history,
        )
        self._turn_codes = (self._turn_codes + codes)[-PENALTY_WINDOW:]
        return codes

    def render(self, codes: list[int], *, end_of_turn: bool) -> Tensor:
        """Sound of one unit, float32 ``[n]`` at 24 kHz; empty when nothing can be rendered yet."""
        waveform = self._render(codes, end_of_turn=end_of_turn)
        if end_of_turn:
            self.end_turn()
        return waveform

    def end_turn(self) -> None:
        """The next unit opens a new turn; sound that was not rendered is dropped."""
        self.decoder.reset()
        self._turn_codes = []
        self._new_rendering()

    def interrupt(self) -> None:
        """The turn was cut short from outside."""
        if self._compat:
            self._new_rendering()  # published: the speech context goes on
        else:
            self.end_turn()

    @property
    def waiting(self) -> list[int]:
        """Codes not rendered yet."""
        return list(self._waiting)

    def _new_rendering(self) -> None:
        self._vocoder: Vocoder | None = None  # opened by the first sound: a silent turn needs none
        self._waiting = [SILENCE_CODE] * LOOKAHEAD_CODES

    def _render(self, codes: list[int], *, end_of_turn: bool) -> Tensor:
        if self._vocoder is None:
            self._vocoder = self._make_vocoder()
        self._waiting += codes
        pieces: list[Tensor] = []
        while len(self._waiting) >= SMALLEST_WINDOW:
            window = self._waiting[:WINDOW_CODES]
            pieces.append(self._vocoder.push(window, last=False))
            self._waiting = self._waiting[len(window) - LOOKAHEAD_CODES :]
        if end_of_turn and self._waiting:
            pieces.append(self._vocoder.push(self._waiting, last=True))
            self._waiting = []
        if not pieces:
            return torch.zeros(0)
        waveform = _through_int16(torch.cat(pieces))
        missing = UNIT_SAMPLES - waveform.numel()
        if missing > 0 and not end_of_turn:
            waveform = torch.nn.functional.pad(waveform, (missing, 0))
        return waveform


def _through_int16(waveform: Tensor) -> Tensor:
    """Clip and round the way the sound is sent as 16-bit samples."""
    return (waveform.clamp(-1, 1) * 32767).to(torch.int16).float() / 32768
