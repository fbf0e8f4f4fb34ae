"""Spoken answers: how soon they sound, how fast they are made, and whether playing them would gap.

    python benchmarks/speech.py [--device cpu|cuda] [--model PATH] [--answers N]

Prints one JSON line. The baseline of the same run is the answer that is spoken only once its text
is complete. A gap is a piece that arrives after the pieces before it have been played, playing
200 ms after the first one came. The first answer warms up and is not counted.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, MiniCPMO, PromptOptions
from MiniCPMO45.tiny import build
from MiniCPMO45.token2wav import Token2WavOptions
from MiniCPMO45.vocoder import SpeechRenderer

PROJECT = Path(__file__).resolve().parents[1]
EMBEDDED = PROJECT / "resources" / "embedded"
VOICE_RATE = 16000
SOUND_RATE = 24000
PLAYBACK_DELAY_S = 0.2
QUESTIONS = ("Hello", "What is the weather like?", "你好", "请讲一个故事。")


@dataclass(frozen=True)
class Spoken:
    """Arrival times and lengths of the pieces of one answer, in seconds from the question."""

    arrivals_s: list[float]
    durations_s: list[float]
    total_s: float

    @property
    def sound_s(self) -> float:
        return sum(self.durations_s)

    @property
    def gaps(self) -> int:
        """Pieces that would come too late."""
        played_until_s = self.arrivals_s[0] + PLAYBACK_DELAY_S
        late = 0
        for arrival_s, duration_s in zip(self.arrivals_s, self.durations_s, strict=True):
            late += arrival_s > played_until_s
            played_until_s = max(played_until_s, arrival_s) + duration_s
        return late


def speak(
    model: MiniCPMO,
    vocoder: SpeechRenderer,
    voice: Any,
    question: str,
    *,
    streamed: bool,
    seed: int,
) -> Spoken | None:
    """One answer; None when nothing in it was spoken."""
    arrivals_s, durations_s = [], []
    started_s = time.perf_counter()
    style = "kv" if streamed else "one_shot"
    with ChatSession(model, seed=seed) as session:
        session.prefill(
            [ChatMessage("user", question)], PromptOptions(style=style, use_tts_template=True)
        )
        if streamed:
            parts = session.speak_while_writing(vocoder.stream(voice))
            waveforms = (part.waveform for part in parts)
        else:
            list(session.generate(GenerationOptions()))
            waveforms = session.speak(vocoder.stream(voice))
        for waveform in waveforms:
            if waveform.numel():
                arrivals_s.append(time.perf_counter() - started_s)
                durations_s.append(waveform.numel() / SOUND_RATE)
    total_s = time.perf_counter() - started_s
    return Spoken(arrivals_s, durations_s, total_s) if arrivals_s else None


def summary(answers: list[Spoken]) -> dict[str, float]:
    return {
        "answers": len(answers),
        "sound_s": round(sum(answer.sound_s for answer in answers), 1),
        "real_time_factor": round(
            sum(answer.total_s for answer in answers) / sum(answer.sound_s for answer in answers), 3
        ),
        "first_audio_ms": round(1000 * statistics.median(a.arrivals_s[0] for a in answers), 1),
        "gaps": sum(answer.gaps for answer in answers),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--model", default=str(EMBEDDED), help="default: the random embedded checkpoint"
    )
    parser.add_argument("--answers", type=int, default=20)
    options = parser.parse_args()
    if options.model == str(EMBEDDED):
        build(EMBEDDED)
        torch.set_num_threads(1)  # as the worker does: so small a model only loses by more
    model = MiniCPMO.load(options.model, device=options.device)
    if model.vocoder is None:
        sys.stderr.write("benchmarks/speech.py: the model has no assets/token2wav\n")
        return 1
    time_s = torch.arange(5 * VOICE_RATE) / VOICE_RATE
    recording = 0.3 * torch.sin(2 * torch.pi * 220 * time_s) * (1 + torch.sin(9 * time_s)) / 2
    voice = model.vocoder.prepare_voice(recording, VOICE_RATE)
    results = {}
    for name, streamed in (("streamed", True), ("after_the_text", False)):
        answers = [
            speak(
                model,
                model.vocoder,
                voice,
                QUESTIONS[number % len(QUESTIONS)],
                streamed=streamed,
                seed=number,
            )
            for number in range(options.answers + 1)
        ]
        results[name] = summary([answer for answer in answers[1:] if answer is not None])
    line = {
        "benchmark": "speech",
        "device": str(model.device),
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "model": model.name,
        "flow_steps": Token2WavOptions().flow_steps,
        **results,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
