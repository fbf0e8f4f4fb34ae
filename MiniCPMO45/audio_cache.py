"""Keys and values of audio streams: the state of every conversation's ear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from MiniCPMO45.configuration import AudioConfig
from MiniCPMO45.errors import MediaError


@dataclass(frozen=True)
class AudioCacheSnapshot:
    """A copy of the filled part of a cache."""

    keys: Tensor
    values: Tensor


class LayerCache(Protocol):
    """One layer's share of what the streams of a forward heard so far."""

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write ``[B, heads, S, head_dim]``; keys and values to attend to, likewise."""
        ...


@dataclass(frozen=True)
class StreamLayer:
    """One layer of one stream, ``[1, heads, capacity, head_dim]``, and where to write next."""

    keys: Tensor
    values: Tensor
    length: int

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write, and return all filled positions."""
        end = self.length + keys.shape[2]
        self.keys[:, :, self.length : end] = keys
        self.values[:, :, self.length : end] = values
        return self.keys[:, :, :end], self.values[:, :, :end]


@dataclass(frozen=True)
class SharedLayer:
    """One layer of several streams, ``[slots, heads, capacity, head_dim]``.

    Where each piece goes is read on the device: ``slots`` is ``[B]`` and ``positions`` ``[B, S]``.
    """

    keys: Tensor
    values: Tensor
    slots: Tensor
    positions: Tensor

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write, and return all positions; those not filled are to be masked."""
        places = (self.slots[:, None], slice(None), self.positions)
        self.keys[places] = keys.transpose(1, 2)  # [B, S, heads, head_dim]
        self.values[places] = values.transpose(1, 2)
        return self.keys[self.slots], self.values[self.slots]


class AudioCaches:
    """Preallocated keys and values ``[layers, slots, heads, capacity, head_dim]``."""

    def __init__(self, config: AudioConfig, n_slots: int, like: Tensor) -> None:
        """Room for ``max_source_positions`` frames a stream, on the device and in the dtype of
        ``like``."""
        heads = config.encoder_attention_heads
        head_dim = config.d_model // heads
        shape = (config.encoder_layers, n_slots, heads, config.max_source_positions, head_dim)
        self.keys = like.new_zeros(shape)
        self.values = like.new_zeros(shape)

    @property
    def capacity(self) -> int:
        return self.keys.shape[3]

    @torch.inference_mode()
    def stream(self, slot: int) -> AudioCache:
        """An empty cache on a slot; one made before is void.

        Forwards of several streams read places that are not filled, too. They are weighted with 0,
        which does not hide a NaN, so what an earlier stream left is wiped out.
        """
        self.keys[:, slot].zero_()
        self.values[:, slot].zero_()
        return AudioCache(self, slot)

    def layer(self, index: int, slots: Tensor, positions: Tensor) -> SharedLayer:
        return SharedLayer(self.keys[index], self.values[index], slots, positions)


class AudioCache:
    """What one stream heard, of which ``length`` frames are filled."""

    def __init__(self, caches: AudioCaches, slot: int) -> None:
        self.caches = caches
        self.slot = slot
        self.length = 0
        own = slice(slot, slot + 1)
        self._keys, self._values = caches.keys[:, own], caches.values[:, own]

    @property
    def capacity(self) -> int:
        return self.caches.capacity

    def make_room(self, n_frames: int) -> None:
        """Forget everything if ``n_frames`` more would fill the cache to the brim or over it.

        Raises:
            MediaError: the piece is longer than the whole cache.
        """
        if n_frames > self.capacity:
            raise MediaError(
                f"a piece of {n_frames} audio frames does not fit the {self.capacity} positions"
            )
        if self.length and self.length + n_frames >= self.capacity:
            self.reset()

    def layer(self, index: int) -> StreamLayer:
        return StreamLayer(self._keys[index], self._values[index], self.length)

    def advance(self, n_frames: int) -> None:
        """Count frames that every layer has just written."""
        self.length += n_frames

    def reset(self) -> None:
        self.length = 0

    def snapshot(self) -> AudioCacheSnapshot:
        """A copy to come back to."""
        filled = (..., slice(0, self.length), slice(None))
        return AudioCacheSnapshot(self._keys[filled].clone(), self._values[filled].clone())

    @torch.inference_mode()
    def restore(self, snapshot: AudioCacheSnapshot) -> None:
        """Return to a snapshot of this cache or of one of the same shape."""
        self.length = snapshot.keys.shape[3]
        filled = (..., slice(0, self.length), slice(None))
        self._keys[filled] = snapshot.keys
        self._values[filled] = snapshot.values


def unfilled(positions: Tensor, capacity: int, dtype: torch.dtype) -> Tensor:
    """What hides, added to scores, all behind the last of ``positions`` ``[B, S]``:
    ``[B, 1, 1, capacity]``."""
    # Rows of whole 16 bytes save attention a copy in every layer.
    index = torch.arange(-(-capacity // 8) * 8, device=positions.device)
    hidden = index > positions[:, -1:]
    mask = torch.zeros(hidden.shape, dtype=dtype, device=positions.device)
    return mask.masked_fill(hidden, float("-inf"))[:, None, None, :capacity]
