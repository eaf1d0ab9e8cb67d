"""The port: held by one server, dealt out among its workers, and kept while they come and go."""

import functools
import os
import signal
import socket
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.peers.processes import free_port, until, wait_until_ready, workers_of
from benchmarks.reliability.served import Served
from features.errors import InputError
from serving.listening import Listening

Started = Any


@pytest.mark.parametrize("workers", [1, 2])
def test_of_servers_that_start_at_once_at_a_port_one_serves_and_the_others_say_so(
    workers: int, tmp_path: Path, started: Started
) -> None:
    port = free_port()
    with ExitStack() as stack:
        servers = [stack.enter_context(started(tmp_path, port, workers)) for _ in range(3)]
        assert until(lambda: sum(each.poll() is not None for each in servers) == 2, 60)
        (serving,) = (each for each in servers if each.poll() is None)
        for each in servers:
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


def test_what_waits_for_a_worker_that_is_killed_is_answered_by_the_next(tmp_path: Path) -> None:
    with Served(tmp_path, workers=2) as served, ExitStack() as callers:
        assert until(lambda: len(served.workers()) == 2, 60)
        # One that ends before its work began has its callers refused, but forty callers reach both.
        assert [_livez(served.port) for _ in range(40)] == [200] * 40
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


def test_while_a_worker_cannot_be_started_nobody_waits_for_it(
    tmp_path: Path, started: Started
) -> None:
    port, blocked = free_port(), tmp_path / "blocked"
    with started(tmp_path, port, 2, UNSTARTABLE.format(blocked=blocked)) as server:
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


def test_a_worker_that_fails_or_hangs_while_it_starts_leaves_nobody_waiting(
    tmp_path: Path, started: Started
) -> None:
    port, how = free_port(), tmp_path / "how"
    with started(tmp_path, port, 2, FAILING.format(how=how)) as server:
        wait_until_ready(f"http://127.0.0.1:{port}/livez", server)
        assert until(lambda: len(workers_of(server.pid)) == 2, 60)
        for fault in ("fail", "hang"):
            how.write_text(fault)
            os.kill(int(workers_of(server.pid)[0].name), signal.SIGKILL)
            assert until(lambda: _sockets(server.pid, "LISTEN") == 1, 30)
            assert [_livez(port) for _ in range(20)] == [200] * 20
            how.write_text("")
            assert until(lambda: _sockets(server.pid, "LISTEN") == 2, 60)


def test_a_worker_that_came_as_it_was_taken_for_absent_leaves_nobody_waiting(
    tmp_path: Path, started: Started
) -> None:
    port, late = free_port(), tmp_path / "late"
    with started(tmp_path, port, 1, TAKEN_FOR_ABSENT.format(late=late)) as server:
        wait_until_ready(f"http://127.0.0.1:{port}/livez", server)
        (deaf,) = workers_of(server.pid)
        late.touch()
        assert until(lambda: workers_of(server.pid) not in ([], [deaf]), 60)
        wait_until_ready(f"http://127.0.0.1:{port}/livez", server)


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


def _is_free(port: int, workers: int) -> bool:
    try:
        Listening("127.0.0.1", port, workers).close()
    except InputError:
        return False
    return True


def _livez(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=10) as response:
        return int(response.status)


def _sockets(worker: int, status: str) -> int:
    return sum(each.status == status for each in psutil.Process(worker).net_connections())


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


TAKEN_FOR_ABSENT = """
from pathlib import Path
from serving import supervisor
supervisor.LOOK_SECONDS = 0.25
look = supervisor._Process.look
def late(self):
    look(self)
    if Path("{late}").exists():
        Path("{late}").unlink()
        self.job.absent()
supervisor._Process.look = late
"""
