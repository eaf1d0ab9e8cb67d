"""The benchmark of the service: its peers answer the same question, its readings are right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.peers.load import _percentile
from benchmarks.peers.minimal_fastapi import Asked
from benchmarks.serving import BODY, LIMITS, PLAIN, Stand, section


@pytest.fixture
def stand(tmp_path: Path, publish: Callable[..., Path]) -> Stand:
    (tmp_path / "models").mkdir()
    publish(tmp_path / "models")
    return Stand(tmp_path)


def test_service_and_bare_peer_give_the_same_answer_and_load_no_learner(stand: Stand) -> None:
    told = []
    for begin in (stand.ours, stand.bare):
        with begin() as server:
            for body in (PLAIN, BODY):
                response = httpx.post(f"{server.url}/v1/risk", json=body, timeout=60)
                assert response.status_code == 200, response.text
            told.append(response.json() | {"request_id": ""})
            assert server.mapped("pandas", "sklearn", "xgboost", "pyarrow", "scipy") == []
            assert server.resident_mb() < 150
            assert server.cpu_seconds() > 0
    assert told[0] == told[1]


def test_the_minimal_peer_takes_the_whole_body() -> None:
    asked = Asked.model_validate(BODY)
    assert [len(visit.labs) for visit in asked.visits] == [8, 8, 8]


@pytest.mark.parametrize(("printed", "ms"), [("5.20ms", 5.2), ("810.00us", 0.81), ("1.02s", 1020)])
def test_latencies_are_read_in_the_unit_printed(printed: str, ms: float) -> None:
    text = f"  Latency Distribution\n     50%    1.00ms\n     99%    {printed}\n"
    assert _percentile(text, "99%") == pytest.approx(ms)


def test_every_limit_that_was_measured_has_its_line() -> None:
    found: dict[str, Any] = {key: 1.0 for _, key, _, _ in LIMITS}
    lines = section(found).splitlines()
    assert [line for line in lines if "| at " in line] == lines[-len(LIMITS) :]
