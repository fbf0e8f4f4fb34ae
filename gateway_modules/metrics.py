"""Everything the gateway counts, declared in one place, for `GET /metrics`.

Where other inference servers have a usual name for something, it is the one used here.

Labels come from short lists (types, states, routes, codes): never ids, never what clients send.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from core.loop_lag import LAG_BUCKETS_S
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.worker_choice import REQUEST_TYPES
from gateway_modules.worker_connection import WorkerConnection, WorkerHealth

if TYPE_CHECKING:
    from gateway_modules.worker_pool import WorkerPool

PREFIX = "minicpmo_gateway"
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}
OTHER = "other"
DRAINING = "draining"
CALL_SUMMARY = "session_summary"  # the report with which a page ends a call
MOST_GAPS = 10_000  # that one call can make the service believe
WORKER_STATES = (*(status.value for status in GatewayWorkerStatus), DRAINING)
WAIT_BUCKETS_S = (0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
REQUEST_BUCKETS_S = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
SOCKET_BUCKETS_S = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200)

REGISTRY = CollectorRegistry()
ProcessCollector(namespace=PREFIX, registry=REGISTRY)

QUEUE_LENGTH = Gauge(
    f"{PREFIX}_num_requests_waiting",
    "Requests that wait for a worker.",
    ["type"],
    registry=REGISTRY,
)
QUEUE_WAIT_S = Histogram(
    f"{PREFIX}_request_queue_time_seconds",
    "Time from a request's arrival to its worker.",
    ["type"],
    buckets=WAIT_BUCKETS_S,
    registry=REGISTRY,
)
ESTIMATE_ERROR_S = Histogram(
    f"{PREFIX}_wait_estimate_error_seconds",
    "How far the estimate given at arrival was from the wait, either way, of those that waited.",
    ["type"],
    buckets=WAIT_BUCKETS_S,
    registry=REGISTRY,
)
SESSIONS = Gauge(
    f"{PREFIX}_num_requests_running",
    "Requests and calls that a worker serves.",
    ["type"],
    registry=REGISTRY,
)
SOCKETS = Gauge(f"{PREFIX}_sockets", "Open sockets of clients.", registry=REGISTRY)
WORKERS = Gauge(f"{PREFIX}_workers", "Workers by state.", ["state"], registry=REGISTRY)
SLOTS = Gauge(f"{PREFIX}_slots", "Sessions that the usable workers can serve.", registry=REGISTRY)
REQUEST_S = Histogram(
    f"{PREFIX}_request_seconds",
    "HTTP requests, from the first byte to the last.",
    ["method", "route", "status"],
    buckets=REQUEST_BUCKETS_S,
    registry=REGISTRY,
)
SOCKET_S = Histogram(
    f"{PREFIX}_socket_seconds",
    "Sockets of clients, by the code that closed them.",
    ["route", "code"],
    buckets=SOCKET_BUCKETS_S,
    registry=REGISTRY,
)
LOOP_LAG_S = Histogram(
    f"{PREFIX}_event_loop_lag_seconds",
    "How late the event loop did what was due.",
    buckets=LAG_BUCKETS_S,
    registry=REGISTRY,
)
AUDIO_UNDERRUNS = Counter(
    f"{PREFIX}_audio_underruns",
    "Gaps in the speech that pages played, as they told at the end of their calls.",
    registry=REGISTRY,
)
REFUSALS = Counter(f"{PREFIX}_refusals", "Errors told to clients.", ["code"], registry=REGISTRY)


@dataclass
class Traffic:
    """Frames one way, added up without a lock: only the event loop's thread counts them."""

    n_frames: int = 0
    n_bytes: int = 0

    def count(self, frame: str | bytes) -> None:
        self.n_frames += 1
        if isinstance(frame, str) and not frame.isascii():
            frame = frame.encode()
        self.n_bytes += len(frame)


class TrafficCollector(Collector):
    """Shows the frames on the sockets of clients."""

    def collect(self) -> Iterator[Metric]:
        frames = CounterMetricFamily(
            f"{PREFIX}_frames", "Frames on the sockets of clients.", labels=["direction"]
        )
        frame_bytes = CounterMetricFamily(
            f"{PREFIX}_frame_bytes", "Bytes of these frames.", labels=["direction"]
        )
        for direction, traffic in (("in", FRAMES_IN), ("out", FRAMES_OUT)):
            frames.add_metric([direction], traffic.n_frames)
            frame_bytes.add_metric([direction], traffic.n_bytes)
        yield from (frames, frame_bytes)


FRAMES_IN, FRAMES_OUT = Traffic(), Traffic()
REGISTRY.register(TrafficCollector())


def note_wait(
    request_type: str, wait_s: float, estimate_s: float | None, *, was_queued: bool
) -> None:
    """A request got its worker; `estimate_s` is what it was told when it came."""
    QUEUE_WAIT_S.labels(request_type).observe(wait_s)
    if was_queued and estimate_s is not None:
        ESTIMATE_ERROR_S.labels(request_type).observe(abs(wait_s - estimate_s))


def note_report(report: Mapping[str, object]) -> None:
    """A page told about its call; at the end of it, how often its speech came too late."""
    gaps = report.get("gaps")
    if report.get("event") == CALL_SUMMARY and isinstance(gaps, int):
        AUDIO_UNDERRUNS.inc(min(max(0, gaps), MOST_GAPS))


def note_request(method: str, route: str, status: int, duration_s: float) -> None:
    """An HTTP request was answered."""
    known_method = method if method in METHODS else OTHER
    REQUEST_S.labels(known_method, route, status).observe(duration_s)


def route_of(scope: Mapping[str, Any]) -> str:
    """The route that took a request, as its pattern and not as the path that was asked for."""
    return getattr(scope.get("route"), "path", OTHER)


def exposition(pool: WorkerPool, n_sockets: int) -> bytes:
    """All metrics in Prometheus' text format; the gauges tell of this moment."""
    workers = pool.workers.values()
    _show(QUEUE_LENGTH, REQUEST_TYPES, Tally(pool.waiting_types()))
    _show(SESSIONS, REQUEST_TYPES, Tally(pool.running_types()))
    _show(WORKERS, WORKER_STATES, Tally(_state(worker) for worker in workers))
    SLOTS.set(sum(worker.capacity for worker in workers))
    SOCKETS.set(n_sockets)
    return generate_latest(REGISTRY)


def _show(gauge: Gauge, labels: tuple[str, ...], tally: Tally[str]) -> None:
    gauge.clear()
    for label in {*labels, *tally}:
        gauge.labels(label).set(tally[label])


def _state(worker: WorkerConnection) -> str:
    is_draining = worker.draining and worker.health is WorkerHealth.ONLINE
    return DRAINING if is_draining else worker.status.value
