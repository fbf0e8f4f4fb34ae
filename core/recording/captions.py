"""What the model said, as captions that grow within a turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.recording.timeline import Unit
from core.schemas import MODEL_SAMPLE_RATE

LINGER_S = 1.5
CUT_MARK = " —"


@dataclass
class Caption:
    """A text and when it is shown, in seconds of the merged replay."""

    start_s: float
    end_s: float
    text: str


def captions_of(units: Sequence[Unit]) -> list[Caption]:
    """Each stays until the next one; the last of a turn a little longer than its speech."""
    captions: list[Caption] = []
    said = ""
    last_s = units[-1].end / MODEL_SAMPLE_RATE if units else 0.0
    for unit in units:
        start_s, end_s = unit.start / MODEL_SAMPLE_RATE, unit.end / MODEL_SAMPLE_RATE
        said += unit.text
        if unit.text:
            if captions:
                captions[-1].end_s = min(captions[-1].end_s, start_s)
            captions.append(Caption(start_s, min(end_s + LINGER_S, last_s), said.strip()))
        elif said:
            captions[-1].end_s = min(end_s + LINGER_S, last_s)
        if unit.is_cut and said:
            captions[-1].text += CUT_MARK
        if unit.ends_turn:
            said = ""
    return [caption for caption in captions if caption.text]


def write_webvtt(captions: Iterable[Caption], path: Path) -> None:
    """Captions as browsers read them."""
    blocks = ["WEBVTT"]
    for caption in captions:
        text = caption.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        times = f"{_clock(caption.start_s)} --> {_clock(caption.end_s)}"
        blocks.append(f"{times}\n{' '.join(text.split())}")
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    whole = timedelta(seconds=milliseconds // 1000)
    return f"{whole!s:0>8}.{milliseconds % 1000:03d}"
