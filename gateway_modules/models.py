"""Wire models of the pool: workers, queue tickets, running tasks, waiting-time estimates.

Times are local ones without an offset, as clients of these routes expect.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, Field, WithJsonSchema

LOCAL_TIME = {"type": "string", "description": "ISO 8601, local time without an offset."}
LocalTime = Annotated[datetime, WithJsonSchema(LOCAL_TIME)]


class GatewayWorkerStatus(str, Enum):
    """What a worker is doing, as the gateway sees it."""

    IDLE = "idle"
    BUSY_CHAT = "busy_chat"
    BUSY_STREAMING = "busy_streaming"
    BUSY_HALF_DUPLEX = "busy_half_duplex"
    DUPLEX_ACTIVE = "duplex_active"
    DUPLEX_PAUSED = "duplex_paused"
    LOADING = "loading"
    ERROR = "error"
    OFFLINE = "offline"


DUPLEX_STATUSES = frozenset({GatewayWorkerStatus.DUPLEX_ACTIVE, GatewayWorkerStatus.DUPLEX_PAUSED})
BUSY_STATUSES = DUPLEX_STATUSES | {
    GatewayWorkerStatus.BUSY_CHAT,
    GatewayWorkerStatus.BUSY_STREAMING,
    GatewayWorkerStatus.BUSY_HALF_DUPLEX,
}


class WorkerInfo(BaseModel):
    """One worker as `GET /workers` shows it."""

    worker_id: str
    host: str
    port: int
    gpu_id: int
    status: GatewayWorkerStatus
    current_session_id: str | None = None
    cached_hash: str | None = None
    last_cache_used_at: LocalTime | None = None
    total_requests: int = 0
    avg_inference_time_ms: float = 0.0
    gpu_memory_used_mb: float | None = Field(None, description="Null without a GPU.")
    last_heartbeat: LocalTime | None = None
    current_request_type: str | None = None
    task_started_at: LocalTime | None = None
    slots_total: int = 1
    slots_busy: int = 0
    boot_id: str | None = None
    model_name: str | None = Field(None, description="Null until it is loaded.")
    embedded_model: bool = False
    draining: bool = Field(False, description="It ends what it does and gets nothing new.")
    registered: bool = Field(False, description="It came by itself, and goes when it falls silent.")


class WorkersResponse(BaseModel):
    total: int
    workers: list[WorkerInfo]


class CacheState(BaseModel):
    """What one worker has cached between two turns of a streaming conversation."""

    worker_id: str
    status: GatewayWorkerStatus
    cached_hash: str | None = None
    last_cache_used_at: LocalTime | None = None


class CacheResponse(BaseModel):
    workers: list[CacheState]


class QueueTicket(BaseModel):
    """A place in the queue. Position 0 means that a worker is assigned."""

    ticket_id: str
    request_type: str
    session_id: str | None = None
    enqueued_at: LocalTime = Field(default_factory=datetime.now)
    position: int = 0
    estimated_wait_s: float | None = 0.0
    cancelled: bool = False


class QueueTicketSummary(BaseModel):
    ticket_id: str
    request_type: str
    session_id: str | None = None
    position: int
    estimated_wait_s: float | None
    enqueued_at: LocalTime
    wait_elapsed_s: float = 0.0


class RunningTaskInfo(BaseModel):
    worker_id: str
    request_type: str
    started_at: LocalTime
    elapsed_s: float
    estimated_remaining_s: float


class QueueStatus(BaseModel):
    queue_length: int
    max_queue_size: int
    items: list[QueueTicketSummary] = []
    running_tasks: list[RunningTaskInfo] = []


class TicketLookup(BaseModel):
    """Answer of `GET /api/queue/{ticket_id}`; an unknown ticket is not an error."""

    found: bool
    ticket: QueueTicket | None = None
    message: str | None = None


class SuccessResponse(BaseModel):
    success: bool


class ServiceStatus(BaseModel):
    """Answer of `GET /status`. `busy_workers` includes the duplex ones."""

    gateway_healthy: bool = True
    total_workers: int = 0
    idle_workers: int = 0
    busy_workers: int = 0
    duplex_workers: int = 0
    loading_workers: int = 0
    error_workers: int = 0
    offline_workers: int = 0
    queue_length: int = 0
    max_queue_size: int = 1000
    running_tasks: list[RunningTaskInfo] = []
    degraded: str | None = Field(None, description="Why no request can be served at the moment.")
    model_name: str | None = Field(None, description="Of one of the workers; null without any.")
    embedded_model: bool = Field(
        False, description="The answers come from a small embedded model, not the published one."
    )
    version: str = ""
    git_revision: str | None = Field(None, description="The commit of the code, if that is known.")
    started_at: LocalTime | None = None


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class EtaConfig(BaseModel):
    """Expected seconds of one request of each type, until enough real ones were measured."""

    eta_chat_s: Seconds = 15.0
    eta_streaming_s: Seconds = 20.0
    eta_half_duplex_s: Seconds = 180.0
    eta_audio_duplex_s: Seconds = 120.0
    eta_omni_duplex_s: Seconds = 90.0
    eta_duplex_s: Seconds | None = None
    ema_alpha: float | None = Field(
        default=None, gt=0, le=1, description="Weight of the newest duration."
    )


class EtaStatus(BaseModel):
    """Baselines and measured averages; `ema_<type>_s` is None before the first sample."""

    config: EtaConfig
    ema_alpha: float = 0.3
    ema_chat_s: float | None = None
    ema_chat_samples: int = 0
    ema_streaming_s: float | None = None
    ema_streaming_samples: int = 0
    ema_half_duplex_s: float | None = None
    ema_half_duplex_samples: int = 0
    ema_audio_duplex_s: float | None = None
    ema_audio_duplex_samples: int = 0
    ema_omni_duplex_s: float | None = None
    ema_omni_duplex_samples: int = 0


class LogTail(BaseModel):
    """The last lines of the log of one process, and which processes have one."""

    process: str
    processes: list[str]
    lines: list[str]


class FrontendDefaults(BaseModel):
    """What pages start with."""

    playback_delay_ms: int = Field(description="Sound gathered before an answer begins to play.")
    chat_vocoder: str
    recording: bool = Field(description="Whether sessions are recorded unless they ask otherwise.")
    session_retention_days: int = Field(
        description="Recordings are deleted after so many days; -1 is never."
    )
    default_lang: str | None = Field(None, description="That of `--lang`; absent without it.")
    examples: dict[str, list[str]] | None = Field(
        None,
        description="By app, what to say to a model that understands little; absent with others.",
    )


class HealthResponse(BaseModel):
    status: str = "healthy"
    timestamp: LocalTime


class ReadyResponse(BaseModel):
    ready: bool
    reason: str | None = None
