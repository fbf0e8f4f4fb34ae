"""Seconds of speech of several conversations at once, drawn on the device.

One captured step draws a code for every conversation, embeds it and runs the backbone, so that a
second of speech is a row of replays and one read by the host. The same maths step by step is
:meth:`MiniCPMO45.speech_tokens.SpeechDecoder.codes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from MiniCPMO45.decoder import Decoder
from MiniCPMO45.fused_decoder import FusedDecoder, Plan
from MiniCPMO45.graph_capture import capture
from MiniCPMO45.kv_cache import CacheSlot, all_or_nothing
from MiniCPMO45.packed_rows import Feed
from MiniCPMO45.sampling import NOT_FINITE
from MiniCPMO45.speech_sampling import PENALTY_WINDOW, SpeechSampling, draw_code, penalise_counts
from MiniCPMO45.transfer import to_device
from MiniCPMO45.tts import SpeechTokenGenerator

BATCH_SIZES = (1, 2, 4, 8, 16)
MOST_STEPS = 26  # between two reads by the host


@dataclass(frozen=True)
class SpeechUnit:
    """Codes that are to be drawn for one conversation.

    Args:
        rows: condition ``[T, hidden]``, appended first.
        limit: most draws; the last one is not fed.
        minimum: draws at which the end code is barred.
        recent: earlier codes that the repetition penalty also sees.
        noise: ``[limit, codes]``, see :func:`draw_code`.
    """

    rows: Tensor
    slot: CacheSlot
    position: int
    limit: int
    minimum: int
    sampling: SpeechSampling
    recent: list[int]
    noise: Tensor


class SpeechUnits:
    """Draws units on a captured backbone."""

    def __init__(
        self, module: SpeechTokenGenerator, backbone: Decoder, fused: FusedDecoder
    ) -> None:
        self._module = module
        self._backbone = backbone
        self._fused = fused
        n_codes = module.config.num_audio_tokens
        device = backbone.cache.keys.device
        size = BATCH_SIZES[-1]
        self._noise = torch.ones(MOST_STEPS, size, n_codes, device=device)
        self._hidden = backbone.cache.keys.new_zeros(size, backbone.stack.shape.hidden_size)
        # One more than there are codes stands for "none".
        self._recent = torch.full((size, PENALTY_WINDOW), n_codes, device=device)
        self._drawn = torch.zeros(MOST_STEPS, size, dtype=torch.long, device=device)
        self._step = torch.zeros(1, dtype=torch.long, device=device)
        self._minimum = torch.zeros(size, 1, dtype=torch.long, device=device)
        self._temperature = torch.ones(size, 1, device=device)
        self._penalty = torch.ones(size, 1, device=device)
        self._end = torch.arange(n_codes, device=device) == n_codes - 1
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}

    @torch.inference_mode()
    def capture(self, pool: Any = None) -> Iterator[float]:
        """Capture the step for every batch size that can occur, the cache being unused; yields the
        fraction.

        Args:
            pool: memory to share with other graphs; their own if None.
        """
        pool = pool or torch.cuda.graph_pool_handle()
        sizes = [size for size in BATCH_SIZES if size < 2 * self._backbone.cache.n_slots]
        for done, size in enumerate(sizes, 1):
            plan = self._fused.plan(size)
            self._fused.forget(plan)
            self._step.zero_()
            graph, _ = capture(lambda size=size, plan=plan: self._draw(size, plan), pool)
            self._graphs[size] = graph
            yield done / len(sizes)

    @torch.inference_mode()
    def run(self, units: Sequence[SpeechUnit]) -> list[list[int]]:
        """What each unit drew, ending with the end code, :data:`NOT_FINITE` or at its limit; all
        but the last draw are in the cache."""
        with all_or_nothing(unit.slot for unit in units):
            return [
                codes
                for start in range(0, len(units), BATCH_SIZES[-1])
                for codes in self._run(units[start : start + BATCH_SIZES[-1]])
            ]

    def _run(self, units: Sequence[SpeechUnit]) -> list[list[int]]:
        feeds = [Feed(unit.rows, unit.slot, unit.position) for unit in units]
        hidden = torch.stack([states[-1] for states in self._backbone.run(feeds)])
        starts = [unit.slot.length for unit in units]
        none = self._module.config.num_audio_tokens
        endings, n_done = {none - 1, NOT_FINITE}, 0
        recent = to_device(
            [([none] * PENALTY_WINDOW + unit.recent)[-PENALTY_WINDOW:] for unit in units],
            hidden.device,
        )
        drawn: list[list[int]] = [[] for _ in units]
        active = list(range(len(units)))
        while active:
            n_steps = min(MOST_STEPS, min(units[index].limit for index in active) - n_done)
            chosen = [units[index] for index in active]
            codes = self._draw_steps(chosen, hidden, recent, n_done, n_steps)
            n_done += n_steps
            for index, column in zip(active, zip(*codes, strict=True), strict=True):
                drawn[index] += column
            open_rows = [
                row
                for row, index in enumerate(active)
                if endings.isdisjoint(drawn[index]) and units[index].limit > n_done
            ]
            hidden, recent = self._hidden[open_rows].clone(), self._recent[open_rows].clone()
            active = [active[row] for row in open_rows]
        for index, (unit, start) in enumerate(zip(units, starts, strict=True)):
            n_drawn = len(drawn[index])
            end = next((i for i, code in enumerate(drawn[index]) if code in endings), n_drawn)
            drawn[index] = drawn[index][: end + 1]
            unit.slot.truncate(start + len(drawn[index]) - 1)
        return drawn

    def _draw_steps(
        self,
        units: Sequence[SpeechUnit],
        hidden: Tensor,
        recent: Tensor,
        n_done: int,
        n_steps: int,
    ) -> list[list[int]]:
        """Codes of ``n_steps`` more steps, one list a step."""
        count = len(units)
        size = next(size for size in BATCH_SIZES if size >= count)
        self._hidden[:count], self._recent[:count] = hidden, recent
        for row, unit in enumerate(units):
            self._noise[:n_steps, row] = unit.noise[n_done : n_done + n_steps]
        settings = [(u.sampling.temperature, u.sampling.repetition_penalty) for u in units]
        columns = to_device(settings, hidden.device, torch.float32).T[..., None]
        self._temperature[:count], self._penalty[:count] = columns
        minimum = [[unit.minimum - n_done] for unit in units]
        self._minimum[:count] = to_device(minimum, hidden.device)
        self._step.zero_()
        rows = hidden[:1]  # only their number matters: a step fills them in
        self._fused.place(
            self._fused.plan(size),
            [Feed(rows, unit.slot, unit.position + unit.rows.shape[0] + n_done) for unit in units],
        )
        for _ in range(n_steps):
            self._graphs[size].replay()
        for unit in units:
            unit.slot.advance(n_steps)
        return self._drawn[:n_steps, :count].tolist()

    def _draw(self, size: int, plan: Plan) -> None:
        """One step of ``size`` conversations, from the hidden states of the one before."""
        scores = self._module.head_code[0](self._hidden[:size]).float() / self._temperature[:size]
        scores = penalise_counts(scores, self._recent[:size], self._penalty[:size])
        barred = (self._step < self._minimum[:size]) & self._end
        scores = scores.masked_fill(barred, -torch.inf)
        codes = draw_code(scores, self._noise[:, :size].index_select(0, self._step)[0])
        self._drawn[:, :size].index_copy_(0, self._step, codes[None])
        codes = codes.clamp(min=0)  # what stands for no code must not be looked up
        recent = torch.cat((self._recent[:size, 1:], codes[:, None]), dim=1)
        self._recent[:size].copy_(recent)
        self._step += 1
        self._fused.rows[:size] = self._module.emb_code[0](codes)
        self._hidden[:size] = self._fused.run(plan)
        self._fused.move_on(plan)
