"""Rows of the speech-token generator: conditions and codes as speech decoding feeds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.configuration import TTSConfig
from MiniCPMO45.tts import SpeechTokenGenerator, WeightNormLinear
from training.nano.forward import Rotary, hidden_states, seen_from
from training.nano.mixed_rows import (
    MixedBatch,
    MixedSequence,
    SpokenStretch,
    batch_of,
    embedded,
)
from training.nano.packing import NOT_LEARNT

NONE = -1
SHARPNESS = 2.4
"""How much surer of its codes the generator becomes than what it learns from. Of 1.6, 2.4 and 3.5
it was understood best with this, at the temperature by which the service draws codes."""

LEVEL_WEIGHT = 1e-4
"""Of the loss that keeps scores near logarithms of probabilities, by which the service's penalty on
repeated codes leaves alone those that are sure, such as silence."""

Column = NDArray[np.int32]


@dataclass(frozen=True)
class SpeechPlan:
    """One turn of speech, place by place: ids of its text, which of its tokens' hidden states are
    read there, codes (`NONE` where there is none), and the codes that each place is to predict.

    All are int32 ``[T]``; ``tokens`` are the places of the turn's tokens in its conversation.
    """

    text_ids: Column
    states: Column
    codes: Column
    targets: Column
    tokens: Column

    @property
    def n_places(self) -> int:
        return len(self.text_ids)


@dataclass
class SpokenSequence(MixedSequence):
    """A sequence whose turns of speech are worked out."""

    plans: list[SpeechPlan] = field(default_factory=list)


def with_plans(sequence: MixedSequence, config: TTSConfig) -> SpokenSequence:
    """A sequence with all its turns worked out."""
    plans = [plan_of(sequence, turn, config) for turn in sequence.turns]
    parts = (sequence.ids, sequence.learnt, sequence.images, sequence.clips)
    return SpokenSequence(*parts, plans=plans)


def plan_of(
    sequence: MixedSequence, turn: Sequence[SpokenStretch], config: TTSConfig
) -> SpeechPlan:
    """The rows of one turn, stretch after stretch on one cache; a code that ends speech is never
    fed."""
    rows: list[tuple[int, int, int, int]] = []
    end_id = config.num_audio_tokens - 1
    places = [place for stretch in turn for place in stretch.places]
    states = count()
    for stretch in turn:
        rows += [(sequence.ids[p], next(states), NONE, NOT_LEARNT) for p in stretch.places]
        if stretch.text_finished:
            rows.append((config.text_eos_token_id, NONE, NONE, NOT_LEARNT))
        following = [*stretch.codes, end_id if stretch.ends else NOT_LEARNT]
        rows.append((config.audio_bos_token_id, NONE, NONE, following[0]))
        pairs = zip(stretch.codes, following[1:], strict=True)
        rows += [(NONE, NONE, code, target) for code, target in pairs]
    text_ids, states_read, codes, targets = np.array(rows, np.int32).T
    return SpeechPlan(text_ids, states_read, codes, targets, np.array(places, np.int32))


@dataclass(frozen=True)
class SpeechRows:
    """Plans side by side, each int64 ``[B, T]``; ``segments`` tells turns apart, 0 is padding."""

    text_ids: Tensor
    states: Tensor
    codes: Tensor
    targets: Tensor
    segments: Tensor

    def to(self, device: torch.device) -> SpeechRows:
        """The rows on a device."""
        parts = (self.text_ids, self.states, self.codes, self.targets, self.segments)
        return SpeechRows(*(part.to(device) for part in parts))


@dataclass(frozen=True)
class SpeechBatch:
    """Conversations and the speech in them, whose plans refer to the hidden states of the places
    ``spoken`` ``[2, n]``: rows of the conversations, and positions in them."""

    conversations: MixedBatch
    spoken: Tensor
    rows: SpeechRows


def speech_batch(
    rows: list[list[SpokenSequence]], text_length: int, length: int, device: torch.device
) -> SpeechBatch:
    """Some rows of conversations, and rows of at most ``length`` places with all their turns.

    Args:
        text_length: of the conversations.
    """
    plans: list[SpeechPlan] = []
    spoken: list[NDArray[np.int64]] = []
    for number, row in enumerate(rows):
        start = 0
        for sequence in row:
            for plan in sequence.plans:
                places = start + plan.tokens.astype(np.int64)
                spoken.append(np.stack([np.full_like(places, number), places]))
            plans += sequence.plans
            start += len(sequence.ids)
    return SpeechBatch(
        batch_of(rows, text_length, device),
        torch.from_numpy(np.concatenate(spoken, axis=1)).to(device),
        packed_plans(plans, length).to(device),
    )


@torch.no_grad()
def spoken_states(model: MiniCPMO, batch: SpeechBatch, rotary: Rotary) -> Tensor:
    """The hidden states ``[n, hidden]`` of what is spoken."""
    embeddings, _ = embedded(model, batch.conversations)
    mask = seen_from(batch.conversations.rows.segments)
    hidden = hidden_states(model.llm.model, embeddings, mask, rotary)
    row, place = batch.spoken
    return hidden[row, place]


def packed_plans(plans: Sequence[SpeechPlan], length: int) -> SpeechRows:
    """All plans that fit, in order, in rows of ``length`` places; they read the hidden states of
    the tokens of all plans, one after another."""
    first_states = np.cumsum([0, *(len(plan.tokens) for plan in plans)])
    rows = list(_packed(plans, length))
    table = np.full((5, len(rows), length), NONE, np.int64)
    table[3], table[4] = NOT_LEARNT, 0
    for index, row in enumerate(rows):
        start = 0
        for segment, number in enumerate(row, start=1):
            plan = plans[number]
            end = start + plan.n_places
            states = np.where(plan.states == NONE, NONE, plan.states + first_states[number])
            table[:, index, start:end] = (
                *(plan.text_ids, states, plan.codes, plan.targets),
                np.full(plan.n_places, segment),
            )
            start = end
    return SpeechRows(*torch.from_numpy(table).unbind())


def _packed(plans: Sequence[SpeechPlan], length: int) -> Iterator[list[int]]:
    """Numbers of the plans of each row."""
    row: list[int] = []
    filled = 0
    for number, plan in enumerate(plans):
        n_places = plan.n_places
        if n_places > length:
            continue
        if filled + n_places > length:
            yield row
            row, filled = [], 0
        row.append(number)
        filled += n_places
    if row:
        yield row


def speech_inputs(tts: SpeechTokenGenerator, rows: SpeechRows, states: Tensor) -> Tensor:
    """Input rows ``[B, T, hidden]`` of the backbone.

    Args:
        states: hidden states of the language model that ``rows`` refer to, ``[n, llm_dim]``.
    """
    spoken, has_text, is_code = rows.states != NONE, rows.text_ids != NONE, rows.codes != NONE
    inputs = torch.zeros(*rows.codes.shape, tts.config.hidden_size, device=rows.codes.device)
    marks = has_text & ~spoken
    parts = (
        (spoken, tts.condition(rows.text_ids[spoken], states[rows.states[spoken]], normalise=True)),
        (marks, tts.emb_text(rows.text_ids[marks])),
        (is_code, tts.emb_code[0](rows.codes[is_code])),
    )
    for where, values in parts:
        inputs = inputs.masked_scatter(where[..., None], values.to(inputs.dtype))
    return inputs


def code_scores(tts: SpeechTokenGenerator, hidden: Tensor) -> Tensor:
    """Float32 scores of the codes ``[..., codes]``, with gradients for the normalised weight."""
    (head,) = tts.head_code
    assert isinstance(head, WeightNormLinear)
    parts = head.parametrizations["weight"]
    assert isinstance(parts.original0, Tensor) and isinstance(parts.original1, Tensor)
    direction = functional.normalize(parts.original1, dim=1)
    return functional.linear(hidden, parts.original0 * direction).float()


def speech_loss(
    tts: SpeechTokenGenerator, rows: SpeechRows, states: Tensor, rotary: Rotary
) -> Tensor:
    """Mean cross-entropy of the codes that are to be learnt, at the temperature `SHARPNESS`: the
    generator's own scores come to be as much larger; and, weighted, how far those are from
    logarithms of probabilities."""
    inputs = speech_inputs(tts, rows, states)
    hidden = hidden_states(tts.model, inputs, seen_from(rows.segments), rotary)
    learnt = rows.targets != NOT_LEARNT
    scores = code_scores(tts, hidden[learnt])
    level = scores.logsumexp(dim=-1).square().mean()
    loss = functional.cross_entropy(scores / SHARPNESS, rows.targets[learnt])
    return loss + LEVEL_WEIGHT * level
