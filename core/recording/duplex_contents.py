"""The chunks of a full-duplex recording, and how much of each was heard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.recording.journal import Event


def duplex_chunks(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Chunks in order. Where speech was cut off, `result.heard_ms` tells what was heard of it."""
    chunks: list[dict[str, Any]] = []
    spoken: dict[int, list[tuple[float, dict[str, Any]]]] = {}  # by epoch, with the time sent
    cut_ms: dict[int, float] = {}
    played_ms: dict[int, float] = {}
    for event in events:
        epoch = event.get("audio_epoch", 0)
        match event["event"]:
            case "chunk":
                chunks.append(event["chunk"])
                if "ai_audio" in event["chunk"]["result"]:
                    spoken.setdefault(epoch, []).append(
                        (event["sent_ms"], event["chunk"]["result"])
                    )
            case "cut":
                cut_ms.setdefault(epoch, event["at_ms"])
            case "playback":
                played_ms[epoch] = max(event["played_ms"], played_ms.get(epoch, 0.0))
    for epoch, at_ms in cut_ms.items():
        results = spoken.get(epoch, [])
        if epoch in played_ms:
            _mark_played(results, played_ms[epoch])
        else:
            _mark_estimated(results, at_ms)
    return sorted(chunks, key=lambda chunk: chunk["index"])


def _mark_played(results: list[tuple[float, dict[str, Any]]], played_ms: float) -> None:
    """The client said how much of the epoch it played."""
    start_ms = 0.0
    for _, result in results:
        _mark(result, played_ms - start_ms)
        start_ms += result["ai_audio_duration_ms"]


def _mark_estimated(results: list[tuple[float, dict[str, Any]]], cut_ms: float) -> None:
    """The client did not say it: as if sound had played as soon as it was sent."""
    free_ms = 0.0
    for sent_ms, result in results:
        start_ms = max(free_ms, sent_ms)
        _mark(result, cut_ms - start_ms)
        free_ms = start_ms + result["ai_audio_duration_ms"]


def _mark(result: dict[str, Any], heard_ms: float) -> None:
    if heard_ms < result["ai_audio_duration_ms"]:
        result["heard_ms"] = max(0, round(heard_ms))
