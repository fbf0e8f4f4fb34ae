"""Full-duplex calls held side by side on one worker, in real time, and one call alone before them.

    python benchmarks/duplex.py --device cpu --sessions 3 --minutes 2 [--mode omni]

Starts a gateway and a worker of its own and prints one JSON line. A second is missed when its
result comes later than a second after its sound was sent, or when the worker leaves it out. The
baseline is the same call without others beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # when started as a script

import torch

from tests.bench_duplex_ws import Call, Measured, summary
from tests.service.stack import GatewayProcess, Stack, WorkerProcess

CHUNK_MS = 1000
BASELINE_CHUNKS = 20


async def hold(
    gateway: GatewayProcess, mode: str, n_calls: int, n_chunks: int, *, unpaced: bool = False
) -> list[Measured]:
    """Calls at the same time, each a little after the one before it, as callers come.

    Args:
        unpaced: send each second as soon as the one before it is answered.
    """
    settings = argparse.Namespace(
        url=gateway.url,
        mode=mode,
        chunks=n_chunks,
        chunk_ms=CHUNK_MS,
        unpaced=unpaced,
        api_key=None,
        verify=False,
    )

    async def late(index: int) -> Measured:
        await asyncio.sleep(index * CHUNK_MS / 1000 / n_calls)
        return await Call(settings).run()

    return await asyncio.gather(*(late(index) for index in range(n_calls)))


def result_of(calls: list[Measured]) -> dict[str, Any]:
    latencies_ms = [latency_ms for call in calls for latency_ms in call.latencies_ms]
    return {
        "results": len(latencies_ms),
        "missed": sum(latency_ms > CHUNK_MS for latency_ms in latencies_ms)
        + sum(call.n_skipped for call in calls),
        "spoken": sum(call.n_spoken for call in calls),
        "prepare_ms": summary([call.prepare_ms for call in calls]),
        "unit_ms": summary([worker_ms for call in calls for worker_ms in call.worker_ms]),
        "latency_ms": summary(latencies_ms),
        "errors": [error for call in calls for error in call.errors],
    }


def run(options: argparse.Namespace, stack: Stack) -> dict[str, Any]:
    places = {"sessions_per_worker": options.sessions}
    model_path = Path(options.model) if options.model else None
    worker: WorkerProcess = stack.start_worker(model_path=model_path, service=places)
    gateway = stack.start_gateway([worker], service=places)
    alone = asyncio.run(hold(gateway, options.mode, 1, BASELINE_CHUNKS))
    resident_mb = worker.resident_mb
    n_chunks = round(options.minutes * 60_000 / CHUNK_MS)
    together = asyncio.run(hold(gateway, options.mode, options.sessions, n_chunks))
    return {
        "alone": result_of(alone),
        "together": result_of(together),
        "growth_mb": round(worker.resident_mb - resident_mb, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--model", help="default: the random embedded checkpoint")
    parser.add_argument("--mode", choices=("audio", "omni"), default="audio")
    parser.add_argument("--sessions", type=int, default=1, help="calls at the same time")
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args()
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        result = run(options, stack)
    line = {
        "benchmark": "duplex",
        "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu",
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "model": options.model or "embedded",
        "mode": options.mode,
        "sessions": options.sessions,
        "minutes": options.minutes,
        **result,
    }
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 1 if result["together"]["missed"] or result["together"]["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
