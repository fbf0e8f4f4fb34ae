"""What the gateway adds: calls of many at once through it, beside direct ones to the same workers.

    python benchmarks/gateway.py [--seconds 120] [--sockets 500] [--calls 100]

Starts gateways, pumps and mock workers of its own and prints one JSON line. Each call sends 85 KB
and receives 128 KB a second; the other sockets wait in the queue. `added_ms` is the difference to
direct calls at the same time, `loop_lag_p99_ms` how late the gateway's event loop was. `cpu`
compares the gateway's processor time for a pair of frames, one each way, and the time until the
answer, with those of `pump.py` under the same calls: what the pump needs is the machine's, the
library's and the benchmark's own share. The exit status is 1 beyond the limits.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # when started as a script

from gateway_modules.worker_pool import WorkerPool
from tests.service.call_client import sound
from tests.service.processes import ManagedProcess
from tests.service.stack import GatewayProcess, Stack, WorkerProcess

N_WORKERS = 2
N_DIRECT_CALLS = 10
N_WAITING = 1000
N_POOL_ROUNDS = 5000
LAST_RESULT_S = 5.0
START_S = 60.0
MOST_CPU_RATIO = 1.6
MOST_RESIDENT_MB = 200
MOST_LOOP_LAG_MS = 50
LEAST_POOL_OPERATIONS = 10_000
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
GATEWAY_PATH = "/ws/duplex/"
WORKER_PATH = "/ws/duplex?session_id="
LAG_BUCKET = re.compile(r'_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)')
UNIT = re.compile(r'"unit_(\d+) ')
CHUNK = json.dumps({"type": "audio_chunk", "audio_base64": sound(1.0)})
SESSIONS = {"health_period_s": 1}


@dataclass(frozen=True)
class Address:
    """Where calls go, and how."""

    url: str  # up to the name of the call
    ssl_context: ssl.SSLContext | None = None

    def socket(self, name: str) -> connect:
        url = self.url + name
        return connect(
            url,
            ssl=self.ssl_context,
            compression=None,
            max_size=None,
            max_queue=None,
            proxy=None,
        )


class Together:
    """Lets everybody wait until so many are there."""

    def __init__(self, n_missing: int) -> None:
        self._n_missing = n_missing
        self._complete = asyncio.Event()

    async def wait(self) -> None:
        self._n_missing -= 1
        if self._n_missing <= 0:
            self._complete.set()
        await self._complete.wait()


@dataclass
class Call:
    """One call in real time, and what became of its frames."""

    address: Address
    name: str
    sent_at_s: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    n_reordered: int = 0

    async def run(self, offset_s: float, seconds: int, ready: Together) -> None:
        """Prepare, wait for all the others, then send a second of sound each second."""
        async with self.address.socket(self.name) as socket:
            await socket.send('{"type": "prepare"}')
            while '"prepared"' not in str(await socket.recv()):
                pass
            await ready.wait()
            reading = asyncio.create_task(self._read(socket, seconds))
            begun_s = time.perf_counter() + offset_s
            for index in range(seconds):
                await asyncio.sleep(begun_s + index - time.perf_counter())
                self.sent_at_s.append(time.perf_counter())
                await socket.send(CHUNK)
            await asyncio.wait({reading}, timeout=LAST_RESULT_S)
            reading.cancel()
            await socket.send('{"type": "stop"}')

    @property
    def n_dropped(self) -> int:
        return len(self.sent_at_s) - len(self.latencies_ms)

    async def _read(self, socket: Any, seconds: int) -> None:
        while len(self.latencies_ms) < seconds:
            unit = UNIT.search(await socket.recv(), 0, 200)
            index = int(unit.group(1)) if unit else -1
            self.n_reordered += index != len(self.latencies_ms)
            self.latencies_ms.append((time.perf_counter() - self.sent_at_s[index]) * 1000)


async def hold(calls: Sequence[Call], seconds: int, ready: Together) -> None:
    """All calls at the same time, spread evenly over the second."""
    offsets_s = [index / len(calls) for index in range(len(calls))]
    holding = zip(calls, offsets_s, strict=True)
    await asyncio.gather(*(call.run(offset_s, seconds, ready) for call, offset_s in holding))


def cpu_s(process: ManagedProcess) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


@dataclass(frozen=True)
class PairCost:
    """What a pair of frames, one each way, costs on its way through a process."""

    cpu_ms: float
    p50_ms: float
    p99_ms: float


async def pair_cost(
    process: ManagedProcess, address: Address, n_calls: int, seconds: int
) -> PairCost:
    calls = [Call(address, f"omni_{index}") for index in range(n_calls)]
    ready = Together(n_calls + 1)
    holding = asyncio.create_task(hold(calls, seconds, ready))
    await ready.wait()
    before_s = cpu_s(process)
    await holding
    latencies_ms = [ms for call in calls for ms in call.latencies_ms]
    hundredths_ms = statistics.quantiles(latencies_ms, n=100)
    return PairCost(
        cpu_ms=round((cpu_s(process) - before_s) * 1000 / len(latencies_ms), 3),
        p50_ms=round(hundredths_ms[49], 2),
        p99_ms=round(hundredths_ms[98], 2),
    )


def start_workers(stack: Stack, n_slots: int) -> list[WorkerProcess]:
    workers = [
        stack.start_mock_worker("--slots", str(n_slots), "--duplex-delay", "0")
        for _ in range(N_WORKERS)
    ]
    for worker in workers:
        worker.configure(speak_pattern="S")
    return workers


@contextmanager
def service(
    folder: Path, *, tls: bool, n_slots: int
) -> Iterator[tuple[Stack, list[WorkerProcess], GatewayProcess]]:
    with Stack(folder, tls=tls) as stack:
        workers = start_workers(stack, n_slots)
        yield stack, workers, stack.start_gateway(workers, sessions=SESSIONS)


def start_pump(stack: Stack, worker: WorkerProcess, gateway: GatewayProcess) -> WorkerProcess:
    arguments = ["--target", worker.address]
    if gateway.certificate:
        key = gateway.certificate.with_name("key.pem")
        arguments += ["--certificate", str(gateway.certificate), "--key", str(key)]
    pump = stack.start_program("pump", "benchmarks/pump.py", *arguments)
    scheme, verify = ("https", gateway.ssl_context) if gateway.certificate else ("http", None)
    url = f"{scheme}://localhost:{pump.port}"
    pump.wait_until(
        "an answer",
        lambda: httpx.get(url, verify=verify or True, trust_env=False).is_client_error,
        START_S,
    )
    return pump


async def full_load(
    workers: list[WorkerProcess], gateway: GatewayProcess, options: argparse.Namespace
) -> dict[str, Any]:
    """Calls through the gateway and direct ones, while as many sockets as are left wait."""
    through = Address(gateway.ws_url + GATEWAY_PATH, gateway.ssl_context)
    direct = [
        Call(Address(f"ws://{workers[index % N_WORKERS].address}{WORKER_PATH}"), f"direct_{index}")
        for index in range(N_DIRECT_CALLS)
    ]
    calls = [Call(through, f"omni_{index}") for index in range(options.calls)]
    ready = Together(len(direct) + len(calls) + 1)
    async with AsyncExitStack() as waiting:
        holding = [asyncio.create_task(hold(direct, options.seconds, ready))]
        await until_busy(gateway, len(direct))
        holding.append(asyncio.create_task(hold(calls, options.seconds, ready)))
        await until_busy(gateway, len(direct) + len(calls))
        for index in range(options.sockets - options.calls):
            await waiting.enter_async_context(through.socket(f"waiting_{index}"))
        await ready.wait()
        before_s, lags_before = cpu_s(gateway), lags(gateway)
        await asyncio.gather(*holding)
        resident_mb = gateway.resident_mb
        used_s = cpu_s(gateway) - before_s
        lag_ms = lag_p99_ms(lags_before, lags(gateway))
    return {
        "sockets": options.sockets,
        "calls": options.calls,
        "pairs": sum(len(call.latencies_ms) for call in calls),
        "dropped": sum(call.n_dropped for call in calls),
        "reordered": sum(call.n_reordered for call in calls),
        "added_ms": added_ms(calls, direct),
        "loop_lag_p99_ms": lag_ms,
        "core_share": round(used_s / options.seconds, 3),
        "resident_mb": round(resident_mb, 1),
    }


def lags(gateway: GatewayProcess) -> dict[float, float]:
    """How often the event loop was at most so many seconds late, by the upper bound."""
    shown = gateway.http.get("/metrics").text
    return {float(bound): float(count) for bound, count in LAG_BUCKET.findall(shown)}


def lag_p99_ms(before: dict[float, float], after: dict[float, float]) -> float:
    """The least bound that 99 % of the lags between did not exceed."""
    grown = {bound: after[bound] - before[bound] for bound in sorted(after)}
    n_lags = grown[float("inf")]
    return next(bound * 1000 for bound, count in grown.items() if count >= 0.99 * n_lags)


async def until_busy(gateway: GatewayProcess, n_slots: int) -> None:
    """Wait until the gateway sees so many sessions on its workers."""

    def is_busy() -> bool:
        listed = gateway.http.get("/workers").json()["workers"]
        return sum(worker["slots_busy"] for worker in listed) == n_slots

    await asyncio.to_thread(gateway.wait_until, f"{n_slots} sessions", is_busy, START_S)


def added_ms(calls: Sequence[Call], direct: Sequence[Call]) -> dict[str, float]:
    through_ms, direct_ms = (
        statistics.quantiles([ms for call in some for ms in call.latencies_ms], n=100)
        for some in (calls, direct)
    )
    return {
        "p50": round(through_ms[49] - direct_ms[49], 2),
        "p99": round(through_ms[98] - direct_ms[98], 2),
        "direct_p50": round(direct_ms[49], 2),
        "direct_p99": round(direct_ms[98], 2),
    }


async def pool_operations_per_s() -> int:
    """Arrivals, departures and releases a second, while a thousand wait."""
    pool = WorkerPool(["localhost:22400"], max_queue_size=2 * N_WAITING)
    worker = pool.workers["worker_0"]
    worker.mark_idle()
    for _ in range(N_WAITING + 1):
        pool.enqueue("chat")
    started_s = time.perf_counter()
    for _ in range(N_POOL_ROUNDS):
        ticket, _ = pool.enqueue("streaming")
        pool.cancel(ticket.ticket_id)
        pool.enqueue("chat")
        pool.release_worker(worker)
    return round(4 * N_POOL_ROUNDS / (time.perf_counter() - started_s))


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = {}
    n_slots = -(-(options.calls + N_DIRECT_CALLS) // N_WORKERS)
    with service(folder / "full", tls=True, n_slots=n_slots) as (_, workers, gateway):
        result |= asyncio.run(full_load(workers, gateway, options))
    result["cpu"] = {}
    seconds = max(3, options.seconds // 4)
    for tls in (True, False):
        with service(folder / f"cpu_{tls}", tls=tls, n_slots=options.calls) as (
            stack,
            workers,
            gateway,
        ):
            pump = start_pump(stack, workers[0], gateway)
            scheme, trusted = ("wss" if tls else "ws"), gateway.ssl_context
            pump_url = f"{scheme}://localhost:{pump.port}{WORKER_PATH}"
            through, pumped = (
                asyncio.run(pair_cost(process, Address(url, trusted), options.calls, seconds))
                for process, url in ((gateway, gateway.ws_url + GATEWAY_PATH), (pump, pump_url))
            )
        result["cpu"]["tls" if tls else "plain"] = {
            "gateway_ms_per_pair": through.cpu_ms,
            "pump_ms_per_pair": pumped.cpu_ms,
            "ratio": round(through.cpu_ms / pumped.cpu_ms, 2),
            "gateway_p99_ms": through.p99_ms,
            "pump_p99_ms": pumped.p99_ms,
            "added_to_pump_p50_ms": round(through.p50_ms - pumped.p50_ms, 2),
            "added_to_pump_p99_ms": round(through.p99_ms - pumped.p99_ms, 2),
        }
    result["pool_operations_per_s"] = asyncio.run(pool_operations_per_s())
    return result


def is_within_limits(result: dict[str, Any]) -> bool:
    return (
        result["dropped"] == result["reordered"] == 0
        and all(cpu["ratio"] <= MOST_CPU_RATIO for cpu in result["cpu"].values())
        and result["resident_mb"] <= MOST_RESIDENT_MB
        and result["loop_lag_p99_ms"] <= MOST_LOOP_LAG_MS
        and result["pool_operations_per_s"] >= LEAST_POOL_OPERATIONS
    )


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--sockets", type=int, default=500, help="open at the same time")
    parser.add_argument("--calls", type=int, default=100, help="those of them that are active")
    return parser


def main() -> int:
    options = make_parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options, Path(folder))
    line = {
        "benchmark": "gateway",
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "seconds": options.seconds,
        **result,
        "within_limits": is_within_limits(result),
    }
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 0 if line["within_limits"] else 1


if __name__ == "__main__":
    sys.exit(main())
