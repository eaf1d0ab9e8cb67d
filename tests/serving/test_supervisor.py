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
from serving.supervisor import _next_polled

ROOT = Path(__file__).parents[2]
SCRIPT = """
import functools, os, signal, sys, time
from pathlib import Path
from serving import supervisor
from serving.pulse import FilePulse, Pulse
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
def printing():
    sys.stdout = open(1, "w", closefd=False)  # keeps it back, whatever PYTHONUNBUFFERED says
    print("read by nobody")
    sys.exit(7)
def beating():
    for _ in range(20):
        pulses["beating"].beat()
        time.sleep(0.05)
    Path(home, "begun").touch()
    time.sleep(600)
def busy():
    pulses["busy"].beat()
    Path(home, "begun").touch()
    while True:
        pulses["busy"].beat()
        time.sleep(0.05)
def starting_slowly():
    Path(home, "begun").touch()
    time.sleep(600)
def telling():
    for _ in range(20):
        pulses["telling"]._path.write_text("well")
        time.sleep(0.05)
    Path(home, "begun").touch()
    time.sleep(600)
def leaving_with_seven():
    sys.exit(7)
def leaving_with_nothing():
    sys.exit()
def leaving_with_words():
    sys.exit("48151623.42")
supervisor.ENDING_SECONDS = 2.0
supervisor.LOOK_SECONDS, supervisor.SILENT_LOOKS, supervisor.PATIENT_LOOKS = 0.25, 4, 20
pulses = {name: Pulse() for name in sys.argv[2:]} | {"telling": FilePulse(Path(home, "told"))}
def job(name):
    return Job("smoulder-worker", globals()[name], pulses[name], patient=name == "telling")
keep_running([job(name) for name in sys.argv[2:]], at_end=Path(home, "ending").touch)
Path(home, "after").touch()
until = time.monotonic() + 60
while Path(home, "wait").exists() and time.monotonic() < until:
    time.sleep(0.01)
Path(home, "over").touch()
"""

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A supervisor of jobs by name, in a process of its own."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*jobs: str, **options: Any) -> "subprocess.Popen[bytes]":
        with (tmp_path / "output").open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, str(tmp_path), *jobs],
                stderr=sink,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                # Whoever runs the tests may ignore it, as `nohup` does.
                **{"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL), **options},
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
    assert (tmp_path / "ending").exists()
    assert (tmp_path / "over").exists()


def test_one_that_does_not_finish_in_time_is_ended(start: Start, tmp_path: Path) -> None:
    supervisor = start("stubborn")
    until((tmp_path / "begun").exists)
    (worker,) = pids(supervisor)
    supervisor.terminate()
    assert supervisor.wait(timeout=60) == 0
    assert not Path("/proc", str(worker)).exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_twice_it_still_does_what_its_caller_has_to_do_at_the_end(
    start: Start, tmp_path: Path, how: signal.Signals
) -> None:
    supervisor = start("stubborn")
    until((tmp_path / "begun").exists)
    supervisor.terminate()
    until((tmp_path / "ending").exists)
    supervisor.send_signal(how)
    assert supervisor.wait(timeout=60) == 0
    assert (tmp_path / "over").exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_again_when_all_have_ended_it_still_does_so(
    start: Start, tmp_path: Path, how: signal.Signals
) -> None:
    (tmp_path / "wait").touch()
    supervisor = start("finishing")
    until((tmp_path / "begun").exists)
    supervisor.terminate()
    until((tmp_path / "after").exists)
    supervisor.send_signal(how)
    (tmp_path / "wait").unlink()
    assert supervisor.wait(timeout=60) == 0
    assert (tmp_path / "over").exists()


def test_a_terminal_that_closes_ends_no_worker_before_the_supervisor_does(
    start: Start, tmp_path: Path
) -> None:
    supervisor = start("finishing")
    until((tmp_path / "begun").exists)
    (worker,) = pids(supervisor)
    for pid in (worker, supervisor.pid):
        os.kill(pid, signal.SIGHUP)
    assert supervisor.wait(timeout=60) == 0
    assert (tmp_path / f"finished-{worker}").exists()


def test_nohup_has_it_outlive_its_terminal(start: Start, tmp_path: Path) -> None:
    supervisor = start("finishing", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    until((tmp_path / "begun").exists)
    (worker,) = pids(supervisor)
    supervisor.send_signal(signal.SIGHUP)
    os.kill(worker, signal.SIGKILL)
    until(lambda: pids(supervisor) - {worker})
    assert not (tmp_path / "ending").exists()


def test_ends_are_heard_of_by_whoever_was_started_deaf_to_them(start: Start) -> None:
    supervisor = start("sleeping", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    until(lambda: pids(supervisor))
    (worker,) = pids(supervisor)
    os.kill(worker, signal.SIGKILL)
    until(lambda: pids(supervisor) - {worker})
    assert supervisor.poll() is None


def test_a_process_ends_with_its_status_though_nobody_takes_what_it_printed(
    start: Start, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    supervisor = start("printing", stdout=writing)
    os.close(writing)
    output = tmp_path / "output"
    until(lambda: output.read_text().count("(status 7)") == 2)
    # What stayed in its buffer must not make the copy a second supervisor.
    assert "cannot be started" not in output.read_text()
    assert len(pids(supervisor)) <= 1


def test_one_whose_pulse_stops_is_replaced(start: Start, tmp_path: Path) -> None:
    supervisor = start("beating")
    until((tmp_path / "begun").exists)
    (worker,) = pids(supervisor)
    until(lambda: pids(supervisor) - {worker})
    printed = (tmp_path / "output").read_text()
    assert "a process hangs, silent for 1 s" in printed


def test_one_that_is_stopped_is_replaced_and_one_that_works_is_not(
    start: Start, tmp_path: Path
) -> None:
    supervisor = start("busy", "sleeping")
    until(lambda: (tmp_path / "begun").exists() and len(pids(supervisor)) == 2)
    before = pids(supervisor)
    os.kill(min(before), signal.SIGSTOP)
    until(lambda: len(pids(supervisor) - {min(before)}) == 2)
    assert max(before) in pids(supervisor)


@pytest.mark.parametrize("job", ["starting_slowly", "telling"])
def test_a_start_and_a_patient_job_may_be_silent_for_longer_and_not_for_ever(
    start: Start, tmp_path: Path, job: str
) -> None:
    supervisor = start(job)
    until((tmp_path / "begun").exists)
    (worker,) = pids(supervisor)
    until(lambda: pids(supervisor) - {worker})
    printed = (tmp_path / "output").read_text()
    assert "a process hangs, silent for 5 s" in printed


@pytest.mark.parametrize("job", ["busy", "starting_slowly"])
def test_one_that_beats_or_has_not_begun_to_is_left_alone(
    start: Start, tmp_path: Path, job: str
) -> None:
    supervisor = start(job)
    until((tmp_path / "begun").exists)
    before = pids(supervisor)
    time.sleep(2.0)
    assert pids(supervisor) == before


def test_a_supervisor_that_was_stopped_itself_takes_nobody_for_silent(
    start: Start, tmp_path: Path
) -> None:
    supervisor = start("busy")
    until((tmp_path / "begun").exists)
    before = pids(supervisor)
    for how in (signal.SIGSTOP, signal.SIGCONT):
        for pid in (supervisor.pid, *before):
            os.kill(pid, how)
        time.sleep(1.5)
    assert pids(supervisor) == before


def test_signals_are_waited_for_without_the_call_that_not_every_system_has() -> None:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        assert _next_polled({signal.SIGUSR1}, 0.0) is None
        # To this thread: another one, of an earlier test, would not hold it back and end by it.
        signal.raise_signal(signal.SIGUSR1)
        assert _next_polled({signal.SIGUSR1}, 60.0) == signal.SIGUSR1
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


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
