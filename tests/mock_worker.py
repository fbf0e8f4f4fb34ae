"""A worker without a model: the same endpoints, canned answers, and faults on demand.

For load and fault tests of the gateway only. `POST /config` changes its behaviour at run time; the
names are the fields of `Behaviour`. By default the payloads have the field names of the published
mock; `--strict` sends the ones of the real worker.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # when started as a script

from tests.mock_worker_sockets import add_sockets
from tests.mock_worker_state import Behaviour, MockWorker


def create_app(gpu_id: int = 0, behaviour: Behaviour | None = None) -> FastAPI:
    worker = MockWorker(gpu_id=gpu_id, behaviour=behaviour or Behaviour())
    app = FastAPI(title="Mock worker")
    app.state.worker = worker

    @app.get("/health")
    async def health() -> dict[str, Any]:
        await asyncio.sleep(worker.behaviour.health_delay)
        if worker.behaviour.health_status != 200:
            raise HTTPException(worker.behaviour.health_status, "unhealthy on request")
        return {
            "status": "healthy",
            "worker_status": worker.status,
            "gpu_id": worker.gpu_id,
            "model_loaded": True,
            "current_session_id": worker.running[0].session_id if worker.running else None,
            "total_requests": worker.total_requests,
            "avg_inference_time_ms": 100.0,
            "kv_cache_length": 0,
            "boot_id": worker.boot_id,
            "slots_total": worker.behaviour.slots_total,
            "slots_busy": len(worker.running),
            "model_name": worker.behaviour.model_name,
            "embedded_model": worker.behaviour.embedded_model,
        }

    @app.post("/config")
    async def configure(changes: dict[str, Any]) -> dict[str, Any]:
        for name, value in changes.items():
            if not hasattr(worker.behaviour, name):
                raise HTTPException(422, f"unknown setting: {name}")
            setattr(worker.behaviour, name, value)
        return asdict(worker.behaviour)

    @app.get("/requests")
    async def requests() -> list[dict[str, Any]]:
        return worker.requests

    @app.post("/chat")
    async def chat(request: Request) -> dict[str, Any]:
        body = await request.json()
        if worker.behaviour.take("fail_next"):
            raise HTTPException(worker.behaviour.fail_status, "failed on request")
        try:
            async with worker.session("busy_chat", body):
                worker.crash_if_due(0)
                delay_s = worker.behaviour.chat_delay
                await _until_disconnect(request, worker.pause(delay_s))
        except asyncio.TimeoutError as error:
            detail = f"Worker busy after waiting 5s, status: {worker.status}"
            raise HTTPException(429, detail) from error
        return {
            "text": f"[Mock] Chat response (delay={delay_s}s)",
            "success": True,
            "audio_data": None,
            "token_stats": {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30},
        }

    @app.get("/received")
    async def received() -> list[dict[str, Any]]:
        return list(worker.received)

    @app.post("/streaming/stop")
    async def stop_streaming() -> dict[str, Any]:
        return stop_answers("/ws/streaming", None, "No active streaming session")

    @app.post("/half_duplex/stop")
    async def stop_half_duplex(body: dict[str, Any] | None = None) -> dict[str, Any]:
        session_id = (body or {}).get("session_id")
        return stop_answers("/ws/half_duplex", session_id, "No active half-duplex session")

    def stop_answers(path: str, session_id: str | None, none_found: str) -> dict[str, Any]:
        n_stopped = worker.stop(path, session_id)
        if not n_stopped:
            return {"success": False, "message": none_found}
        return {"success": True, "message": f"Stop signal sent to {n_stopped} session(s)"}

    @app.post("/clear_cache")
    async def clear_cache() -> dict[str, Any]:
        return {"success": True, "message": "Cache cleared"}

    @app.get("/cache_info")
    async def cache_info() -> dict[str, Any]:
        return {"status": worker.status, "note": "mock"}

    add_sockets(app, worker)
    return app


async def _until_disconnect(request: Request, work: Coroutine[Any, Any, None]) -> None:
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        leaving.cancel()


def main() -> None:
    defaults = Behaviour()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=22400)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--gpu-id", type=int, default=0)
    parser.add_argument("--chat-delay", type=float, default=defaults.chat_delay)
    parser.add_argument("--stream-delay", type=float, default=defaults.stream_delay)
    parser.add_argument("--stream-chunks", type=int, default=defaults.stream_chunks)
    parser.add_argument("--duplex-delay", type=float, default=defaults.duplex_delay)
    parser.add_argument("--duplex-chunks", type=int, help="accepted for old scripts, has no use")
    parser.add_argument("--slots", type=int, default=defaults.slots_total)
    parser.add_argument("--strict", action="store_true", help="send the real worker's fields")
    options = parser.parse_args()
    behaviour = Behaviour(
        chat_delay=options.chat_delay,
        stream_delay=options.stream_delay,
        stream_chunks=options.stream_chunks,
        duplex_delay=options.duplex_delay,
        slots_total=options.slots,
        strict=options.strict,
    )
    app = create_app(options.gpu_id, behaviour)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", ws_max_size=2**27)


if __name__ == "__main__":
    main()
