"""The spans of a request, and what a worker is told of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway_modules import tracing
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.state import Gateway, GatewayOptions
from gateway_modules.upstream import post_to_worker
from tests.unit.gateway_client import gateway_config


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


async def serve_one(folder: Path) -> tuple[httpx.Request, str]:
    """Serve one chat; what the worker was asked, and the id of the ticket."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    gateway = Gateway(gateway_config(folder), GatewayOptions(workers=("localhost:22400",)))
    gateway.pool.workers["worker_0"].status = GatewayWorkerStatus.IDLE
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        async with gateway.lease(None, "chat", "chat_1") as lease:
            await post_to_worker(http, await lease.worker(), "/chat", b"{}", "r1")
            ticket_id = lease.ticket.ticket_id
    return asked[0], ticket_id


def parent_id(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


async def test_a_request_is_a_session_with_its_wait_and_its_relay(
    exporter: InMemorySpanExporter, tmp_path: Path
) -> None:
    asked, ticket_id = await serve_one(tmp_path)
    wait, relay, session = exporter.get_finished_spans()
    assert [span.name for span in (wait, relay, session)] == ["queue wait", "relay", "session"]
    assert session.attributes == {
        "request_type": "chat",
        "session_id": "chat_1",
        "ticket_id": ticket_id,
    }
    assert relay.attributes == {"worker_id": "worker_0", "path": "/chat"}
    session_context, relay_context = session.get_span_context(), relay.get_span_context()
    assert session_context is not None and relay_context is not None
    assert parent_id(wait) == parent_id(relay) == session_context.span_id
    told = f"00-{session_context.trace_id:032x}-{relay_context.span_id:016x}-"
    assert asked.headers["traceparent"].startswith(told)


async def test_a_failed_session_is_marked(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError), tracing.span("session", session_id=None):
        raise ValueError("broken")
    (session,) = exporter.get_finished_spans()
    assert not session.status.is_ok and not session.attributes


async def test_without_a_collector_workers_are_told_nothing(tmp_path: Path) -> None:
    asked, _ = await serve_one(tmp_path)
    assert "traceparent" not in asked.headers


def test_missing_packages_are_told_and_end_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    tracing.set_up()
    assert "event=tracing_off" in caplog.text
