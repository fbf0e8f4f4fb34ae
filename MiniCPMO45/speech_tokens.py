"""From text conditions to audio codes: one stretch of speech and the ways to drive it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from MiniCPMO45.batching import together
from MiniCPMO45.decoder import Decoder
from MiniCPMO45.kv_cache import CacheSlot, drop_span
from MiniCPMO45.sampling import checked, read_token
from MiniCPMO45.speech_sampling import (
    PENALTY_WINDOW,
    SpeechSampling,
    draw_code,
    draw_noise,
    shape_scores,
)
from MiniCPMO45.speech_units import SpeechUnit, SpeechUnits
from MiniCPMO45.tts import SpeechTokenGenerator

CODES_PER_GROUP = 25  # one second
CHUNK_LIMIT = 500  # codes one text chunk may give
UNIT_LIMIT = 26  # the last choice of a unit only completes the cache
REPLY_LIMIT = 2048
REPLY_MINIMUM = 50  # choices during which a whole reply may not end


@dataclass
class SpeechDecoder:
    """Cache, position and random source of one stretch of speech.

    Args:
        backbone: the generator's layers with their cache.
        slot: its place in that cache; the stretch starts by emptying it.
        generator: source of the draws.
        units: draws whole units on the device, where that is captured.
    """

    module: SpeechTokenGenerator
    backbone: Decoder
    slot: CacheSlot
    generator: torch.Generator
    sampling: SpeechSampling = field(default_factory=SpeechSampling)
    position: int = 0
    units: SpeechUnits | None = None

    def __post_init__(self) -> None:
        self.reset()

    @property
    def end_id(self) -> int:
        """The code that ends speech."""
        return self.module.config.num_audio_tokens - 1

    def reset(self) -> None:
        """Begin anew with an empty cache."""
        self.slot.truncate(0)
        self.position = 0

    def has_room(self, n_rows: int) -> bool:
        """Whether so many rows more fit the cache."""
        return self.slot.length + n_rows <= self.slot.cache.capacity

    @torch.inference_mode()
    def feed(self, rows: Tensor) -> Tensor:
        """Append ``[T, hidden]`` at the current position; last hidden state ``[hidden]``."""
        hidden = self.backbone.feed(rows, self.slot, self.position)
        self.position += rows.shape[0]
        return hidden[-1]

    @torch.inference_mode()
    def embed_codes(self, codes: Tensor) -> Tensor:
        """Input rows ``[T, hidden]`` of codes ``[T]``."""
        return self.module.emb_code[0](codes)

    @torch.inference_mode()
    def codes(
        self,
        rows: Tensor,
        limit: int,
        *,
        minimum: int = 0,
        filtered: bool = True,
        history: Tensor | None = None,
        noise: Tensor | None = None,
        after_feed: Callable[[], None] | None = None,
    ) -> Iterator[int]:
        """Draw codes after ``rows``; each ``next()`` is one step. The end code comes last.

        A code is fed only when the next one is drawn, so the last one is never in the cache. The
        very first code of a stretch is drawn without penalty or filters.

        Args:
            minimum: steps at which the end code is barred.
            filtered: apply ``top_p`` and ``top_k``.
            history: earlier codes the repetition penalty also sees.
            noise: random numbers of all draws ``[limit, codes]``; drawn step by step if None.
            after_feed: called whenever rows have entered the cache.
        """
        drawn = torch.zeros(limit, dtype=torch.long, device=rows.device)
        earlier = drawn[:0] if history is None else history
        hidden = self.feed(rows)
        for step in range(limit):
            if after_feed is not None:
                after_feed()
            recent = torch.cat((earlier, drawn[:step]))
            free = recent.numel() == 0
            scores = shape_scores(
                self.module.head_code[0](hidden).float(),
                self.sampling,
                recent=None if free else recent,
                filtered=filtered and not free,
                barred_id=self.end_id if step < minimum else None,
            )
            row = self._draw_noise(1)[0] if noise is None else noise[step]
            code = draw_code(scores, row)
            drawn[step] = code
            code_id = read_token(code)
            yield code_id
            if code_id == self.end_id:
                return
            if step + 1 < limit:
                hidden = self.feed(self.embed_codes(code[None]))

    def unit(
        self,
        rows: Tensor,
        *,
        limit: int = UNIT_LIMIT,
        minimum: int = UNIT_LIMIT,
        filtered: bool = False,
        history: Tensor | None = None,
    ) -> list[int]:
        """Codes of one duplex unit; continues on the cache of the units before.

        The last draw is left out, so all returned codes are in the cache.
        """
        noise = self._draw_noise(limit)
        if self.units is None or filtered:
            codes = self.codes(
                rows, limit, minimum=minimum, filtered=filtered, history=history, noise=noise
            )
            return list(codes)[:-1]
        recent = [] if history is None else history.tolist()
        unit = SpeechUnit(
            rows, self.slot, self.position, limit, minimum, self.sampling, recent, noise
        )
        self.slot.reserve(rows.shape[0] + limit)
        codes = [checked(code) for code in together(self.units.run, unit)][:-1]
        self.position += rows.shape[0] + len(codes)
        return codes

    def _draw_noise(self, n_draws: int) -> Tensor:
        return draw_noise(n_draws, self.module.config.num_audio_tokens, self.generator)


@dataclass(frozen=True)
class CodeGroup:
    """Codes ready for the vocoder; exactly :data:`CODES_PER_GROUP` unless they are the last."""

    codes: list[int]
    last: bool


@dataclass
class _Chunk:
    rows: Tensor
    codes: list[int]

    @property
    def length(self) -> int:
        return self.rows.shape[0] + len(self.codes)


class SpeechStream:
    """Speaks a reply whose text arrives in chunks.

    Args:
        attention_type: how much of the earlier speech a chunk sees: ``full_attention``,
            ``sliding_window``, ``sliding_recompute`` or ``reindex``.
        window: cache rows kept by ``sliding_window``.
        compat: turn keys as the published ``reindex`` does.
    """

    def __init__(
        self,
        decoder: SpeechDecoder,
        *,
        attention_type: str,
        window: int,
        group_size: int = CODES_PER_GROUP,
        compat: bool = False,
    ) -> None:
        self._prepare = {
            "full_attention": lambda rows: rows,
            "sliding_window": lambda rows: rows,
            "sliding_recompute": self._recompute,
            "reindex": self._reindex,
        }[attention_type]
        self._slides = attention_type == "sliding_window"
        self._window = window
        self._group_size = group_size
        self._compat = compat
        self._chunks: list[_Chunk] = []
        self._all_codes: list[int] = []
        self.decoder = decoder
        self.buffer: list[int] = []

    def push(self, rows: Tensor, *, text_finished: bool) -> Iterator[CodeGroup]:
        """Speak one chunk of condition rows ``[T, hidden]``.

        Codes that do not fill a group wait for the next chunk, or come out flagged last when
        ``text_finished``.
        """
        decoder = self.decoder
        rows = decoder.module.close_condition(rows, text_finished=text_finished)
        chunk = _Chunk(rows, [])
        fed = self._prepare(rows)
        codes = decoder.codes(
            fed,
            CHUNK_LIMIT,
            history=torch.tensor(
                self._all_codes[-PENALTY_WINDOW:], dtype=torch.long, device=rows.device
            ),
            after_feed=self._slide if self._slides else None,
        )
        ended_at_once = False
        for code in codes:
            if code == decoder.end_id:
                ended_at_once = not self.buffer
                break
            chunk.codes.append(code)
            self._all_codes.append(code)
            self.buffer.append(code)
            if len(self.buffer) >= self._group_size:
                yield self._take()
        else:
            decoder.position += 1  # the last code was drawn, not fed, and counts all the same
        self._chunks.append(chunk)
        if text_finished and (self.buffer or ended_at_once):
            yield self.flush()

    def flush(self) -> CodeGroup:
        """Everything that waits, as the last group."""
        group = CodeGroup(self.buffer, last=True)
        self.buffer = []
        return group

    def _take(self) -> CodeGroup:
        group = CodeGroup(self.buffer[: self._group_size], last=False)
        self.buffer = self.buffer[self._group_size :]
        return group

    def _slide(self) -> None:
        slot = self.decoder.slot
        drop_span(slot, 0, max(0, slot.length - self._window))

    def _recompute(self, rows: Tensor) -> Tensor:
        """Start over with the chunk before this one in front."""
        if not self._chunks:
            return rows
        previous = self._chunks[-1]
        codes = torch.tensor(previous.codes, dtype=torch.long, device=rows.device)
        self.decoder.reset()
        return torch.cat((previous.rows, self.decoder.embed_codes(codes), rows))

    def _reindex(self, rows: Tensor) -> Tensor:
        """From the fourth chunk on keep the first and the last one and close the gap."""
        if len(self._chunks) >= 3:
            decoder = self.decoder
            first, last = self._chunks[0].length, self._chunks[-1].length
            old_start = decoder.position - last
            drop_span(decoder.slot, first, decoder.slot.length - first - last)
            shifts = torch.full((last,), first - old_start, device=rows.device)
            if self._compat:
                shifts = shifts + torch.arange(last, device=rows.device)
            decoder.backbone.rotary.turn(decoder.slot, first, shifts)
            decoder.position = first + last
        return rows
