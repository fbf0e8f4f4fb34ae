"""Which cached frames a stream keeps once it holds more than its prompt and two seconds.

Positions are plain numbers here; the caches carry the choice out. ``RECENT_FRAMES`` mel frames are
kept beside as many as the prompt has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

EncoderTrim = Literal["split", "packed"]
EstimatorTrim = Literal["reference", "prompt_plus_recent"]

RECENT_FRAMES = 100


def keep_estimator_frames(
    newest_first: Sequence[int], n_prompt: int, rule: EstimatorTrim
) -> list[int]:
    """What remains of the estimator's frames.

    Args:
        newest_first: the newest chunk first, each chunk in its own order, the prompt last.
        rule: ``reference`` is what the published code does: it keeps the first ``n_prompt`` and
            the last 100 of the list, so generated frames push the prompt out except for its last
            two seconds. ``prompt_plus_recent`` keeps the prompt and the newest 100.
    """
    if len(newest_first) <= n_prompt + RECENT_FRAMES:
        return list(newest_first)
    first = n_prompt if rule == "reference" else RECENT_FRAMES
    last = n_prompt + RECENT_FRAMES - first
    return [*newest_first[:first], *newest_first[len(newest_first) - last :]]


def keep_mel_positions(length: int, n_prompt: int) -> list[int]:
    """What remains of ``length`` chronological positions at mel rate: prompt and newest 100."""
    if length <= n_prompt + RECENT_FRAMES:
        return list(range(length))
    return [*range(n_prompt), *range(length - RECENT_FRAMES, length)]


def keep_token_positions(length: int, n_prompt: int, rate: int, rule: EncoderTrim) -> list[int]:
    """What remains of ``length`` chronological positions at token rate.

    Args:
        n_prompt: prompt length in mel frames.
        rate: mel frames per token.
        rule: ``split`` keeps the prompt and the newest tokens, as the mel-rate layers do.
            ``packed`` is what the published code did by storing the tokens ``rate`` times in a
            row, cutting that as if it were mel frames, and reading its first part back: it keeps
            the oldest tokens of the turn for ever.
    """
    if length * rate <= n_prompt + RECENT_FRAMES:
        return list(range(length))
    if rule == "split":
        recent = RECENT_FRAMES // rate
        return [*range(n_prompt // rate), *range(length - recent, length)]
    packed = [*range(length)] * rate
    cut = [*packed[:n_prompt], *packed[len(packed) - RECENT_FRAMES :]]
    return cut[: len(cut) // rate]
