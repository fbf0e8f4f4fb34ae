"""How long results of full-duplex calls take, measured at a client of a running service.

    PYTHONPATH=. .venv/base/bin/python tests/bench_duplex_ws.py [--url https://localhost:8006]

Prints one JSON line. Latency counts from sending a chunk of sound to its result, so it contains
network, gateway, worker and model. Chunks are sent in real time; with `--unpaced` each is sent as
soon as the result before it has come.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import ssl
import statistics
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # when started as a script

from tests.wire_media import audio_data, image_data

PREFIX = {"audio": "adx", "omni": "omni"}


@dataclass
class Measured:
    """What one call took, in milliseconds."""

    queue_ms: float = 0.0
    prepare_ms: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    worker_ms: list[float] = field(default_factory=list)
    n_spoken: int = 0
    n_skipped: int = 0
    errors: list[str] = field(default_factory=list)


class Call:
    """One call: its sender and its reader run side by side."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.measured = Measured()
        self._options = options
        self._sent_at_s: list[float] = []
        self._results = asyncio.Semaphore(0)

    async def run(self) -> Measured:
        """The whole call; what goes wrong is listed in `errors`."""
        options = self._options
        session_id = f"{PREFIX[options.mode]}_bench_{uuid.uuid4().hex[:8]}"
        url = options.url.rstrip("/").replace("http", "ws", 1) + f"/ws/duplex/{session_id}"
        key = {"X-API-Key": options.api_key} if options.api_key else {}
        try:
            async with connect(
                url,
                ssl=tls(options) if url.startswith("wss") else None,
                additional_headers=key,
                max_size=None,
                proxy=None,
            ) as socket:
                await self._begin(socket)
                if not self.measured.errors:
                    reading = asyncio.create_task(self._read(socket))
                    await self._send(socket, reading)
                    await reading
        except (OSError, ConnectionClosed) as error:
            self.measured.errors.append(f"{type(error).__name__}: {error}")
        return self.measured

    async def _begin(self, socket: ClientConnection) -> None:
        started_s = time.perf_counter()
        while (message := await receive(socket))["type"] != "queue_done":
            if message["type"] == "error":
                self.measured.errors.append(message["error"])
                return
        self.measured.queue_ms = ms_since(started_s)
        started_s = time.perf_counter()
        await send(socket, "prepare", system_prompt="You are a helpful assistant.")
        message = await receive(socket)
        self.measured.prepare_ms = ms_since(started_s)
        if message["type"] == "error":
            self.measured.errors.append(message["error"])

    async def _send(self, socket: ClientConnection, reading: asyncio.Task[None]) -> None:
        options = self._options
        chunk: dict[str, Any] = {"audio_base64": audio_data(options.chunk_ms / 1000)}
        if options.mode == "omni":
            chunk["frame_base64_list"] = [image_data(448, 336, "JPEG")]
        begun_s = time.perf_counter()
        for index in range(options.chunks):
            if not options.unpaced:
                await asyncio.sleep(begun_s + index * options.chunk_ms / 1000 - time.perf_counter())
            if reading.done():
                return
            self._sent_at_s.append(time.perf_counter())
            await send(socket, "audio_chunk", **chunk)
            if options.unpaced:
                await self._results.acquire()
        while len(self.measured.latencies_ms) < options.chunks and not reading.done():
            await self._results.acquire()
        await send(socket, "stop")

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                message = json.loads(frame)
                match message["type"]:
                    case "result":
                        self._note(message)
                    case "error" | "timeout":
                        self.measured.errors.append(message.get("error") or message["reason"])
                        return
        finally:
            self._results.release()

    def _note(self, result: dict[str, Any]) -> None:
        measured = self.measured
        measured.latencies_ms.append(ms_since(self._sent_at_s[len(measured.latencies_ms)]))
        measured.worker_ms.append(result.get("wall_clock_ms") or 0.0)
        measured.n_spoken += not result["is_listen"]
        measured.n_skipped += bool(result.get("skipped"))
        self._results.release()


def tls(options: argparse.Namespace) -> ssl.SSLContext:
    """By default any certificate will do: the gateway makes its own."""
    context = ssl.create_default_context()
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def send(socket: ClientConnection, kind: str, **fields: Any) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def receive(socket: ClientConnection) -> dict[str, Any]:
    return json.loads(await socket.recv())


def ms_since(started_s: float) -> float:
    return (time.perf_counter() - started_s) * 1000


def summary(values_ms: list[float]) -> dict[str, float] | None:
    if not values_ms:
        return None
    ordered = sorted(values_ms)
    return {
        "mean": round(statistics.fmean(ordered), 2),
        "p50": round(statistics.median(ordered), 2),
        "p95": round(ordered[math.ceil(0.95 * len(ordered)) - 1], 2),
        "max": round(ordered[-1], 2),
    }


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Hold all calls at the same time and put their numbers together."""
    calls = await asyncio.gather(*(Call(options).run() for _ in range(options.calls)))
    latencies_ms = [latency_ms for call in calls for latency_ms in call.latencies_ms]
    return {
        "benchmark": "duplex_ws",
        "mode": options.mode,
        "calls": options.calls,
        "chunk_ms": options.chunk_ms,
        "paced": not options.unpaced,
        "chunks": options.calls * options.chunks,
        "results": len(latencies_ms),
        "spoken": sum(call.n_spoken for call in calls),
        "skipped": sum(call.n_skipped for call in calls),
        "errors": [error for call in calls for error in call.errors],
        "queue_ms": summary([call.queue_ms for call in calls]),
        "prepare_ms": summary([call.prepare_ms for call in calls]),
        "latency_ms": summary(latencies_ms),
        "worker_ms": summary([worker_ms for call in calls for worker_ms in call.worker_ms]),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", default="https://localhost:8006", help="address of the gateway")
    parser.add_argument("--mode", choices=sorted(PREFIX), default="audio")
    parser.add_argument("--chunks", type=int, default=20, help="chunks of sound a call")
    parser.add_argument("--chunk-ms", type=int, default=1000, help="length of a chunk")
    parser.add_argument("--calls", type=int, default=1, help="calls at the same time")
    parser.add_argument("--unpaced", action="store_true", help="do not wait for real time")
    parser.add_argument("--api-key", help="where the service asks for one")
    parser.add_argument("--verify", action="store_true", help="check the certificate")
    line = asyncio.run(measure(parser.parse_args()))
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 1 if line["errors"] or line["results"] < line["chunks"] else 0


if __name__ == "__main__":
    sys.exit(main())
