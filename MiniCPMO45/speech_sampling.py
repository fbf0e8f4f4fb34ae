"""Drawing audio codes from scores."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.sampling import winner

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
    recent = recent[None, -PENALTY_WINDOW:]
    return penalise_counts(scores[None], recent, scores.new_tensor([[factor]]))[0]


def penalise_counts(scores: Tensor, recent: Tensor, factors: Tensor) -> Tensor:
    """The same for scores ``[B, codes]``, ``recent`` ``[B, n]`` and ``factors`` ``[B, 1]``.

    The number of codes stands in ``recent`` for none.
    """
    n_codes = scores.shape[1]
    counts = scores.new_zeros(scores.shape[0], n_codes + 1)
    counts.scatter_add_(1, recent, torch.ones_like(recent, dtype=scores.dtype))
    weight = factors ** counts[:, :n_codes]
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


def draw_noise(n_draws: int, n_codes: int, generator: torch.Generator) -> Tensor:
    """Random numbers for ``n_draws`` draws, float32 ``[n_draws, n_codes]``."""
    noise = torch.empty(n_draws, n_codes, device=generator.device)
    return noise.exponential_(generator=generator)


def draw_code(scores: Tensor, noise: Tensor) -> Tensor:
    """Audio codes ``[...]`` from shaped scores and noise ``[..., codes]``.

    Scores that are no numbers give :data:`MiniCPMO45.sampling.NOT_FINITE`.
    """
    return winner(scores.softmax(-1), noise)
