"""What a full-duplex conversation keeps in its cache, and what it forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from MiniCPMO45.kv_cache import CacheSlot, drop_span
from MiniCPMO45.llm import RotaryTable
from MiniCPMO45.sessions.duplex_options import DuplexWindow
from MiniCPMO45.tokenizer import Tokenizer

# Left out of remembered speech beside the tokens the checkpoint declares as special.
_NEVER_REMEMBERED = (
    "<unit>",
    "</unit>",
    "<image>",
    "</image>",
    "<slice>",
    "</slice>",
    "<|listen|>",
    "<|speak|>",
    "<|tts_bos|>",
    "<|tts_eos|>",
    "<|audio_start|>",
    "<|audio_end|>",
    "<|chunk_eos|>",
    "<|chunk_tts_eos|>",
    "<|turn_eos|>",
)


FILLED_AFTER_OVERFLOW = 0.75  # of the cache, so that the next overflow is some way off


@dataclass(frozen=True)
class UnitRecord:
    """A finished unit: cached tokens from ``<unit>`` to ``</unit>``, and the ids it spoke."""

    length: int
    spoken_ids: tuple[int, ...]
    is_listen: bool


@dataclass
class DuplexMemory:
    """Layout of the cache: prefix, suffix, units; with remembered speech in front of the suffix.

    Args:
        feed: appends ids to the cache.
        prefix_length: cached tokens before the place of remembered speech.
        suffix_ids: fed again behind it when it changes.
    """

    slot: CacheSlot
    rotary: RotaryTable
    tokenizer: Tokenizer
    window: DuplexWindow
    feed: Callable[[list[int]], object]
    prefix_length: int
    suffix_ids: list[int]
    units: list[UnitRecord] = field(default_factory=list)
    remembered_ids: list[int] = field(default_factory=list)
    n_events: int = 0
    n_dropped_units: int = 0
    n_dropped_tokens: int = 0

    def __post_init__(self) -> None:
        self.marker_ids = self.tokenizer.encode(self.window.previous_marker)
        named = self.tokenizer.ids_of(_NEVER_REMEMBERED)
        self._forgettable = {*self.tokenizer.declared_special_ids, *named}

    @property
    def protected_length(self) -> int:
        """Cached tokens in front of the first unit."""
        n_remembered = len(self.marker_ids) + len(self.remembered_ids) if self.has_previous else 0
        return self.prefix_length + n_remembered + len(self.suffix_ids)

    @property
    def length(self) -> int:
        """Cached tokens up to the end of the last finished unit."""
        return self.protected_length + sum(unit.length for unit in self.units)

    @property
    def has_previous(self) -> bool:
        """Whether anything said earlier is remembered."""
        return bool(self.remembered_ids)

    def add(self, unit: UnitRecord) -> None:
        """Register a finished unit and forget what the window no longer holds."""
        self.units.append(unit)
        if self.window.mode in ("auto", "basic"):
            if self.slot.length > self.window.high:
                self._shrink_to(self.window.low)
        elif self.window.mode == "context":
            self._enforce_context()

    def make_room(self, n_tokens: int) -> None:
        """Forget units, if the window forgets any, so that ``n_tokens`` more fit the cache."""
        capacity = self.slot.cache.capacity
        if self.window.mode != "off" and self.slot.length + n_tokens > capacity:
            self._shrink_to(int(capacity * FILLED_AFTER_OVERFLOW) - n_tokens)

    def _shrink_to(self, limit: int) -> None:
        """Drop the oldest units until at most ``limit`` tokens are cached."""
        length = self.slot.length
        count = 0
        for unit in self.units:
            if length <= limit:
                break
            length -= unit.length
            count += 1
        if count:
            self._drop_units(count, self.slot.length - length)

    def _enforce_context(self) -> None:
        while len(self.units) > self.window.max_units:
            oldest = self.units[0]
            spoken = [] if oldest.is_listen else list(oldest.spoken_ids)
            new_ids = [index for index in spoken if index not in self._forgettable]
            before = self.slot.length
            self._drop_units(1, oldest.length, count_tokens=False)
            if new_ids:
                limit = self.window.previous_max
                self._remember((self.remembered_ids + new_ids)[-limit:])
            self.n_dropped_tokens += before - self.slot.length

    def _drop_units(self, count: int, n_tokens: int, *, count_tokens: bool = True) -> None:
        first = self.protected_length
        drop_span(self.slot, first, n_tokens)
        self._turn(first, -n_tokens)
        del self.units[:count]
        self.n_events += 1
        self.n_dropped_units += count
        if count_tokens:
            self.n_dropped_tokens += n_tokens

    @torch.inference_mode()
    def _remember(self, ids: list[int]) -> None:
        """Read remembered speech and suffix anew in front of the units that are kept."""
        slot, old_first = self.slot, self.protected_length
        kept = slice(old_first, slot.length)
        tail = [
            tensor[:, slot.index, kept].clone() for tensor in (slot.cache.keys, slot.cache.values)
        ]
        n_kept = slot.length - old_first
        self.remembered_ids = ids
        slot.truncate(self.prefix_length)
        self.feed([*self.marker_ids, *ids, *self.suffix_ids])
        new_first = slot.length
        place = slice(new_first, new_first + n_kept)
        for tensor, rows in zip((slot.cache.keys, slot.cache.values), tail, strict=True):
            tensor[:, slot.index, place] = rows
        slot.advance(n_kept)
        self._turn(new_first, new_first - old_first)

    def _turn(self, first: int, shift: int) -> None:
        if shift and self.slot.length > first:
            self.rotary.turn(self.slot, first, torch.tensor([shift]))
