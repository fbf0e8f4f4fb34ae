"""The phones of synthesised speech in time, as its engine tells them: what ears learn first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

SILENCE = 0
N_CLASSES = 512  # more than there are phones, so that few share one
FRAME_S = 0.02  # of a state of the ear
_MARKS = str.maketrans("", "", "',|_:%=#-")  # stress, length and pauses

Classes = NDArray[np.int16]


@dataclass(frozen=True)
class Phones:
    """Phones one after another: when each begins, in seconds, and its class."""

    starts_s: NDArray[np.float64]
    classes: Classes

    @classmethod
    def of(cls, named: Iterable[tuple[float, str]]) -> Phones:
        """Phones by their names, as eSpeak NG spells them; a pause has none."""
        starts_s, names = zip(*named, strict=True)
        return cls(np.array(starts_s), np.array([_class_of(name) for name in names], np.int16))

    @classmethod
    def joined(cls, parts: Sequence[Phones]) -> Phones:
        """Those of sentences one after another, which end in silence."""
        starts_s, classes = zip(*((part.starts_s, part.classes) for part in parts), strict=True)
        return cls(np.concatenate(starts_s), np.concatenate(classes))

    def later(self, seconds: float) -> Phones:
        """The same after some time; earlier, where that is negative."""
        return replace(self, starts_s=self.starts_s + seconds)

    def in_frames(self, n_frames: int) -> Classes:
        """The class in the middle of every frame of 20 ms."""
        middles_s = (np.arange(n_frames) + 0.5) * FRAME_S
        index = np.searchsorted(self.starts_s, middles_s, side="right")
        return np.concatenate([[SILENCE], self.classes]).astype(np.int16)[index]


NO_PHONES = Phones(np.zeros(0), np.zeros(0, np.int16))


def _class_of(name: str) -> int:
    plain = name.translate(_MARKS)
    return 1 + crc32(plain.encode()) % (N_CLASSES - 1) if plain else SILENCE
