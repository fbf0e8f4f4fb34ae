"""`recording.json` from the journal of a session, whole or broken off."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.recording.duplex_contents import duplex_chunks
from core.recording.folders import (
    AI_AUDIO,
    CAPTIONS,
    MERGED_AUDIO,
    MERGED_VIDEO,
    RECORDING,
    write_json,
)
from core.recording.journal import Event, read_journal
from core.schemas import SPEECH_SAMPLE_RATE

MERGED_FILES = {
    "merged_replay": MERGED_AUDIO,
    "merged_replay_video": MERGED_VIDEO,
    "captions": CAPTIONS,
}


def write_recording(folder: Path) -> None:
    """Put the journal into `recording.json`.

    Raises:
        OSError: the disk fails.
        ValueError: the journal does not begin as one.
    """
    write_json(folder / RECORDING, assemble(folder))


def assemble(folder: Path) -> dict[str, Any]:
    """What `recording.json` holds, from the journal beside it.

    Raises:
        OSError, ValueError: there is no journal, or it does not begin as one.
    """
    events = list(read_journal(folder))
    if not events or events[0].get("event") != "session":
        raise ValueError("the journal does not begin with its session")
    recording = {name: value for name, value in events[0].items() if name != "event"}
    recording["config"] = dict(recording.get("config") or {})
    for event in events:
        if event["event"] == "config":
            recording["config"] |= event["config"]
    if recording["mode"] != "duplex":
        return recording | {"turns": turns_of(events)}
    recording["chunks"] = duplex_chunks(events)
    merged = {name: file for name, file in MERGED_FILES.items() if (folder / file).exists()}
    return recording | merged


def turns_of(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Turns as they were in the end: with the text that was settled on, cut where it was cut."""
    turns: dict[int, dict[str, Any]] = {}
    n_samples: dict[int, int] = {}
    for event in events:
        index = event.get("turn_index", -1)
        if event["event"] == "turn":
            output = {"text": ""}
            turn = {name: event[name] for name in ("turn_index", "request_ts_ms", "input")}
            turns[index] = turn | {"output": output, "timing": {}}
            n_samples[index] = 0
        if index not in turns:
            continue
        turn = turns[index]
        match event["event"]:
            case "answer":
                turn["output"]["text"] += event["text"]
                n_samples[index] += event["n_samples"]
            case "turn_end":
                turn["output"]["text"] = event["text"]
                turn["timing"] = event["timing"]
            case "turn_cut":
                turn["output"]["text"] = event["text"]
                n_samples[index] = event["n_samples"]
    for index, turn in turns.items():
        if n_samples[index]:
            turn["output"]["audio"] = turn_audio(index)
            duration_ms = round(n_samples[index] / SPEECH_SAMPLE_RATE * 1000)
            turn["output"]["audio_duration_ms"] = duration_ms
    return [turns[index] for index in sorted(turns)]


def samples_begun(events: Iterable[Event], turn: int, played_ms: float) -> int:
    """How many samples the chunks of an answer have that had begun to play after `played_ms`."""
    n_samples = 0
    for event in events:
        if event["event"] == "answer" and event["turn_index"] == turn:
            if n_samples >= played_ms / 1000 * SPEECH_SAMPLE_RATE:
                break
            n_samples += event["n_samples"]
    return n_samples


def turn_audio(turn: int) -> str:
    """The file with the sound of a turn."""
    return f"{AI_AUDIO}/turn_{turn}.wav"
