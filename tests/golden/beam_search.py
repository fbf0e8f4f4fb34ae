"""A small beam search; the published chat searches beams by default, ours never does."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from MiniCPMO45 import ChatSession
from MiniCPMO45.sampling import penalise


@dataclass(frozen=True)
class Beam:
    ids: list[int]
    total: float  # sum of penalised log-probabilities

    @property
    def value(self) -> float:
        return self.total / len(self.ids)


def beam_search(
    session: ChatSession, *, n_beams: int, max_new_tokens: int, repetition_penalty: float
) -> list[int]:
    """The best hypothesis after the session's prompt, its terminator included.

    Each beam is fed anew from the prompt at every step: slow, short and obviously right.
    """
    terminators = session.model.tokenizer.chat_terminator_ids
    prompt_length, prompt_hidden = session.slot.length, session.last_hidden
    beams = [Beam([], 0.0)]
    finished: list[Beam] = []
    for step in range(1, max_new_tokens + 1):
        candidates: list[Beam] = []
        for beam in beams:
            session.slot.truncate(prompt_length)
            hidden = session.feed_ids(beam.ids)[-1] if beam.ids else prompt_hidden
            scores = session.scores(hidden).log_softmax(-1)
            if beam.ids:
                scores = penalise(scores, torch.tensor(beam.ids), repetition_penalty)
            best = (scores + beam.total).topk(2 * n_beams)
            candidates += [
                Beam([*beam.ids, index], total)
                for total, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
            ]
        candidates = sorted(candidates, key=lambda beam: -beam.total)[: 2 * n_beams]
        finished += [beam for beam in candidates[:n_beams] if beam.ids[-1] in terminators]
        finished = sorted(finished, key=lambda beam: -beam.value)[:n_beams]
        beams = [beam for beam in candidates if beam.ids[-1] not in terminators][:n_beams]
        if len(finished) == n_beams and finished[-1].value >= candidates[0].total / step:
            return finished[0].ids
    return max([*finished, *beams], key=lambda beam: beam.value).ids
