"""The gateway's REST interface, asked of a real gateway in front of a mock worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.service.clients import HELLO, open_socket, receive
from tests.service.stack import GatewayProcess, Stack, WorkerProcess


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("api")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_mock_worker("--chat-delay", "0.05", "--stream-delay", "0.01")


@pytest.fixture(scope="module")
def gateway(stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return stack.start_gateway([worker], "--lang", "en", "--max-queue-size", "20")


def get(gateway: GatewayProcess, path: str) -> dict[str, Any]:
    answer = gateway.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", ["/health", "/live", "/livez"])
def test_the_gateway_is_alive(gateway: GatewayProcess, path: str) -> None:
    health = get(gateway, path)
    assert health["status"] == "healthy"
    assert datetime.fromisoformat(health["timestamp"]).tzinfo is None


@pytest.mark.parametrize("path", ["/ready", "/readyz"])
def test_the_gateway_is_ready(gateway: GatewayProcess, path: str) -> None:
    assert get(gateway, path) == {"ready": True, "reason": None}


def test_the_status_counts_workers_and_waiting_requests(gateway: GatewayProcess) -> None:
    status = get(gateway, "/status")
    assert status["gateway_healthy"] is True
    assert (status["total_workers"], status["idle_workers"]) == (1, 1)
    assert (status["busy_workers"], status["duplex_workers"], status["offline_workers"]) == (
        0,
        0,
        0,
    )
    assert (status["queue_length"], status["max_queue_size"]) == (0, 20)
    assert status["running_tasks"] == []
    assert status["degraded"] is None
    assert status["embedded_model"] is False
    assert status["version"]
    assert datetime.fromisoformat(status["started_at"]) <= datetime.now()


def test_the_workers_are_listed_with_all_their_fields(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    listed = get(gateway, "/workers")
    assert listed["total"] == 1
    (only,) = listed["workers"]
    assert (only["worker_id"], only["port"], only["status"]) == ("worker_0", worker.port, "idle")
    assert {"cached_hash", "last_cache_used_at", "avg_inference_time_ms", "slots_total"} <= set(
        only
    )


def test_the_queue_is_empty(gateway: GatewayProcess) -> None:
    assert get(gateway, "/api/queue") == {
        "queue_length": 0,
        "max_queue_size": 20,
        "items": [],
        "running_tasks": [],
    }


def test_an_unknown_ticket_is_not_an_error(gateway: GatewayProcess) -> None:
    assert get(gateway, "/api/queue/q_000000000000")["found"] is False
    answer = gateway.http.delete("/api/queue/q_000000000000")
    assert answer.json() == {"success": False}


def test_pages_are_told_their_defaults(gateway: GatewayProcess) -> None:
    assert get(gateway, "/api/frontend_defaults") == {
        "playback_delay_ms": 200,
        "chat_vocoder": "token2wav",
        "recording": True,
        "session_retention_days": -1,
        "default_lang": "en",
    }


def test_the_apps_are_listed_with_their_pages(gateway: GatewayProcess) -> None:
    assert get(gateway, "/api/apps")["apps"] == [
        {"app_id": "turnbased", "name": "Turn-based Chat", "route": "/turnbased"},
        {"app_id": "half_duplex_audio", "name": "Half-Duplex Audio", "route": "/half_duplex"},
        {"app_id": "omni", "name": "Omni Full-Duplex", "route": "/omni"},
        {"app_id": "audio_duplex", "name": "Audio Full-Duplex", "route": "/audio_duplex"},
    ]


@pytest.mark.parametrize("route", ["/turnbased", "/half_duplex", "/omni", "/audio_duplex"])
def test_each_app_has_a_page(gateway: GatewayProcess, route: str) -> None:
    answer = gateway.http.get(route)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_a_chat_is_answered_with_its_waiting_time(gateway: GatewayProcess) -> None:
    answer = gateway.http.post("/api/chat", json=HELLO).json()
    assert "[Mock]" in answer["text"]
    assert answer["success"] is True
    assert isinstance(answer["queue_wait_ms"], int)
    assert answer["estimated_queue_wait_s"] == 0.0


def test_the_body_reaches_the_worker_unchanged(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    body = {**HELLO, "generation": {"max_new_tokens": 7}, "unknown": ["值", 1.5, None]}
    gateway.http.post("/api/chat", content=json.dumps(body).encode())
    assert worker.requests()[-1] == body


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_refused_with_400(gateway: GatewayProcess, body: bytes) -> None:
    answer = gateway.http.post("/api/chat", content=body)
    assert answer.status_code == 400
    envelope = answer.json()
    assert envelope["code"] == "bad_json"
    assert envelope["success"] is False
    assert envelope["error"] == envelope["detail"]


def test_a_request_id_is_taken_over_and_a_strange_one_replaced(gateway: GatewayProcess) -> None:
    def id_for(request_id: str) -> str:
        answer = gateway.http.get("/health", headers={"X-Request-ID": request_id})
        return answer.headers["X-Request-ID"]

    assert id_for("abc-123") == "abc-123"
    assert id_for("a b=c") not in ("", "a b=c")


@pytest.mark.parametrize("path", ["/health", "/docs", "/", "/nowhere", "/static/nowhere.js"])
def test_every_answer_carries_the_security_headers(gateway: GatewayProcess, path: str) -> None:
    headers = gateway.http.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "microphone=(self)" in headers["Permissions-Policy"]
    assert "Referrer-Policy" in headers


@pytest.mark.parametrize("path", ["/", "/turnbased"])
def test_the_pages_are_served_and_revalidated(gateway: GatewayProcess, path: str) -> None:
    answer = gateway.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_assets_are_revalidated(gateway: GatewayProcess) -> None:
    first = gateway.http.get("/static/lib/countdown-timer.js")
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "no-cache"
    again = gateway.http.get(
        "/static/lib/countdown-timer.js", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304


def test_assets_outside_the_folder_are_not_served(gateway: GatewayProcess) -> None:
    for path in ("/static/../config.py", "/static/%2e%2e/config.py", "/static/..%2fconfig.py"):
        request = httpx.Request("GET", gateway.url)
        request.url = request.url.copy_with(raw_path=path.encode())
        assert gateway.http.send(request).status_code == 404


def test_unknown_paths_are_a_page_for_browsers_and_an_envelope_for_programs(
    gateway: GatewayProcess,
) -> None:
    for_programs = gateway.http.get("/nowhere")
    assert for_programs.status_code == 404
    assert for_programs.json()["code"] == "not_found"
    for_browsers = gateway.http.get("/nowhere", headers={"Accept": "text/html"})
    assert for_browsers.status_code == 404
    assert for_browsers.headers["content-type"].startswith("text/html")


def test_a_wrong_method_is_an_envelope(gateway: GatewayProcess) -> None:
    answer = gateway.http.get("/api/chat")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


def test_the_description_documents_chat_with_the_wire_models(gateway: GatewayProcess) -> None:
    description = get(gateway, "/openapi.json")
    assert description["info"]["title"] == "MiniCPMO45 Gateway"
    operation = description["paths"]["/api/chat"]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schemas = description["components"]["schemas"]
    assert reference == "#/components/schemas/ChatRequest"
    assert "messages" in schemas["ChatRequest"]["required"]
    assert {"Message", "AudioContent", "GenerationConfig", "QueuedChatResponse"} <= set(schemas)


def test_every_reference_of_the_description_exists(gateway: GatewayProcess) -> None:
    description = get(gateway, "/openapi.json")
    schemas = description["components"]["schemas"]

    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                yield from references(child)

    assert {name.rpartition("/")[2] for name in references(description)} <= set(schemas)


def test_the_api_explorer_needs_no_other_host(gateway: GatewayProcess) -> None:
    page = gateway.http.get("/docs").text
    assert "://" not in page
    assert "<script>" not in page
    for path in ("/docs/assets/swagger-ui-bundle.js", "/docs/assets/swagger-ui.css"):
        assert path in page
        assert len(gateway.http.get(path).content) > 100_000
    assert "/openapi.json" in gateway.http.get("/docs/init.js").text
    assert gateway.http.get("/docs/assets/secret").status_code == 404


def test_a_page_of_another_site_may_not_post(gateway: GatewayProcess) -> None:
    answer = gateway.http.post("/api/chat", json=HELLO, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "origin_forbidden"


def test_our_own_page_may_post(gateway: GatewayProcess) -> None:
    answer = gateway.http.post("/api/chat", json=HELLO, headers={"Origin": gateway.url})
    assert answer.status_code == 200


async def test_a_waiting_request_is_shown_and_can_be_taken_out(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    worker.configure(hang_next=1)
    async with open_socket(gateway) as holder, open_socket(gateway) as waiter:
        await holder.send(json.dumps(HELLO))
        assert (await receive(holder))["type"] == "prefill_done"
        await waiter.send(json.dumps(HELLO))
        queued = await receive(waiter)
        assert queued["type"] == "queued"

        shown = await asyncio.to_thread(get, gateway, f"/api/queue/{queued['ticket_id']}")
        assert (shown["found"], shown["ticket"]["position"]) == (True, 1)
        status = await asyncio.to_thread(get, gateway, "/status")
        assert (status["queue_length"], status["busy_workers"]) == (1, 1)
        assert status["running_tasks"][0]["request_type"] == "chat"
        answer = await asyncio.to_thread(gateway.http.delete, f"/api/queue/{queued['ticket_id']}")

        assert answer.json() == {"success": True}
        told = await receive(waiter)
        assert (told["type"], told["code"]) == ("error", "cancelled")
        await waiter.wait_closed()
        assert waiter.close_code == 1000
    await asyncio.to_thread(gateway.wait_for_status, idle_workers=1)
