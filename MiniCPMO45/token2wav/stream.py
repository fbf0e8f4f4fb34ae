"""Speech of one turn, rendered while its codes are still being made."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import torch
from torch import Tensor

from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.noise import ExcitationNoise
from MiniCPMO45.token2wav.overlap import Renderer, VocoderOverlap
from MiniCPMO45.token2wav.precision import full_precision
from MiniCPMO45.token2wav.state_pool import StatePool
from MiniCPMO45.token2wav.synthesis import WINDOW_CODES, MelSynthesizer
from MiniCPMO45.token2wav.voice import Voice


class VocoderStream:
    """One listener's synthesis. Everything that changes while it speaks is in here.

    Memory is taken once, when the stream is opened, and given back when it is dropped; it does not
    grow with what is said.
    """

    def __init__(
        self,
        synthesizer: MelSynthesizer,
        hift: HiFT,
        render: Renderer,
        states: StatePool,
        voice: Voice,
        noise: ExcitationNoise,
    ) -> None:
        self._synthesizer = synthesizer
        self._hift = hift
        self._render = render
        self._voice = voice
        self._state = states.take(voice.base, synthesizer.stream_frames(voice))
        weakref.finalize(self, states.give_back, self._state).atexit = False
        self._overlap = VocoderOverlap(hift, render, noise)
        self.finished = False

    @torch.inference_mode()
    def restart(self, noise: ExcitationNoise) -> None:
        """Forget the turn, finished or not, and be ready for another one in the same voice."""
        self._state.copy_from(self._voice.base)
        self._overlap = VocoderOverlap(self._hift, self._render, noise)
        self.finished = False

    @full_precision()
    @torch.inference_mode()
    def push(self, codes: Sequence[int], *, last: bool) -> Tensor:
        """Sound of ``codes``, float32 ``[n]`` at 24 kHz on the CPU.

        Unless ``last``, the final three codes are only looked at and must be given again; there
        come 960 samples for each of the others, 160 ms late. ``last`` renders all codes and gives
        out the 160 ms that are due, and ends the turn; it may come without codes.

        Args:
            codes: at most 28.

        Raises:
            RuntimeError: the turn has ended.
            ValueError: too few or too many codes, or one that stands for no sound; the stream is
                left as it was.
        """
        if self.finished:
            raise RuntimeError("the turn has ended; restart() begins another one")
        self._check(codes, last)
        self.finished = last
        if not codes:
            return self._overlap.flush().cpu()
        mel = self._synthesizer.chunk(self._state, self._voice, codes, last=last)
        return self._overlap.push(mel, last=last).cpu()

    def _check(self, codes: Sequence[int], last: bool) -> None:
        lookahead = self._synthesizer.lookahead
        if not last and len(codes) <= lookahead:
            raise ValueError(
                f"{len(codes)} codes are too few: the last {lookahead} are only looked at"
            )
        if len(codes) > WINDOW_CODES:
            raise ValueError(f"{len(codes)} codes at once, the most is {WINDOW_CODES}")
        self._synthesizer.check_codes(codes)
