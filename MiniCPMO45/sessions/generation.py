"""The two decoding loops. Each ``next()`` is one decode step, so a loop can be dropped between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from MiniCPMO45.sampling import GenerationOptions, draw, penalise, read_token
from MiniCPMO45.sessions.base import Session

CHUNK_TOKENS = 10  # tokens the chunked modes produce as one group
PENALTY_WINDOW = 128  # earlier tokens of the answer that the chunked sampler looks back on

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Choice:
    """One token that joined the answer, or (``token_id`` None) the end of it.

    ``hidden`` ``[hidden]`` is the final hidden state at which the token was fed, where it was.
    """

    token_id: int | None
    finish_reason: FinishReason | None = None
    terminator_id: int | None = None
    hidden: Tensor | None = None


class ChosenTokens:
    """Ids chosen so far, kept on the device so that penalties need no copy."""

    def __init__(self, capacity: int, device: torch.device) -> None:
        self._ids = torch.zeros(capacity, dtype=torch.long, device=device)
        self.count = 0

    def append(self, token: Tensor) -> None:
        self._ids[self.count] = token
        self.count += 1

    def since(self, start: int) -> Tensor:
        return self._ids[start : self.count]


@torch.inference_mode()
def decode_plain(
    session: Session,
    hidden: Tensor,
    options: GenerationOptions,
    *,
    first: Tensor | None = None,
    fed: list[Tensor] | None = None,
) -> Iterator[Choice]:
    """One-shot decoding from the prompt's last hidden state ``[hidden]``.

    The repetition penalty covers the whole answer. No terminator stays in the cache; the token
    that reaches the limit does not enter it.

    Args:
        first: a token chosen already; it counts for the penalty and not for the limit.
        fed: collects the hidden state of every token that is fed, in order.
    """
    tokenizer, device = session.model.tokenizer, session.model.device
    terminators = torch.tensor(tokenizer.chat_terminator_ids, device=device)
    chosen = ChosenTokens(options.max_new_tokens + 1, device)
    fed = [] if fed is None else fed
    if first is not None:
        chosen.append(first)
        hidden, token_id = session.feed_and_read(first)
        fed.append(hidden)
        yield Choice(token_id)
    for step in range(options.max_new_tokens):
        scores = penalise(session.scores(hidden), chosen.since(0), options.repetition_penalty)
        scores = penalise(scores, terminators, options.length_penalty)
        if step < options.min_new_tokens:
            scores[terminators] = -torch.inf
        token = draw(scores, options, session.generator)
        chosen.append(token)
        is_last = step + 1 == options.max_new_tokens
        if is_last:
            token_id = read_token(token)
        else:
            hidden, token_id = session.feed_and_read(token)
        if token_id in tokenizer.chat_terminator_ids:
            if not is_last:
                session.take_back()
            yield Choice(None, "stop", token_id)
            return
        if not is_last:
            fed.append(hidden)
        yield Choice(token_id)
    yield Choice(None, "length")


@torch.inference_mode()
def decode_chunked(
    session: Session,
    hidden: Tensor,
    options: GenerationOptions,
    *,
    barred_ids: Sequence[int] = (),
) -> Iterator[Choice]:
    """Spoken-style decoding from the hidden state after the generation opening.

    A token joins the answer once it has been fed, so the cache always holds exactly the opening
    and the answer. The limit is rounded up to whole chunks; the penalty sees the current chunk and
    :data:`PENALTY_WINDOW` tokens before it. The first chunk is one choice longer, because the last
    choice of an unfinished chunk opens the next one.

    Args:
        barred_ids: tokens that are never chosen, such as marks that cannot be spoken.
    """
    tokenizer, device = session.model.tokenizer, session.model.device
    terminators = torch.tensor(tokenizer.turn_terminator_ids, device=device)
    barred = torch.tensor(barred_ids, dtype=torch.long, device=device)
    limit = -(-options.max_new_tokens // CHUNK_TOKENS) * CHUNK_TOKENS
    chosen = ChosenTokens(limit + 1, device)
    for step in range(limit + 1):
        chunk_start = max(0, (step - 1) // CHUNK_TOKENS) * CHUNK_TOKENS
        chunk_start += 1 if chunk_start else 0
        recent = chosen.since(max(0, chunk_start - PENALTY_WINDOW))
        scores = session.scores(hidden).index_fill(0, barred, -torch.inf)
        scores = penalise(scores, recent, options.repetition_penalty)
        scores = penalise(scores, terminators, options.length_penalty)
        if step < options.min_new_tokens:
            scores[terminators] = -torch.inf
        token = draw(scores, options, session.generator)
        if step == limit:
            token_id = read_token(token)
            ended = token_id in tokenizer.turn_terminator_ids
            yield Choice(None, "stop", token_id) if ended else Choice(None, "length")
            return
        hidden, token_id = session.feed_and_read(token)
        if token_id in tokenizer.turn_terminator_ids:
            session.take_back()
            yield Choice(None, "stop", token_id)
            return
        chosen.append(token)
        yield Choice(token_id, hidden=hidden)
