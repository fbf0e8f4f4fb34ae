"""Decoder: logits, hidden states, cache contents, and greedy continuation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from MiniCPMO45.sessions.base import Session
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context

ABSOLUTE = 5e-4
CACHE_ABSOLUTE = 1e-4


def run(context: Context) -> Iterator[CaseResult]:
    recorded, arrays = context.json("06_llm"), context.arrays("06_llm")
    ids: list[int] = recorded["ids"]
    model = context.model

    case = Case("06", "one pass")
    case.ids("ids", ids, model.tokenizer.encode(recorded["text"]))
    layer_inputs: list[Tensor] = []
    hooks = [
        layer.register_forward_pre_hook(lambda _, inputs: layer_inputs.append(inputs[0]))
        for layer in model.llm.model.layers
    ]
    with Session(model) as session:
        hidden = session.feed_ids(ids)
        for hook in hooks:
            hook.remove()
        logits = session.scores(hidden)
        case.close("logits", arrays["logits"], logits, absolute=ABSOLUTE)
        case.close("last_hidden", arrays["last_hidden"], hidden, absolute=ABSOLUTE)
        for index, rows in enumerate(layer_inputs):
            name = f"hidden_in_layer{index}"
            case.close(name, arrays[name], rows, absolute=ABSOLUTE)
        for index in range(len(layer_inputs)):
            for what, tensor in zip("kv", session.slot.layer(index), strict=True):
                name = f"layer{index}.{what}_cache"
                if name in arrays:  # recorded as [kv_heads, tokens, head_dim]
                    tensor = tensor.transpose(0, 1)
                    case.close(name, arrays[name], tensor, absolute=CACHE_ABSOLUTE)
        case.equal("argmax", recorded["argmax_per_position"], logits.argmax(-1))
        yield case.result()
        yield _continuation(session, logits[-1], recorded["greedy_continuation_no_penalty"])

    case = Case("06", "step by step")
    with Session(model) as session:
        stepped = torch.stack([session.feed_token(torch.tensor(index)) for index in ids])
        count = arrays.whole("step_logits_last8").shape[0]
        last = session.scores(stepped)[-count:]
        case.close("step_logits", arrays["step_logits_last8"], last, absolute=ABSOLUTE)
    yield case.result()

    case = Case("06", "in chunks")
    cuts = recorded["chunk_cuts"]
    with Session(model) as session:
        pieces = [ids[start:end] for start, end in pairwise(cuts)]
        chunked = torch.cat([session.feed_ids(piece) for piece in pieces])
        case.close("logits", arrays["logits"], session.scores(chunked), absolute=ABSOLUTE)
    yield case.result()

    case = Case("06", "far positions")
    far = arrays.whole("logits_positions_from_1000")
    with Session(model) as session, torch.inference_mode():
        embeddings = model.llm.embed(torch.tensor(ids[: far.shape[0]]))
        hidden = model.language.feed(embeddings, session.slot, first_position=1000)
        case.close("logits", far, session.scores(hidden), absolute=ABSOLUTE)
    yield case.result()


def _continuation(session: Session, scores: Tensor, recorded: list[int]) -> CaseResult:
    case = Case("06", "greedy continuation")
    chosen, gaps = [], []
    for _ in recorded:
        best, second = scores.topk(2).values.tolist()
        gaps.append(best - second)
        token = scores.argmax()
        chosen.append(int(token))
        scores = session.scores(session.feed_token(token))
    case.ids("ids", recorded, chosen, gaps)
    return case.result()
