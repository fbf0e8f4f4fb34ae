"""Keys and values of an audio stream: the state of one conversation's ear."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from MiniCPMO45.configuration import AudioConfig
from MiniCPMO45.errors import MediaError


@dataclass(frozen=True)
class AudioCacheSnapshot:
    """A copy of the filled part of a cache."""

    keys: Tensor
    values: Tensor


@dataclass(frozen=True)
class LayerCache:
    """One layer's keys and values ``[1, heads, capacity, head_dim]`` and where to write next."""

    keys: Tensor
    values: Tensor
    length: int

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write ``[1, heads, S, head_dim]`` and return all filled positions."""
        end = self.length + keys.shape[2]
        self.keys[:, :, self.length : end] = keys
        self.values[:, :, self.length : end] = values
        return self.keys[:, :, :end], self.values[:, :, :end]


class AudioCache:
    """Preallocated keys and values ``[layers, 1, heads, capacity, head_dim]`` of one stream."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self._keys = keys
        self._values = values
        self.length = 0

    @classmethod
    def allocate(cls, config: AudioConfig, like: Tensor) -> AudioCache:
        """Room for ``max_source_positions`` frames, on the device and in the dtype of ``like``."""
        heads = config.encoder_attention_heads
        head_dim = config.d_model // heads
        shape = (config.encoder_layers, 1, heads, config.max_source_positions, head_dim)
        return cls(like.new_zeros(shape), like.new_zeros(shape))

    @property
    def capacity(self) -> int:
        return self._keys.shape[3]

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

    def layer(self, index: int) -> LayerCache:
        return LayerCache(self._keys[index], self._values[index], self.length)

    def advance(self, n_frames: int) -> None:
        """Count frames that every layer has just written."""
        self.length += n_frames

    def reset(self) -> None:
        self.length = 0

    def snapshot(self) -> AudioCacheSnapshot:
        """A copy to come back to."""
        filled = (..., slice(0, self.length), slice(None))
        return AudioCacheSnapshot(self._keys[filled].clone(), self._values[filled].clone())

    def restore(self, snapshot: AudioCacheSnapshot) -> None:
        """Return to a snapshot of this cache or of one of the same shape."""
        self.length = snapshot.keys.shape[3]
        filled = (..., slice(0, self.length), slice(None))
        self._keys[filled] = snapshot.keys
        self._values[filled] = snapshot.values
