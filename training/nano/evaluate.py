"""How good the model is on held-out phrasings, through the same interface that serves.

    python training/nano/evaluate.py --quick

Answers are drawn by the ordinary sampler with a fixed seed. Prints one JSON line: for every skill
the share of answers that are the expected one or acceptable in its place.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # when started as a script

from core.processors import ChatView, Finished, RequestLimits
from core.schemas import ChatRequest
from MiniCPMO45 import MiniCPMO
from training.nano.dialogues import EVALUATIONS_PER_SKILL, Dialogue, evaluation_dialogues

DEFAULT_MODEL = Path(__file__).resolve().parents[2] / "resources" / "nano"
QUICK_PER_SKILL = 8
CACHE_TOKENS = 2048
LONGEST_ANSWER_TOKENS = 120


def main(arguments: list[str] | None = None) -> int:
    """Evaluate; returns the exit status."""
    parser = argparse.ArgumentParser(description="Test the embedded model on held-out phrasings.")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="checkpoint folder")
    parser.add_argument("--quick", action="store_true", help="a fifth of the questions")
    parser.add_argument("--failures", type=Path, help="file for the answers that were not accepted")
    options = parser.parse_args(arguments)
    started_s = time.monotonic()
    model = MiniCPMO.load(str(options.model), max_length=CACHE_TOKENS)
    per_skill = QUICK_PER_SKILL if options.quick else EVALUATIONS_PER_SKILL
    text, failures = text_scores(model, evaluation_dialogues(per_skill))
    if options.failures:
        lines = (json.dumps(failure, ensure_ascii=False) + "\n" for failure in failures)
        options.failures.write_text("".join(lines), encoding="utf-8")
    seconds = round(time.monotonic() - started_s, 1)
    sys.stdout.write(json.dumps({"model": model.name, "text": text, "seconds": seconds}) + "\n")
    return 0


def text_scores(
    model: MiniCPMO, dialogues: Iterable[Dialogue]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The accepted share over all and per skill, and what was not accepted."""
    view = ChatView(model, RequestLimits())
    outcomes: dict[str, list[bool]] = defaultdict(list)
    failures: list[dict[str, Any]] = []
    for number, dialogue in enumerate(dialogues):
        text = answer(view, dialogue, seed=number)
        accepted = dialogue.exchanges[-1].accepts(text)
        outcomes[dialogue.skill].append(accepted)
        if not accepted:
            asked = [exchange.user for exchange in dialogue.exchanges]
            expected = dialogue.exchanges[-1].answer
            failures.append(
                {"skill": dialogue.skill, "asked": asked, "expected": expected, "said": text}
            )
    everything = [accepted for accepted_ones in outcomes.values() for accepted in accepted_ones]
    skills = {skill: share(accepted_ones) for skill, accepted_ones in sorted(outcomes.items())}
    return {"all": share(everything), "n": len(everything), "skills": skills}, failures


def answer(view: ChatView, dialogue: Dialogue, seed: int) -> str:
    """What the model says last in a conversation whose earlier answers are given."""
    messages = [{"role": "system", "content": dialogue.system}] if dialogue.system else []
    for exchange in dialogue.exchanges:
        messages.append({"role": "user", "content": exchange.user})
        messages.append({"role": "assistant", "content": exchange.answer})
    request = ChatRequest.model_validate(
        {
            "messages": messages[:-1],
            "generation": {"max_new_tokens": LONGEST_ANSWER_TOKENS},
            "tts": {"enabled": False},
        }
    )
    finished = [
        event for event in view.run(view.read(request), seed=seed) if isinstance(event, Finished)
    ]
    return finished[-1].text


def share(outcomes: list[bool]) -> float:
    """Of a whole, three places."""
    return round(sum(outcomes) / len(outcomes), 3) if outcomes else 0.0


if __name__ == "__main__":
    sys.exit(main())
