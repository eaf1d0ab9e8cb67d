"""Spans of requests for OpenTelemetry, off unless a collector is configured.

A span says route, status and request id, and joins the trace of the caller. It holds no value, no
identifier and no address as it was asked. Spans are sent every few seconds by a thread;
those that wait when a worker is told to stop are sent before it ends.
"""

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["ENDPOINTS", "Tracer", "flush", "tracer"]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""OpenTelemetry's own environment variables; either turns tracing on."""

Tracer = Callable[[Mapping[bytes, bytes], str, int, str, int, int], None]
"""Called with headers, route, status, request id, begin and end in nanoseconds."""

FLUSH_SECONDS = 5.0
"""A collector that does not answer must not keep a worker from ending."""

_providers: list[Any] = []
"""Of this worker; the hook of its end is BentoML's and knows of no envelope."""


def flush(seconds: float = FLUSH_SECONDS) -> None:
    """Send the spans that wait, and wait for that at most so long."""
    # OpenTelemetry takes a limit for this and does not keep it.
    sending = [threading.Thread(target=each.force_flush, daemon=True) for each in _providers]
    for thread in sending:
        thread.start()
    for thread in sending:
        thread.join(seconds)


def tracer() -> Tracer | None:
    """What notes the span of a request; None where no collector is configured.

    Raises
    ------
    ImportError
        If one is, and the extra ``otel`` is not installed.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return _tracer(OTLPSpanExporter())


def _tracer(exporter: Any) -> Tracer:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    provider = TracerProvider(resource=Resource.create({"service.name": "smoulder"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _providers.append(provider)
    spans = provider.get_tracer("smoulder")
    propagator = TraceContextTextMapPropagator()

    def note(
        headers: Mapping[bytes, bytes],
        route: str,
        status: int,
        request_id: str,
        began: int,
        ended: int,
    ) -> None:
        # `traceparent` is two random numbers; `tracestate` could hold anything and is not read.
        given = headers.get(b"traceparent", b"").decode("latin-1")
        context = propagator.extract({"traceparent": given}) if given else None
        span = spans.start_span(route, context=context, kind=SpanKind.SERVER, start_time=began)
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("smoulder.request_id", request_id)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    return note
