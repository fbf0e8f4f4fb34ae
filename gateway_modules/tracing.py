"""OpenTelemetry spans of what the gateway does for a request; they cost nothing while off.

    session                  from the ticket to the freed slot
      queue wait             until a worker was there
      relay                  the exchange with a worker, which gets the `traceparent`

They are exported when the environment names a collector (`OTEL_EXPORTER_OTLP_ENDPOINT`) and the
packages `opentelemetry-sdk` and `opentelemetry-exporter-otlp-proto-http` are installed.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import propagate, trace

from core.logs import event

logger = logging.getLogger(__name__)

ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE_NAME = "minicpmo-gateway"
NS_PER_S = 1_000_000_000

tracer = trace.get_tracer(__name__)


def set_up() -> None:
    """Export the spans of this process, if the environment says where to."""
    if not any(os.environ.get(name) for name in ENDPOINT_VARIABLES):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # pyright: ignore[reportMissingImports]
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        logger.warning(event("tracing_off", reason=error))
        return
    os.environ.setdefault("OTEL_SERVICE_NAME", SERVICE_NAME)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    logger.info(event("tracing_on"))


@contextmanager
def span(name: str, **attributes: str | None) -> Iterator[None]:
    """A span around the block, below the one that is open."""
    known = {key: value for key, value in attributes.items() if value is not None}
    with tracer.start_as_current_span(name, attributes=known):
        yield


def note_wait(wait_s: float) -> None:
    """A request waited so long for the worker that it has just got."""
    now_ns = time.time_ns()
    waited = tracer.start_span("queue wait", start_time=now_ns - round(wait_s * NS_PER_S))
    waited.end(now_ns)


def headers() -> dict[str, str]:
    """What tells a worker to which span its part belongs; nothing while off."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier
