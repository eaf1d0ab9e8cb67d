"""Tracing is off, or tells a collector on loopback routes and statuses and nothing else."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from benchmarks.reliability.served import Served
from serving import tracing
from serving.app import application

SENTINEL = 48.1516
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Spans kept in memory, as soon as they end."""
    monkeypatch.setattr("opentelemetry.sdk.trace.export.BatchSpanProcessor", SimpleSpanProcessor)
    monkeypatch.setattr(tracing, "_providers", [])
    found = InMemorySpanExporter()
    monkeypatch.setattr("serving.envelope.tracer", lambda: tracing._tracer(found))
    return found


def test_without_a_collector_there_is_no_tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tracing.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert tracing.tracer() is None


def test_a_span_says_route_and_status_joins_its_parent_and_holds_no_value(
    exporter: InMemorySpanExporter, room: Any, client_of: Any, body: Any
) -> None:
    client = client_of(application(room))
    body["subject"]["id"] = "Zaphod-Beeblebrox"
    body["visits"][1]["labs"]["kappa_flc"]["value"] = SENTINEL
    headers = {"traceparent": PARENT, "tracestate": "patient=Zaphod", "baggage": "x=Zaphod"}
    response = client.post("/v1/risk?name=Zaphod", json=body, headers=headers)
    (span,) = exporter.get_finished_spans()
    assert span.name == "risk"
    assert dict(span.attributes) == {
        "http.route": "risk",
        "http.response.status_code": 200,
        "smoulder.request_id": response.headers["x-request-id"],
    }
    assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
    assert span.end_time > span.start_time
    text = span.to_json()
    assert "Zaphod" not in text
    assert "48.15" not in text


def test_a_configured_collector_is_sent_the_span(
    collector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opentelemetry.sdk.trace.export.BatchSpanProcessor", SimpleSpanProcessor)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.delenv("OTEL_SDK_DISABLED", raising=False)
    note = tracing.tracer()
    assert note is not None
    note({}, "risk", 503, "a" * 32, 1, 2)
    (content,) = collector.sent
    assert b"risk" in content


def test_spans_that_wait_are_sent_when_the_server_is_told_to_stop(
    collector: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.sent.clear()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    # Nothing is sent in the ordinary way within the life of this server.
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    monkeypatch.delenv("OTEL_SDK_DISABLED", raising=False)
    with Served(tmp_path, workers=1) as served:
        served.get("/v1/models/smm-progression")
        assert collector.sent == []
    assert any(b"smoulder.request_id" in content for content in collector.sent)


def test_a_collector_that_does_not_answer_delays_the_end_by_no_more_than_its_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = threading.Event()

    class Hanging(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            ended.wait(60)
            return SpanExportResult.FAILURE

    monkeypatch.setattr(tracing, "_providers", [])
    note = tracing._tracer(Hanging())
    note({}, "risk", 200, "a" * 32, 1, 2)
    began = time.monotonic()
    tracing.flush(0.1)
    assert time.monotonic() - began < 30
    assert not ended.is_set()
    ended.set()


def test_a_collector_that_fails_loses_spans_and_no_answer(
    monkeypatch: pytest.MonkeyPatch, room: Any, client_of: Any, body: Any
) -> None:
    class Failing(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.FAILURE

    monkeypatch.setattr("serving.envelope.tracer", lambda: tracing._tracer(Failing()))
    client = client_of(application(room))
    assert client.post("/v1/risk", json=body).status_code == 200
