"""Which worker a request goes to, given who is idle and whose KV cache holds what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.worker_connection import WorkerConnection

STREAMING = "streaming"

_BUSY_STATUS = {
    "chat": GatewayWorkerStatus.BUSY_CHAT,
    STREAMING: GatewayWorkerStatus.BUSY_STREAMING,
    "half_duplex_audio": GatewayWorkerStatus.BUSY_HALF_DUPLEX,
    "audio_duplex": GatewayWorkerStatus.DUPLEX_ACTIVE,
    "omni_duplex": GatewayWorkerStatus.DUPLEX_ACTIVE,
}
REQUEST_TYPES = tuple(_BUSY_STATUS)


def busy_status(request_type: str) -> GatewayWorkerStatus:
    """The status of a slot that runs a request of this type."""
    return _BUSY_STATUS.get(request_type, GatewayWorkerStatus.BUSY_CHAT)


def choose_worker(
    workers: Iterable[WorkerConnection], request_type: str, history_hash: str | None = None
) -> WorkerConnection | None:
    """The worker to use now, or None when every one is busy or unusable.

    A streaming turn goes where its history is cached. Otherwise a worker without cache is taken,
    then the one whose cache was used longest ago; among equals the least loaded, in pool order.
    """
    idle = sorted(
        (worker for worker in workers if worker.is_idle),
        key=lambda worker: len(worker.busy_slots),
    )
    if not idle:
        return None
    if request_type == STREAMING and history_hash:
        for worker in idle:
            if worker.cached_hash == history_hash:
                return worker
    for worker in idle:
        if worker.cached_hash is None:
            return worker
    return min(idle, key=lambda worker: worker.last_cache_used_at or datetime.min)
