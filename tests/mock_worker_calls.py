"""Calls to a mock worker: results by a pattern, and turns found by loudness."""

from __future__ import annotations

import asyncio
import base64
import struct
import time
from typing import Any

from tests.mock_worker_frames import Frames
from tests.mock_worker_state import MockWorker

SPEECH_RMS = 0.01
TURN_END_SILENCE_S = 0.5
SAMPLE_RATE = 16000
PREPARE_S = 0.1
PAUSE_S = 60.0
ONE_SECOND_OF_SILENCE = base64.b64encode(bytes(24000 * 4)).decode()


async def half_duplex_socket(frames: Frames, worker: MockWorker, message: dict[str, Any]) -> None:
    speech_s = silence_s = 0.0
    turn_index = 0
    while message.get("type") != "stop":
        if message.get("type") == "prepare":
            await worker.pause(PREPARE_S)
            await frames.send("prepared", session_id=frames.session_id, timeout_s=300)
        elif message.get("type") == "audio_chunk":
            duration_s, loud = _loudness(message.get("audio_base64", ""))
            if loud and not speech_s:
                await frames.send("vad_state", speaking=True)
            if loud:
                speech_s, silence_s = speech_s + duration_s, 0.0
            elif speech_s:
                silence_s += duration_s
            if silence_s >= TURN_END_SILENCE_S:
                turn_index += 1
                await _answer_turn(frames, turn_index, speech_s)
                speech_s = silence_s = 0.0
        message = await frames.next()
    await frames.send("stopped", session_id=frames.session_id)


async def _answer_turn(frames: Frames, turn_index: int, speech_s: float) -> None:
    await frames.send("vad_state", speaking=False)
    await frames.send("generating", speech_duration_ms=round(speech_s * 1000))
    frames.stop.clear()
    text = ""
    async for index, delta in frames.answer():
        text += delta
        await frames.send_chunk(index, delta)
    frames.drop_sound()
    stopped = frames.stop.is_set()
    await frames.send("turn_done", turn_index=turn_index, text=text, stopped=stopped)


async def duplex_socket(frames: Frames, worker: MockWorker, message: dict[str, Any]) -> None:
    unit_index = 0
    pause_s: float | None = None
    while message.get("type") != "stop":
        match message.get("type"):
            case "prepare":
                await worker.pause(PREPARE_S)
                await frames.send("prepared", prompt_length=50)
            case "audio_chunk" if pause_s is not None:
                await frames.send("error", error="Worker is paused", code="bad_message")
            case "audio_chunk":
                worker.crash_if_due(unit_index)
                await worker.pause(worker.behaviour.duplex_delay)
                await frames.send("result", **_duplex_result(worker, unit_index))
                unit_index += 1
            case "pause":
                pause_s = float(message.get("timeout") or PAUSE_S)
                frames.running.status = "duplex_paused"
                await frames.send("paused", timeout=pause_s)
            case "resume":
                pause_s = None
                frames.running.status = "duplex_active"
                await frames.send("resumed")
            case "interrupt":
                await frames.send("interrupted", audio_epoch=0)
            case "playback" | "video_frame":
                pass
            case kind:
                unknown = f"Unknown message type: {kind}"
                await frames.send("error", error=unknown, code="unknown_type")
        try:
            message = await frames.next(pause_s)
        except asyncio.TimeoutError:
            await frames.send("timeout", reason=f"Pause timeout ({pause_s}s)")
            return
    await frames.send("stopped", session_id=frames.session_id, audio_epoch=0)


def _duplex_result(worker: MockWorker, unit_index: int) -> dict[str, Any]:
    pattern = worker.behaviour.speak_pattern or "L"
    speaks = pattern[unit_index % len(pattern)].upper() == "S"
    audio = ONE_SECOND_OF_SILENCE if speaks else None
    result = {
        "is_listen": not speaks,
        "text": f"unit_{unit_index} " if speaks else "",
        "end_of_turn": False,
        "wall_clock_ms": worker.behaviour.duplex_delay * 1000,
        "kv_cache_length": 100,
    }
    if not worker.behaviour.strict:
        return {**result, "audio_base64": audio}
    return {
        **result,
        "audio_data": audio,
        "current_time": unit_index,
        "server_send_ts": time.time(),
        "vision_slices": 0,
        "vision_tokens": 0,
        "audio_epoch": 0,
    }


def _loudness(audio_base64: str) -> tuple[float, bool]:
    """Duration in seconds of a float32 chunk, and whether it sounds like speech."""
    raw = base64.b64decode(audio_base64)
    samples = struct.unpack(f"<{len(raw) // 4}f", raw[: len(raw) // 4 * 4])
    energy = sum(sample * sample for sample in samples)
    return len(samples) / SAMPLE_RATE, energy > SPEECH_RMS**2 * len(samples)
