"""What programs of earlier versions import and ask for is still there."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.unit.gateway_client import gateway_config, running_gateway

NAMES = {
    "gateway_modules.models": (
        "GatewayWorkerStatus WorkerInfo QueueTicket QueueTicketSummary RunningTaskInfo "
        "QueueStatus ServiceStatus EtaConfig EtaStatus WorkersResponse"
    ),
    "gateway_modules.worker_pool": (
        "WorkerPool WorkerConnection EtaTracker compute_history_hash HEALTH_CHECK_INTERVAL"
    ),
    "gateway_modules.ref_audio_registry": (
        "RefAudioRegistry RefAudioInfo RefAudioListResponse UploadRefAudioRequest RefAudioResponse"
    ),
    "gateway_modules.app_registry": (
        "AppInfo AppPublicInfo AppToggleRequest AppsPublicResponse AppsAdminResponse AppRegistry"
    ),
    "core.recording": (
        "SessionRecorder DuplexSessionRecorder TurnBasedSessionRecorder generate_session_id "
        "get_session_info cleanup_sessions"
    ),
    "core.vad": (
        "SileroVADModel get_vad_model StreamingVAD StreamingVadOptions VadOptions BatchVadOptions "
        "get_speech_timestamps collect_chunks run_vad"
    ),
    "config": (
        "ModelConfig AudioConfig ServiceSectionConfig RecordingConfig DuplexSectionConfig "
        "ServiceConfig load_config get_config"
    ),
}
POOL_MEMBERS = (
    "QueueFullError enqueue release_worker cancel get_ticket get_queue_status _get_running_tasks "
    "queue_length queue_full _queue _dispatch_next get_all_workers get_worker idle_count "
    "busy_count duplex_count loading_count error_count offline_count start stop"
)
ROUTES = """
GET /health
GET /status
GET /workers
GET /cache
GET /api/cache
POST /api/chat
POST /api/streaming/stop
POST /api/half_duplex/stop
GET /api/frontend_defaults
GET /api/presets
GET /api/presets/omni/x/audio
GET /api/default_ref_audio
GET /api/assets/ref_audio
POST /api/assets/ref_audio
DELETE /api/assets/ref_audio/x
POST /api/assets/ref_audio/external
GET /api/queue
GET /api/queue/x
DELETE /api/queue/x
GET /api/config/eta
PUT /api/config/eta
GET /sessions
DELETE /sessions/x
GET /api/sessions/x
GET /api/sessions/x/recording
GET /api/sessions/x/assets/y
HEAD /api/sessions/x/assets/y
GET /api/sessions/x/download
POST /api/sessions/x/upload-recording
GET /api/sessions/x/comment
POST /api/sessions/x/comment
GET /s/x
GET /api/apps
GET /api/admin/apps
PUT /api/admin/apps/x
PUT /api/admin/apps
POST /api/_debug/record_trace
GET /
GET /turnbased
GET /omni
GET /audio_duplex
GET /half_duplex
GET /admin
GET /mobile
GET /mobile/
GET /mobile-omni
GET /mobile-omni/
GET /docs
GET /openapi.json
"""


@pytest.mark.parametrize("module", list(NAMES))
def test_published_names_can_be_imported(module: str) -> None:
    imported = importlib.import_module(module)
    assert [name for name in NAMES[module].split() if not hasattr(imported, name)] == []


def test_the_pool_has_its_published_members() -> None:
    from gateway_modules.worker_pool import WorkerPool

    pool = WorkerPool(["localhost:22400"])
    assert [name for name in POOL_MEMBERS.split() if not hasattr(pool, name)] == []


def test_published_routes_are_there(tmp_path: Path) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        for route in ROUTES.split("\n")[1:-1]:
            method, path = route.split()
            answer = http.request(method, path, content=b"", follow_redirects=False)
            is_missing = answer.status_code == 405 or "Not Found" in answer.text[:200]
            assert not is_missing, (route, answer.status_code, answer.text[:200])
