import os
from pathlib import Path

from serving.lineup import NOTHING_LEARNED, Card, Lineup
from serving.metrics import Metrics, forget_dead


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


def test_only_live_gauges_of_dead_workers_are_forgotten(tmp_path: Path) -> None:
    dead = "4194305"  # above the largest process id of Linux
    names = [f"gauge_livemax_{dead}.db", f"gauge_livemax_{os.getpid()}.db", f"counter_{dead}.db"]
    for name in names:
        (tmp_path / name).touch()
    forget_dead(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])
