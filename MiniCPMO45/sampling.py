"""Choosing the next token from scores; everything stays on the device of the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.errors import NotFiniteError

NOT_FINITE = -1  # stands for a token whose scores were no numbers


@dataclass(frozen=True)
class GenerationOptions:
    """How an answer is generated.

    Args:
        streaming: chunked sampler with the spoken-answer terminators (``kv`` prompts only);
            otherwise the plain sampler.
        max_new_tokens: upper bound; the chunked sampler works in tens and rounds it up.
        min_new_tokens: terminators are barred for this many choices.
        do_sample: draw at random; False takes the best score.
        top_k: 0 keeps all candidates.
        repetition_penalty: above 1 makes tokens of this answer less likely again.
        length_penalty: above 1 makes ending less likely.
    """

    streaming: bool = False
    max_new_tokens: int = 256
    min_new_tokens: int = 0
    do_sample: bool = True
    temperature: float = 0.7
    top_p: float = 0.8
    top_k: int = 100
    repetition_penalty: float = 1.02
    length_penalty: float = 1.0


def penalise(scores: Tensor, ids: Tensor, factor: float) -> Tensor:
    """Make ``ids`` less likely: positive scores are divided by ``factor``, others multiplied.

    Each distinct id is touched once, however often it occurs. The penalty of Keskar et al.,
    https://arxiv.org/abs/1909.05858.
    """
    if factor == 1:
        return scores
    chosen = scores[ids]
    return scores.index_put((ids,), torch.where(chosen > 0, chosen / factor, chosen * factor))


def candidates(
    scores: Tensor, top_k: int, top_p: float, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Scores by ``temperature`` and ids of the ``top_k`` best, best first; 0 takes all.

    Those outside the nucleus of mass ``top_p`` are barred. The one that crosses ``top_p`` is kept,
    so at least one always remains.
    """
    count = min(top_k, scores.numel()) if top_k > 0 else scores.numel()
    ranked, ids = scores.topk(count)
    ranked = ranked / temperature
    probabilities = ranked.softmax(-1)
    mass_before = probabilities.cumsum(-1) - probabilities
    return ranked.masked_fill(mass_before > top_p, -torch.inf), ids


def draw(scores: Tensor, options: GenerationOptions, generator: torch.Generator) -> Tensor:
    """One token id ``[]`` from penalised float32 ``scores`` ``[vocabulary]``."""
    if not options.do_sample or options.temperature == 0:
        return best_token(scores)
    return drawn_candidate(
        scores,
        generator,
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
    )


def best_token(scores: Tensor) -> Tensor:
    """The id ``[]`` of the best of ``scores`` ``[vocabulary]``, for :func:`read_token`."""
    best, choice = scores.max(-1)
    return flagged(choice, best - best)  # infinities have no difference


def drawn_token(scores: Tensor, generator: torch.Generator) -> Tensor:
    """The same for an id drawn by the scores, as ``torch.multinomial`` draws it, which would look
    at the probabilities on the host."""
    probabilities = scores.softmax(-1)
    return winner(probabilities, torch.empty_like(probabilities).exponential_(generator=generator))


def drawn_candidate(
    scores: Tensor, generator: torch.Generator, *, temperature: float, top_k: int, top_p: float
) -> Tensor:
    """The same among the :func:`candidates`."""
    ranked, ids = candidates(scores, top_k, top_p, temperature)
    place = drawn_token(ranked, generator)
    return torch.where(place < 0, place, ids.take(place.clamp(min=0)))


def winner(probabilities: Tensor, noise: Tensor) -> Tensor:
    """Ids ``[...]`` drawn from ``[..., n]``: each runs a race that it wins with its probability.

    A score that is NaN, an infinite one, or none that is not barred makes all probabilities NaN.
    """
    best, choice = (probabilities / noise).max(-1)
    return flagged(choice, best)


def flagged(choice: Tensor, value: Tensor) -> Tensor:
    """Choices ``[...]``, with :data:`NOT_FINITE` where ``value`` ``[...]`` is NaN."""
    return choice.masked_fill(value != value, NOT_FINITE)


def read_token(token: Tensor) -> int:
    """Wait for the device and read a chosen token.

    Raises:
        NotFiniteError: its scores were no numbers.
    """
    return checked(int(token))


def start_reading(token: Tensor) -> Callable[[], int]:
    """Begin to read a chosen token. What is returned waits for it, as :func:`read_token` does, but
    not for what the device is given to do after this call."""
    if token.device.type != "cuda":
        return lambda: read_token(token)
    on_host = torch.empty(token.shape, dtype=token.dtype, pin_memory=True)
    on_host.copy_(token, non_blocking=True)
    arrived = torch.cuda.Event()
    arrived.record()

    def finish() -> int:
        arrived.synchronize()
        return checked(int(on_host))

    return finish


def checked(choice: int) -> int:
    """A choice that was read.

    Raises:
        NotFiniteError: it is :data:`NOT_FINITE`.
    """
    if choice == NOT_FINITE:
        raise NotFiniteError("the scores of the next token are no numbers")
    return choice
