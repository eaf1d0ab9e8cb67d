import functools
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.peers.processes import free_port, until, wait_until_ready, workers_of
from benchmarks.reliability.served import ROOT, Served
from features.errors import ArtefactError, InputError
from serving.access.keys import add_key
from serving.followed import STATUS
from serving.listening import Listening
from serving.run import serve


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "example.org", ""])
def test_no_address_but_loopback_is_bound(host: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        serve(host=host, models_dir=tmp_path)
    assert caught.value.problem.field == "host"


def test_access_control_without_anybody_to_let_in_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="smoulder keys add"):
        serve(port=3999, models_dir=tmp_path / "serving", access=True)


def test_a_public_address_is_refused_when_access_control_is_turned_off(tmp_path: Path) -> None:
    add_key(tmp_path / "access", "ward", ["risk"])
    with pytest.raises(InputError) as caught:
        serve(host="0.0.0.0", models_dir=tmp_path / "serving", access=False)
    assert caught.value.problem.field == "host"


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="is taken; choose another with --port"):
            serve(port=taken.getsockname()[1], models_dir=tmp_path)


def test_an_address_of_another_machine_is_not_called_a_taken_port(tmp_path: Path) -> None:
    add_key(tmp_path / "access", "ward", ["risk"])
    # 192.0.2.0/24 is for documentation and nobody's (RFC 5737).
    with pytest.raises(InputError, match=r"host: 192\.0\.2\.1 is not an address of this machine"):
        serve(host="192.0.2.1", models_dir=tmp_path / "serving")


@pytest.mark.parametrize("workers", [1, 2])
def test_of_servers_that_start_at_once_at_a_port_one_serves_and_the_others_say_so(
    workers: int, tmp_path: Path
) -> None:
    port = free_port()
    with ExitStack() as stack:
        started = [stack.enter_context(_started(tmp_path, port, workers)) for _ in range(3)]
        assert until(lambda: sum(each.poll() is not None for each in started) == 2, 60)
        (serving,) = (each for each in started if each.poll() is None)
        for each in started:
            if each is not serving:
                assert each.returncode != 0
                assert f"{port} is taken" in each.communicate()[0]
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", serving)
        assert until(lambda: len(workers_of(serving.pid)) == workers, 60)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_served_is_taken_and_one_that_was_is_free_at_once(
    workers: int, tmp_path: Path
) -> None:
    with Served(tmp_path, workers=workers) as served:
        # Its worker closes this one first, and keeps the port in TIME-WAIT.
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as caller:
            caller.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while caller.recv(1000):
                pass
        with pytest.raises(InputError, match="is taken"):
            Listening("127.0.0.1", served.port, workers)
        with pytest.raises(InputError, match="is taken"):
            Listening("0.0.0.0", served.port, workers)
        for worker in served.workers():
            os.kill(worker, signal.SIGKILL)
        with pytest.raises(InputError, match="is taken"):
            Listening("127.0.0.1", served.port, workers)
    Listening("127.0.0.1", served.port, workers).close()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_port_of_a_server_whose_supervisor_is_killed_is_free_again(
    workers: int, tmp_path: Path
) -> None:
    with Served(tmp_path, workers=workers) as served:
        assert until(lambda: len(served.workers()) == workers, 60)
        os.kill(served.supervisor, signal.SIGKILL)
        assert until(lambda: _is_free(served.port, workers), 30)


def _is_free(port: int, workers: int) -> bool:
    try:
        Listening("127.0.0.1", port, workers).close()
    except InputError:
        return False
    return True


def test_what_waits_for_a_worker_that_is_killed_is_answered_by_the_next(tmp_path: Path) -> None:
    with Served(tmp_path, workers=2) as served, ExitStack() as callers:
        assert until(lambda: len(served.workers()) == 2, 60)
        for worker in served.workers():
            os.kill(worker, signal.SIGSTOP)
        waiting = []
        for _ in range(8):
            caller = socket.create_connection(("127.0.0.1", served.port), timeout=20)
            waiting.append(callers.enter_context(caller))
            caller.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for worker in served.workers():
            os.kill(worker, signal.SIGKILL)
        assert [caller.recv(12) for caller in waiting] == [b"HTTP/1.1 200"] * 8


