"""Speech of one turn, rendered while its codes are still being made."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from MiniCPMO45.batching import in_turn, together
from MiniCPMO45.token2wav.flow_state import FlowState
from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.noise import ExcitationNoise
from MiniCPMO45.token2wav.overlap import VocoderOverlap
from MiniCPMO45.token2wav.state_pool import StatePool
from MiniCPMO45.token2wav.voice import Voice


class Voices(Protocol):
    """What makes sound of codes, for many streams."""

    def speak(self, pushes: Sequence[Push]) -> list[Tensor]:
        """What :meth:`VocoderStream.push` promises, for different streams at once; codes that
        cannot be pushed leave all of them as they were."""
        ...

    def can_share(self, push: Push) -> bool:
        """Whether it is no slower with others than alone."""
        ...


class VocoderStream:
    """One listener's synthesis. Everything that changes while it speaks is in here.

    Memory is taken once, when the stream is opened, and given back when it is dropped; it does not
    grow with what is said.

    Args:
        state: a copy of the voice's, from ``states``.
    """

    def __init__(
        self,
        voices: Voices,
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
        self._voices = voices
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
        push, voices = Push(self, codes, last), self._voices
        if voices.can_share(push):
            return together(voices.speak, push)
        return in_turn(lambda: voices.speak([push])[0])


@dataclass(frozen=True)
class Push:
    """What :meth:`VocoderStream.push` is told."""

    stream: VocoderStream
    codes: Sequence[int]
    last: bool
