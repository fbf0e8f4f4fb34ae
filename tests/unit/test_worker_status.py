"""What a worker says about itself while it loads, serves, and fails."""

from __future__ import annotations

from core.schemas import WorkerHealthResponse
from MiniCPMO45 import CheckpointError
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.worker_client import HELLO, ready, running, until_closed


def test_the_port_answers_while_the_model_loads() -> None:
    worker = FakeWorker(fake_config())
    worker.may_load.clear()
    with running(worker) as client:
        wait_until(lambda: client.get("/health").json()["load_progress"] == 0.5)
        health = client.get("/health").json()
        assert (health["status"], health["worker_status"]) == ("initializing", "loading")
        assert (health["model_loaded"], health["load_message"]) == (False, "half way")
        assert client.get("/live").status_code == client.get("/livez").status_code == 200
        assert client.get("/ready").status_code == client.get("/readyz").status_code == 503
        worker.may_load.set()
        wait_until(lambda: client.get("/ready").status_code == 200)
        assert client.get("/health").json()["worker_status"] == "idle"


def test_requests_are_turned_away_while_the_model_loads() -> None:
    worker = FakeWorker(fake_config())
    worker.may_load.clear()
    with running(worker) as client:
        answer = client.post("/chat", json=HELLO)
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert answer.headers["retry-after"]
        assert client.get("/cache_info").status_code == 503
        with client.websocket_connect("/ws/chat") as websocket:
            messages, close_code = until_closed(websocket)
        assert ([message["code"] for message in messages], close_code) == (["not_ready"], 1013)
        worker.may_load.set()


def test_a_model_that_cannot_be_loaded_leaves_the_worker_in_error() -> None:
    worker = FakeWorker(fake_config())
    worker.load_error = CheckpointError("no weights in folder x")
    with running(worker) as client:
        wait_until(lambda: client.get("/health").json()["status"] == "error")
        health = client.get("/health").json()
        assert (health["worker_status"], health["model_loaded"]) == ("error", False)
        assert health["load_message"] == "no weights in folder x"
        assert client.post("/chat", json=HELLO).status_code == 503


def test_an_unforeseen_load_error_is_named_by_its_kind() -> None:
    worker = FakeWorker(fake_config())
    worker.load_error = OSError("disk\non fire")
    with running(worker) as client:
        wait_until(lambda: client.get("/health").json()["status"] == "error")
        assert client.get("/health").json()["load_message"] == "OSError: disk on fire"


def test_health_tells_everything_the_gateway_reads() -> None:
    with ready(FakeWorker(fake_config(), n_slots=2)) as client:
        health = WorkerHealthResponse.model_validate(client.get("/health").json())
    assert (health.status, health.worker_status, health.gpu_id) == ("healthy", "idle", 3)
    assert (health.slots_total, health.slots_busy, health.sessions) == (2, 0, [])
    assert (health.model_name, health.embedded_model) == ("fake", True)
    assert health.modes == ["chat", "streaming"]
    assert (health.attention_backends, health.kv_cache_length) == ({"llm": "sdpa"}, 12)
    assert health.boot_id and health.version


def test_every_start_has_its_own_boot_id() -> None:
    workers = [FakeWorker(fake_config()) for _ in range(2)]
    assert workers[0].health().boot_id != workers[1].health().boot_id


def test_a_live_session_shows_in_health() -> None:
    worker = FakeWorker(fake_config())
    worker.view.stepwise = True
    with ready(worker) as client, client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(HELLO)
        assert websocket.receive_json()["type"] == "prefill_done"
        health = client.get("/health").json()
        assert (health["worker_status"], health["slots_busy"]) == ("busy_chat", 1)
        assert health["sessions"][0]["session_id"] == health["current_session_id"]
        worker.view.permits.release(100)
        until_closed(websocket)
        health = client.get("/health").json()
        assert (health["worker_status"], health["total_requests"]) == ("idle", 1)
        assert health["avg_inference_time_ms"] > 0


def test_cache_info_reports_the_state() -> None:
    with ready(FakeWorker(fake_config())) as client:
        assert client.get("/cache_info").json()["status"] == "idle"