def test_while_a_worker_cannot_be_started_nobody_waits_for_it(tmp_path: Path) -> None:
    port, blocked = free_port(), tmp_path / "blocked"
    with _started(tmp_path, port, 2, UNSTARTABLE.format(blocked=blocked)) as server:
        wait_until_ready(f"http://127.0.0.1:{port}/livez", server)
        assert until(lambda: len(workers_of(server.pid)) == 2, 60)
        listening = functools.partial(_sockets, server.pid, "LISTEN")
        for left in (1, 0):
            blocked.touch()
            os.kill(int(workers_of(server.pid)[0].name), signal.SIGKILL)
            assert until(lambda left=left: listening() == left, 20)
            for _ in range(20 if left else 0):
                assert _livez(port) == 200
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=20)
        with pytest.raises(InputError, match="is taken"):
            Listening("127.0.0.1", port, 2)
        blocked.unlink()
        assert until(lambda: listening() == 2, 60)
        assert [_livez(port) for _ in range(20)] == [200] * 20


def test_a_worker_that_fails_or_hangs_while_it_starts_leaves_nobody_waiting(tmp_path: Path) -> None:
    port, how = free_port(), tmp_path / "how"
    with _started(tmp_path, port, 2, FAILING.format(how=how)) as server:
        wait_until_ready(f"http://127.0.0.1:{port}/livez", server)
        assert until(lambda: len(workers_of(server.pid)) == 2, 60)
        for fault in ("fail", "hang"):
            how.write_text(fault)
            os.kill(int(workers_of(server.pid)[0].name), signal.SIGKILL)
            assert until(lambda: _sockets(server.pid, "LISTEN") == 1, 30)
            assert [_livez(port) for _ in range(20)] == [200] * 20
            how.write_text("")
            assert until(lambda: _sockets(server.pid, "LISTEN") == 2, 60)


UNSTARTABLE = """
import errno, os
from pathlib import Path
from serving import supervisor
fork = supervisor.fork
def failing(*given):
    if Path("{blocked}").exists():
        raise OSError(errno.EAGAIN, "no process is left")
    return fork(*given)
supervisor.fork = failing
"""

FAILING = """
import time
from pathlib import Path
from serving import supervisor
from serving.room import Room
supervisor.LOOK_SECONDS, supervisor.SILENT_LOOKS, supervisor.PATIENT_LOOKS = 0.25, 16, 60
true = Room.open
def open(self):
    how = Path("{how}").read_text() if Path("{how}").exists() else ""
    if how == "fail":
        raise OSError
    if how == "hang":
        time.sleep(600)
    true(self)
Room.open = open
"""


def _livez(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=10) as response:
        return int(response.status)


def test_no_connection_is_taken_any_more_while_a_server_ends(tmp_path: Path) -> None:
    with Served(tmp_path, workers=2) as served:
        # Stopped, they end in half a minute only; the supervisor waits for them.
        for worker in served.workers():
            os.kill(worker, signal.SIGSTOP)
        os.kill(served.supervisor, signal.SIGTERM)
        sockets = psutil.Process(served.supervisor).net_connections
        assert until(lambda: not sockets(), 60)
        for worker in served.workers():
            os.kill(worker, signal.SIGCONT)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_stop_while_it_starts_a_server_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    reached = tmp_path / "reached"
    with _started(tmp_path, free_port(), 1, LONG_START.format(reached=reached)) as server:
        assert until(reached.exists, 60)
        assert list(tmp_path.glob("smoulder-*"))
        server.send_signal(how)
        assert server.wait(timeout=60) == 128 + how
    assert not list(tmp_path.glob("smoulder-*"))


LONG_START = """
import signal, time
from pathlib import Path
from serving import run
signal.signal(signal.SIGHUP, signal.SIG_DFL)
def rehearse(_):
    Path("{reached}").touch()
    time.sleep(600)
run._rehearse = rehearse
"""


