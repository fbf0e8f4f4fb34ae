"""Everything a worker counts, declared in one place, for `GET /metrics`.

Where other inference servers have a usual name for something, it is the one used here. `mode` is a
way of talking: chat, streaming, half_duplex or duplex.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from core.loop_lag import LAG_BUCKETS_S
from core.schemas import WorkerStatus

if TYPE_CHECKING:
    from worker_modules.model_worker import MiniCPMOWorker

PREFIX = "minicpmo"
MODES = {
    WorkerStatus.BUSY_CHAT: "chat",
    WorkerStatus.BUSY_STREAMING: "streaming",
    WorkerStatus.BUSY_HALF_DUPLEX: "half_duplex",
    WorkerStatus.DUPLEX_ACTIVE: "duplex",
    WorkerStatus.DUPLEX_PAUSED: "duplex",
}
MEBIBYTE = 1 << 20
FIRST_OUTPUT_BUCKETS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)
UNIT_BUCKETS_S = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2, 5)
SESSION_BUCKETS_S = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)

REGISTRY = CollectorRegistry()
ProcessCollector(namespace=PREFIX, registry=REGISTRY)

REQUESTS_RUNNING = Gauge(
    f"{PREFIX}_num_requests_running", "Sessions that hold a slot.", ["mode"], registry=REGISTRY
)
REQUESTS_WAITING = Gauge(
    f"{PREFIX}_num_requests_waiting", "Sessions that wait for a slot.", registry=REGISTRY
)
KV_CACHE_USAGE = Gauge(
    f"{PREFIX}_kv_cache_usage_perc", "Filled part of the KV cache, 1 is all.", registry=REGISTRY
)
GPU_MEMORY_BYTES = Gauge(
    f"{PREFIX}_gpu_memory_used_bytes",
    "Memory that the process holds on the GPU.",
    registry=REGISTRY,
)
MODEL_LOADED = Gauge(f"{PREFIX}_model_loaded", "1 while the model can answer.", registry=REGISTRY)
SESSION_S = Histogram(
    f"{PREFIX}_session_seconds",
    "How long sessions held their slot.",
    ["mode"],
    buckets=SESSION_BUCKETS_S,
    registry=REGISTRY,
)
FIRST_TOKEN_S = Histogram(
    f"{PREFIX}_time_to_first_token_seconds",
    "From the request for an answer to its first text.",
    ["mode"],
    buckets=FIRST_OUTPUT_BUCKETS_S,
    registry=REGISTRY,
)
FIRST_AUDIO_S = Histogram(
    f"{PREFIX}_time_to_first_audio_seconds",
    "From the request for an answer to its first sound.",
    ["mode"],
    buckets=FIRST_OUTPUT_BUCKETS_S,
    registry=REGISTRY,
)
PROMPT_TOKENS = Counter(
    f"{PREFIX}_prompt_tokens", "Tokens read for answers.", ["mode"], registry=REGISTRY
)
GENERATION_TOKENS = Counter(
    f"{PREFIX}_generation_tokens", "Tokens of answers.", ["mode"], registry=REGISTRY
)
UNIT_S = Histogram(
    f"{PREFIX}_duplex_unit_seconds",
    "Full duplex: from a chunk that completes a unit to its result.",
    buckets=UNIT_BUCKETS_S,
    registry=REGISTRY,
)
DEADLINE_MISSES = Counter(
    f"{PREFIX}_duplex_deadline_misses",
    "Full duplex: results that came later than the sound they answer takes to play.",
    registry=REGISTRY,
)
LATE_CHUNKS = Counter(
    f"{PREFIX}_duplex_late_chunks",
    "Full duplex: chunks dropped because more came than could be heard.",
    registry=REGISTRY,
)
LOOP_LAG_S = Histogram(
    f"{PREFIX}_event_loop_lag_seconds",
    "How late the event loop did what was due.",
    buckets=LAG_BUCKETS_S,
    registry=REGISTRY,
)


class AnswerTimes:
    """Notes when the first text and the first sound of one answer are there."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._asked_s = time.monotonic()
        self._has_text = False
        self._has_sound = False

    def note(self, *, has_text: bool, has_sound: bool) -> None:
        """Some more of the answer is there."""
        elapsed_s = time.monotonic() - self._asked_s
        if has_text and not self._has_text:
            self._has_text = True
            FIRST_TOKEN_S.labels(self._mode).observe(elapsed_s)
        if has_sound and not self._has_sound:
            self._has_sound = True
            FIRST_AUDIO_S.labels(self._mode).observe(elapsed_s)


def count_tokens(mode: str, n_prompt: int, n_generated: int) -> None:
    """An answer is over, or so much of it as there will be."""
    PROMPT_TOKENS.labels(mode).inc(n_prompt)
    GENERATION_TOKENS.labels(mode).inc(n_generated)


def note_unit(elapsed_s: float, deadline_s: float) -> None:
    """A unit of a full-duplex call was answered, with `deadline_s` to do so."""
    UNIT_S.observe(elapsed_s)
    if elapsed_s > deadline_s:
        DEADLINE_MISSES.inc()


def exposition(worker: MiniCPMOWorker) -> bytes:
    """All metrics in Prometheus' text format; the gauges tell of this moment."""
    state, processor = worker.state, worker.processor
    running = Tally(MODES[slot.status] for slot in state.busy_slots if slot.status in MODES)
    for mode in set(MODES.values()):
        REQUESTS_RUNNING.labels(mode).set(running[mode])
    REQUESTS_WAITING.set(state.queue_depth)
    MODEL_LOADED.set(state.model_loaded)
    if processor is not None:
        KV_CACHE_USAGE.set(processor.kv_cache_usage)
        GPU_MEMORY_BYTES.set((processor.gpu_memory_used_mb or 0) * MEBIBYTE)
    return generate_latest(REGISTRY)
