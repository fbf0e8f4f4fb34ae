"""What the routes share: one `Gateway` object per application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from config import PROJECT_ROOT, ServiceConfig
from core import errors
from core.voice_folders import FOLDER as VOICE_FOLDER
from gateway_modules import tracing
from gateway_modules.access import AccessPolicy
from gateway_modules.app_registry import AppRegistry
from gateway_modules.audit import note_administration
from gateway_modules.client_limits import ClientLimits
from gateway_modules.client_socket import MEBI
from gateway_modules.diagnostic_log import DIAGNOSTICS_FOLDER
from gateway_modules.eta_file import restore_estimates
from gateway_modules.examples import read_examples
from gateway_modules.health import HealthSettings
from gateway_modules.lease import Lease
from gateway_modules.live_sockets import LiveSockets
from gateway_modules.live_turns import LiveTurns
from gateway_modules.login import LoginCookies
from gateway_modules.membership import Membership
from gateway_modules.models import EtaConfig
from gateway_modules.presets import Presets
from gateway_modules.private_file import read_or_make
from gateway_modules.recorded_sessions import RecordedSessions
from gateway_modules.ref_audio_registry import RefAudioRegistry
from gateway_modules.revision import git_revision
from gateway_modules.rolling_file import RollingFile
from gateway_modules.session_ids import SessionIds
from gateway_modules.upstream import secret_header
from gateway_modules.worker_pool import WorkerPool

NOT_READY_RETRY_S = 5.0
OLD_VOICE_FOLDER = PROJECT_ROOT / "data" / "assets" / "ref_audio"


@dataclass(frozen=True)
class GatewayOptions:
    """What only the command line says; everything else comes from the configuration."""

    workers: tuple[str, ...]
    lang: str | None = None
    insecure: bool = False


class Gateway:
    """The pool and the policies of one running gateway."""

    def __init__(self, config: ServiceConfig, options: GatewayOptions) -> None:
        self.config = config
        self.options = options
        self.pool = make_pool(config, options.workers)
        self.estimates_file = config.data_path / "eta.json"
        restore_estimates(self.pool.eta_tracker, self.estimates_file)
        self.apps = AppRegistry(config.data_path / "apps.json")
        self.presets = Presets(config.limits.ref_audio_max_s)
        self.examples = read_examples()
        self.ref_audio = RefAudioRegistry(
            config.data_path / VOICE_FOLDER, config.limits, import_from=OLD_VOICE_FOLDER
        )
        cookies = LoginCookies(config.data_path / "login_key")
        self.access = AccessPolicy(config.security, self._generated_token(), cookies)
        self.limits = ClientLimits(config.limits)
        self.sockets = LiveSockets(self.access, self.limits, config)
        self.membership = Membership(self.pool, config.sessions.health_period_s)
        self.turns = LiveTurns()
        self.calls = LiveTurns()
        self.session_ids = SessionIds()
        self.recorded = RecordedSessions(config)
        self.traces = RollingFile(
            DIAGNOSTICS_FOLDER / "mobile-record-trace.jsonl",
            int(config.limits.debug_trace_file_mb * MEBI),
        )
        self.started_at = datetime.now()
        self.git_revision = git_revision(PROJECT_ROOT)
        self.is_draining = False

    @property
    def frontend_defaults(self) -> dict[str, Any]:
        defaults = self.config.frontend_defaults()
        if self.options.lang:
            defaults["default_lang"] = self.options.lang
        if self.model_name in self.examples:
            defaults["examples"] = self.examples[self.model_name]
        return defaults

    @property
    def not_ready_reason(self) -> str | None:
        """Why new requests are refused at the moment, or None."""
        return "the gateway is shutting down" if self.is_draining else self.pool.degraded_reason

    @property
    def model_name(self) -> str | None:
        """Who answers, as the first worker says that has loaded a model."""
        names = (worker.model_name for worker in self.pool.workers.values())
        return next(filter(None, names), None)

    @property
    def embedded_model(self) -> bool:
        return any(worker.embedded_model for worker in self.pool.workers.values())

    def require_ready(self) -> None:
        """Raise NotReadyError when no worker could take a request."""
        reason = self.not_ready_reason
        if reason is not None:
            raise errors.NotReadyError(
                f"No worker available: {reason}", retry_after_s=NOT_READY_RETRY_S
            )

    @asynccontextmanager
    async def lease(
        self,
        client: str | None,
        request_type: str,
        session_id: str | None = None,
        history_hash: str | None = None,
    ) -> AsyncIterator[Lease]:
        """A stay in the pool, which is one of the client's live sessions.

        Raises:
            RateLimitedError: the client has as many as it may have.
            QueueFullError: as many requests wait as may wait.
        """
        with self.limits.session(client):
            async with Lease(self.pool, request_type, session_id, history_hash) as lease:
                ticket_id = lease.ticket.ticket_id
                with tracing.span(
                    "session", request_type=request_type, session_id=session_id, ticket_id=ticket_id
                ):
                    yield lease

    async def drain(self, timeout_s: float) -> None:
        """Stop being ready and close every socket with 1001."""
        self.is_draining = True
        await self.sockets.close_all(timeout_s)

    def _generated_token(self) -> str | None:
        """A token of this installation: a proxy may bring strangers wherever it listens."""
        if self.options.insecure or self.config.security.admin_token is not None:
            return None
        return read_or_make(self.config.data_path / "admin_token")


def make_pool(config: ServiceConfig, workers: tuple[str, ...]) -> WorkerPool:
    service, sessions = config.service, config.sessions
    return WorkerPool(
        workers,
        max_queue_size=service.max_queue_size,
        request_timeout=service.request_timeout,
        eta_config=EtaConfig(
            eta_chat_s=service.eta_chat_s,
            eta_streaming_s=service.eta_streaming_s,
            eta_half_duplex_s=service.eta_half_duplex_s,
            eta_audio_duplex_s=service.eta_audio_duplex_s,
            eta_omni_duplex_s=service.eta_omni_duplex_s,
        ),
        ema_alpha=service.eta_ema_alpha,
        ema_min_samples=service.eta_ema_min_samples,
        health=HealthSettings(
            period_s=sessions.health_period_s,
            timeout_s=sessions.health_timeout_s,
            failures=sessions.health_failures,
        ),
        overrun_floor_s=service.eta_overrun_floor_s,
        worker_headers=secret_header(config.security),
    )


async def get_gateway(connection: HTTPConnection) -> Gateway:
    return connection.app.state.gateway


GatewayDep = Annotated[Gateway, Depends(get_gateway)]


async def require_same_origin(connection: HTTPConnection, gateway: GatewayDep) -> None:
    """Dependency of every route that changes or computes something."""
    gateway.access.check_origin(connection)


async def require_api_key(connection: HTTPConnection, gateway: GatewayDep) -> None:
    """Dependency of the inference routes."""
    gateway.access.check_api_key(connection)


async def require_admin(connection: HTTPConnection, gateway: GatewayDep) -> None:
    """Dependency of the routes that change the service for others."""
    note_administration(connection)
    gateway.access.check_admin(connection)


async def require_worker(connection: HTTPConnection, gateway: GatewayDep) -> None:
    """Dependency of the routes with which workers come."""
    gateway.access.check_worker(connection)


async def require_worker_or_admin(connection: HTTPConnection, gateway: GatewayDep) -> None:
    """Dependency of the routes with which workers go, by themselves or sent away."""
    note_administration(connection)
    gateway.access.check_worker_or_admin(connection)