def test_a_worker_whose_loop_stands_still_is_replaced_and_a_busy_one_is_not(
    tmp_path: Path,
) -> None:
    port = free_port()
    with _started(tmp_path, port, 1, BLOCKED) as server:
        wait_until_ready(f"http://127.0.0.1:{port}/livez", server)
        (first,) = workers_of(server.pid)
        # 3 s in a thread, which is longer than the second of silence allowed here.
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/thread", timeout=30) as response:
            assert response.status == 200
        assert workers_of(server.pid) == [first]
        with pytest.raises(OSError):  # closed or reset
            urllib.request.urlopen(f"http://127.0.0.1:{port}/loop", timeout=30)
        wait_until_ready(f"http://127.0.0.1:{port}/livez", server)
        assert workers_of(server.pid) != [first]


def test_a_follower_that_falls_silent_is_replaced(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "serving").mkdir()
    starts = tmp_path / "starts"
    before = SILENT.format(starts=starts, status=tmp_path / "serving" / STATUS)
    with _started(tmp_path, port, 1, before, "--registry", "http://127.0.0.1:1"):
        assert until(lambda: starts.exists() and len(starts.read_text()) >= 2, 60)


SILENT = """
import sys
from serving import supervisor
from serving.commands import server
supervisor.LOOK_SECONDS, supervisor.PATIENT_LOOKS = 0.25, 8
FOLLOWER = '''
import time
from pathlib import Path
with open("{starts}", "a") as sink:
    sink.write("x")
Path("{status}").write_text("told")
time.sleep(600)
'''
server._follow_command = lambda *_: [sys.executable, "-c", FOLLOWER]
"""

START = """
import sys
from pathlib import Path
import smoulder
sys.argv = ["smoulder", "serve", "--port", sys.argv[1], "--workers", sys.argv[2],
            "--runs", *sys.argv[3:]]
smoulder.main()
"""

BLOCKED = """
import asyncio, time
from serving import supervisor
from serving.service import DirectService
supervisor.LOOK_SECONDS, supervisor.SILENT_LOOKS = 0.25, 4
true = DirectService.to_asgi
def to_asgi(self, is_main=True):
    app = true(self, is_main)
    async def blocking(scope, receive, send):
        if scope.get("path") == "/thread":
            await asyncio.to_thread(time.sleep, 3)
            scope["path"] = "/livez"
        if scope.get("path") == "/loop":
            time.sleep(600)
        await app(scope, receive, send)
    return blocking
DirectService.to_asgi = to_asgi
"""


@contextmanager
def _started(
    runs: Path, port: int, workers: int, before: str = "", *options: str
) -> "Iterator[subprocess.Popen[str]]":
    """The server of the command line, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", before + START, str(port), str(workers), str(runs), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _sockets(worker: int, status: str) -> int:
    return sum(each.status == status for each in psutil.Process(worker).net_connections())


def test_connections_that_come_at_once_are_dealt_out_among_workers(tmp_path: Path) -> None:
    with Served(tmp_path, workers=2) as served, ExitStack() as callers:
        assert until(lambda: [_sockets(pid, "LISTEN") for pid in served.workers()] == [1, 1], 60)
        for _ in range(40):
            caller = socket.create_connection(("127.0.0.1", served.port), timeout=20)
            callers.enter_context(caller)
            caller.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert caller.recv(100)
        held = [_sockets(pid, "ESTABLISHED") for pid in served.workers()]
    # Heads or tails, 40 times: fewer than 5 of either kind twice in ten million.
    assert sum(held) == 40
    assert min(held) >= 5


@pytest.mark.parametrize(("port", "workers"), [(0, 1), (65536, 1), (3999, 0)])
def test_impossible_settings_are_named(port: int, workers: int, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        serve(port=port, workers=workers, models_dir=tmp_path)


def test_a_corrupt_model_stops_the_start(tmp_path: Path, publish: Any) -> None:
    (publish(tmp_path) / "artefact" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtefactError, match="smm-progression"):
        serve(port=3999, models_dir=tmp_path)


def test_answers_that_could_not_be_recorded_are_not_served(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="audit_dir"):
        serve(port=3999, models_dir=tmp_path, audit_dir=tmp_path / "file" / "audit")
