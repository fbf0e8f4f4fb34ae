"""Drawing audio codes from scores."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PENALTY_WINDOW = 16  # codes the repetition penalty looks back on
_MIN_CANDIDATES = 3


@dataclass(frozen=True)
class SpeechSampling:
    """How audio codes are drawn. Codes are always sampled; there is no greedy mode."""

    temperature: float = 0.8
    top_p: float = 0.85
    top_k: int = 25
    repetition_penalty: float = 1.05


def penalise_repeats(scores: Tensor, recent: Tensor, factor: float) -> Tensor:
    """Make codes less likely for every time they occur in ``recent`` (at most 16 are read)."""
    recent = recent[-PENALTY_WINDOW:]
    counts = torch.zeros_like(scores).index_put(
        (recent,), scores.new_ones(recent.numel()), accumulate=True
    )
    weight = factor**counts
    return torch.where(scores < 0, scores * weight, scores / weight)


def keep_likely_codes(scores: Tensor, sampling: SpeechSampling) -> Tensor:
    """Bar codes outside the nucleus of mass ``top_p``, then outside the ``top_k`` best.

    At least three candidates stay.
    """
    ranked, order = scores.sort(descending=True)
    probabilities = ranked.softmax(-1)
    mass_before = probabilities.cumsum(-1) - probabilities
    barred = mass_before >= sampling.top_p
    barred[max(sampling.top_k, _MIN_CANDIDATES) :] = True
    barred[:_MIN_CANDIDATES] = False
    return scores.index_put((order,), ranked.masked_fill(barred, -torch.inf))


def shape_scores(
    scores: Tensor,
    sampling: SpeechSampling,
    *,
    recent: Tensor | None,
    filtered: bool,
    barred_id: int | None,
) -> Tensor:
    """Scores to draw from, temperature applied, out of float32 ``scores`` ``[codes]``.

    Args:
        recent: codes the repetition penalty looks at; None applies none.
        filtered: apply ``top_p`` and ``top_k``.
        barred_id: a code that must not be drawn now.
    """
    scores = scores / sampling.temperature
    if recent is not None:
        scores = penalise_repeats(scores, recent, sampling.repetition_penalty)
    if filtered:
        scores = keep_likely_codes(scores, sampling)
    if barred_id is not None:
        scores = scores.index_fill(0, torch.tensor(barred_id, device=scores.device), -torch.inf)
    return scores


def draw_code(scores: Tensor, generator: torch.Generator) -> Tensor:
    """One audio code ``[]`` from shaped scores ``[codes]``."""
    return torch.multinomial(scores.softmax(-1), 1, generator=generator)[0]
