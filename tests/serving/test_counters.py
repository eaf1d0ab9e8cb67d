"""Files that workers count in: room for everything, taken before anything is counted."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.multiprocess import MultiProcessCollector

from serving.counters import FILE_BYTES, forget_dead

ROOT = Path(__file__).parents[2]

# Everything that can be counted, and more models and versions than anybody has.
COUNT = """
import json, struct, sys
from pathlib import Path
from features.analytes import ANALYTES
from serving.app import ALL_ROUTES
from serving.drift import bins_of
from serving.metrics import Metrics
from serving.problems import PROBLEM_KINDS
from serving.request import GivenValue
from serving.values import Input

metrics = Metrics()
for name, analyte in ANALYTES.items():
    for i in range(-20, 400):
        used = i * 2.0 ** (i % 12)
        metrics.inputs([Input(name, "2025-09-09", GivenValue(used, ""), used, "")])
for route in ALL_ROUTES:
    for status in (200, 303, *(kind.status for kind in PROBLEM_KINDS)):
        metrics.request(route.endpoint.__name__, status, 0.1)
for i in range(40):
    for status in ("ok", "partial", "refused"):
        metrics.estimates([{"model": f"{'m' * 40}-{i}", "status": status}])
for i in range(1000):
    metrics._model.labels("m" * 40, str(i), "champion").set(1)
metrics.exposition()
used = {}
for path in Path(sys.argv[1]).glob("*.db"):
    found = path.stat()
    used[path.name] = [struct.unpack("i", path.read_bytes()[:4])[0], found.st_size, found.st_blocks]
print(json.dumps([used, metrics.exposition().decode().count("smoulder_estimates_total{")]))
"""


def counted(folder: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", COUNT, str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        check=True,
    )
    return *json.loads(done.stdout), done.stderr


def test_there_is_room_on_disk_for_whatever_is_counted(tmp_path: Path) -> None:
    files, estimates, _ = counted(tmp_path)
    assert {name.rpartition("_")[0] for name in files} == {"counter", "gauge_livemax", "histogram"}
    for used, size, blocks in files.values():
        assert used < FILE_BYTES / 2
        assert size == FILE_BYTES
        assert blocks * 512 >= FILE_BYTES
    assert estimates == 120


def test_a_worker_that_finds_no_room_counts_for_itself(tmp_path: Path) -> None:
    files, estimates, told = counted(tmp_path / "cleaned away")
    assert files == {}
    assert estimates == 120
    assert "this worker counts for itself" in told


def test_only_live_gauges_of_dead_workers_are_forgotten(tmp_path: Path) -> None:
    dead = "4194305"  # above the largest process id of Linux
    names = [f"gauge_livemax_{dead}.db", f"gauge_livemax_{os.getpid()}.db", f"counter_{dead}.db"]
    for name in names:
        (tmp_path / name).touch()
    forget_dead(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_process_of_somebody_else_is_not_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_ours(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr("serving.counters.os.kill", not_ours)
    (tmp_path / "gauge_livemax_7.db").touch()
    forget_dead(tmp_path)
    assert (tmp_path / "gauge_livemax_7.db").exists()


def test_the_counts_of_dead_workers_keep_no_room_that_they_do_not_need(tmp_path: Path) -> None:
    path = tmp_path / "counter_4194305.db"
    path.write_bytes(struct.pack("i", 64) + bytes(FILE_BYTES - 4))
    forget_dead(tmp_path)
    assert path.stat().st_size == 64


@pytest.mark.parametrize("size", [FILE_BYTES, 0], ids=["nothing counted", "no room taken yet"])
def test_a_worker_that_died_before_it_counted_hides_nobody_elses_counts(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "counter_4194305.db"
    path.write_bytes(bytes(size))
    forget_dead(tmp_path)
    assert list(MultiProcessCollector.merge([str(path)])) == []
