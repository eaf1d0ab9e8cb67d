import asyncio
import re
import time
from typing import Any

import pytest
from msgspec import UNSET

from serving.lineup import NOTHING_LEARNED, Card, Lineup
from serving.metrics import Metrics
from serving.request import GivenValue
from serving.values import Input


def test_requests_and_estimates_are_counted_by_declared_names() -> None:
    metrics = Metrics()
    metrics.request("risk", 200, 0.003)
    metrics.request("risk", 422, 0.001)
    metrics.estimates([{"model": "20-2-20", "status": "ok"}] * 3)
    text = metrics.exposition().decode()
    assert 'smoulder_requests_total{route="risk",status="200"} 1.0' in text
    assert 'smoulder_request_seconds_bucket{le="0.002",route="risk"} 1.0' in text
    assert 'smoulder_estimates_total{model="20-2-20",status="ok"} 3.0' in text


def test_a_model_that_answers_no_more_is_shown_as_gone(learned_model: object) -> None:
    metrics = Metrics()
    card = Card("champion", "a", "real", "b")
    lineup = Lineup({"smm": learned_model}, {"smm": card}, {"other": "broken"})  # type: ignore[dict-item]
    metrics.lineup(lineup)
    labels = '{model="smm",role="champion",version="unregistered"}'
    text = metrics.exposition().decode()
    assert f"smoulder_model_info{labels} 1.0" in text
    assert "smoulder_model_faults 1.0" in text
    metrics.lineup(NOTHING_LEARNED)
    text = metrics.exposition().decode()
    assert f"smoulder_model_info{labels} 0.0" in text
    assert "smoulder_model_faults 0.0" in text


def test_inputs_are_counted_by_tenth_and_never_by_value() -> None:
    metrics = Metrics()
    given = GivenValue(48.1516, "mg/L")
    told = [
        Input("kappa_flc", "2025-09-09", given, 48.1516, "mg/L"),
        Input("m_protein", "2025-09-09", given, None, "g/dL"),
        Input("egfr", UNSET, None, 61.0, "mL/min/{1.73_m2}"),
    ]
    metrics.inputs(told * 3)
    text = metrics.exposition().decode()
    assert 'smoulder_inputs_total{analyte="kappa_flc",bin="5"} 3.0' in text
    assert "m_protein" not in text
    assert "egfr" not in text
    assert "48.15" not in text


def test_counts_are_written_within_a_second_though_nobody_asks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.metrics.FLUSH_SECONDS", 0.02)
    metrics = Metrics()

    def written() -> float | None:
        labels = {"model": "20-2-20", "status": "ok"}
        return metrics.registry.get_sample_value("smoulder_estimates_total", labels)

    async def ask_once() -> None:
        metrics.estimates([{"model": "20-2-20", "status": "ok"}])
        assert written() is None
        await asyncio.sleep(0.1)

    asyncio.run(ask_once())
    assert written() == 1.0


def test_model_age_and_the_wait_for_the_record_are_told(client: Any, body: Any, room: Any) -> None:
    before = time.time()
    assert client.post("/v1/risk", json=body).status_code == 200
    text = client.get("/metrics").text
    (line,) = re.findall(
        r'^smoulder_model_published_timestamp_seconds{model="[^"]+"} (.*)$', text, re.M
    )
    assert 0 <= before - float(line) < 600
    assert "smoulder_audit_seconds_count 1.0" in text
    assert 'smoulder_inputs_total{analyte="hemoglobin",bin="6"}' in text
