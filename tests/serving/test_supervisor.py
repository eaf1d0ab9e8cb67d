"""Processes that are replaced when they end, and end with the one that started them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.processes import stop, workers_of
from serving.run import WORKER

ROOT = Path(__file__).parents[2]
SCRIPT = """
import functools, os, signal, sys, time
from pathlib import Path
from serving import supervisor
from serving.supervisor import Job, keep_running
home = Path(sys.argv[1])
def sleeping():
    time.sleep(600)
def finishing():
    def told(*_):
        Path(home, f"finished-{os.getpid()}").touch()
        sys.exit(0)
    signal.signal(signal.SIGTERM, told)
    Path(home, "begun").touch()
    time.sleep(600)
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(home, "begun").touch()
    time.sleep(600)
def failing():
    with open(Path(home, "starts"), "a") as sink:
        sink.write(f"{time.monotonic()}\\n")
    raise ValueError("48151623.42")
def leaving_with_seven():
    sys.exit(7)
def leaving_with_nothing():
    sys.exit()
def leaving_with_words():
    sys.exit("48151623.42")
supervisor.ENDING_SECONDS = 2.0
keep_running([Job("smoulder-worker", globals()[name]) for name in sys.argv[2:]])
Path(home, "over").touch()
"""

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A supervisor of jobs by name, in a process of its own."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*jobs: str) -> "subprocess.Popen[bytes]":
        with (tmp_path / "output").open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, str(tmp_path), *jobs],
                stderr=sink,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        running.append(process)
        return process

    yield begin
    for process in running:
        stop(process)


def until(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def pids(supervisor: "subprocess.Popen[bytes]") -> set[int]:
    return {int(place.name) for place in workers_of(supervisor.pid)}


def test_a_killed_worker_is_replaced_and_the_others_stay(start: Start, tmp_path: Path) -> None:
    supervisor = start("sleeping", "sleeping")
    until(lambda: len(pids(supervisor)) == 2)
    one, other = pids(supervisor)
    os.kill(one, signal.SIGKILL)
    until(lambda: len(pids(supervisor) - {one}) == 2)
    assert other in pids(supervisor)
    until(lambda: "(signal 9)" in (tmp_path / "output").read_text())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_when_told_to_stop_everybody_finishes_first(
    start: Start, tmp_path: Path, how: signal.Signals
) -> None:
    supervisor = start("finishing")
    until((tmp_path / "begun").exists)
    (worker,) = pids(supervisor)
    supervisor.send_signal(how)
    assert supervisor.wait(timeout=60) == 0
    assert (tmp_path / f"finished-{worker}").exists()
    assert (tmp_path / "over").exists()


def test_one_that_does_not_finish_in_time_is_ended(start: Start, tmp_path: Path) -> None:
    supervisor = start("stubborn")
    until((tmp_path / "begun").exists)
    (worker,) = pids(supervisor)
    supervisor.terminate()
    assert supervisor.wait(timeout=60) == 0
    assert not Path("/proc", str(worker)).exists()


def test_workers_end_with_a_supervisor_that_is_killed(start: Start, tmp_path: Path) -> None:
    supervisor = start("finishing")
    until((tmp_path / "begun").exists)
    (worker,) = pids(supervisor)
    supervisor.kill()
    until(lambda: (tmp_path / f"finished-{worker}").exists())


def test_one_that_fails_at_once_is_not_started_in_a_rush_and_its_words_stay_in(
    start: Start, tmp_path: Path
) -> None:
    start("failing")
    starts = tmp_path / "starts"
    until(lambda: starts.exists() and len(starts.read_text().splitlines()) == 3)
    first, second, third = map(float, starts.read_text().splitlines())
    assert second - first > 0.9
    assert third - second > 0.9
    printed = (tmp_path / "output").read_text()
    assert "ValueError at" in printed
    assert "48151623" not in printed


@pytest.mark.parametrize(
    ("job", "status"),
    [("leaving_with_seven", 7), ("leaving_with_nothing", 0), ("leaving_with_words", 1)],
)
def test_the_status_with_which_a_process_leaves_is_told_and_its_words_are_not(
    start: Start, tmp_path: Path, job: str, status: int
) -> None:
    start(job)
    until(lambda: "a process ended" in (tmp_path / "output").read_text())
    printed = (tmp_path / "output").read_text()
    assert f"(status {status})" in printed
    assert "48151623" not in printed


def test_the_supervisor_of_the_service_has_one_thread_and_its_workers_a_name(server: Any) -> None:
    status = Path("/proc", str(server.pid), "status").read_text()
    # A fork copies no other thread, and with it a lock that thread holds would stay held for ever.
    assert "Threads:\t1\n" in status
    (worker,) = server.workers()
    assert (worker / "comm").read_text().strip() == WORKER
