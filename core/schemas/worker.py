"""What a worker tells about itself, on `GET /health` and when it registers with a gateway."""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from .base import WireModel

WORKER_SECRET_HEADER = "X-Worker-Secret"


class WorkerStatus(str, Enum):
    """The state of a worker; only `idle` takes new work."""

    LOADING = "loading"
    IDLE = "idle"
    BUSY_CHAT = "busy_chat"
    BUSY_STREAMING = "busy_streaming"
    BUSY_HALF_DUPLEX = "busy_half_duplex"
    DUPLEX_ACTIVE = "duplex_active"
    DUPLEX_PAUSED = "duplex_paused"
    ERROR = "error"


class WorkerSession(WireModel):
    """One session that holds a slot of the worker."""

    session_id: str
    status: WorkerStatus
    elapsed_s: float


class WorkerHealthResponse(WireModel):
    """`status` is `initializing` while the model loads, then `healthy`, or `error`."""

    status: str
    worker_status: WorkerStatus
    gpu_id: int | None = None
    model_loaded: bool = False
    current_session_id: str | None = None
    total_requests: int = 0
    avg_inference_time_ms: float = 0.0
    kv_cache_length: int = 0
    boot_id: str = ""
    version: str = ""
    queue_depth: int = 0
    gpu_memory_used_mb: float | None = None
    modes: list[str] = Field(default_factory=list)
    slots_total: int = 1
    slots_busy: int = 0
    sessions: list[WorkerSession] = Field(default_factory=list)
    attention_backends: dict[str, str] = Field(default_factory=dict)
    model_name: str | None = None
    embedded_model: bool = False
    load_progress: float = 0.0
    load_message: str = ""


class WorkerRegistration(WireModel):
    """Where a worker can be reached; without `host`, at the address that it calls from."""

    host: str | None = Field(None, pattern=r"^[A-Za-z0-9._:-]+$", max_length=255)
    port: int = Field(ge=1, le=65535)


class WorkerRegistered(WireModel):
    """The name a worker goes by, and how often (seconds) it must tell that it is still there."""

    worker_id: str
    heartbeat_s: float
