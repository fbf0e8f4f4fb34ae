"""How good the model is on held-out phrasings, pictures and voices, through the public interface.

    python training/nano/evaluate.py --quick

Starts a worker and a gateway with the checkpoint, or asks a service that runs (``--url``). Answers
are drawn by the ordinary sampler. Prints one JSON line: for every skill the share of answers that
are the expected one or acceptable in its place.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # when started as a script

import httpx
from PIL import Image

from tests.service.stack import Stack
from training.nano.dialogues import EVALUATIONS_PER_SKILL, Dialogue, evaluation_dialogues
from training.nano.evaluate_calls import CallScores, call_scores, line_to
from training.nano.evaluate_hearing import hearing_scores
from training.nano.pictures import HELD_OUT_SEEDS, Example, example
from training.nano.scores import Scores

DEFAULT_MODEL = Path(__file__).resolve().parents[2] / "resources" / "nano"
QUICK_PER_SKILL = 8
PARTS = ("text", "pictures", "hearing", "calls")
CALLS_PER_SKILL, QUICK_CALLS_PER_SKILL = 8, 1
SILENT_CALLS, QUICK_SILENT_CALLS = 16, 4
INTERRUPTED_CALLS, QUICK_INTERRUPTED_CALLS = 40, 8
N_PICTURES = 1000
QUICK_PICTURES = 150
LONGEST_ANSWER_TOKENS = 120
ANSWER_TIMEOUT_S = 60.0
JPEG_QUALITY = 90
"""Pictures are sent as cameras and pages send them."""


def main(arguments: list[str] | None = None) -> int:
    """Evaluate; returns the exit status."""
    parser = argparse.ArgumentParser(description="Test the embedded model on held-out phrasings.")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="checkpoint folder")
    parser.add_argument("--url", help="a service that runs; then nothing is started")
    parser.add_argument("--quick", action="store_true", help="a fifth of the questions")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="the last two need speech_packages"
    )
    parser.add_argument("--failures", type=Path, help="file for the answers that were not accepted")
    options = parser.parse_args(arguments)
    started_s = time.monotonic()
    with service(options.model, options.url) as client:
        scores = {part: part_scores(part, client, quick=options.quick) for part in options.parts}
    if options.failures:
        failures = [failure for part in scores.values() for failure in part.failures]
        lines = (json.dumps(failure, ensure_ascii=False) + "\n" for failure in failures)
        options.failures.write_text("".join(lines), encoding="utf-8")
    parts = {name: part.summary() for name, part in scores.items()}
    seconds = round(time.monotonic() - started_s, 1)
    sys.stdout.write(json.dumps({"model": options.model.name, **parts, "seconds": seconds}) + "\n")
    return 0


def part_scores(part: str, client: httpx.Client, *, quick: bool) -> Scores | CallScores:
    """The scores of one of `PARTS`."""
    dialogues = evaluation_dialogues(QUICK_PER_SKILL if quick else EVALUATIONS_PER_SKILL)
    if part == "text":
        return text_scores(client, dialogues)
    if part == "pictures":
        seeds = HELD_OUT_SEEDS[: QUICK_PICTURES if quick else N_PICTURES]
        return picture_scores(client, map(example, seeds))
    if part == "hearing":
        return hearing_scores(partial(answer, client), dialogues)
    return call_scores(
        partial(line_to, str(client.base_url)),
        evaluation_dialogues(QUICK_CALLS_PER_SKILL if quick else CALLS_PER_SKILL),
        n_silent=QUICK_SILENT_CALLS if quick else SILENT_CALLS,
        n_interrupted=QUICK_INTERRUPTED_CALLS if quick else INTERRUPTED_CALLS,
    )


@contextmanager
def service(model: Path, url: str | None) -> Iterator[httpx.Client]:
    """A client of the gateway at ``url``, or of one that is started for the evaluation."""
    if url:
        with httpx.Client(base_url=url, verify=False, timeout=ANSWER_TIMEOUT_S) as client:
            yield client
        return
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        gateway = stack.start_gateway([stack.start_worker(model_path=model.resolve())])
        with httpx.Client(
            base_url=gateway.url, timeout=ANSWER_TIMEOUT_S, trust_env=False
        ) as client:
            yield client


def text_scores(client: httpx.Client, dialogues: Iterable[Dialogue]) -> Scores:
    """Conversations whose earlier answers are given."""
    scores = Scores()
    for dialogue in dialogues:
        messages = [{"role": "system", "content": dialogue.system}] if dialogue.system else []
        for exchange in dialogue.exchanges:
            messages.append({"role": "user", "content": exchange.user})
            messages.append({"role": "assistant", "content": exchange.answer})
        said = answer(client, messages[:-1])
        scores.note(dialogue.skill, dialogue.exchanges, said)
    return scores


def picture_scores(client: httpx.Client, examples: Iterable[Example]) -> Scores:
    """One question about every picture."""
    scores = Scores()
    for shown in examples:
        content = [
            {"type": "image", "data": as_jpeg(shown.image)},
            {"type": "text", "text": shown.exchange.user},
        ]
        said = answer(client, [{"role": "user", "content": content}])
        scores.note(shown.kind, [shown.exchange], said)
    return scores


def answer(client: httpx.Client, messages: list[dict[str, Any]]) -> str:
    """What the model says.

    Raises:
        httpx.HTTPError: the service did not answer.
    """
    request = {
        "messages": messages,
        "generation": {"max_new_tokens": LONGEST_ANSWER_TOKENS},
        "tts": {"enabled": False},
        "record": False,
    }
    response = client.post("/api/chat", json=request)
    response.raise_for_status()
    return response.json()["text"]


def as_jpeg(image: Image.Image) -> str:
    """A picture as a file in base64."""
    file = BytesIO()
    image.save(file, "JPEG", quality=JPEG_QUALITY)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    sys.exit(main())
