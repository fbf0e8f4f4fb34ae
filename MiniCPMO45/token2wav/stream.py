"""Speech of one turn, rendered while its codes are still being made."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.batching import together
from MiniCPMO45.token2wav.flow_state import FlowState
from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.noise import ExcitationNoise
from MiniCPMO45.token2wav.overlap import VocoderOverlap
from MiniCPMO45.token2wav.state_pool import StatePool
from MiniCPMO45.token2wav.voice import Voice


class VocoderStream:
    """One listener's synthesis. Everything that changes while it speaks is in here.

    Memory is taken once, when the stream is opened, and given back when it is dropped; it does not
    grow with what is said.

    Args:
        speak: makes sound of what is pushed to streams of one model.
        state: a copy of the voice's, from ``states``.
    """

    def __init__(
        self,
        speak: Callable[[Sequence[Push]], list[Tensor]],
        hift: HiFT,
        voice: Voice,
        states: StatePool,
        state: FlowState,
        noise: ExcitationNoise,
    ) -> None:
        self.voice = voice
        self.state = state
        self.overlap = VocoderOverlap(hift, noise)
        self.finished = False
        self._speak = speak
        self._hift = hift
        weakref.finalize(self, states.give_back, state).atexit = False

    @torch.inference_mode()
    def restart(self, noise: ExcitationNoise) -> None:
        """Forget the turn, finished or not, and be ready for another one in the same voice."""
        self.state.copy_from(self.voice.base)
        self.overlap = VocoderOverlap(self._hift, noise)
        self.finished = False

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
        return together(self._speak, Push(self, codes, last))


@dataclass(frozen=True)
class Push:
    """What :meth:`VocoderStream.push` is told."""

    stream: VocoderStream
    codes: Sequence[int]
    last: bool
