"""How good the model is on held-out phrasings, pictures and voices, through the public interface.

    python training/nano/evaluate.py --quick

Starts a worker and a gateway with the checkpoint on two cores, or asks a service that runs
(``--url``). Answers are drawn by the ordinary sampler. Prints one JSON line: for every skill the
share of answers that are the expected one or acceptable in its place, how calls go, how well the
model's own speech is understood, and how long a second of a call takes.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # when started as a script

import httpx
from PIL import Image

from MiniCPMO45.token2wav.spectra import MEL_RATE
from tests.service.stack import Stack
from training.nano.blind import BlindQuestion, blind_questions
from training.nano.dialogues import EVALUATIONS_PER_SKILL, Dialogue, evaluation_dialogues
from training.nano.evaluate_calls import call_scores, line_to
from training.nano.evaluate_hearing import hearing_scores
from training.nano.evaluate_speech import decoded, speech_scores, spoken_dialogues
from training.nano.evaluate_speed import on_two_cores, speed_scores
from training.nano.pictures import TESTED_SEEDS, Example, example
from training.nano.recogniser import Recogniser
from training.nano.scores import Scores
from training.nano.sounds import Waveform
from training.nano.speech_packages import SpeechError, provide

DEFAULT_MODEL = Path(__file__).resolve().parents[2] / "resources" / "nano"
LONGEST_ANSWER_TOKENS = 120
ANSWER_TIMEOUT_S = 120.0
JPEG_QUALITY = 90
"""Pictures are sent as cameras and pages send them."""
N_SHOWN = 20  # pictures that a camera shows in turn


@dataclass(frozen=True)
class Amounts:
    """How much is asked: conversations of each skill, written, spoken and in calls, and numbers of
    the rest. Of the blind questions and those for calls, one of so many is asked."""

    text: int
    blind_every: int
    hearing: int
    pictures: int
    calls: int
    calls_every: int
    silent_calls: int
    interrupted_calls: int
    spoken_answers: int
    omni_calls: int


FULL = Amounts(
    text=EVALUATIONS_PER_SKILL,
    blind_every=1,
    hearing=EVALUATIONS_PER_SKILL,
    pictures=len(TESTED_SEEDS),
    calls=8,
    calls_every=1,
    silent_calls=16,
    interrupted_calls=40,
    spoken_answers=120,
    omni_calls=20,
)
QUICK = Amounts(
    text=2,
    blind_every=4,
    hearing=1,
    pictures=100,
    calls=1,
    calls_every=3,
    silent_calls=2,
    interrupted_calls=4,
    spoken_answers=48,
    omni_calls=3,
)


class Part(Protocol):
    """The scores of one of `PARTS`, as they are reported."""

    @property
    def failures(self) -> list[dict[str, Any]]: ...

    def summary(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Service:
    """A client of a gateway, and how long that took to become ready, if it was started here."""

    client: httpx.Client
    start_s: float | None = None

    @property
    def url(self) -> str:
        return str(self.client.base_url)


def main(arguments: list[str] | None = None) -> int:
    """Evaluate; returns the exit status."""
    parser = argparse.ArgumentParser(description="Test the embedded model on held-out phrasings.")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="checkpoint folder")
    parser.add_argument("--url", help="a service that runs; then nothing is started")
    parser.add_argument("--quick", action="store_true", help="in about five minutes")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=[*PARTS],
        help="those with sound download what speech_packages does, once",
    )
    parser.add_argument("--failures", type=Path, help="file for the answers that were not accepted")
    options = parser.parse_args(arguments)
    if not options.url and not options.model.is_dir():
        parser.error(f"there is no checkpoint at {options.model}")
    if SOUNDING.intersection(options.parts):
        try:
            provide(recogniser="speech" in options.parts)
        except SpeechError as error:
            parser.error(f"{error}; --parts text blind pictures does without sound")
    started_s = time.monotonic()
    amounts = QUICK if options.quick else FULL
    with service(options.model, options.url) as running:
        name = running.client.get("/status").json()["model_name"]
        scores = {part: PARTS[part](running, amounts) for part in options.parts}
    if options.failures:
        failures = [failure for part in scores.values() for failure in part.failures]
        lines = (json.dumps(failure, ensure_ascii=False) + "\n" for failure in failures)
        options.failures.write_text("".join(lines), encoding="utf-8")
    report = {
        "model": name,
        "quick": options.quick,
        **{part: found.summary() for part, found in scores.items()},
        "seconds": round(time.monotonic() - started_s, 1),
    }
    sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")
    return 0


@contextmanager
def service(model: Path, url: str | None) -> Iterator[Service]:
    """The gateway at ``url``, or one that is started for the evaluation."""
    if url:
        with httpx.Client(base_url=url, verify=False, timeout=ANSWER_TIMEOUT_S) as client:
            yield Service(client)
        return
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        started_s = time.monotonic()
        with on_two_cores():
            gateway = stack.start_gateway([stack.start_worker(model_path=model.resolve())])
        start_s = round(time.monotonic() - started_s, 1)
        with httpx.Client(
            base_url=gateway.url, timeout=ANSWER_TIMEOUT_S, trust_env=False
        ) as client:
            yield Service(client, start_s)


def _text(running: Service, amounts: Amounts) -> Part:
    return text_scores(running.client, evaluation_dialogues(amounts.text))


def _blind(running: Service, amounts: Amounts) -> Part:
    return blind_scores(running.client, blind_questions()[:: amounts.blind_every])


def _pictures(running: Service, amounts: Amounts) -> Part:
    return picture_scores(running.client, map(example, TESTED_SEEDS[: amounts.pictures]))


def _hearing(running: Service, amounts: Amounts) -> Part:
    ask = partial(answer, running.client)
    return hearing_scores(ask, evaluation_dialogues(amounts.hearing))


def _calls(running: Service, amounts: Amounts) -> Part:
    return call_scores(
        partial(line_to, running.url),
        evaluation_dialogues(amounts.calls),
        n_silent=amounts.silent_calls,
        n_interrupted=amounts.interrupted_calls,
        every=amounts.calls_every,
    )


def _speech(running: Service, amounts: Amounts) -> Part:
    hear = partial(Recogniser().hear, sample_rate=MEL_RATE)
    speak = partial(spoken_answer, running.client)
    return speech_scores(speak, hear, spoken_dialogues(amounts.spoken_answers))


def _speed(running: Service, amounts: Amounts) -> Part:
    shown = [as_jpeg(example(seed).image) for seed in TESTED_SEEDS[:N_SHOWN]]
    open_line = partial(line_to, running.url, shown)
    return speed_scores(open_line, spoken_dialogues(amounts.omni_calls), running.start_s)


PARTS: dict[str, Callable[[Service, Amounts], Part]] = {
    "text": _text,
    "blind": _blind,
    "pictures": _pictures,
    "hearing": _hearing,
    "calls": _calls,
    "speech": _speech,
    "speed": _speed,
}
SOUNDING = {"hearing", "calls", "speech", "speed"}


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


def blind_scores(client: httpx.Client, questions: Iterable[BlindQuestion]) -> Scores:
    """Conversations in which the model gives every answer itself."""
    scores = Scores()
    for question in questions:
        messages: list[dict[str, Any]] = []
        said = ""
        for turn in question.turns:
            messages.append({"role": "user", "content": turn})
            said = answer(client, messages)
            messages.append({"role": "assistant", "content": said})
        expected = " or ".join(question.accept)
        accepted = question.accepts(said)
        scores.judge(question.name, question.turns, expected, said, accepted=accepted)
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
    """What the model says; see `chat`."""
    return chat(client, messages)["text"]


def spoken_answer(client: httpx.Client, text: str) -> tuple[str, Waveform]:
    """What the model says, and its sound at 24 kHz; see `chat`."""
    found = chat(client, [{"role": "user", "content": text}], aloud=True)
    return found["text"], decoded(found["audio_data"])


def chat(
    client: httpx.Client, messages: list[dict[str, Any]], *, aloud: bool = False
) -> dict[str, Any]:
    """The answer of ``POST /api/chat``.

    Raises:
        httpx.HTTPError: the service did not answer.
    """
    request = {
        "messages": messages,
        "generation": {"max_new_tokens": LONGEST_ANSWER_TOKENS},
        "tts": {"enabled": aloud},
        "record": False,
    }
    response = client.post("/api/chat", json=request)
    response.raise_for_status()
    return response.json()


def as_jpeg(image: Image.Image) -> str:
    """A picture as a file in base64."""
    file = BytesIO()
    image.save(file, "JPEG", quality=JPEG_QUALITY)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    sys.exit(main())
