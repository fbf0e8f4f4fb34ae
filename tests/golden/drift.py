"""How far 8-bit weights move the scores of the recorded prompts and answers.

    python -m tests.golden.drift DIR

Both models read the same ids, so a choice that differs moves no later one. Prints one JSON line:
``score_error`` is the norm of the difference by the norm of the scores, ``same_best`` the share of
positions with the same best token, ``lost_gap`` how far ahead the best token was, by the median,
where it changed, beside ``usual_gap`` at all positions.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from MiniCPMO45 import ChatSession, MiniCPMO
from MiniCPMO45.sessions.base import Session
from tests.golden.context import Context
from tests.golden.messages import chat_message, prompt_options


def recorded_scores(context: Context, model: MiniCPMO) -> Iterator[Tensor]:
    """Scores ``[positions, tokens]`` along the recorded text and along every recorded answer."""
    with Session(model) as session:
        yield session.scores(session.feed_ids(context.json("06_llm")["ids"]))
    for entry in context.json("08_chat")["runs"]:
        with ChatSession(model, compat=context.compat, seed=0) as session:
            messages = [chat_message(message) for message in entry["messages"]]
            session.prefill(messages, prompt_options(entry["options"]))
            first = session.last_hidden
            rest = session.feed_ids(entry["generated_ids"][:-1])
            yield session.scores(torch.cat((first[None], rest)))


def drift(context: Context, quantised: MiniCPMO) -> dict[str, float]:
    """What the module says, of a model beside the plain one."""
    expected, scores = (
        torch.cat(list(recorded_scores(context, model))) for model in (context.model, quantised)
    )
    best, second = expected.topk(2).values.unbind(-1)
    same = scores.argmax(-1) == expected.argmax(-1)
    return {
        "positions": len(expected),
        "score_error": round(float((scores - expected).norm() / expected.norm()), 4),
        "same_best": round(float(same.float().mean()), 4),
        "lost_gap": round(float((best - second)[~same].median()), 4),
        "usual_gap": round(float((best - second).median()), 4),
    }


def main(arguments: list[str]) -> int:
    context = Context(Path(arguments[0]))
    folder = str(context.checkpoint)
    quantised = MiniCPMO.load(folder, device="cpu", dtype=torch.float32, quantization="int8")
    sys.stdout.write(json.dumps(drift(context, quantised)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
